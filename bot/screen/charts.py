"""Where the shapes of a picture lie: columns of figures, lines of times. The templates draw them.

Knows nothing about colours or words, but for what a screen reader and a pointer are told of a column.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from store.figures import Figures

WIDTH, HEIGHT = 720, 180
"""Of the area with the shapes, in the picture's own units."""

MOST_COLUMNS = 93
"""More days than these are shown week by week: a column must be wide enough to be pointed at."""

ENDINGS = ("answered", "unsure", "not_found", "routed", "failed")
"""Bottom up."""

Period = tuple[date, Figures]
"""The first day of a day or week, and what was asked in it."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the grid and what stands beside it."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column's place, for the pointer, and what it says."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Stacks:
    """Columns of stacked counts: `paths` draws each ending's part of all columns at once."""

    paths: dict[str, str]
    columns: tuple[Column, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Times:
    """Two lines of seconds on a logarithmic scale, each as points that may be parted by gaps."""

    p50: tuple[str, ...]
    p95: tuple[str, ...]
    ticks: tuple[Tick, ...]


def grouped(daily: Sequence[Period]) -> list[Period]:
    """Give the days as they are, or week by week where there are too many to be seen."""
    if len(daily) <= MOST_COLUMNS:
        return list(daily)
    weeks = [daily[at : at + 7] for at in range(0, len(daily), 7)]
    return [(week[0][0], _sum([figures for _, figures in week])) for week in weeks]


def stacks(periods: Sequence[Period]) -> Stacks:
    """Lay out a column for each day or week."""
    top = _round_up(max((figures.asked for _, figures in periods), default=0))
    step = WIDTH / max(1, len(periods))
    paths, columns = dict.fromkeys(ENDINGS, ""), []
    for number, (day, figures) in enumerate(periods):
        x, y = number * step, float(HEIGHT)
        width = max(1.0, step - min(3.0, step * 0.2))
        for ending in ENDINGS:
            height = HEIGHT * getattr(figures, ending) / top
            y -= height
            if height:
                paths[ending] += f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
        columns.append(Column(round(x, 1), round(step, 1), f"{day}: {figures.asked} asked"))
    ticks = tuple(Tick(HEIGHT * (1 - part), f"{top * part:g}") for part in (0, 0.5, 1))
    return Stacks(paths, tuple(columns), ticks)


def times(periods: Sequence[Period]) -> Times:
    """Lay out the lines of the two percentiles; a day without answers is a gap."""
    known = [value for _, f in periods for value in (f.p50, f.p95) if value]
    low = math.floor(math.log10(min(known, default=0.1)))
    high = max(low + 1, math.ceil(math.log10(max(known, default=1.0))))

    def y(value: float) -> float:
        return HEIGHT * (1 - (math.log10(value) - low) / (high - low))

    def line(values: Sequence[float | None]) -> tuple[str, ...]:
        step = WIDTH / max(1, len(values))
        pieces: list[list[str]] = [[]]
        for number, value in enumerate(values):
            if value:
                pieces[-1].append(f"{(number + 0.5) * step:.1f},{y(value):.1f}")
            elif pieces[-1]:
                pieces.append([])
        return tuple(" ".join(piece) for piece in pieces if piece)

    return Times(
        line([figures.p50 for _, figures in periods]),
        line([figures.p95 for _, figures in periods]),
        tuple(Tick(y(10.0**power), f"{10.0**power:g} s") for power in range(low, high + 1)),
    )


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of values, its points parted by spaces, and what it says for who cannot see it."""

    name: str
    points: str
    words: str


@dataclass(frozen=True, slots=True)
class Curves:
    """Lines on one scale from 0 up; `first` and `last` stand at the ends of the axis."""

    lines: tuple[Curve, ...]
    ticks: tuple[Tick, ...]
    first: str
    last: str


def curves(values: Mapping[str, Sequence[tuple[str, float]]]) -> Curves:
    """Lay out a line for each name, of (what stands below it: a day or a number, value); one with less than two values is
    left out."""
    known = {name: line for name, line in values.items() if len(line) > 1}
    below = sorted(
        {where for line in known.values() for where, _ in line}, key=lambda each: (len(each), each)
    )
    place = {where: number for number, where in enumerate(below)}
    top = _step(max((value for line in known.values() for _, value in line), default=1.0))
    step = WIDTH / max(1, len(below) - 1)
    lines = tuple(
        Curve(
            name,
            " ".join(
                f"{place[where] * step:.1f},{HEIGHT * (1 - value / top):.1f}"
                for where, value in line
            ),
            f"{name} from {line[0][1]:.3g} ({line[0][0]}) to {line[-1][1]:.3g} ({line[-1][0]})",
        )
        for name, line in known.items()
    )
    ticks = tuple(Tick(HEIGHT * (1 - part), f"{top * part:.3g}") for part in (0, 0.5, 1))
    ends = (below[0], below[-1]) if below else ("", "")
    return Curves(lines, ticks, *ends)


def _step(value: float) -> float:
    """Give the next number above of the kind 1, 2 or 5 times a power of ten."""
    power: float = 10 ** math.floor(math.log10(max(value, 1e-3)))
    return next(power * n for n in (1, 2, 5, 10) if power * n >= value * 0.999)


def _sum(parts: Sequence[Figures]) -> Figures:
    names = ("asked", *ENDINGS, "liked", "disliked")
    summed = {name: sum(getattr(part, name) for part in parts) for name in names}
    known = [part for part in parts if part.p50 is not None and part.p95 is not None]
    if not known:
        return Figures(**summed)
    # Of a week the middle day's: percentiles do not add up.
    p50s, p95s = sorted(part.p50 or 0 for part in known), sorted(part.p95 or 0 for part in known)
    middle = len(known) // 2
    return Figures(**summed, p50=p50s[middle], p95=p95s[middle])


def _round_up(value: int) -> int:
    """Give the next number above of the kind 1, 2, 4, 5 or 10 times a power of ten."""
    if value <= 2:
        return 2
    power: int = 10 ** int(math.log10(value))
    return next(power * n for n in (1, 2, 4, 5, 10) if power * n >= value)
