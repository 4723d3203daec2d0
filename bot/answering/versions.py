"""Which version of a thing, or which year, a question or a page is about.

Knows nothing about ranking. "1.8", "v3", "release 4" and years count; a number with a unit, a date's parts
and the numbers of sections do not.
"""

import re

from bot.answering import sections
from store.records import Passage

_UNIT = (
    r"(?!\s?(?:%|[€$£°]|percent|days?|weeks?|months?|years?|hours?|hrs?|h\b|min|sec|x\b|times|gb|mb|kb|tb|km|cm|mm"
    r"|m\b|kg|g\b|bar|volts?|usd|eur|euros?|dollars?|people|points?|stars?|million|k\b|l\b|lit))"
)
_DOTTED = re.compile(
    rf"(?<![\w.,$€£])[vV]?(\d{{1,3}}(?:\.\d{{1,3}}){{1,3}})(?!\.?\d|[A-Za-z_]){_UNIT}",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?<![A-Za-z])(?:v|version|release|edition|revision)[ ._-]?(\d{1,3})(?!\.?\d|[A-Za-z_])",
    re.IGNORECASE,
)
_YEAR = re.compile(rf"(?<![\d$€£.,])((?:19|20)\d\d)(?![.,]?\d|[A-Za-z_]){_UNIT}", re.IGNORECASE)
_SECTION = re.compile(r"^\s*\d{1,3}(?:\.\d{1,3})*\.?\s+(?=\D)")
_TOLD = re.compile(r"\b(?:[Vv]ersion |[Rr]elease |[Vv]|[A-Z]\w+ v?)(?=\d)")


def named(text: str) -> frozenset[str]:
    """Give the versions and years that a question or a title names."""
    text = sections.without(text)
    return frozenset(
        match[1] for pattern in (_DOTTED, _NUMBERED, _YEAR) for match in pattern.finditer(text)
    )


def of(passage: Passage) -> frozenset[str]:
    """Give what a passage is about by its path, title and headings; by its text where they name none."""
    return named(names(passage)) or _told(passage.body)


def names(passage: Passage) -> str:
    """Give a passage's title, path and headings, without the numbers of sections."""
    headings = (_SECTION.sub("", part) for part in passage.heading.split(" > "))
    return "\n".join((_SECTION.sub("", passage.title), passage.path, *headings))


def agree(asked: frozenset[str], found: frozenset[str]) -> bool:
    """Whether two sets have a version in common: 1.8 holds 1.8.2, and the other way round."""
    return any(_holds(a, b) or _holds(b, a) for a in asked for b in found)


def _holds(whole: str, part: str) -> bool:
    return part == whole or part.startswith(f"{whole}.")


def _told(body: str) -> frozenset[str]:
    """Give the versions in a text that stand behind a name or the word: years and sums are no versions."""
    found = set()
    for match in _TOLD.finditer(body):
        number = _DOTTED.match(body, match.end())
        if number:
            found.add(number[1])
    return frozenset(found)
