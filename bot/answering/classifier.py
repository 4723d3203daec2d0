"""Which intent classifier serves: the promoted version, loaded beside the old one and then swapped.

Until a first version is trained, only messages worded almost like an example of small talk are recognised.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING

from bot.intents import Intents
from bot.settings import Settings
from store.records import Kind, ModelVersion

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embedder import Embedder
    from models.intents.classifier import IntentModel, Prediction

    Vector = NDArray[np.float32]

log = logging.getLogger(__name__)

KIND: Kind = "intents"
"""Of its versions among those of everything that is learned."""

FIRST_PAUSE_SECONDS = 30.0
LONGEST_PAUSE_SECONDS = 900.0
"""Between two tries to load a version that failed to load."""

NEAR = 0.85
"""Cosine with an example from which a message counts as worded like it, before anything is trained."""

SMALL_TALK = ("reply", "ignore", "human")
"""Actions whose examples are looked at before anything is trained."""

UNTRAINED_EXAMPLES = 30
"""Of each such intent: they are encoded at every start, which must take a second at most."""

Classify = Callable[[str, "Callable[[], Vector]"], "Prediction"]
"""Takes a message and what gives its vector, which is only called where the vector is needed."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """A loaded classifier; `version_id` is empty for the one that needs no training."""

    classify: Classify
    version_id: str = ""


class ServingClassifier:
    """Gives the classifier that serves; a version that cannot be loaded changes nothing."""

    def __init__(
        self,
        serving: Callable[[], ModelVersion | None],
        earlier: Callable[[], Sequence[ModelVersion]],
        load: Callable[[ModelVersion], Classify],
        untrained: Callable[[], Classify],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`serving` gives the promoted version, `earlier` those that served before it, last first."""
        self._serving = serving
        self._earlier = earlier
        self._load = load
        self._untrained = untrained
        self._clock = clock
        self._lock = Lock()
        self._wanted: object = self
        self._pause = FIRST_PAUSE_SECONDS
        self._again_at: float | None = None  # when what failed to load is tried again
        self._loaded: Classifier | None = None

    def now(self) -> Classifier:
        """Give the classifier; only the very first call waits until one is loaded."""
        version = self._serving()
        wanted = version.version_id if version else None
        with self._lock:
            if self._loaded is None:
                self._wanted = wanted
                self._loaded = self._first(version)
            elif wanted != self._wanted or self._is_due():
                if wanted != self._wanted:
                    self._pause = FIRST_PAUSE_SECONDS
                self._wanted, self._again_at = wanted, None
                Thread(target=self._swap, args=(version,), name="intents", daemon=True).start()
            return self._loaded

    def _first(self, version: ModelVersion | None) -> Classifier:
        candidates = [version, *self._earlier()] if version else []
        for candidate in candidates:
            loaded = self._try(candidate)
            if loaded is not None:
                return loaded
            if candidate is version:
                self._try_again_later()
        return Classifier(self._untrained())

    def _swap(self, version: ModelVersion | None) -> None:
        loaded = self._try(version) if version else Classifier(self._untrained())
        with self._lock:
            if self._wanted != (version.version_id if version else None):
                return
            if loaded:
                self._loaded, self._pause = loaded, FIRST_PAUSE_SECONDS
            else:
                self._try_again_later()

    def _try_again_later(self) -> None:
        """What failed to load may come: a shared folder that was away, a file still being copied."""
        self._again_at = self._clock() + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)

    def _is_due(self) -> bool:
        return self._again_at is not None and self._clock() >= self._again_at

    def _try(self, version: ModelVersion) -> Classifier | None:
        from models.files import ModelError
        from models.shelf import ShelfError

        try:
            loaded = Classifier(self._load(version), str(version.version_id))
        except (ModelError, ShelfError) as error:
            log.error("intents_version_broken version=%s %s", version.version_id, error)
            return None
        except Exception:
            log.exception("intents_version_broken version=%s", version.version_id)
            return None
        log.info("intents_version_loaded version=%s", version.version_id)
        return loaded


def root(home: Path) -> Path:
    """Give the folder of trained classifiers; a version's path is relative to it."""
    return home / "models" / KIND


def verify(folder: Path) -> None:
    """Raise ShelfError unless a version's files are all on this machine, and whole."""
    from models import shelf

    if not folder.is_dir():
        raise shelf.ShelfError(
            f"The files of the classifier that serves are not on this machine ({folder}): let the machines"
            " share the folder THREADWISE_HOME/models, or train here with `threadwise intents train`."
        )
    shelf.verify(folder)


def load(folder: Path, embedder: "Embedder", settings: Settings) -> Classify:
    """Load a version, its files verified; raises ShelfError or ModelError.

    A baseline that was trained on the serving embedder shares the question's vector with the search.
    """
    from models.files import WEIGHTS, sha256
    from models.intents import classifier

    verify(folder)
    linear, weights = classifier.load_baseline(folder), embedder.folder / WEIGHTS
    if linear and weights.is_file() and linear.encoder_sha256 == sha256(weights):
        return lambda text, vector: linear.predict(vector()[None])[0]
    model = _from_texts(folder, settings)
    model.predict(["warm up"])
    return lambda text, vector: model.predict([text])[0]


def _from_texts(folder: Path, settings: Settings) -> "IntentModel":
    """Load a version that reads texts by itself; by torch where ONNX Runtime cannot run it."""
    from models.embedder import packaged_folder
    from models.files import ModelError
    from models.intents import classifier

    if settings.runtime == "onnx":
        try:
            return classifier.load(folder, encoder=packaged_folder(), onnx_threads=settings.threads)
        except ModelError as error:
            log.warning("intents_by_torch reason=%s", error)
    return classifier.load(folder, encoder=packaged_folder())


def untrained(intents: Intents, embedder: "Embedder") -> Classify:
    """Make what recognises small talk by its nearest example, and nothing else; needs no training."""
    from models.intents.classifier import Prediction

    rows = [
        (text, intent.name)
        for intent in intents.by_name.values()
        for text in intent.examples[:UNTRAINED_EXAMPLES]
        if intent.action in SMALL_TALK
    ]
    vectors = embedder.encode_questions([text for text, _ in rows])

    def classify(text: str, vector: "Callable[[], Vector]") -> Prediction:
        if not rows:
            return Prediction(None, 0.0, "", "", 0.0, 0.0)
        cosines = vectors @ vector()
        best = int(cosines.argmax())
        cosine, name = float(cosines[best]), rows[best][1]
        others = [float(c) for c, row in zip(cosines, rows, strict=True) if row[1] != name]
        margin = cosine - max(others, default=0.0)
        is_near = cosine >= NEAR
        return Prediction(name if is_near else None, cosine, name, "", margin, float(is_near))

    return classify
