"""Tells how well passages answer a question, reading both together: any cross-encoder for sequence pairs.

Knows nothing about where passages come from. Slower than an encoder by far: for a handful of passages.
"""

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.embedder import bound, folder_of
from models.files import ModelError, read_json, weights_digest
from models.hub import Hub
from models.tokens import CHARS_PER_TOKEN, clean

BATCH = 8
TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spiece.model",
    "sentencepiece.bpe.model",
)
"""One of these there is; without any, transformers would make a tokenizer that knows no word."""
KIND = "ForSequenceClassification"
RELEVANT = ("relevant", "entailment", "positive", "yes", "true", "1", "label_1")
"""Labels that mean "this answers it", the first of them that a model has; its last one where it has none."""


class Reranker:
    """A sequence classifier with one logit or several; threads may use it at the same time."""

    def __init__(self, folder: Path, name: str) -> None:
        """Load the transformers `folder`; raises ModelError."""
        from sentence_transformers import CrossEncoder

        if not is_one(folder):
            raise ModelError(f"{folder} holds no reranker: its config.json names no model {KIND}.")
        if not any((folder / name).is_file() for name in TOKENIZERS):
            raise ModelError(f"{folder} holds no tokenizer. Save the model with its tokenizer.")
        self.name = name
        self._using = threading.Lock()  # its tokenizer's settings change with every batch
        try:
            self._model = CrossEncoder(str(folder), device="cpu", local_files_only=True)
            self._column = _column(self._model.config.id2label or {})
            self._chars = int(self._model.max_seq_length or 512) * CHARS_PER_TOKEN
            self.scores("a question", ["a passage"])
        except Exception as error:
            raise ModelError(
                f"No reranker could be loaded from {folder} ({error}). It must be a transformers folder"
                " of a model for sequence classification, with its tokenizer."
            ) from error

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Give one number for each passage, larger where it answers better; they compare among these only."""
        if not passages:
            return []
        pairs = [(clean(question), clean(text[: self._chars])) for text in passages]
        with self._using:
            found = self._model.predict(
                pairs, batch_size=BATCH, activation_fn=_as_it_is(), show_progress_bar=False
            )
        logits: NDArray[np.float32] = np.asarray(found, dtype=np.float32).reshape(len(pairs), -1)
        if logits.shape[1] == 1:
            return [float(value) for value in logits[:, 0]]
        others = np.delete(logits, self._column, axis=1)
        return [float(value) for value in logits[:, self._column] - others.max(axis=1)]


def is_one(folder: Path) -> bool:
    """Tell whether a folder holds a model that can rerank."""
    named = read_json(folder / "config.json").get("architectures")
    return isinstance(named, list) and any(str(each).endswith(KIND) for each in named)


def load(name: str, *, hub: Hub | None = None) -> Reranker:
    """Load a reranker from a folder or by a name that `hub` knows; raises ModelError."""
    bound(1)
    folder = folder_of(name, hub)
    base = name.partition("@")[0].rstrip("/").rsplit("/", 1)[-1]
    return Reranker(folder, f"{base}@{weights_digest(folder)[:8]}")


def _column(labels: dict[int, str]) -> int:
    """Give the logit that says "this answers it"."""
    names = {str(label).lower(): int(column) for column, label in labels.items()}
    return next((names[name] for name in RELEVANT if name in names), max(len(labels) - 1, 0))


def _as_it_is() -> object:
    import torch

    return torch.nn.Identity()
