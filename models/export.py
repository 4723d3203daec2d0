"""Writes models for ONNX Runtime: encoders in eight bits, classifiers as they are.

Knows nothing about who runs them; nothing else needs the package onnx.
"""

import functools
import json
import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnxruntime.quantization import quantize_dynamic
from sentence_transformers import SentenceTransformer
from torch import Tensor

from models.bert import BertClassifier
from models.embedder import TOKENIZER, ModelError
from models.exported import FILE, IDS, MASK, SETTINGS, Network
from models.tokens import TextCodec

OPSET = 17
FAR = 4.0
"""Times the median peak of a layer's inputs, from which an input is damped."""

NEAR = 0.97
"""Cosine that an exported sample has with torch's at least; all-MiniLM-L6-v2 reaches .99."""

SAMPLES = (
    "vpn",
    "How do I report a sick day, and whom do I tell when I am ill for longer than three days?",
    (
        "Expenses are paid with the salary of the month after, when they reach us by the fifteenth."
        " Keep every receipt; without one nothing is paid back."
    ),
    (
        "# Remote work\n\nYou may work from another country for up to 30 days a year. Ask your manager"
        " first, then People Operations (people@example.org)."
    ),
    (
        "| Item | Limit | Who approves |\n| --- | --- | --- |\n| Laptop | 2,000 EUR | IT |\n| Chair |"
        " 400 EUR | Facilities |"
    ),
    (
        "The server did not answer: `curl -v https://example.org/health` gave error 503 at 14:05 on"
        " 2024-03-01, see issue #1234."
    ),
    (
        "In this study we examined 412 patients with type 2 diabetes; the treatment reduced mortality"
        " by 12 % (p < 0.05)."
    ),
    "Who was the first president of the committee that the council founded in Vienna?",
)


class _Sentence(torch.nn.Module):
    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        found = self.model({IDS: ids, MASK: mask})["sentence_embedding"]
        return torch.nn.functional.normalize(found, dim=1)


class _Damped(torch.nn.Module):
    """A linear layer over inputs divided by `scale`, and weights multiplied by it: the same sums."""

    def __init__(self, layer: torch.nn.Linear, scale: Tensor) -> None:
        super().__init__()
        self.layer = layer
        self.inverse = torch.nn.Parameter(1 / scale, requires_grad=False)
        self.layer.weight.data *= scale

    def forward(self, inputs: Tensor) -> Tensor:
        found: Tensor = self.layer(inputs * self.inverse)
        return found


class _Logits(torch.nn.Module):
    def __init__(self, model: BertClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        logits: Tensor = self.model.head(self.model.pooled(ids, mask))
        return logits


def encoder(folder: Path, out: Path) -> None:
    """Write the sentence-transformers `folder` into `out`; ModelError when its vectors come out
    as others than torch's."""
    model = SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        model_kwargs={"attn_implementation": "eager"},
    )
    expected = _damp(model)
    with tempfile.TemporaryDirectory() as scratch:
        _write(_Sentence(model), Path(scratch) / FILE)
        _quantise(Path(scratch) / FILE, out / FILE)
    window = int(model.max_seq_length or 512)
    found = Network(out / FILE, 1)(TextCodec(folder / TOKENIZER, window).ids(SAMPLES))
    nearest = float((expected * found).sum(axis=1).min())
    if nearest < NEAR:
        raise ModelError(
            f"The encoder {folder} gives other vectors in ONNX Runtime (cosine {nearest:.2f} with"
            " torch's). Set THREADWISE_RUNTIME=torch."
        )
    (out / SETTINGS).write_text(json.dumps({"window": window, "dims": found.shape[1]}) + "\n")


def _damp(model: SentenceTransformer) -> NDArray[np.float32]:
    """Make far-out inputs of linear layers smaller without a change of what comes out; gives the
    samples' vectors.

    One range is cut into 256 steps, so one far input makes all others coarse (SmoothQuant, Xiao et
    al. 2023; here only what is far out is moved, which kept more).
    """
    peaks: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(functools.partial(_note, peaks, name))
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    vectors = [model.encode([text], normalize_embeddings=True) for text in SAMPLES]
    for hook in hooks:
        hook.remove()
    for name, peak in peaks.items():
        layer, far = model.get_submodule(name), FAR * float(peak.median())
        if far and isinstance(layer, torch.nn.Linear):
            model.set_submodule(name, _Damped(layer, (peak / far).clamp(min=1)))
    return np.concatenate(vectors)


def _note(
    peaks: dict[str, Tensor], name: str, layer: torch.nn.Module, inputs: tuple[Tensor]
) -> None:
    """Note how far each of a layer's inputs goes."""
    peak = inputs[0].abs().flatten(0, -2).amax(0)
    peaks[name] = torch.maximum(peaks.get(name, peak), peak)


def _quantise(exact: Path, target: Path) -> None:
    log = logging.getLogger()
    log.addFilter(_nothing)  # it tells the root logger about every tensor
    try:
        # Seven bits of weight: eight overflow in the sums of processors without VNNI.
        quantize_dynamic(
            exact, target, op_types_to_quantize=["MatMul"], per_channel=True, reduce_range=True
        )
    finally:
        log.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def classifier(model: BertClassifier, out: Path) -> None:
    """Write the classifier into `out`."""
    model.encoder.set_attn_implementation("eager")  # type: ignore[operator]
    _write(_Logits(model), out / FILE)


def _write(model: torch.nn.Module, file: Path) -> None:
    ids = torch.ones((2, 4), dtype=torch.long)
    axes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        # The exporter that needs no other package is told to be old, and tracing sees constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model.eval(),
            (ids, torch.ones_like(ids)),
            str(file),
            input_names=[IDS, MASK],
            output_names=["numbers"],
            dynamic_axes={IDS: axes, MASK: axes, "numbers": {0: "texts"}},
            opset_version=OPSET,
            dynamo=False,
        )
