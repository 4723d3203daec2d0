"""What a message can be and what is done then: intents.toml, checked, and read again when it changes.

Knows nothing about models. Who a message is passed on to is named by a Slack id, which is only checked.
"""

import difflib
import hashlib
import json
import logging
import re
import time
import tomllib
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Literal, cast, get_args

log = logging.getLogger(__name__)

Action = Literal["answer", "reply", "route", "human", "ignore"]
ACTIONS: tuple[Action, ...] = get_args(Action)
TEXTS = ("name", "description", "action", "emoji", "examples_file", "reply", "route_to")
LISTS = ("examples", "sources")
TALKATIVE = ("reply", "route", "human")
"""Actions that say a text of the intent's own."""

OOS = "oos"
"""Stands for "out of scope" wherever intents are named, so no intent may have that name."""

OUT_OF_SCOPE_FILE = "out_of_scope_file"
"""Names, above all intents, the file of messages that are of none of them."""

CHECK_SECONDS = 3.0
"""A changed file is noticed within this time."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_ADDRESS = re.compile(r"[CGSUW][A-Z0-9]{5,20}")
_EXAMPLES_FILE = re.compile(
    r"""^[ \t]*(?:examples|out_of_scope)_file\s*=\s*["'](.+?)["']""", re.MULTILINE
)
_HEADER = re.compile(r"^[ \t]*\[\[\s*intent\s*\]\]", re.MULTILINE)


class IntentsError(Exception):
    """The intents' file cannot be used; the message names the line or intent, and the cure."""


@dataclass(frozen=True, slots=True)
class Intent:
    """One thing that a message can be; `sources` None stands for all of them."""

    name: str
    description: str
    action: Action
    examples: tuple[str, ...]
    emoji: str | None = None
    reply: str | None = None
    route_to: str | None = None
    sources: tuple[str, ...] | None = None

    @property
    def label(self) -> str:
        """The name as it stands on a button."""
        return self.name.replace("_", " ").capitalize()


@dataclass(frozen=True, slots=True)
class Intents:
    """All intents of one reading; `digest` changes exactly when an example or its label does.

    `out_of_scope` are messages that are of no intent; the classifier learns from them what to reject.
    """

    by_name: Mapping[str, Intent] = field(default_factory=dict)
    digest: str = ""
    scripts: frozenset[str] = frozenset()
    out_of_scope: tuple[str, ...] = ()

    @classmethod
    def of(cls, found: tuple[Intent, ...], out_of_scope: tuple[str, ...] = ()) -> "Intents":
        """Index intents whose names differ."""
        named = [(text, intent.name) for intent in found for text in intent.examples]
        labelled = sorted(named + [(text, OOS) for text in out_of_scope])
        digest = hashlib.sha256(json.dumps(labelled).encode()).hexdigest()
        scripts = frozenset(_scripts({sign for text, _ in named for sign in text}))
        return cls({intent.name: intent for intent in found}, digest, scripts, out_of_scope)

    def can_read(self, text: str) -> bool:
        """Whether most letters are of a script that some example is written in."""
        scripts = _scripts(text)
        return 2 * sum(script in self.scripts for script in scripts) >= len(scripts)

    def examples(self) -> list[tuple[str, str]]:
        """Give (text, intent) of every example."""
        return [(text, i.name) for i in self.by_name.values() for text in i.examples]


class IntentFile:
    """The intents of a file, at most CHECK_SECONDS old; a broken file keeps the old ones serving."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = Lock()
        self._looked_at = float("-inf")
        self._stamp: object = None
        self._intents = Intents()

    def now(self) -> Intents:
        """Give the intents; none at all where the file never could be read."""
        with self._lock:
            if self._clock() - self._looked_at >= CHECK_SECONDS:
                self._looked_at = self._clock()
                self._look()
            return self._intents

    def _look(self) -> None:
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._intents = read(self._path)
        except IntentsError as error:
            log.error("intents_broken %s The previous ones keep serving.", error)


def load(path: Path) -> tuple[Intent, ...]:
    """Read and check a file's intents; raise IntentsError at the first mistake."""
    return tuple(read(path).by_name.values())


def read(path: Path) -> Intents:
    """Read and check a file; raise IntentsError at the first mistake."""
    text = _read(path, f"There is no intents file {path}. Set THREADWISE_INTENTS to yours.")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise IntentsError(f"{path} is not valid TOML: {error}.") from error
    rows, beside = tables.pop("intent", None), tables.pop(OUT_OF_SCOPE_FILE, None)
    if tables:
        raise IntentsError(f"{path} has {next(iter(tables))!r} outside of any [[intent]]. Move it.")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise IntentsError(f"{path} has no [[intent]]. Begin each intent with that line.")
    found = tuple(_Reader(path, text, number).intent(row) for number, row in enumerate(rows))
    out_of_scope = _out_of_scope(path, beside)
    _check_unique(path, found)
    _check_outside(path, found, out_of_scope)
    return Intents.of(found, out_of_scope)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads the intent with this number, and knows where it stands."""

    path: Path
    text: str
    number: int

    def intent(self, row: dict[str, object]) -> Intent:
        self._check_keys(row)
        name = str(row.get("name", ""))
        if not _NAME.fullmatch(name) or name == OOS:
            raise self._wrong(
                "name", f"{name!r} cannot name an intent: use small letters, digits and _"
            )
        action = str(row.get("action", ""))
        if action not in ACTIONS:
            raise self._wrong(
                "action", f"{name}: unknown action {action!r}: use {', '.join(ACTIONS)}"
            )
        made = Intent(
            name=name,
            description=str(row.get("description", "")),
            action=action,
            examples=self._examples(name, row),
            emoji=_text(row, "emoji"),
            reply=_text(row, "reply"),
            route_to=_text(row, "route_to"),
            sources=_texts(row, "sources") or None,
        )
        self._check(made)
        return made

    def _check_keys(self, row: dict[str, object]) -> None:
        known = (*TEXTS, *LISTS)
        for key, value in row.items():
            if key not in known:
                close = difflib.get_close_matches(key, known, 1)
                cure = f"did you mean {close[0]}?" if close else f"use {', '.join(known)}"
                raise self._wrong(key, f"unknown key {key!r}: {cure}")
            if key in TEXTS and not isinstance(value, str):
                raise self._wrong(key, f"{key} must be a text in quotes")
            if key in LISTS and not _is_texts(value):
                raise self._wrong(key, f'{key} must be a list of texts: ["...", "..."]')
            if key == "sources" and not value:
                raise self._wrong(key, "sources = [] names none: leave it out to search in all")

    def _check(self, made: Intent) -> None:
        if not made.examples:
            raise self._wrong("name", f"{made.name} has no examples: add some, at least five")
        if (
            made.action in TALKATIVE
            and not made.reply
            and (made.action == "reply" or not made.route_to)
        ):
            raise self._wrong("action", f"{made.name} needs a reply: the text that is said")
        if made.route_to and made.action not in ("route", "human"):
            raise self._wrong(
                "route_to", f'{made.name}: route_to needs action = "route" or "human"'
            )
        if made.route_to and not _ADDRESS.fullmatch(made.route_to):
            raise self._wrong(
                "route_to",
                f"{made.name}: {made.route_to!r} is no Slack id: copy the one that begins with"
                " C (channel), S (user group) or U (person)",
            )

    def _examples(self, name: str, row: dict[str, object]) -> tuple[str, ...]:
        texts = list(_texts(row, "examples"))
        file = _text(row, "examples_file")
        if file:
            missing = self._wrong(
                "examples_file", f"{name}: there is no file {file} beside {self.path.name}"
            )
            texts += _read(self.path.parent / file, str(missing)).splitlines()
        return _lines(texts)

    def _wrong(self, key: str, what: str) -> IntentsError:
        return IntentsError(f"{self.path}, line {self._line(key)}: {what}.")

    def _line(self, key: str) -> int:
        """Where the key stands, else where the intent begins; tomllib does not tell."""
        headers = list(_HEADER.finditer(self.text))
        if self.number >= len(headers):
            return 1
        start = headers[self.number].end()
        following = headers[self.number + 1 : self.number + 2]
        end = following[0].start() if following else len(self.text)
        key_line = re.compile(rf"^\s*{re.escape(key)}\s*=", re.MULTILINE)
        found = key_line.search(self.text, start, end)
        return self.text.count("\n", 0, found.end() if found else start) + 1


def _check_unique(path: Path, found: tuple[Intent, ...]) -> None:
    for intent, other in _clashes(found, lambda intent: [intent.name]):
        raise IntentsError(f"{path} has two intents named {intent!r}. Rename or merge the {other}.")
    for emoji, names in _clashes(found, lambda intent: [intent.emoji] if intent.emoji else []):
        raise IntentsError(f"{path}: :{emoji}: stands for {names}. Give each its own emoji.")
    for text, names in _clashes(found, lambda intent: [_folded(t) for t in intent.examples]):
        raise IntentsError(f"{path}: {names} share the example {text[:80]!r}. Keep it under one.")


def _out_of_scope(path: Path, file: object) -> tuple[str, ...]:
    """Read the messages that are of no intent; none at all where no file is named."""
    if file is None:
        return ()
    if not isinstance(file, str):
        raise IntentsError(f"{path}: {OUT_OF_SCOPE_FILE} must be a text in quotes.")
    missing = f"{path}: {OUT_OF_SCOPE_FILE}: there is no file {file} beside {path.name}."
    return _lines(_read(path.parent / file, missing).splitlines())


def _check_outside(path: Path, found: tuple[Intent, ...], out_of_scope: tuple[str, ...]) -> None:
    outside = {_folded(text) for text in out_of_scope}
    for intent in found:
        for text in intent.examples:
            if _folded(text) in outside:
                raise IntentsError(
                    f"{path}: {intent.name} and {OUT_OF_SCOPE_FILE} share the example {text[:80]!r}."
                    " Keep it under one."
                )


def _clashes(
    found: tuple[Intent, ...], keys: Callable[[Intent], list[str]]
) -> Iterator[tuple[str, str]]:
    owner: dict[str, str] = {}
    for intent in found:
        for key in dict.fromkeys(keys(intent)):
            if key in owner:
                yield key, f"{owner[key]} and {intent.name}"
            owner[key] = intent.name


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _scripts(signs: Iterable[str]) -> list[str]:
    """Name the script of each letter by the first word of its Unicode name: LATIN, CYRILLIC, CJK..."""
    return [unicodedata.name(sign, "").partition(" ")[0] for sign in signs if sign.isalpha()]


def _stamp(path: Path) -> object:
    """What changes when the file, or a file of examples that it names, does."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "missing"
    return text, [_written(path.parent / name) for name in _EXAMPLES_FILE.findall(text)]


def _written(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


def _read(path: Path, missing: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise IntentsError(f"{path} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    except OSError as error:
        raise IntentsError(missing) from error


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _text(row: Mapping[str, object], key: str) -> str | None:
    return str(row[key]).strip() or None if key in row else None


def _texts(row: Mapping[str, object], key: str) -> tuple[str, ...]:
    return tuple(cast(list[str], row.get(key, [])))
