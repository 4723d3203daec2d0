"""Looks again at what a search found: the cosines of a second encoder beside those of the first, and a reranker
that reads question and passage together. Both are off unless the settings name them.

Knows nothing about how the models are run. Vectors of two encoders are never compared: each gives cosines of its
own, and these are added up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from store.database import Connection
from store.index import second
from store.index.embedders import embedder_id
from store.index.search import Terms
from store.records import Passage

CANDIDATES = 100
"""Fused passages that the second encoder's cosines are added for."""

READ = 10
"""Passages that a reranker reads: about 60 CPU-ms each for a model of six layers."""


class Reranker(Protocol):
    """What reads a question together with passages (models/reranker.py has one)."""

    name: str

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Give one number for each passage, larger where it answers better."""


@dataclass(frozen=True, slots=True)
class Second:
    """A second encoder: the name of its vectors, and how it encodes a question."""

    name: str
    encode: Callable[[str], list[float]]


class Rescorer:
    """Scores the passages of one search again; without models it gives them back as they are."""

    def __init__(self, second: Second | None = None, reranker: Reranker | None = None) -> None:
        self._second = second
        self._reranker = reranker

    @property
    def names(self) -> dict[str, str]:
        """Name the models, for the record of an answer."""
        models = {"second_encoder": self._second, "reranker": self._reranker}
        return {part: model.name for part, model in models.items() if model}

    def candidates(self, usual: int) -> int:
        """Give how many passages a search should find."""
        return CANDIDATES if self._second else usual

    def encoded(self, question: str) -> list[float]:
        """Give the second encoder's vector of a question; empty where there is no such encoder."""
        return self._second.encode(question) if self._second else []

    def beside(
        self,
        connection: Connection,
        workspace: str,
        passages: Sequence[Passage],
        vector: Sequence[float],
        terms: Terms,
        weight: float,
    ) -> list[Passage]:
        """Fuse anew with the cosines of both encoders added up, as the search does with those of one.

        While one of the passages has no second vector yet, the first encoder serves alone.
        """
        if self._second is None or not passages:
            return list(passages)
        hashes = [p.text_hash for p in passages]
        number = embedder_id(self._second.name)
        found = second.cosines(connection, workspace, number, vector, hashes)
        if not found.keys() >= set(hashes):
            return list(passages)
        return added(passages, found, terms, weight)

    def reranked(self, question: str, passages: Sequence[Passage]) -> list[Passage]:
        """Order the first passages by their scores and the reranker's, which count alike within these.

        Their scores stay within the range that they had, so that what votes say of a passage still counts.
        """
        first, others = list(passages[:READ]), list(passages[READ:])
        if self._reranker is None or len(first) < 2:
            return list(passages)
        read = _scaled(self._reranker.scores(question, [p.whole for p in first]))
        own = _scaled([p.score for p in first])
        low = min(p.score for p in first)
        width = max(p.score for p in first) - low
        scored = [
            replace(p, score=low + width * (a + b) / 2)
            for p, a, b in zip(first, read, own, strict=True)
        ]
        return [*sorted(scored, key=lambda p: -p.score), *others]


def added(
    passages: Sequence[Passage], cosines: Mapping[str, float], terms: Terms, weight: float
) -> list[Passage]:
    """Score passages by the sum of both encoders' cosines, scaled to 0..1 among these, and by their words.

    One that was found by its words alone has the lowest first cosine of these.
    """
    known = [p.vector for p in passages if p.vector is not None]
    least = min(known, default=0.0)
    sums = [(least if p.vector is None else p.vector) + cosines[p.text_hash] for p in passages]
    scored = [
        replace(p, score=weight * part + (1 - weight) * (p.lexical or 0.0) / terms.ceiling)
        for p, part in zip(passages, _scaled(sums), strict=True)
    ]
    return sorted(scored, key=lambda p: -p.score)


def _scaled(values: Sequence[float]) -> list[float]:
    """Scale by the least and the largest; all 1 where these are the same."""
    low, high = min(values), max(values)
    return [(value - low) / (high - low) if high > low else 1.0 for value in values]
