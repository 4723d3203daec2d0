"""What a source gives: entries that can be listed cheaply, and their content when it is needed.

Knows nothing about parsing, splitting or the store.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import ClassVar, Literal, Protocol

from ingest import paths
from store.records import EVERYONE
from store.redaction import redacted

OptionValue = str | int | float | bool | list[str] | dict[str, str]
"""What a kind's own settings in the sources' file may be."""

Origin = Literal["file", "hand", "example"]

_APART = re.compile(r" \(~[0-9a-f]{8}\)(?=\.[^./]*$|$)")


Look = Callable[[str, bytes, str], Mapping[str, object]]
"""Takes a name of ingest.parsing.looks, bytes and their address; gives what is said there."""


class SourceError(Exception):
    """A source cannot be listed; nothing of it is removed. The message says what to do."""


class Unreadable(Exception):
    """A document cannot be read; the message is the reason that people see.

    `is_skip` when that is as it should be (a picture, say); `is_passing` when the next run should
    try again although nothing changed (a lost connection, say). `version` is that of what was fetched,
    where the listing gave none: it is told again to a source, as `failed`.
    """

    version: str | None = None

    def __init__(self, reason: str, *, is_skip: bool = False, is_passing: bool = False) -> None:
        super().__init__(reason)
        self.is_skip = is_skip
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One source as it is configured.

    `complaint` says what is wrong with its schedule, which then does not run it;
    `origin` is where it is known from: the sources' file, by hand, or the example that comes with Threadwise.

    `rules` are (pattern, audience), the first match wins; `cache` is a folder where a source may
    keep what it fetched.
    """

    name: str
    kind: str
    address: str
    schedule: str | None = None
    complaint: str | None = None
    origin: Origin = "file"
    link: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    audience: tuple[str, ...] = (EVERYONE,)
    rules: tuple[tuple[str, tuple[str, ...]], ...] = ()
    max_mb: float = 50
    max_removed_share: float = 0.3
    max_removed: int = 5
    timeout_minutes: float = 720
    cache: str | None = None
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What of it is never shown: ingest.config finds it."""

    def audience_of(self, path: str) -> tuple[str, ...]:
        """Give who may see the document at `path`, sorted.

        Where letter case, escapes or `..` leave doubt which rule is meant, the narrower audience wins.
        A mark that tells two of one name apart changes nothing.
        """
        lenient = self._audience_of(paths.lenient(path), is_lenient=True)
        return narrower(self._audience_of(path), lenient)

    def _audience_of(self, path: str, *, is_lenient: bool = False) -> tuple[str, ...]:
        named = _APART.sub("", path)
        for pattern, audience in self.rules:
            wanted = paths.folded(pattern) if is_lenient else pattern
            if matches(path, wanted) or matches(named, wanted):
                return audience
        return self.audience

    def wants(self, path: str) -> bool:
        """Tell whether `include` and `exclude` let the document at `path` in."""
        lenient = paths.lenient(path)
        for pattern in self.exclude:
            if matches(path, pattern) or matches(lenient, paths.folded(pattern)):
                return False
        return not self.include or any(matches(path, pattern) for pattern in self.include)

    @property
    def kept_address(self) -> str:
        """The address as it is stored: with its secrets only where it is known from nowhere else."""
        return self.address if self.origin == "hand" else redacted(self.address, self.secrets)

    @property
    def max_bytes(self) -> int:
        """The largest document that is read."""
        return int(self.max_mb * 1_000_000)


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as a source lists it.

    `path` names it for good within its source; `version` changes when it changes (None: only
    reading tells); `ref` is whatever the source needs to read it.
    """

    path: str
    version: str | None
    ref: str
    url: str | None = None
    size: int | None = None
    updated_at: datetime | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """A document as it was read; what is None is as the entry said.

    `name` tells the format by its ending; `media_type` counts where the name has none.
    """

    data: bytes
    name: str
    media_type: str | None = None
    version: str | None = None
    title: str | None = None
    url: str | None = None
    updated_at: datetime | None = None


class Source(Protocol):
    """A place that documents come from; made with its SourceConfig, used by one run, and closed.

    `is_partial` tells, after listing, that documents may be missing from it: then none is removed.
    `cut` says why what is listed is not all there is: it is read, and the run ends as failed with this.
    `look` looks at strangers' text, in a process of its own: a run sets it. `failed` are the versions of what
    could not be read before, by path.
    OPTIONS are the names and types of settings of its own.
    """

    OPTIONS: ClassVar[Mapping[str, type]] = {}
    is_partial: bool = False
    cut: str | None = None
    look: Look | None = None
    failed: Mapping[str, str] = {}

    def entries(self) -> Iterable[Entry]:
        """Give every document there is; raises SourceError when that cannot be told for sure."""
        ...

    def read(self, entry: Entry, known: str | None) -> Content | None:
        """Read a document; None when it is still as it was at the version `known`.

        Raises Unreadable.
        """
        ...

    def close(self) -> None:
        """Let go of connections and temporary files."""
        return


def narrower(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    """Give the people of two audiences who are in both."""
    if EVERYONE in a:
        return b
    return a if EVERYONE in b or a == b else tuple(sorted(set(a) & set(b)))


def matches(path: str, pattern: str) -> bool:
    """Tell whether a path is meant by a pattern: `*.md`, `hr/**`, `**/draft-*`, `hr`."""
    if pattern.endswith("/"):
        pattern += "**"
    if fnmatchcase(path, pattern) or fnmatchcase(path, pattern.removeprefix("**/")):
        return True
    if "/" not in pattern and fnmatchcase(path.rsplit("/", 1)[-1], pattern):
        return True
    return path.startswith(pattern.removesuffix("/**") + "/") if "*" not in pattern[:-3] else False
