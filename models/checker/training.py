"""Fits the checker on sentences of open sets and on false ones made of them by swaps.

Knows nothing about the swaps, which are handed in, nor about the product's documents.
"""

import json
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from models.checker.checker import Checker
from models.checker.features import Encode, features, table
from models.reader import pairs

SETS = ("qamr", "policyqa", "medquad")
"""Fitted on: MIT, MIT, CC BY 4.0."""

UNSEEN = ("covidqa",)
"""Apache-2.0; reported on, not fitted on."""

FALSE_SUPPORT = 0.01
"""Share of false sentences that may be let through, on pairs that the weights did not see."""

SENTENCE_CHARS = (40, 220)


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence, a quote, and whether the quote says it."""

    sentence: str
    quote: str
    is_said: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """How well examples are told apart: `kept` of the true ones and `false_support` at the threshold."""

    examples: int
    auroc: float
    kept: float
    false_support: float


Swap = Callable[[random.Random, str, str, Sequence[str]], str | None]
"""Makes a false sentence of (sentence, its passage, other passages); None where it cannot."""


def examples(
    passages: Iterable[str],
    swaps: Sequence[Swap],
    cut: Callable[[str], Sequence[str]],
    most: int,
    seed: int,
) -> list[Example]:
    """Draw up to `most` sentences of passages; of each a true wording and a false one."""
    draw = random.Random(seed)
    texts = _whole(passages, cut)
    draw.shuffle(texts)
    found: list[Example] = []
    for number, text in enumerate(texts[:most]):
        sentence = draw.choice(list(cut(text)))
        others = [texts[draw.randrange(len(texts))] for _ in range(4)]
        swap = swaps[number % len(swaps)]
        false = swap(draw, sentence, text, others) or swaps[-1](draw, sentence, text, others)
        found.append(Example(reworded(draw, sentence), text, True))
        if false and false not in text:
            found.append(Example(false, text, False))
    return found


def _whole(passages: Iterable[str], cut: Callable[[str], Sequence[str]]) -> list[str]:
    """Give passages of several sentences; single sentences are put together in threes."""
    counted = {text: len(cut(text)) for text in sorted(set(passages))}
    single = [text for text, count in counted.items() if count == 1]
    threes = [" ".join(single[at : at + 3]) for at in range(0, len(single) - 2, 3)]
    return [text for text, count in counted.items() if count > 1] + threes


def reworded(draw: random.Random, sentence: str) -> str:
    """Say the same in slightly other words: small words left out or added, a first clause moved to the end."""
    ways = draw.sample(("as it is", "the", "moved", "you", "short"), 2)
    made = sentence
    if "the" in ways:
        made = made.replace(" the ", " ", 1)
    if "short" in ways:
        made = (
            made.replace(" also ", " ").replace(" therefore ", " ").replace(" is able to ", " can ")
        )
    if "you" in ways:
        made = (
            made.replace(" do not ", " don't ")
            .replace(" is not ", " isn't ")
            .replace("cannot", "can't")
        )
    head, comma, rest = made.partition(", ")
    if (
        "moved" in ways
        and comma
        and head.split()[0].lower() in ("if", "when", "in", "after", "for", "with")
    ):
        made = f"{rest[:1].upper()}{rest[1:].rstrip('.')} {head[:1].lower()}{head[1:]}."
    return made


def fit(given: Sequence[Example], held_out: Sequence[Example], encode: Encode) -> Checker:
    """Fit the weights on `given`; the threshold is set on `held_out`."""
    encode = remembered([*given, *held_out], encode)
    rows = [features(each.sentence, [each.quote], encode) for each in given]
    names, right = list(rows[0]), np.array([each.is_said for each in given])
    model = LogisticRegression(C=1.0, max_iter=2000).fit(table(rows, names), right)
    weights = {name: round(float(w), 5) for name, w in zip(names, model.coef_[0], strict=True)}
    free = Checker(weights, round(float(model.intercept_[0]), 5), 0.0)
    false = sorted(_scores(free, [each for each in held_out if not each.is_said], encode))
    at = min(len(false) - 1, int(np.ceil((1 - FALSE_SUPPORT) * len(false))))
    return Checker(weights, free.intercept, round(min(false[at] + 1e-4, 1.0), 5))


def remembered(given: Sequence[Example], encode: Encode) -> Encode:
    """Encode all that the features of these examples need, each text once and many together; give what knows them."""
    wanted: dict[str, int] = {}

    def note(texts: Sequence[str]) -> NDArray[np.float32]:
        for text in texts:
            wanted.setdefault(text, len(wanted))
        return np.zeros((len(texts), 1), dtype=np.float32)

    for each in given:
        features(each.sentence, [each.quote], note)
    vectors = encode(list(wanted))
    return lambda texts: vectors[[wanted[text] for text in texts]]


def quality(checker: Checker, given: Sequence[Example], encode: Encode) -> Quality:
    """Score a checker on examples."""
    scores = np.array(_scores(checker, given, remembered(given, encode)))
    right = np.array([each.is_said for each in given])
    passed = scores >= checker.threshold
    return Quality(
        len(given),
        round(float(roc_auc_score(right, scores)), 4),
        round(float(passed[right].mean()), 4),
        round(float(passed[~right].mean()), 4),
    )


def read(folder: Path, names: Sequence[str]) -> list[str]:
    """Give all passages of some sets; raises models.reader.pairs.PairsError."""
    return [text for name in names for text in pairs.read(folder / name).passages]


def keep(checker: Checker, found: dict[str, Quality], file: Path) -> None:
    """Write weights, threshold and what they were measured to be worth."""
    told = {name: asdict(each) for name, each in found.items()}
    content = {**asdict(checker), "sets": list(SETS), "quality": told}
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _scores(checker: Checker, given: Sequence[Example], encode: Encode) -> list[float]:
    return [checker.probability(each.sentence, [each.quote], encode) for each in given]
