"""How much of a question stands in a passage's title and headings: a signal of its own.

Knows nothing about search or learning; the weight comes from what was learned.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from store.index.search import Terms
from store.records import Passage

_WORD = re.compile(r"\w+")


def share(passage: Passage, terms: Terms) -> float:
    """Give the share of the question's weight (idf) whose lexemes begin a word of title or heading.

    A lexeme is a stem, so a word that begins with it counts: no stemmer is needed here.
    """
    words = frozenset(_WORD.findall(f"{passage.title} {passage.heading}".lower()))
    held = (i for t, i in zip(terms.terms, terms.idf, strict=True) if _begins(_stem(t), words))
    return sum(held) / terms.ceiling


def rescore(passages: Sequence[Passage], terms: Terms, weight: float) -> list[Passage]:
    """Add the weighted share to each score and order by it."""
    if not weight:
        return list(passages)
    scored = [replace(p, score=p.score + weight * share(p, terms)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def _stem(lexeme: str) -> str:
    """English stems of words in -y end in -i, which the words themselves do not."""
    return lexeme[:-1] if lexeme.endswith("i") and len(lexeme) > 3 else lexeme


def _begins(stem: str, words: frozenset[str]) -> bool:
    return stem in words or any(word.startswith(stem) for word in words)
