"""Loads what ONNX Runtime runs, exported when it is first needed.

Knows nothing about documents, intents or where the files lie; export.py makes them.
"""

import fcntl
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from models.embedder import Embedder, find
from models.files import ModelError
from models.hub import Hub
from models.onnx.network import FILE, SETTINGS, Network, Rows
from models.shelf import Shelf, ShelfError
from models.tokens import Ids, TextCodec

if TYPE_CHECKING:
    import torch

    from models.bert import BertClassifier

RECIPE = "int8"  # in an encoder's name: change it whenever export.py makes other vectors


class ExportedEmbedder(Embedder):
    """An exported encoder. Its vectors are another encoder's than torch's, and so is its name."""

    def __init__(
        self, folder: Path, name: str, file: Path, *, window: int, dims: int, threads: int
    ) -> None:
        """Serve `file`, which was made of the sentence-transformers `folder`."""
        super().__init__(folder, name, window=window, dims=dims)
        self._codec = TextCodec(self.tokenizer_file, window)
        self._network = Network(file, threads)

    def _encode(self, texts: Sequence[str], prefix: str, batch: int) -> Rows:
        """Encode as every encoder does; batches are by tokens."""
        if not texts:
            return np.zeros((0, self.dims), dtype=np.float32)
        return self._network(
            self._codec.ids([prefix + text for text in texts] if prefix else texts)
        )


def load(
    path: str | None = None, *, root: Path, hub: Hub | None = None, threads: int = 2
) -> Embedder:
    """Load the encoder that `embedder.load` takes, exported into `root` at its first use.

    Raises ModelError when there is no such encoder or it cannot be exported.
    """
    folder, base = find(path, hub)
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


def reader(
    build: "Callable[[], torch.nn.Module]",
    rows: Sequence[Ids],
    *,
    root: Path,
    name: str,
    threads: int = 2,
) -> Network:
    """Load the reader's network that `build` gives, exported into `root` under a name at its first use and
    tried on `rows`: ids of pairs in, numbers of every token out.

    Raises ModelError when it cannot be exported.
    """
    made = _ensure(root, f"{name}+{RECIPE}", lambda out: _export().reader(build(), rows, out))
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
