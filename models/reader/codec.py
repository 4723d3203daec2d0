"""Question and passage to token ids, and tokens back to their places in the passage.

Knows nothing about models; it loads no torch.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from models.tokens import CHARS_PER_TOKEN, Ids

MAX_TOKENS = 224
"""Of question, heading and passage together; what comes later in a passage is not read. Time of an answer
against units that are not read: a passage has 256 tokens at most and 80 in the mean."""

QUESTION_TOKENS = 64
"""Of a question; what comes later in it is not read."""

_UNREADABLE = re.compile("[\ud800-\udfff\x00]")
Slice = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """A passage as it is read: its body after its heading."""

    heading: str
    body: str


@dataclass(frozen=True, slots=True)
class Encoded:
    """Ids of a pair; `tokens` are the places (numbers of ids) of the body, `slices` where each stands in it."""

    ids: Ids
    tokens: tuple[int, ...]
    slices: tuple[Slice, ...]


class PairCodec:
    """Pairs to ids by a `tokenizers` JSON; safe to share between threads."""

    def __init__(self, file: Path, most: int = MAX_TOKENS) -> None:
        """Read the tokenizer `file`; pairs are cut at `most` tokens, special tokens included."""
        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(most, strategy="only_second")
        self._asking = Tokenizer.from_file(str(file))
        self._asking.no_padding()
        self._asking.enable_truncation(QUESTION_TOKENS)
        self._cut = most * CHARS_PER_TOKEN
        # Fast tokenizers raise "Already borrowed" when two threads change their settings.
        self._tokenising = threading.Lock()

    @property
    def separator(self) -> int:
        """The id that ends a text."""
        for token in ("[SEP]", "</s>"):
            found: int | None = self._tokenizer.token_to_id(token)
            if found is not None:
                return found
        raise ValueError("its tokenizer has neither [SEP] nor </s>")

    def encode(self, question: str, pages: Sequence[Page]) -> list[Encoded]:
        """Give the ids of the question with each page."""
        asked = self._question(question)
        texts = [_joined(page, self._cut) for page in pages]
        with self._tokenising:
            found = self._tokenizer.encode_batch([(asked, text) for text in texts])
        encoded = []
        for page, one in zip(pages, found, strict=True):
            skipped = len(page.heading) + 1 if page.heading else 0
            places = [
                number
                for number, (part, (start, end)) in enumerate(
                    zip(one.sequence_ids, one.offsets, strict=True)
                )
                if part == 1 and start >= skipped and end > start
            ]
            slices = tuple(
                (one.offsets[n][0] - skipped, one.offsets[n][1] - skipped) for n in places
            )
            encoded.append(Encoded(one.ids, tuple(places), slices))
        return encoded

    def _question(self, question: str) -> str:
        text = _readable(question)[: self._cut]
        with self._tokenising:
            ends = [end for _, end in self._asking.encode(text).offsets]
        return text[: max(ends, default=0)]


def _joined(page: Page, cut: int) -> str:
    text = f"{page.heading}\n{page.body}" if page.heading else page.body
    return _readable(text[:cut])


def _readable(text: str) -> str:
    """Put a space for every character that no tokenizer can take, so that places stay the same."""
    return _UNREADABLE.sub(" ", text)
