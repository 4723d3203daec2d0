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
from store.records import ModelVersion

REFRESH_SECONDS = 3.0
"""A promoted version is picked up within this time, without a restart."""

VECTOR_WEIGHT = 0.4
"""The vectors' share in the fused score until a night tunes it. BM25 by its theoretical maximum makes the
choice flat: .3 to .5 differ by 1 of 163 own questions, and by 1.6 points of nDCG@10 on FeedbackQA."""

TITLE_WEIGHT = 0.0
"""What a question that stands whole in a title adds to the fused score, until a night tunes it."""


@dataclass(frozen=True, slots=True)
class Learned:
    """A consistent snapshot of the learned parts; `sources` says what is added to a source's passages."""

    calibrator: Calibrator
    vector_weight: float = VECTOR_WEIGHT
    title_weight: float = TITLE_WEIGHT
    recall: Recall = field(default_factory=Recall)
    sources: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, ModelVersion] = field(default_factory=dict)

    @classmethod
    def of(cls, serving: Mapping[str, ModelVersion]) -> "Learned":
        """Read the serving versions; a kind that is absent keeps its default."""
        confidence, memory = serving.get("confidence"), serving.get("memory")
        calibrator = Calibrator.of(confidence.payload) if confidence else Calibrator.default()
        fusion = numbers(serving.get("fusion"))
        return cls(
            calibrator.within(numbers(serving.get("thresholds"))),
            fusion.get("vector_weight", VECTOR_WEIGHT),
            numbers(serving.get("title")).get("title_weight", TITLE_WEIGHT),
            Recall(**numbers(memory)),
            numbers(serving.get("sources")),
            dict(serving),
        )


def numbers(version: ModelVersion | None) -> dict[str, float]:
    """Read the named numbers of a version; none when nothing serves."""
    return {k: float(str(v)) for k, v in version.payload.items()} if version else {}


class Shelf:
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
        self._learned = Learned(Calibrator.default())

    def now(self) -> Learned:
        """Give what serves, at most REFRESH_SECONDS old."""
        with self._lock:
            if self._clock() - self._read_at >= REFRESH_SECONDS:
                with self._database.connection() as connection:
                    learned = Learned.of(versions.serving(connection, self._workspace))
                self._learned = replace(
                    learned,
                    calibrator=learned.calibrator.within(self._fixed),
                    recall=learned.recall if self._remembers else Recall(weight=0.0),
                )
                self._read_at = self._clock()
            return self._learned
