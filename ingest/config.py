"""The sources' TOML file: read, checked, and turned into sources that can be opened.

Knows nothing about any one kind of source but where its class is.
"""

import difflib
import functools
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast
from urllib.parse import unquote

from ingest import audience
from ingest.audience import Wrong
from ingest.entries import OptionValue, Source, SourceConfig
from ingest.schedule import EXAMPLE as EXAMPLE_LINE
from ingest.schedule import Schedule, ScheduleError
from store.records import EVERYONE

KINDS = {
    "folder": "ingest.sources.folder:Folder",
    "files": "ingest.sources.files:Files",
    "git": "ingest.sources.git:Git",
    "website": "ingest.sources.website:Website",
    "slack-export": "ingest.sources.slack_export:SlackExport",
    "notion-export": "ingest.sources.notion_export:NotionExport",
    "confluence-export": "ingest.sources.confluence_export:ConfluenceExport",
    "confluence": "ingest.sources.confluence:Confluence",
    "notion": "ingest.sources.notion:Notion",
    "drive": "ingest.sources.drive:Drive",
}
"""To add a kind: one line here, one file with one class, its test."""

EXAMPLE = Path(__file__).resolve().parent.parent / "evals" / "handbook"
"""The handbook that comes with Threadwise: what is read when nothing is configured."""

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
EVERY_HALF_HOUR = (
    "*/30 * * * *"  # when nothing else is said: unchanged documents cost next to nothing
)
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_SECRET = re.compile(r"(?i)token(?!_address)|secret|passw|pwd|key|credential|auth|signature|\bsig")
"""What an option, a variable or a part of a query is called that holds one."""
_LONG = 16  # letters of a query's value, from which it may well be a secret whatever it is called

_COMMON: dict[str, type | tuple[type, ...]] = {
    "name": str,
    "kind": str,
    "address": str,
    "schedule": str,
    "link": str,
    "include": list,
    "exclude": list,
    "audience": list,
    "rule": list,
    "max_mb": (int, float),
    "max_removed_share": (int, float),
    "max_removed": int,
    "timeout_minutes": (int, float),
}


class ConfigError(Exception):
    """The sources' file cannot be used; the message names the line and the cure."""


def load(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    max_mb: float = 50,
    max_removed_share: float = 0.3,
    cache: Path | None = None,
) -> list[SourceConfig]:
    """Read the configured sources.

    `${NAME}` in a value is taken from `environ`; `cache` is a folder where sources may keep clones.
    Raises ConfigError.
    """
    found = _Reader(path, environ or {}, max_mb, max_removed_share).configs()
    return [replace(config, cache=str(cache)) for config in found] if cache else found


def example() -> SourceConfig:
    """Give the handbook that comes with Threadwise as a source."""
    return SourceConfig(
        "handbook", "folder", str(EXAMPLE), schedule=EVERY_HALF_HOUR, origin="example"
    )


def of_address(address: str, taken: set[str] | frozenset[str] = frozenset()) -> SourceConfig:
    """Make a source of a bare path or URL, with a name of its own."""
    kind = _kind_of(address)
    if kind == "folder" or (kind == "files" and "://" not in address):
        address = str(Path(address).expanduser().resolve())
    stem = re.sub(r"[^a-z0-9]+", "-", address.rstrip("/").rsplit("/", 1)[-1].lower()).strip("-")
    name, number = stem[:60] or "documents", 2
    while name in taken:
        name, number = f"{stem[:56]}-{number}", number + 1
    kept = _secrets({"address": address})
    return SourceConfig(name, kind, address, schedule=EVERY_HALF_HOUR, origin="hand", secrets=kept)


def open_source(config: SourceConfig) -> Source:
    """Make the source that a configuration describes."""
    return _class_of(config.kind)(config)


def _kind_of(address: str) -> str:
    if re.match(r"(git@|git://|ssh://)|.*\.git$", address):
        return "git"
    if re.match(r"https?://", address):
        return "website"
    if "://" in address or address.lower().endswith(".zip"):
        return "files"
    return "folder"


def _class_of(kind: str) -> Callable[[SourceConfig], Source]:
    module, _, name = KINDS[kind].partition(":")
    return cast(Callable[[SourceConfig], Source], getattr(import_module(module), name))


class _Reader:
    """Checks one file; every error names it, the line, and what to write instead."""

    def __init__(
        self, path: Path, environ: Mapping[str, str], max_mb: float, max_removed_share: float
    ) -> None:
        self.path = path
        self.environ = environ
        self.defaults = {"max_mb": max_mb, "max_removed_share": max_removed_share}
        try:
            self.text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"{path} cannot be read ({error}). Set THREADWISE_SOURCES to a TOML file"
                " like sources.toml.example."
            ) from error

    def configs(self) -> list[SourceConfig]:
        """Give the file's sources; raises ConfigError."""
        try:
            tables = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{self.path}: {error}. Correct the TOML there.") from error
        for key in tables:
            if key != "source":
                raise self._error(-1, key, f"{key!r} is not known: each source is a [[source]].")
        sources = tables.get("source", [])
        if not isinstance(sources, list) or not sources:
            raise ConfigError(
                f"{self.path}: no [[source]] in it. Add one: see sources.toml.example."
            )
        found: list[SourceConfig] = []
        for index, table in enumerate(sources):
            config = self._config(index, self._expand(index, table))
            if any(config.name == other.name for other in found):
                raise self._error(index, "name", f"{config.name!r} is used twice: rename one.")
            found.append(config)
        return found

    def _config(self, index: int, table: dict[str, object]) -> SourceConfig:
        kind = str(table.get("kind", "folder"))
        if kind not in KINDS:
            raise self._error(index, "kind", f"kind {kind!r} is not one of {', '.join(KINDS)}.")
        options = cast(Mapping[str, type], getattr(_class_of(kind), "OPTIONS", {}))
        self._check_types(index, table, {**_COMMON, **options})
        name, address = str(table.get("name", "")), str(table.get("address", ""))
        if not NAME.fullmatch(name):
            raise self._error(
                index, "name", "give it a name of small letters, digits, dots and dashes."
            )
        if not address:
            raise self._error(index, "address", f"{name!r} needs an address: where is it?")
        schedule, complaint = self._schedule(index, table)
        given = {key: table[key] for key in _COMMON if key in table and key in _SIMPLE}
        return SourceConfig(
            name=name,
            kind=kind,
            address=self._resolve(kind, address),
            schedule=schedule,
            complaint=complaint,
            include=self._patterns(index, "include", table),
            exclude=self._patterns(index, "exclude", table),
            audience=audience.audience(table.get("audience", [EVERYONE]), self._wrong(index)),
            rules=audience.rules(table.get("rule", []), functools.partial(self._wrong, index)),
            options=cast(
                Mapping[str, OptionValue], {key: table[key] for key in options if key in table}
            ),
            secrets=_secrets(table),
            **{**self.defaults, **given},  # type: ignore[arg-type]
        )

    def _check_types(
        self, index: int, table: dict[str, object], known: Mapping[str, type | tuple[type, ...]]
    ) -> None:
        for key, value in table.items():
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                meant = f"Did you mean {close[0]}?" if close else f"Known: {', '.join(known)}."
                raise self._error(index, key, f"{key!r} is not known. {meant}")
            if key in _GUARDS:
                continue  # read below, with a cure of their own
            options_of_kind = known.keys() - _COMMON.keys()  # tokens among them
            if not isinstance(value, known[key]) or (
                isinstance(value, bool) and known[key] is not bool
            ):
                shown = "" if key in options_of_kind else f" = {value!r}"
                raise self._error(index, key, f"{key}{shown} is not of the right type.")

    def _schedule(self, index: int, table: dict[str, object]) -> tuple[str | None, str | None]:
        """Give the schedule, or what is wrong with it: that must not stop the other sources."""
        schedule = str(table.get("schedule", EVERY_HALF_HOUR)).strip()
        if schedule == "off":
            return None, None
        try:
            Schedule(schedule)
        except ScheduleError as error:
            return None, (
                f"{self.path}, line {self._line(index, 'schedule', None)}: the schedule {schedule!r} of"
                f" source {table.get('name')!r} cannot be read ({error}), so it is read by hand only."
                f' Write a cron line such as "{EXAMPLE_LINE}", or "off".'
            )
        return schedule, None

    def _patterns(self, index: int, key: str, table: dict[str, object]) -> tuple[str, ...]:
        """Read what is let in or left out; an empty list of what is left out leaves out nothing."""
        if key not in table or (key == "exclude" and table[key] == []):
            return ()
        return audience.patterns(key, table[key], self._wrong(index))

    def _resolve(self, kind: str, address: str) -> str:
        """Paths count from the file's own folder."""
        if "://" in address or re.match(r"git@", address):
            return address
        return str((self.path.parent / Path(address).expanduser()).resolve())

    def _expand(self, index: int, table: dict[str, object]) -> dict[str, object]:
        def value_of(match: re.Match[str]) -> str:
            name = match.group(1)
            if not self.environ.get(name):
                raise self._error(
                    index,
                    f"${{{name}}}",
                    f"{name} is not set: put it into the environment or .env.",
                )
            return self.environ[name]

        def expand(value: object) -> object:
            if isinstance(value, dict):
                return {key: expand(item) for key, item in value.items()}
            if isinstance(value, list):
                return [expand(item) for item in value]
            return _VARIABLE.sub(value_of, value) if isinstance(value, str) else value

        return {key: expand(value) for key, value in table.items()}

    def _wrong(self, index: int, rule: int | None = None) -> Wrong:
        """Make errors of one source, or of one of its rules."""

        def wrong(key: str, message: str) -> ConfigError:
            return self._error(index, key, message, rule)

        return wrong

    def _error(self, index: int, key: str, message: str, rule: int | None = None) -> ConfigError:
        return ConfigError(f"{self.path}, line {self._line(index, key, rule)}: {message}")

    def _line(self, index: int, key: str, rule: int | None) -> int:
        """The line of `key` in the index-th [[source]] (and the rule of that number), or its header."""
        header, source, part = 1, -1, None
        for number, line in enumerate(self.text.splitlines(), start=1):
            if re.match(r"\s*\[\[\s*source\s*\]\]", line):
                source, part = source + 1, None
                header = number if source <= index and rule is None else header
            elif re.match(r"\s*\[\[?\s*source\s*\.\s*rule\s*\]", line):
                part = 0 if part is None else part + 1
                header = number if (source, part) == (index, rule) else header
            if source != index or (rule is not None and part != rule):
                continue
            if key and (re.match(rf"\s*\[*\s*(source\s*\.\s*)?[\"']?{re.escape(key)}\b", line) or (
                key.startswith("${") and key in line
            )):  # fmt: skip
                return number
        return header


def secrets(path: Path, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Give what is never shown of a sources' file, as far as it can be read; also of one that is wrong."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    named = (environ.get(name, "") for name in _VARIABLE.findall(text) if _SECRET.search(name))
    found = {*named, *_WRITTEN.findall(text)}
    try:
        tables = tomllib.loads(_VARIABLE.sub(lambda m: environ.get(m[1], m[0]), text)).get("source")
    except (tomllib.TOMLDecodeError, RecursionError):
        tables = None
    for table in tables if isinstance(tables, list) else []:
        if isinstance(table, dict):
            found.update(_secrets(table))
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _secrets(table: Mapping[str, object]) -> tuple[str, ...]:
    """Give a source's secrets, the longest first: by what options are called, and those of addresses."""
    found: set[str] = set()

    def gather(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                gather(f"{name}.{key}", inner)
        elif isinstance(value, list):
            for inner in value:
                gather(name, inner)
        elif isinstance(value, str):
            if name not in _COMMON and _SECRET.search(name):
                found.add(value)
            if "://" in value:
                found.update(_of_address(value))

    for key, value in table.items():
        gather(str(key), value)
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def _of_address(address: str) -> Iterator[str]:
    """Give the password, or the name that stands alone, and what a query holds that may be secret."""
    rest = address.partition("://")[2]
    user, at, _ = rest.partition("?")[0].rpartition("@")
    if at:
        name, colon, password = user.partition(":")
        yield password if colon else name
    for part in address.partition("?")[2].partition("#")[0].split("&"):
        name, _, value = part.partition("=")
        if _SECRET.search(name) or len(value) >= _LONG:
            yield from {value, unquote(value)}


_WRITTEN = re.compile(
    r"""(?im)^[ \t]*[\w.-]*(?:token|secret|passw|key)\w*[ \t]*=[ \t]*["']([^"'\n]{6,500})["']"""
)
"""In a file that is no TOML."""

_GUARDS = {"audience", "rule", "include", "exclude"}
_SIMPLE = {"link", "max_mb", "max_removed_share", "max_removed", "timeout_minutes"}
