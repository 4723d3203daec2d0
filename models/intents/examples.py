"""Labelled messages on their way into training: cleaning, capping, splitting by hash.

Knows nothing about models, files or where the examples come from.
"""

import hashlib
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OOS = "oos"  # the intent of rows that no intent covers
MAX_ROWS = 20_000  # what trains in minutes on two cores; more is cut evenly per intent
FEW_EXAMPLES = 5
NEVER_HELD = -1

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """A message and the intent a person gave it; `oos` is out of scope."""

    text: str
    intent: str


class TrainingError(Exception):
    """The examples cannot be trained on; the message says what to add."""


def prepare(examples: Iterable[Example], seed: int, most: int = MAX_ROWS) -> list[Example]:
    """Drop empty and repeated rows, cut to `most` rows with the fullest intents cut first, and
    order by a hash, so that the same rows in any order give the same training."""
    unique = {
        Example(text, example.intent): None
        for example in examples
        if (text := " ".join(example.text.split()))
    }
    rows = sorted(unique, key=lambda example: _rank(example, seed))
    cap = _cap(Counter(row.intent for row in rows), most)
    taken: Counter[str] = Counter()
    kept = []
    for row in rows:
        taken[row.intent] += 1
        if taken[row.intent] <= cap:
            kept.append(row)
    if len(kept) < len(rows):
        logger.warning("training rows cut: kept=%d of=%d per_intent=%d", len(kept), len(rows), cap)
    if len({row.intent for row in kept} - {OOS}) < 2:
        raise TrainingError("Training needs examples of at least two intents. Add more examples.")
    return kept


def labels(rows: Iterable[Example]) -> list[str]:
    """Give the intents in order, without `oos`."""
    return sorted({row.intent for row in rows} - {OOS})


def folds(rows: Sequence[Example], count: int, *, even: bool = True) -> NDArray[np.int64]:
    """Give each row its fold; the only example of an intent is never held.

    `even` shares each intent's rows out; else the text alone decides, so that a row keeps its fold when
    others are added, and trainings that hold out only some folds can be compared on the same rows.
    """
    sizes = Counter(row.intent for row in rows)
    seen: Counter[str] = Counter()
    fold = np.full(len(rows), NEVER_HELD, dtype=np.int64)
    for i, row in enumerate(rows):
        if sizes[row.intent] > 1:
            fold[i] = (seen[row.intent] if even else _number(row.text)) % count
        seen[row.intent] += 1
    return fold


def class_weights(truth: NDArray[np.int64], intents: int) -> NDArray[np.float32]:
    """Give rarer intents more weight: the square root of how rare, 1 where all are equal."""
    counts = np.maximum(np.bincount(truth, minlength=intents), 1)
    weights = np.sqrt(counts.mean() / counts).astype(np.float32)
    return np.asarray(np.clip(weights, 0.3, 3.0), dtype=np.float32)


def digest(rows: Iterable[Example]) -> str:
    """Give the SHA-256 of the rows, whatever their order."""
    lines = sorted(json.dumps([row.text, row.intent]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def warnings(rows: Sequence[Example]) -> list[str]:
    """Say what about the rows keeps the classifier from being good."""
    sizes = Counter(row.intent for row in rows if row.intent != OOS)
    few = sorted(name for name, size in sizes.items() if size < FEW_EXAMPLES)
    intents: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        intents[row.text.casefold()].add(row.intent)
    found = [f"Fewer than {FEW_EXAMPLES} examples: {', '.join(few)}."] if few else []
    for text, names in intents.items():
        if len(names) > 1:
            found.append(f"The same example stands under {', '.join(sorted(names))}: {text[:80]}")
    return found


def _cap(sizes: Counter[str], most: int) -> int:
    cap, left, room = max(sizes.values(), default=0), len(sizes), most
    for size in sorted(sizes.values()):
        if size * left > room:
            return max(1, room // left)
        room -= size
        left -= 1
    return cap


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


def _rank(example: Example, seed: int) -> bytes:
    key = json.dumps([seed, example.text, example.intent])
    return hashlib.sha256(key.encode()).digest()
