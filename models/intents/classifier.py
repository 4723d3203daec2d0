"""The served intent classifier: messages in, the intent with a calibrated confidence out.

Knows nothing about what an intent makes the bot do or where messages come from.
"""

import functools
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import numpy as np
from numpy.typing import NDArray

from models.embedder import TOKENIZER
from models.files import WEIGHTS, ModelError, sha256
from models.intents import baseline
from models.intents.calibration import Calibration, Logits, Trained
from models.tokens import Ids, TextCodec

if TYPE_CHECKING:
    from models.bert import BertClassifier

KINDS: tuple[Trained, ...] = get_args(Trained)
FILE = "intent.json"
IN_SCOPE_FLOOR = 0.5  # `Calibration.in_scope` puts the threshold there


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one message is taken for."""

    intent: str | None  # None: out of scope
    confidence: float  # 0-1, calibrated: how often `nearest` is right at this value
    nearest: str  # the best intent, also where the message is out of scope
    runner_up: str
    margin: float  # confidence of `nearest` minus that of `runner_up`
    in_scope: float  # 0-1; below .5 is out of scope


@dataclass(frozen=True, slots=True)
class Settings:
    """What is kept beside the weights."""

    labels: list[str]
    serves: Trained
    encoder_sha256: str  # of the pretrained weights, which the baseline runs on
    bert: Calibration
    baseline: Calibration


class IntentModel:
    """A loaded classifier; threads may call `predict` at the same time."""

    def __init__(
        self,
        logits: Callable[[Sequence[Ids]], Logits],
        codec: TextCodec,
        labels: list[str],
        calibration: Calibration,
    ) -> None:
        """Serve `logits`, whose classes are `labels`, in that order."""
        self._logits, self._codec, self._calibration = logits, codec, calibration
        self.labels = labels

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Classify each text; any text will do, the empty one too."""
        if not texts:
            return []
        logits = self._logits(self._codec.ids(texts))
        return _predictions(logits, self.labels, self._calibration)


@dataclass(frozen=True, slots=True)
class BaselineModel:
    """A linear model over vectors that the caller has already; threads may share it.

    Where the search's encoder is the one it was trained on, a question is encoded once for both.
    """

    linear: baseline.Baseline
    labels: list[str]
    calibration: Calibration
    encoder_sha256: str

    def predict(self, vectors: NDArray[np.float32]) -> list[Prediction]:
        """Classify (n, dims) vectors of the encoder that the model was trained on."""
        return _predictions(self.linear.logits(vectors), self.labels, self.calibration)


def load(
    folder: Path, *, encoder: Path, kind: Trained | None = None, onnx_threads: int = 0
) -> IntentModel:
    """Load what `write` wrote: the model that won, or the `kind` that is asked for.

    `encoder` is the pretrained folder, needed where the baseline serves. With `onnx_threads` ONNX
    Runtime serves it instead of torch, exported into the folder at first use. The files' hashes
    are the shelf's business. Raises ModelError when the folder does not fit together.
    """
    try:
        settings = _settings(json.loads((folder / FILE).read_text()))
        chosen = kind or settings.serves
        codec = TextCodec(folder / TOKENIZER)
        build = functools.partial(_network, folder, encoder, settings, chosen)
        logits: Callable[[Sequence[Ids]], Logits]
        if onnx_threads:
            from models.onnx import load as exported

            root = folder / "onnx" / chosen
            logits = exported.classifier(build, codec, root=root, threads=onnx_threads)
        else:
            logits = build().logits
    except ModelError:
        raise
    except Exception as error:  # tokenizers raises nothing narrower
        raise ModelError(
            f"The intent model in {folder} cannot be read ({error}). Train a new one."
        ) from error
    calibration = settings.bert if chosen == "bert" else settings.baseline
    return IntentModel(logits, codec, settings.labels, calibration)


def load_baseline(folder: Path) -> BaselineModel | None:
    """Load the baseline out of what `write` wrote; None where the fine-tuned model serves.

    Raises ModelError when the folder cannot be read.
    """
    try:
        settings = _settings(json.loads((folder / FILE).read_text()))
        if settings.serves != "baseline":
            return None
        return BaselineModel(
            baseline.load(folder), settings.labels, settings.baseline, settings.encoder_sha256
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"The intent model in {folder} cannot be read ({error}). Train a new one."
        ) from error


def write(
    folder: Path, encoder: Path, model: "BertClassifier", linear: baseline.Baseline, kept: Settings
) -> None:
    """Write both models, the tokenizer of `encoder` and the settings into `folder`."""
    from models import bert

    bert.save(model, folder)
    baseline.save(linear, folder)
    shutil.copyfile(encoder / TOKENIZER, folder / TOKENIZER)
    (folder / FILE).write_text(json.dumps(asdict(kept), indent=1) + "\n")


def _predictions(logits: Logits, labels: list[str], calibration: Calibration) -> list[Prediction]:
    confidences, scores = calibration.confidences(logits), calibration.in_scope(logits)
    return [_prediction(*row, labels) for row in zip(confidences, scores, strict=True)]


def _prediction(
    confidences: NDArray[np.float64], score: float, labels: Sequence[str]
) -> Prediction:
    second, first = np.argsort(confidences)[-2:]
    return Prediction(
        intent=labels[first] if score >= IN_SCOPE_FLOOR else None,
        confidence=float(confidences[first]),
        nearest=labels[first],
        runner_up=labels[second],
        margin=float(confidences[first] - confidences[second]),
        in_scope=float(score),
    )


def _network(folder: Path, encoder: Path, settings: Settings, kind: Trained) -> "BertClassifier":
    from models import bert

    if kind == "bert":
        return bert.load(folder, len(settings.labels))
    if sha256(encoder / WEIGHTS) != settings.encoder_sha256:
        raise ModelError(
            f"The intent model in {folder} was trained on another encoder than {encoder}. "
            "Train a new one."
        )
    linear = baseline.load(folder)
    model = bert.from_encoder(encoder, len(settings.labels))
    model.set_head(linear.weights, linear.bias)
    return model.eval()


def _settings(saved: dict[str, object]) -> Settings:
    calibrations = {kind: Calibration(**saved.pop(kind)) for kind in KINDS}  # type: ignore[arg-type]
    return Settings(**saved, **calibrations)  # type: ignore[arg-type]
