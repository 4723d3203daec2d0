"""Reads passages for a question: does each answer it, where, or nowhere?

Knows nothing about units, search or thresholds. The reader of this project is kept as an adapter and heads
beside the encoder's own weights; any folder of a model for question answering serves too.
"""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.reader.codec import Encoded, Page, PairCodec, Slice

if TYPE_CHECKING:
    import torch

    from models.onnx.network import Network

SAMPLES = (
    Page(
        "Badges", "A lost badge costs 12 euros. Tell reception at once; a new one takes two days."
    ),
    Page(
        "", "| Item | Limit | Who approves |\n| --- | --- | --- |\n| Chair | 400 EUR | Facilities |"
    ),
    Page(
        "Remote work",
        "- You may work from abroad for 30 days a year.\n- Ask your manager first. " * 4,
    ),
)
"""Passages that an exported reader is compared with torch's on."""

MAX_SPAN = 30
"""Tokens of the longest answer that is looked for."""

LOWEST = -30.0
"""The exponent below which a probability counts as none."""

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of one passage.

    `relevance` is P(it answers the question); `no_answer` is P(no span of it does); `best` is the slice of the
    body that answers best. `starts` and `ends` say of each token (`tokens`: slices of the body) how probable
    it is that the answer begins or ends there, if it is in the body at all.
    """

    relevance: float
    no_answer: float
    best: Slice
    tokens: tuple[Slice, ...]
    starts: Numbers
    ends: Numbers

    def mass(self, start: int, end: int) -> float | None:
        """Give how probable it is that the answer, if any, lies in this slice of the body; None where that was
        not read."""
        inside = [n for n, (a, b) in enumerate(self.tokens) if a < end and b > start]
        if not inside:
            return None
        return math.sqrt(float(self.starts[inside].sum()) * float(self.ends[inside].sum()))


class Reader:
    """A reader; what runs its network is the subclass's. Threads may use it at the same time."""

    def __init__(self, name: str, codec: PairCodec) -> None:
        """Read pairs that `codec` encodes; `name` identifies the weights."""
        self.name, self._codec = name, codec

    def read(self, question: str, pages: Sequence[Page]) -> list[Read]:
        """Read the pages in one pass, in their order."""
        if not pages:
            return []
        rows = self._codec.encode(question, pages)
        return [_told(row, numbers) for row, numbers in zip(rows, self.numbers(rows), strict=True)]

    def numbers(self, rows: Sequence[Encoded]) -> list[Numbers]:
        """Give the network's (tokens, 3) numbers for each row."""
        raise NotImplementedError


class TorchReader(Reader):
    """A reader run by torch, a batch for each thread."""

    def __init__(
        self, name: str, codec: PairCodec, network: "torch.nn.Module", threads: int
    ) -> None:
        """Serve a network as network.py has them."""
        super().__init__(name, codec)
        self._network, self._threads = network.eval(), threads

    def numbers(self, rows: Sequence[Encoded]) -> list[Numbers]:
        """Read rows of like length together."""
        found: list[Numbers] = [np.zeros((0, 3), np.float32)] * len(rows)
        parts = _parts([len(row.ids) for row in rows], self._threads)
        # Threads of the call's own: they have the caller's priority.
        with ThreadPoolExecutor(len(parts)) as pool:
            for part, numbers in zip(
                parts, pool.map(lambda p: self._run(rows, p), parts), strict=True
            ):
                for i, one in zip(part, numbers, strict=True):
                    found[i] = one[: len(rows[i].ids)]
        return found

    def _run(self, rows: Sequence[Encoded], part: Sequence[int]) -> Numbers:
        import torch

        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(rows[i].ids) for i in part], True, 0)
        lengths = torch.tensor([len(rows[i].ids) for i in part])
        mask = (torch.arange(ids.shape[1])[None, :] < lengths[:, None]).long()
        with torch.inference_mode():
            numbers: Numbers = self._network(ids, mask).float().numpy()
        return numbers


class ExportedReader(Reader):
    """A reader run by ONNX Runtime, in eight bits where it then says the same."""

    def __init__(self, name: str, codec: PairCodec, network: "Network") -> None:
        """Serve a network that was exported."""
        super().__init__(name, codec)
        self._network = network

    def numbers(self, rows: Sequence[Encoded]) -> list[Numbers]:
        """Read rows of like length together."""
        return self._network.each([row.ids for row in rows])


def _parts(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Share rows out among threads by their length, so that all end at about the same time."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    parts: list[list[int]] = [[] for _ in range(min(most, len(lengths)))]
    work = [0] * len(parts)
    for i in order:
        lightest = work.index(min(work))
        parts[lightest].append(i)
        # Padded to the longest of its part, which is the first.
        work[lightest] += lengths[parts[lightest][0]]
    return parts


def _told(row: Encoded, numbers: Numbers) -> Read:
    """Turn the network's numbers into probabilities over the body's tokens and "nowhere"."""
    places = [0, *row.tokens]
    starts, ends = (_log_softmax(numbers[places, column]) for column in (0, 1))
    relevance = _sigmoid(float(numbers[0, 2]))
    if not row.tokens:
        nothing = np.zeros(0, np.float32)
        return Read(relevance, 1.0, (0, 0), (), nothing, nothing)
    score, first, last = _best(starts[1:], ends[1:])
    nowhere = float(starts[0] + ends[0])
    return Read(
        relevance,
        _sigmoid(nowhere - score),
        (row.slices[first][0], row.slices[last][1]),
        row.slices,
        np.exp(_log_softmax(numbers[list(row.tokens), 0])),
        np.exp(_log_softmax(numbers[list(row.tokens), 1])),
    )


def _best(starts: Numbers, ends: Numbers) -> tuple[float, int, int]:
    """Give the score of the most probable span of at most MAX_SPAN tokens, its first token and its last."""
    best = (-math.inf, 0, 0)
    for first, start in enumerate(starts.tolist()):
        last = first + int(np.argmax(ends[first : first + MAX_SPAN]))
        if (score := start + float(ends[last])) > best[0]:
            best = (score, first, last)
    return best


def _log_softmax(values: Numbers) -> Numbers:
    shifted = values - values.max()
    found: Numbers = shifted - np.log(np.exp(shifted).sum())
    return np.maximum(found, LOWEST)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(LOWEST, min(-LOWEST, value))))


def load(
    folder: Path,
    *,
    base: Path | None = None,
    threads: int = 2,
    exports: Path | None = None,
) -> Reader:
    """Load the reader in a folder; a call uses so many threads.

    `base` is the encoder's folder, where that is not the packaged one. With `exports` it is run by ONNX Runtime,
    exported into that folder at its first use. Raises models.files.ModelError.
    """
    from models import embedder
    from models.reader import files

    embedder.bound(1)
    network, codec, name = files.load(folder, base)
    if exports is None:
        return TorchReader(name, codec, network, threads)
    from models.onnx import load as onnx

    rows = [row.ids for row in codec.encode("What does a lost badge cost?", SAMPLES)]
    exported = onnx.reader(lambda: network, rows, root=exports, name=name, threads=threads)
    return ExportedReader(f"{name}+{onnx.RECIPE}", codec, exported)
