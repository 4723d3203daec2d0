"""An encoder whose vectors cost little, so that the rest of ingestion can be measured.

Knows nothing about what is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.embedder import Embedder, Encode


@dataclass(frozen=True, slots=True)
class Pretended:
    """Counts tokens as the real encoder does, and encodes by `through`."""

    real: Embedder
    through: Encode
    name: str = "pretended@1"

    @property
    def dims(self) -> int:
        """As many numbers as the real encoder gives."""
        return self.real.dims

    @property
    def window(self) -> int:
        """As many tokens as the real encoder sees."""
        return self.real.window

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Give vectors in the order of `texts`."""
        return self.through(texts)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each text."""
        return self.real.count(texts)
