"""What a site's robots.txt allows (RFC 9309): the longest rule that fits a path decides.

Knows nothing about requests, nor about how the file is written (ingest.parsing.robots).
"""

from collections.abc import Mapping
from typing import cast

from ingest import paths


class Robots:
    """The rules for us, as ingest.parsing.robots gives them; without any all is allowed."""

    def __init__(self, said: Mapping[str, object] | None = None) -> None:
        said = said or {}
        self.sitemaps = cast(list[str], said.get("sitemaps", []))
        self.delay = cast(float | None, said.get("delay"))
        rules = cast(list[tuple[str, bool]], said.get("rules", []))
        self._rules = [(rule, allowed) for rule, allowed in rules]
        self._lenient = [(paths.folded(rule), allowed) for rule, allowed in self._rules]

    def allows(self, path: str) -> bool:
        """Tell whether a path, with its query, may be fetched: by every way to read it."""
        return _allows(self._rules, path) and _allows(self._lenient, paths.lenient(path))


def _allows(rules: list[tuple[str, bool]], path: str) -> bool:
    found = [(len(rule), allowed) for rule, allowed in rules if _fits(rule, path)]
    return max(found, default=(0, True))[1]


def _fits(rule: str, path: str) -> bool:
    """Match a rule, in which * stands for anything and $ at its end for the path's end."""
    is_end = rule.endswith("$")
    first, *others = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    for n, part in enumerate(others):
        if is_end and n == len(others) - 1:
            return len(path) - len(part) >= place and path.endswith(part)
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    return not is_end or place == len(path)
