"""How many tokens texts have, links counted as their texts.

Knows nothing about which encoder it is: a callable gives the tokens.
"""

import re
from collections.abc import Callable, Sequence

CHARS_PER_TOKEN = 16  # a token counts as at most so many characters: some swallow whole lines

_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s+\"[^\"]*\")?\)")

Count = Callable[[Sequence[str]], list[int]]
"""Gives the tokens of each text, special tokens left out."""


def readable(text: str) -> str:
    """Give Markdown with its links and pictures as their texts."""
    return _LINK.sub(r"\1", text) if "](" in text else text


class Sizes:
    """Tokens of texts, each counted once: counting many at a time is what makes it quick."""

    def __init__(self, count: Count) -> None:
        self.count = count
        self._known: dict[str, int] = {}

    def __call__(self, texts: Sequence[str]) -> list[int]:
        new = list({text for text in texts if text not in self._known})
        if new:
            tokens = self.count([readable(text) for text in new])
            for text, number in zip(new, tokens, strict=True):
                self._known[text] = max(number, len(text) // CHARS_PER_TOKEN)
        return [self._known[text] for text in texts]
