"""Texts to token ids, the same way for every runtime.

Knows nothing about models; it loads no torch.
"""

import threading
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

MESSAGE_TOKENS = 128  # of a message; what comes later does not change what it asks for
CHARS_PER_TOKEN = 32  # characters; a text is cut at window * this before it is tokenised
Ids = list[int]


class TextCodec:
    """Texts to token ids by a `tokenizers` JSON; safe to share between threads."""

    def __init__(self, file: Path, max_tokens: int = MESSAGE_TOKENS) -> None:
        """Read the tokenizer `file`; ids are cut at `max_tokens`, special tokens included."""
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()
        self._cut = max_tokens * CHARS_PER_TOKEN
        # Fast tokenizers raise "Already borrowed" when two threads change their settings.
        self._tokenising = threading.Lock()

    def ids(self, texts: Sequence[str]) -> list[Ids]:
        """Give the token ids of each text."""
        with self._tokenising:
            encodings = self._tokenizer.encode_batch([clean(text[: self._cut]) for text in texts])
        return [encoding.ids for encoding in encodings]


def vocabulary(file: Path) -> frozenset[str]:
    """Read the whole words of a `vocab.txt`: what is none is rare, a name, or a typing error."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if line.isalpha())


def clean(text: str) -> str:
    """Fold compatibility forms (ligatures, full width) and drop what no tokenizer can read."""
    readable = text.encode("utf-8", "ignore").decode("utf-8").replace("\x00", " ")
    return unicodedata.normalize("NFKC", readable)
