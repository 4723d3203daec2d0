"""The learning curve as an SVG picture: how people liked the answers from night to night.

Knows nothing about nights or the store: points in, text out. A browser shows the picture as it is, and a
screen reader reads its title, its description and the words of each point.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from xml.etree.ElementTree import Element, SubElement, tostring

WIDTH, HEIGHT, MARGIN = 640, 320, 48
"""Of the picture, in its own units: pixels, where nobody scales it."""

LINE, INTERVAL, GRID, TEXT = "#1f77b4", "#cde0f0", "#e6e6e6", "#5a5a5a"

TITLE = "Answers that people liked, by night"


@dataclass(frozen=True, slots=True)
class Point:
    """One night: the share of `judged` answers of the week before it that were liked, with its 95 % interval.

    `promoted` names the parts that serve since. Without judged answers the night is no point of the curve.
    """

    day: date
    judged: int
    share: float = 0.0
    low: float = 0.0
    high: float = 1.0
    promoted: tuple[str, ...] = ()

    def __str__(self) -> str:
        promoted = f"; promoted: {', '.join(self.promoted)}" if self.promoted else ""
        if not self.judged:
            return f"{self.day}: nothing was judged{promoted}"
        interval = f"{self.low:.0%} to {self.high:.0%}"
        return f"{self.day}: {self.share:.0%} of {self.judged} liked ({interval}){promoted}"


def draw(points: Sequence[Point]) -> str:
    """Draw the nights, oldest first, as an SVG document; a triangle marks a night that promoted something."""
    picture = _canvas(points)
    _axes(picture, points)
    known = [(number, point) for number, point in enumerate(points) if point.judged]
    if len(known) > 1:
        band = [_at(number, point.high, points) for number, point in known]
        band += [_at(number, point.low, points) for number, point in reversed(known)]
        SubElement(picture, "polygon", points=_path(band), fill=INTERVAL)
        line = _path([_at(number, point.share, points) for number, point in known])
        stroke = {"fill": "none", "stroke": LINE, "stroke-width": "3"}
        SubElement(picture, "polyline", {"points": line, **stroke})
    for number, point in known:
        x, y = _at(number, point.share, points)
        dot = SubElement(picture, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="4", fill=LINE)
        SubElement(dot, "title").text = str(point)
    for number, point in enumerate(points):
        if point.promoted:
            _mark(picture, _at(number, 0.0, points), str(point))
    return tostring(picture, encoding="unicode") + "\n"


def _canvas(points: Sequence[Point]) -> Element:
    picture = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "width": str(WIDTH),
            "height": str(HEIGHT),
            "role": "img",
            "aria-labelledby": "title description",
            "font-family": "sans-serif",
            "font-size": "12",
        },
    )
    SubElement(picture, "title", id="title").text = TITLE
    SubElement(picture, "desc", id="description").text = _described(points)
    SubElement(picture, "rect", width="100%", height="100%", fill="white")
    return picture


def _described(points: Sequence[Point]) -> str:
    """Say in words what the picture shows."""
    known = [point for point in points if point.judged]
    if not known:
        return f"{len(points)} nights; nothing was judged yet."
    first, last = known[0], known[-1]
    nights = f"{len(points)} nights. {first}." + (f" {last}." if last is not first else "")
    promotions = sum(bool(point.promoted) for point in points)
    return f"{nights} {promotions} of the nights promoted something."


def _axes(picture: Element, points: Sequence[Point]) -> None:
    """Draw a line for each quarter, the days at both ends, and the heading."""
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = _height(share)
        SubElement(picture, "line", x1=str(MARGIN), x2=str(WIDTH - MARGIN), y1=y, y2=y, stroke=GRID)
        _write(picture, MARGIN - 6, float(y) + 4, f"{share:.0%}", "end")
    for point, x, anchor in (
        *((point, MARGIN, "start") for point in points[:1]),
        *((point, WIDTH - MARGIN, "end") for point in points[1:][-1:]),
    ):
        _write(picture, x, HEIGHT - 10, str(point.day), anchor)
    _write(picture, MARGIN, 24, f"{TITLE}, with 95 % interval (▲ promoted)", "start")


def _mark(picture: Element, foot: tuple[float, float], words: str) -> None:
    x, y = foot[0], foot[1] + 6
    corners = _path([(x, y), (x - 5, y + 9), (x + 5, y + 9)])
    SubElement(SubElement(picture, "polygon", points=corners, fill=TEXT), "title").text = words


def _write(picture: Element, x: float, y: float, words: str, anchor: str) -> None:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "fill": TEXT, "text-anchor": anchor}
    SubElement(picture, "text", place).text = words


def _at(number: int, share: float, points: Sequence[Point]) -> tuple[float, float]:
    """Where a night's share lies; one night alone stands at the left."""
    x = MARGIN + (WIDTH - 2 * MARGIN) * number / max(1, len(points) - 1)
    return x, float(_height(share))


def _height(share: float) -> str:
    return f"{MARGIN + (HEIGHT - 2 * MARGIN) * (1 - share):.1f}"


def _path(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
