"""Automatic numbers of a Word document's headings and lists, counted as Word does.

Knows nothing about text: a list's id and a depth give the label that the page shows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree

from ingest.parsing.numerals import numeral
from ingest.parsing.word_styles import VALUE, WORD

_PLACE = re.compile(r"%([1-9])")
BULLET = "-"


@dataclass(frozen=True, slots=True)
class Level:
    """One depth of a list: its kind of numbers, its text with places for them, its first number."""

    kind: str = "decimal"
    text: str = ""
    start: int = 1
    restart: int | None = None  # the depth, from 1, whose count begins this one anew; 0 never
    is_legal: bool = False  # all numbers as decimals
    style: str = ""


class Numbers:
    """Counts the lists of one document, in the order of its text."""

    def __init__(self, root: ElementTree.Element) -> None:
        self._levels: dict[str, dict[int, Level]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, dict[int, int]] = {}
        self._starts: dict[str, dict[int, int]] = {}
        self._by_style: dict[str, tuple[str, int]] = {}
        abstract = {e.get(f"{WORD}abstractNumId", ""): e for e in root.iter(f"{WORD}abstractNum")}
        linked = {_value(e, "styleLink"): name for name, e in abstract.items()}
        for number in root.iter(f"{WORD}num"):
            self._learn(number, abstract, linked)

    def _learn(
        self,
        number: ElementTree.Element,
        abstract: dict[str, ElementTree.Element],
        linked: dict[str | None, str],
    ) -> None:
        name = number.get(f"{WORD}numId", "")
        base = _value(number, "abstractNumId") or ""
        if base in abstract and (link := _value(abstract[base], "numStyleLink")):
            base = linked.get(link, base)
        levels = dict(_levels(abstract[base])) if base in abstract else {}
        for change in number.iter(f"{WORD}lvlOverride"):
            depth = int(change.get(f"{WORD}ilvl", "0"))
            levels |= dict(_levels(change))
            if (start := _value(change, "startOverride")) is not None:
                self._starts.setdefault(name, {})[depth] = int(start)
        self._levels[name], self._abstract[name] = levels, base
        for depth, level in levels.items():
            if level.style:
                self._by_style.setdefault(level.style, (name, depth))

    def of_style(self, style: str) -> tuple[str, int] | None:
        """Give the list and depth that name a style as theirs."""
        return self._by_style.get(style)

    def label(self, name: str, depth: int) -> str:
        """Count one on and give what stands before the text: "2.1", "a)", or a dash for a bullet."""
        level = self._levels.get(name, {}).get(depth)
        if level is None:
            return ""
        self._count(name, depth, level)
        if level.kind == "bullet":
            return BULLET
        return " ".join(
            _PLACE.sub(lambda place: self._numeral(name, place, level), level.text).split()
        )

    def _count(self, name: str, depth: int, level: Level) -> None:
        counts = self._counts.setdefault(self._abstract[name], {})
        start = self._starts.get(name, {}).pop(depth, None)  # begins anew once only
        if start is not None:
            counts[depth] = start
        else:
            counts[depth] = counts[depth] + 1 if depth in counts else level.start
        for deeper in [deeper for deeper in counts if deeper > depth]:
            restart = self._levels[name].get(deeper, Level()).restart
            if restart is None or 0 < depth + 1 <= restart:
                del counts[deeper]

    def _numeral(self, name: str, place: re.Match[str], level: Level) -> str:
        depth = int(place.group(1)) - 1
        other = self._levels[name].get(depth, Level())
        number = self._counts[self._abstract[name]].get(depth, other.start)
        return numeral(number, "decimal" if level.is_legal else other.kind)


def _levels(element: ElementTree.Element) -> Iterator[tuple[int, Level]]:
    for found in element.findall(f"{WORD}lvl"):
        restart = _value(found, "lvlRestart")
        yield (
            int(found.get(f"{WORD}ilvl", "0")),
            Level(
                _value(found, "numFmt") or "decimal",
                _value(found, "lvlText") or "",
                int(_value(found, "start") or 1),
                int(restart) if restart is not None else None,
                found.find(f"{WORD}isLgl") is not None,
                _value(found, "pStyle") or "",
            ),
        )


def _value(element: ElementTree.Element, name: str) -> str | None:
    found = element.find(f"{WORD}{name}")
    return found.get(VALUE) if found is not None else None
