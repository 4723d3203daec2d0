"""Charts and diagrams in Office files: the numbers behind a chart, the words in a diagram.

Knows nothing about how they look.
"""

from collections.abc import Iterator
from xml.etree import ElementTree

from ingest.parsing.office import Package
from ingest.parsing.tables import table

_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}"
MOST_POINTS = 1_000  # of a series


def words(package: Package, part: str) -> Iterator[str]:
    """Give the words that lie over a sheet: titles of charts (their numbers stand in its cells),
    diagrams, text boxes."""
    for drawing in package.linked(part, "drawing"):
        yield "\n\n".join(_paragraphs(package.xml(drawing)))
        for name in package.linked(drawing, "chart"):
            yield _title(package.xml(name))
        for name in package.linked(drawing, "diagramData"):
            yield diagram(package.xml(name))


def chart(root: ElementTree.Element) -> str:
    """Give a chart's title and a table of its series."""
    series = list(root.iter(f"{_CHART}ser"))
    names: dict[int, str] = {}
    for element in series:
        names |= _points(element, "cat") or _points(element, "xVal")
    values = [_points(e, "val") or _points(e, "yVal") for e in series]
    places = sorted(set(names).union(*values))[:MOST_POINTS]
    header = ["", *(" ".join(_points(e, "tx").values()) for e in series)]
    rows = [[names.get(n, ""), *(points.get(n, "") for points in values)] for n in places]
    return "\n\n".join(filter(None, [_title(root), table([header, *rows] if rows else [])]))


def _title(root: ElementTree.Element) -> str:
    title = root.find(f"{_CHART}chart/{_CHART}title")
    line = " ".join(_words(title).split()) if title is not None else ""
    return f"Chart: {line}" if line else ""


def diagram(root: ElementTree.Element) -> str:
    """Give the words of a SmartArt diagram, a line for each of its points."""
    lines = (" ".join(_words(point).split()) for point in root.iter(f"{_DIAGRAM}pt"))
    return "\n".join(f"- {line}" for line in lines if line)


def _points(series: ElementTree.Element, kind: str) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    for source in series.findall(f"{_CHART}{kind}"):
        for point in source.iter(f"{_CHART}pt"):
            text = point.findtext(f"{_CHART}v")
            if text:
                found.setdefault(int(point.get("idx", "0")), []).append(_rounded(text))
    return {place: " ".join(reversed(words)) for place, words in found.items()}


def _rounded(text: str) -> str:
    """Write 0.30000000000000004 as a chart's label would."""
    try:
        return f"{float(text):.12g}" if len(text) > 15 else text
    except ValueError:
        return text


def _paragraphs(element: ElementTree.Element) -> Iterator[str]:
    for paragraph in element.iter(f"{_DRAWING}p"):
        if line := " ".join("".join(e.text or "" for e in paragraph.iter(f"{_DRAWING}t")).split()):
            yield line


def _words(element: ElementTree.Element) -> str:
    return " ".join(e.text or "" for e in element.iter(f"{_DRAWING}t"))
