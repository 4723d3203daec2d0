"""What a run has to do: a listing against what is stored gives what to read and what to remove.

Knows nothing about sources or the database: mappings in, a plan out.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ingest.entries import Entry
from store.records import Stored


class TooManyRemovals(Exception):
    """So much of a source is gone that a mistake is likelier than a wish."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`read` in the order listed; `failing` failed before and is still the same."""

    read: tuple[Entry, ...]
    unchanged: int
    failing: tuple[str, ...]
    remove: tuple[str, ...]
    forget: tuple[str, ...]


def version_of(entry: Entry) -> str | None:
    """Give what tells whether a document is still the same: its version and its link."""
    return None if entry.version is None else f"{entry.version} {entry.url or ''}".strip()


def told_apart(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Give each document once, under a path of its own that can be stored.

    Different documents of one path keep their names with a mark behind them, which audiences do not
    look at: "Notes.md" and "Notes (~1f6a3b9c).md".
    """
    seen: dict[str, str] = {}
    for entry in entries:
        path, ref = _written(entry.path), entry.ref.rstrip("/")
        if path in seen and seen[path] != ref:
            path = _marked(path, ref)
        if path in seen:
            continue
        seen[path] = ref
        yield entry if path == entry.path else replace(entry, path=path)


def _written(path: str) -> str:
    """Write out what Postgres cannot hold, so that two names never become one."""
    return path.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _marked(path: str, ref: str) -> str:
    mark = sha256(ref.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    folder, slash, name = path.rpartition("/")
    stem, dot, ending = name.rpartition(".")
    if not stem:
        return f"{path} (~{mark})"
    return f"{folder}{slash}{stem} (~{mark}){dot}{ending}"


def plan(
    entries: Iterable[Entry],
    stored: Mapping[str, Stored],
    failed: Mapping[str, str],
    audience_of: Callable[[str], tuple[str, ...]],
) -> Plan:
    """Compare a complete listing with the stored documents and the failures (path -> version)."""
    read: list[Entry] = []
    failing: list[str] = []
    listed: set[str] = set()
    unchanged = 0
    for entry in entries:
        if entry.path in listed:
            continue
        listed.add(entry.path)
        version, known = version_of(entry), stored.get(entry.path)
        if version is not None and failed.get(entry.path) == version:
            failing.append(entry.path)
        elif known is None or known.version != version or known.audience != audience_of(entry.path):
            read.append(entry)
        else:
            unchanged += 1
    return Plan(
        tuple(read),
        unchanged,
        tuple(failing),
        tuple(sorted(stored.keys() - listed)),
        tuple(sorted(failed.keys() - listed)),
    )


def check_removals(
    gone: Sequence[str], before: int, *, share: float, count: int, source: str
) -> None:
    """Raise TooManyRemovals when more than `share` and more than `count` of `before` would go."""
    if len(gone) <= count or len(gone) <= share * before:
        return
    examples = ", ".join(list(gone)[:3])
    raise TooManyRemovals(
        f"{len(gone)} of {before} documents are gone ({examples}, ...), more than"
        f" {share:.0%}. Nothing was changed. If that is right, run:"
        f" threadwise ingest {source} --allow-removal"
    )
