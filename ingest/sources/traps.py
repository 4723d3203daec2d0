"""Pages that never end: calendars without events, queries in every order, paths that repeat.

Knows nothing about requests.
"""

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlsplit

MOST_TWINS = 5  # pages of one kind that say the same but for numbers and lead to nothing else
LONGEST_CHAIN = 30  # pages of one kind, each found by the one before, that lead to nothing else
MOST_VARIANTS = 200  # queries of several parts of one path
MOST_REPEATED = 3  # times that a part may stand in a path
MOST_PARTS = 25

_NUMBER = re.compile(r"\d+")


class Traps:
    """What a crawl has met so far."""

    def __init__(self) -> None:
        self._chains: dict[str, int] = {}
        self._gists: dict[str, str] = {}
        self._twins: Counter[tuple[str, str]] = Counter()
        self._variants: Counter[str] = Counter()

    def met(self, url: str, parent: str | None, gist: str, fresh: Iterable[str]) -> None:
        """Note a page, where it was linked, what it says but for numbers, and its new links."""
        kind = kind_of(url)
        leads_on = any(kind_of(link) != kind for link in fresh)
        is_chained = parent is not None and kind_of(parent) == kind and not leads_on
        self._chains[url] = self._chains.get(parent or "", 0) + 1 if is_chained else 0
        if gist and not leads_on:
            self._gists[url] = gist
            self._twins[kind, gist] += 1

    def holds(self, url: str, link: str) -> bool:
        """Tell whether a link of a page leads on into a trap."""
        parts = urlsplit(link)
        segments = [s for s in parts.path.split("/") if s]
        if len(segments) > MOST_PARTS or max(Counter(segments).values(), default=0) > MOST_REPEATED:
            return True
        if "&" in parts.query:
            self._variants[parts.path] += 1
            if self._variants[parts.path] > MOST_VARIANTS:
                return True
        kind = kind_of(url)
        is_twin = self._twins[kind, self._gists.get(url, "")] > MOST_TWINS
        return kind_of(link) == kind and (is_twin or self._chains.get(url, 0) > LONGEST_CHAIN)


def kind_of(url: str) -> str:
    """Give what pages made by one template share: the path without its numbers and the query."""
    return _NUMBER.sub("0", urlsplit(url).path)
