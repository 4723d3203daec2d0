"""Hand-written stand-ins for the slow parts, with the same faces as the real ones.

Knows nothing about any one test.
"""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from store.records import Answer, Question

WORD = re.compile(r"\w+|[^\w\s]")


class HashEmbedder:
    """An encoder without a model: texts that share words get similar vectors."""

    def __init__(self, name: str = "hash@1", dims: int = 384, window: int = 256) -> None:
        self.name = name
        self.dims = dims
        self.window = window
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give (n, dims) vectors of length one and remember the texts in `encoded`."""
        self.encoded.extend(texts)
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in WORD.findall(text.lower()) or [""]:
                digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
                place = int.from_bytes(digest[:4], "big") % self.dims
                vectors[row, place] += 1.0 if digest[4] % 2 else -1.0
            if not vectors[row].any():
                vectors[row, 0] = 1.0
        normalised: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return normalised

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode what is asked as what is searched."""
        return self.encode(texts)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count words and signs."""
        return [len(WORD.findall(text)) for text in texts]


class Nowhere:
    """A delivery (bot.answering.lifecycle.Delivery) for tests in which nobody asks."""

    def show(self, question: Question, answer: Answer) -> str | None:
        return None

    def tidy(self, question: Question, *, is_posted: bool) -> None:
        pass
