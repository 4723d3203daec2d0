"""Writes encoders, classifiers and readers for ONNX Runtime, in eight bits; a reader exactly, where it must.

Knows nothing about who runs them; nothing else needs the package onnx.
"""

import functools
import json
import logging
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import quantize_dynamic
from sentence_transformers import SentenceTransformer
from torch import Tensor
from transformers.utils import logging as transformers_logging

from models.bert import BertClassifier
from models.embedder import TOKENIZER
from models.files import ModelError
from models.onnx.network import FILE, IDS, MASK, SETTINGS, Network, Rows
from models.tokens import Ids, TextCodec

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
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model = SentenceTransformer(
        str(folder),
        device="cpu",
        local_files_only=True,
        model_kwargs={"attn_implementation": "eager"},
    )
    if not all(getattr(module, "include_prompt", True) for module in model):
        raise ModelError(
            f"The encoder {folder} leaves its prefix out of the mean, which is not exported."
            " Set THREADWISE_RUNTIME=torch."
        )
    window = int(model.max_seq_length or 512)
    expected = model.encode(list(SAMPLES), normalize_embeddings=True)
    rows = TextCodec(folder / TOKENIZER, window).ids(SAMPLES)
    _in_eight_bits(_Sentence(model), rows, out)
    found = Network(out / FILE, 1)(rows)
    _check(f"The encoder {folder}", expected, found)
    (out / SETTINGS).write_text(json.dumps({"window": window, "dims": found.shape[1]}) + "\n")


def classifier(model: BertClassifier, codec: TextCodec, out: Path) -> None:
    """Write the classifier into `out`; ModelError when its logits come out as others."""
    model.encoder.set_attn_implementation("eager")  # type: ignore[operator]
    expected = model.logits(codec.ids(SAMPLES))
    rows = codec.ids(SAMPLES)
    _in_eight_bits(_Logits(model), rows, out)
    _check("The classifier", expected, Network(out / FILE, 1)(rows))


def reader(model: torch.nn.Module, rows: Sequence[Ids], out: Path) -> None:
    """Write a reader's network, which gives numbers of every token, into `out`; `rows` are pairs to try it on.

    In eight bits where it then says the same, and exactly where it does not: a trained adapter came out at a
    cosine of .93. Raises ModelError when its numbers come out as others.
    """
    for module in model.modules():
        if hasattr(module, "set_attn_implementation"):
            module.set_attn_implementation("eager")  # type: ignore[operator]
    expected = []
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row])
            expected.append(model.eval()(ids, torch.ones_like(ids))[0].numpy())
    numbers = {0: "texts", 1: "tokens"}
    _in_eight_bits(model, rows, out, numbers)
    try:
        _check_rows(expected, rows, out)
    except ModelError:
        _write(model, out / FILE, numbers)
        _check_rows(expected, rows, out)


def _check_rows(expected: Sequence[Rows], rows: Sequence[Ids], out: Path) -> None:
    for one, found in zip(expected, Network(out / FILE, 1).each(rows), strict=True):
        # Compared as one row: a token's three numbers alone may all be near zero.
        _check("The reader", one.reshape(1, -1), found.reshape(1, -1))


def _in_eight_bits(
    model: torch.nn.Module, rows: Sequence[Ids], out: Path, numbers: dict[int, str] | None = None
) -> None:
    """Write a model of ids and mask into `out`; `numbers` are the axes of its output that vary."""
    _damp(model.eval(), rows)
    with tempfile.TemporaryDirectory() as scratch:
        _write(model, Path(scratch) / FILE, numbers or {0: "texts"})
        _quantise(Path(scratch) / FILE, out / FILE)


def _check(what: str, expected: Rows, found: Rows) -> None:
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
    nearest = float(((expected * found).sum(axis=1) / lengths).min())
    if not nearest >= NEAR:
        raise ModelError(
            f"{what} gives other numbers in ONNX Runtime (cosine {nearest:.2f} with torch's)."
            " Set THREADWISE_RUNTIME=torch."
        )


def _damp(model: torch.nn.Module, rows: Sequence[Ids]) -> None:
    """Make far-out inputs of linear layers smaller, without a change of what comes out.

    One range is cut into 256 steps, so one far input makes all others coarse (SmoothQuant, Xiao et
    al. 2023; here only what is far out is moved, which kept more).
    """
    peaks: dict[str, Tensor] = {}
    hooks = [
        layer.register_forward_pre_hook(functools.partial(_note, peaks, name))
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear)
    ]
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row])
            model(ids, torch.ones_like(ids))
    for hook in hooks:
        hook.remove()
    for name, peak in peaks.items():
        layer, far = model.get_submodule(name), FAR * float(peak.median())
        if far and isinstance(layer, torch.nn.Linear):
            model.set_submodule(name, _Damped(layer, (peak / far).clamp(min=1)))


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


def _write(model: torch.nn.Module, file: Path, numbers: dict[int, str]) -> None:
    ids = torch.ones((2, 4), dtype=torch.long)
    axes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        # The exporter that needs no other package is told to be old, and tracing sees constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (ids, torch.ones_like(ids)),
            str(file),
            input_names=[IDS, MASK],
            output_names=["numbers"],
            dynamic_axes={IDS: axes, MASK: axes, "numbers": numbers},
            opset_version=OPSET,
            dynamo=False,
        )
