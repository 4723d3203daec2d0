"""What tells a sentence that its quotes say from one that they do not: numbers between the two, for a linear model.

Knows nothing about how the model is fitted. The encoder is handed in.
"""

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

Encode = Callable[[Sequence[str]], NDArray[np.float32]]

NEAREST = 3
"""Sentences of the quotes that are encoded, those that share most words: encoding all would take ten times as long."""

_CUT = re.compile(r"(?<=[.!?;])\s+|\n+")
_WORD = re.compile(r"[^\W_]+(?:[.,:'’-][^\W_]+)*")
_NOT = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|cannot|nobody|nothing)\b|n['’]t\b", re.IGNORECASE
)
_SMALL = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "to",
        "in",
        "on",
        "at",
        "by",
        "for",
        "and",
        "or",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "it",
        "its",
        "this",
        "that",
        "these",
        "those",
        "with",
        "as",
        "from",
        "which",
        "who",
        "has",
        "have",
        "had",
        "do",
        "does",
        "did",
        "you",
        "your",
        "we",
        "our",
        "they",
        "their",
        "he",
        "she",
        "his",
        "her",
        "i",
        "will",
        "would",
        "there",
    ]
)


def features(sentence: str, quotes: Sequence[str], encode: Encode) -> dict[str, float]:
    """Give named numbers, most of them within 0 and 1, about a sentence beside the quotes that it names."""
    pieces = [piece for quote in quotes for piece in _CUT.split(quote) if piece.strip()] or [""]
    said, held = _words(sentence), set(_words(" ".join(quotes)))
    pieces.sort(key=lambda piece: -len(set(said) & set(_words(piece))) / (5 + len(_words(piece))))
    vectors = encode([sentence, *pieces[:NEAREST]])
    near = vectors[1:] @ vectors[0]
    best = pieces[int(np.argmax(near))]
    there = _words(best)
    told = [word for word in said if word not in _SMALL]
    missing = [word for word in told if word not in held]
    apart = [word for word in told if word not in there]
    blocks = SequenceMatcher(None, said, there, autojunk=False).get_matching_blocks()
    pairs, pairs_there = (
        set(itertools.pairwise(said)),
        set(itertools.pairwise(there)),
    )
    return {
        "cosine": float(near.max()),
        "missing": len(missing) / max(len(told), 1),
        "any_missing": float(bool(missing)),
        "apart": len(apart) / max(len(told), 1),
        "any_apart": float(bool(apart)),
        "numbers_missing": float(any(map(_has_digit, missing))),
        "numbers_apart": float(any(map(_has_digit, apart))),
        "names_apart": float(bool(_names(sentence) - set(there))),
        "negations": float(min(abs(_negations(sentence) - _negations(best)), 2)),
        "in_order": sum(block.size for block in blocks) / max(len(said), 1),
        "blocks": min(len(blocks) - 1, 6) / 6,
        "pairs": len(pairs & pairs_there) / max(len(pairs), 1),
        "words": min(len(told), 20) / 20,
    }


def table(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> NDArray[np.float64]:
    """Give (rows, names) numbers."""
    return np.array([[row[name] for name in names] for row in rows], dtype=np.float64)


def _words(text: str) -> list[str]:
    return [_stem(word) for word in _WORD.findall(text.lower())]


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith("ss") else word


def _has_digit(word: str) -> bool:
    return any(map(str.isdigit, word))


def _names(text: str) -> set[str]:
    return {_stem(word.lower()) for word in _WORD.findall(text)[1:] if word[0].isupper()}


def _negations(text: str) -> int:
    return len(_NOT.findall(text))
