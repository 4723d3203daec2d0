"""Encode every short text once: the units of a page are compared with many questions.

Knows nothing about what the texts are.
"""

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bot.answering.highlight import Encode

MOST = 20_000
"""Texts that are remembered, the latest ones: 30 MB of vectors of 384 numbers."""


class Remembering:
    """An encoder of texts that remembers their vectors; shared by the worker's threads."""

    def __init__(self, encode: "Encode", most: int = MOST) -> None:
        self._encode = encode
        self._most = most
        self._known: dict[str, NDArray[np.float32]] = {}
        self._lock = Lock()

    def __call__(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Give the texts' vectors, one in each row."""
        import numpy as np

        with self._lock:
            found = {text: self._known[text] for text in texts if text in self._known}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new or not texts:
            encoded = self._encode(new)
            if not texts:
                return encoded
            found |= zip(new, encoded, strict=True)
            self._remember({text: found[text] for text in new})
        return np.stack([found[text] for text in texts])

    def _remember(self, vectors: "dict[str, NDArray[np.float32]]") -> None:
        with self._lock:
            self._known |= vectors
            while len(self._known) > self._most:
                del self._known[next(iter(self._known))]
