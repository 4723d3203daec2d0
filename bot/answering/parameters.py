"""What serves now of everything that is learned, re-read when it changes; the defaults otherwise.

Knows nothing about learning.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from bot.answering.confidence import Calibrator
from bot.answering.recall import Recall
from store.database import Database
from store.feedback import versions
from store.records import Kind, ModelVersion

REFRESH_SECONDS = 3.0
"""A promoted version is picked up within this time, without a restart."""

VECTOR_WEIGHT = 0.5
"""The vectors' share in the fused score until a night tunes it. The choice is flat: .43 to .6 differ by 3 of 95
questions on sourcegraph's handbook and by 1.5 points of nDCG@10 on FeedbackQA."""

TITLE_WEIGHT = 0.0
"""What a question that stands whole in a title adds to the fused score, until a night tunes it."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """One consistent snapshot; `sources` says what is added to the scores of a source's passages."""

    calibrator: Calibrator
    vector_weight: float = VECTOR_WEIGHT
    title_weight: float = TITLE_WEIGHT
    recall: Recall = field(default_factory=Recall)
    sources: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[Kind, ModelVersion] = field(default_factory=dict)

    @classmethod
    def of(cls, serving: Mapping[Kind, ModelVersion]) -> "Parameters":
        """Read the serving versions, by kind; a kind that is absent keeps its default."""
        parameters = cls(Calibrator.default(), versions=dict(serving))
        # The thresholds hold for the confidence that serves, so they come after it.
        for kind in sorted(serving, key=lambda kind: kind != "confidence"):
            parameters = parameters.with_part(kind, serving[kind].payload)
        return parameters

    def standing(self) -> str:
        """Tell all that is in it, and the versions by their ids."""
        ids = sorted((kind, str(version.version_id)) for kind, version in self.versions.items())
        return repr((replace(self, versions={}), ids))

    def with_part(self, kind: Kind, payload: Mapping[str, object]) -> "Parameters":
        """Give what would serve with this payload of a version.

        A kind that holds no parameters (`intents`) changes nothing. Raises KeyError, TypeError or
        ValueError for a payload that cannot be read.
        """
        match kind:
            case "confidence":
                return replace(self, calibrator=Calibrator.of(payload))
            case "thresholds":
                known = _numbers(payload, "answer_above", "unsure_above")
                return replace(self, calibrator=self.calibrator.within(known))
            case "memory":
                known = _numbers(payload, "weight", "floor")
                return replace(self, recall=replace(Recall(), **known))
            case "sources":
                return replace(self, sources=_numbers(payload))
            case "title":
                weight = _numbers(payload, "title_weight").get("title_weight", self.title_weight)
                return replace(self, title_weight=weight)
            case "fusion":
                weight = _numbers(payload, "vector_weight").get("vector_weight", self.vector_weight)
                return replace(self, vector_weight=weight)
        return self


def _numbers(payload: Mapping[str, object], *known: str) -> dict[str, float]:
    """Read the known numbers, or all: a newer process may have kept something besides."""
    names = known or tuple(payload)
    return {name: float(str(payload[name])) for name in names if name in payload}


class Serving:
    """Gives the current snapshot; asks the database at most every REFRESH_SECONDS."""

    def __init__(
        self,
        database: Database,
        workspace: str,
        clock: Callable[[], float] = time.monotonic,
        fixed: Mapping[str, float] | None = None,
        *,
        remembers: bool = True,
    ) -> None:
        """`fixed` thresholds (answer_above, unsure_above) stand, whatever is learned; unless it `remembers`,
        what people judged does not count."""
        self._database = database
        self._workspace = workspace
        self._clock = clock
        self._fixed = fixed or {}
        self._remembers = remembers
        self._lock = Lock()
        self._read_at = float("-inf")
        self._parameters = Parameters(Calibrator.default())

    def now(self) -> Parameters:
        """Give what serves, at most REFRESH_SECONDS old."""
        with self._lock:
            if self._clock() - self._read_at >= REFRESH_SECONDS:
                with self._database.connection() as connection:
                    parameters = Parameters.of(versions.serving(connection, self._workspace))
                self._parameters = replace(
                    parameters,
                    calibrator=parameters.calibrator.within(self._fixed),
                    recall=parameters.recall if self._remembers else Recall(weight=0.0),
                )
                self._read_at = self._clock()
            return self._parameters
