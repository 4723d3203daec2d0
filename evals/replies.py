"""Pairs of questions that ask the same, or almost: may a kept reply to the one answer the other?

Knows nothing about how that is decided: the rule is handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import beir

PAIRS = Path(__file__).with_name("replies.jsonl")
"""Written by us: near misses by kind of difference, and right pairs as colleagues type them."""

LATER = PAIRS.with_name("replies_later.jsonl")
"""Pairs written after the rule had been chosen on those; the rule was changed on these, too, since then."""

REPHRASED = PAIRS.with_name("replies_rephrased.jsonl")
"""Pairs written by somebody who had not read the rule. It was then changed on half A, drawn by a hash, alone."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions; `same` tells whether one answer is right for both. `half` is "A" or "B", empty where pairs
    are halved by kind."""

    kind: str
    same: bool
    one: str
    other: str
    half: str = ""


@dataclass(frozen=True, slots=True)
class Rates:
    """Of how many pairs a reply would be served: shares of 0..1."""

    wrong: int
    right: int
    wrong_served: float
    right_served: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """`held_out` is every other kind: the words of the rule were chosen on the others alone. `further` has the
    rates of other sets, by name."""

    kinds: int
    chosen_on: Rates
    held_out: Rates
    further: Mapping[str, Rates]


def labelled(file: Path) -> list[Pair]:
    """Read pairs: JSONL {"kind", "same", "one", "other"}, and "half" where there is one."""
    return [
        Pair(
            str(row["kind"]),
            bool(row["same"]),
            str(row["one"]),
            str(row["other"]),
            str(row.get("half", "")),
        )
        for row in beir.lines(file)
    ]


def further() -> dict[str, list[Pair]]:
    """Give the pairs that were written after the first ones, by what they are to the rule."""
    rephrased = labelled(REPHRASED)
    return {
        "later, chosen on": labelled(LATER),
        "rephrased, chosen on": [pair for pair in rephrased if pair.half == "A"],
        "rephrased, held out": [pair for pair in rephrased if pair.half == "B"],
    }


def score(
    pairs: Sequence[Pair],
    agrees: Callable[[str, str], bool],
    others: Mapping[str, Sequence[Pair]] | None = None,
) -> Scorecard:
    """Try a rule on pairs, whose kinds, in order of their names, are held out in turn, and on `others`, by name."""
    halves: dict[int, list[Pair]] = {0: [], 1: []}
    for same in (False, True):
        kinds = sorted({pair.kind for pair in pairs if pair.same == same})
        for pair in pairs:
            if pair.same == same:
                halves[kinds.index(pair.kind) % 2].append(pair)
    count = len({pair.kind for pair in pairs if not pair.same})
    return Scorecard(
        count,
        _rates(halves[0], agrees),
        _rates(halves[1], agrees),
        {name: _rates(rows, agrees) for name, rows in (others or {}).items()},
    )


def _rates(pairs: Sequence[Pair], agrees: Callable[[str, str], bool]) -> Rates:
    wrong = [agrees(pair.one, pair.other) for pair in pairs if not pair.same]
    right = [agrees(pair.one, pair.other) for pair in pairs if pair.same]
    return Rates(
        len(wrong),
        len(right),
        round(sum(wrong) / max(1, len(wrong)), 4),
        round(sum(right) / max(1, len(right)), 4),
    )
