"""Models run by ONNX Runtime: two to three times as fast as torch on a processor, in less memory.

Knows nothing about documents, intents or where the files lie; export.py makes them.
"""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models.embedder import Embedder, ModelError, find
from models.shelf import Shelf, ShelfError
from models.tokens import Ids, TextCodec

if TYPE_CHECKING:
    from models.bert import BertClassifier

RECIPE = "int8"  # in an encoder's name: change it whenever export.py makes other vectors
FILE = "model.onnx"
SETTINGS = "encoder.json"
IDS, MASK = "input_ids", "attention_mask"
BATCH_TOKENS = 2_048  # of one run, padding included: its activations stay in the cache

Rows = NDArray[np.float32]


class Network:
    """An ONNX file: token ids in, one row of numbers per text out. Threads may share it."""

    def __init__(self, file: Path, threads: int) -> None:
        """Load `file`; a call uses up to `threads` processor threads, one per batch."""
        options = onnxruntime.SessionOptions()
        # Batches side by side need no waiting for one another, and threads of the session's own
        # would spin and would not have the caller's priority.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            str(file), options, providers=["CPUExecutionProvider"]
        )
        self._threads = threads

    def __call__(self, rows: Sequence[Ids]) -> Rows:
        """Give (n, k) numbers in the order of `rows`, which is not empty."""
        parts = list(_batches(rows))
        if len(parts) == 1:
            found = [self._run(rows, parts[0])]
        else:
            with ThreadPoolExecutor(self._threads) as pool:
                found = list(pool.map(lambda part: self._run(rows, part), parts))
        ordered = np.empty((len(rows), found[0].shape[1]), dtype=np.float32)
        ordered[[i for part in parts for i in part]] = np.concatenate(found)
        return ordered

    def _run(self, rows: Sequence[Ids], part: list[int]) -> Rows:
        ids = np.zeros((len(part), max(len(rows[i]) for i in part)), dtype=np.int64)
        mask = np.zeros_like(ids)
        for place, i in enumerate(part):
            ids[place, : len(rows[i])] = rows[i]
            mask[place, : len(rows[i])] = 1
        found: Rows = self._session.run(None, {IDS: ids, MASK: mask})[0]
        return found


def _batches(rows: Sequence[Ids]) -> Iterator[list[int]]:
    """Split the rows, longest first, so that the threads end together."""
    part: list[int] = []
    for i in sorted(range(len(rows)), key=lambda i: -len(rows[i])):
        if part and (len(part) + 1) * len(rows[part[0]]) > BATCH_TOKENS:
            yield part
            part = []
        part.append(i)
    if part:
        yield part


class ExportedEmbedder(Embedder):
    """An exported encoder. Its vectors are another encoder's than torch's, and so is its name."""

    def __init__(
        self, folder: Path, name: str, file: Path, *, window: int, dims: int, threads: int
    ) -> None:
        """Serve `file`, which was made of the sentence-transformers `folder`."""
        super().__init__(folder, name, window=window, dims=dims)
        self._codec = TextCodec(self.tokenizer_file, window)
        self._network = Network(file, threads)

    def encode(self, texts: Sequence[str], *, batch: int = 0) -> Rows:
        """Give (n, dims) L2-normalised vectors in the order of `texts`; batches are by tokens."""
        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        return self._network(self._codec.ids(texts))


def load(path: str | None = None, *, root: Path, threads: int = 2) -> Embedder:
    """Load the encoder that `embedder.load` takes, exported into `root` at its first use.

    Raises ModelError when there is no such encoder or it cannot be exported.
    """
    folder, base = find(path)
    name = named(base)
    made = _ensure(root, name, lambda out: _export().encoder(folder, out))
    saved = json.loads((made / SETTINGS).read_text())
    return ExportedEmbedder(folder, name, made / FILE, threads=threads, **saved)


def named(base: str) -> str:
    """Give the name of the exported encoder, by its name when torch runs it."""
    return f"{base}+{RECIPE}"


def classifier(
    build: "Callable[[], BertClassifier]", codec: TextCodec, *, root: Path, threads: int = 2
) -> Network:
    """Load what `build` gives, exported into `root` at its first use: ids of `codec` in, logits out.

    Raises ModelError when it cannot be exported.
    """
    made = _ensure(root, RECIPE, lambda out: _export().classifier(build(), codec, out))
    return Network(made / FILE, threads)


def _ensure(root: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Give the folder of an export, its files verified; made now when missing or damaged.

    Of several processes one makes it while the others wait.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return Shelf(root).get(name).folder
        except ShelfError:
            shutil.rmtree(root / name, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".making-") as out:
            make(Path(out))
            return Shelf(root).put(name, Path(out)).folder


def _export() -> ModuleType:
    try:
        from models.onnx import export
    except ModuleNotFoundError as error:
        raise ModelError(
            f"The package {error.name} is missing, which writes a model for ONNX Runtime once. "
            "Run: pip install -c constraints.txt -e '.[onnx]' (or set THREADWISE_RUNTIME=torch)."
        ) from error
    return export
