"""Styles of a Word document: what a paragraph or a run is by its style and those it builds on.

Knows nothing about text.
"""

import re
from dataclasses import dataclass, field
from xml.etree import ElementTree

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VALUE = f"{WORD}val"
_OFF = {"0", "false", "off", "none"}
MOST_ANCESTORS = 20  # of a style; more is a circle
NOT_A_HEADING = 9  # the outline level of body text

# Word itself writes "heading 1" whatever its language; other programs write what they show.
_HEADING = re.compile(
    r"(?:heading|überschrift|titre|título|titulo|titolo|kop|rubrik|overskrift|otsikko|nagłówek"
    r"|nadpis|заголовок|başlık|标题|標題|見出し|제목)\s*(\d)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Style:
    """What a style says, its own words first; None where it says nothing."""

    name: str = ""
    level: int | None = None  # of a heading, from 1; 0 says that it is none
    list_id: str | None = None
    list_level: int | None = None
    is_hidden: bool | None = None
    font: str | None = None


@dataclass(slots=True)
class Styles:
    """All styles of a document by their id."""

    root: ElementTree.Element
    usual: str = ""
    _elements: dict[str, ElementTree.Element] = field(default_factory=dict)
    _known: dict[str, Style] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for element in self.root.iter(f"{WORD}style"):
            name = element.get(f"{WORD}styleId", "")
            self._elements[name] = element
            is_usual = (element.get(f"{WORD}default") or "0") not in _OFF
            if is_usual and element.get(f"{WORD}type") == "paragraph":
                self.usual = name

    def style(self, name: str) -> Style:
        """Give a style with what it takes over from those it is based on."""
        if name not in self._known:
            self._known[name] = self._resolved(name)
        return self._known[name]

    def _resolved(self, name: str) -> Style:
        found = Style()
        for _ in range(MOST_ANCESTORS):
            element = self._elements.get(name)
            if element is None:
                break
            found = over(found, own(element, label(element)))
            base = element.find(f"{WORD}basedOn")
            name = base.get(VALUE, "") if base is not None else ""
        return found


def label(element: ElementTree.Element) -> str:
    """Give the name that people see of a style."""
    name = element.find(f"{WORD}name")
    return name.get(VALUE, "") if name is not None else ""


def own(element: ElementTree.Element, name: str = "") -> Style:
    """Read what stands in a style's element, or in that of a paragraph or a run."""
    paragraph, run = element.find(f"{WORD}pPr"), element.find(f"{WORD}rPr")
    numbers = paragraph.find(f"{WORD}numPr") if paragraph is not None else None
    fonts = run.find(f"{WORD}rFonts") if run is not None else None
    depth = _value(numbers, "ilvl")
    return Style(
        name,
        _level(_value(paragraph, "outlineLvl"), name),
        _value(numbers, "numId"),
        int(depth) if depth is not None else None,
        is_on(run, "vanish"),
        fonts.get(f"{WORD}ascii") or fonts.get(f"{WORD}hAnsi") if fonts is not None else None,
    )


def is_on(element: ElementTree.Element | None, name: str) -> bool | None:
    """Tell whether a switch is set; None where it is not there."""
    found = element.find(f"{WORD}{name}") if element is not None else None
    return None if found is None else found.get(VALUE, "1") not in _OFF


def _level(outline: str | None, name: str) -> int | None:
    named = _HEADING.fullmatch(name.strip())
    if named and named.group(1) != "0":
        return int(named.group(1))
    if name.lower() == "title":
        return 1
    if outline is None:
        return None
    return int(outline) + 1 if int(outline) < NOT_A_HEADING else 0


def _value(element: ElementTree.Element | None, name: str) -> str | None:
    found = element.find(f"{WORD}{name}") if element is not None else None
    return found.get(VALUE) if found is not None else None


def over(upper: Style, lower: Style) -> Style:
    """Lay one style over another."""
    return Style(
        upper.name or lower.name,
        lower.level if upper.level is None else upper.level,
        lower.list_id if upper.list_id is None else upper.list_id,
        lower.list_level if upper.list_level is None else upper.list_level,
        lower.is_hidden if upper.is_hidden is None else upper.is_hidden,
        lower.font if upper.font is None else upper.font,
    )
