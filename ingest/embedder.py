"""What ingestion asks of an encoder; models/embedder.py has one, tests have another.

Knows nothing about models or how they are run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the configuration of sources is read where there is no numpy
    import numpy as np
    from numpy.typing import NDArray

Encode = Callable[[Sequence[str]], "NDArray[np.float32]"]


class Embedder(Protocol):
    """Texts to vectors. Two embedders of one `name` must give the same vectors."""

    @property
    def name(self) -> str:
        """What identifies the vectors, such as `all-MiniLM-L6-v2@53aa5117`."""

    @property
    def dims(self) -> int:
        """How many numbers a vector has."""

    @property
    def window(self) -> int:
        """How many tokens of a text are seen."""

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Give (n, dims) L2-normalised vectors in the order of `texts`."""

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each whole text, without special tokens."""


@dataclass(frozen=True, slots=True)
class Wrapped:
    """An embedder whose texts go through `through`, which may wait or share out the work."""

    inner: Embedder
    through: Encode

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def dims(self) -> int:
        return self.inner.dims

    @property
    def window(self) -> int:
        return self.inner.window

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        return self.through(texts)

    def count(self, texts: Sequence[str]) -> list[int]:
        return self.inner.count(texts)
