"""What a run has to do: a listing against what is stored gives what to read and what to remove.

Knows nothing about sources or the database: mappings in, a plan out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

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
