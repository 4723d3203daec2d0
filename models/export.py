"""Writes models for ONNX Runtime: encoders in eight bits, classifiers as they are.

Knows nothing about who runs them; nothing else needs the package onnx.
"""

import json
import tempfile
import warnings
from pathlib import Path

import onnx  # noqa: F401 - what misses it should say so before anything is loaded
import torch
from onnxruntime.quantization import quantize_dynamic
from sentence_transformers import SentenceTransformer
from torch import Tensor

from models.bert import BertClassifier
from models.embedder import TOKENIZER, ModelError
from models.exported import FILE, IDS, MASK, SETTINGS, Network
from models.tokens import TextCodec

OPSET = 17
PROBES = (
    "How do I report a sick day?",
    "Expenses are paid with the salary of the month after, when they reach us by the fifteenth.",
)
NEAR = 0.97
"""Cosine that an exported probe has with torch's at least; all-MiniLM-L6-v2 reaches .99."""


class _Sentence(torch.nn.Module):
    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.model = model

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        found = self.model({IDS: ids, MASK: mask})["sentence_embedding"]
        return torch.nn.functional.normalize(found, dim=1)


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
    with tempfile.TemporaryDirectory() as scratch:
        _write(_Sentence(model), Path(scratch) / FILE)
        # Seven bits of weight: eight overflow in the sums of processors without VNNI.
        quantize_dynamic(
            Path(scratch) / FILE,
            out / FILE,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
        )
    window = int(model.max_seq_length or 512)
    expected = model.encode(list(PROBES), normalize_embeddings=True)
    found = Network(out / FILE, 1)(TextCodec(folder / TOKENIZER, window).ids(PROBES))
    nearest = float((expected * found).sum(axis=1).min())
    if nearest < NEAR:
        raise ModelError(
            f"The encoder {folder} gives other vectors in ONNX Runtime (cosine {nearest:.2f} with"
            " torch's). Set THREADWISE_RUNTIME=torch."
        )
    (out / SETTINGS).write_text(json.dumps({"window": window, "dims": found.shape[1]}) + "\n")


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
