"""Which section a question names by its number: "section 2.2", "chapter three", "§ 4".

Knows nothing about ranking. Documents write the number before the heading.
"""

import re
from collections.abc import Collection

from store.records import Passage

_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KIND = r"(?:sub)?(?:section|chapter|clause|article|paragraph|appendix|annex|part|step|sec\.|ch\.|art\.)s?|§+"
_NAMED = re.compile(
    rf"(?<!\w)(?:{_KIND})\s*(?:(?:no\.?|number)\s*)?"
    rf"(\d{{1,3}}(?:\.\d{{1,3}})*|[A-Za-z](?![\w'])|(?:{'|'.join(_WORDS)})\b)(?!\s*%)",
    re.IGNORECASE,
)
_BEGINS = re.compile(
    rf"^\W*(?:(?:{_KIND})\s*)?(\d{{1,3}}(?:\.\d{{1,3}})*|[A-Z](?=[.):]|\s*$))[.):]?(?=\s|$)",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.+)$", re.MULTILINE)


def named(question: str) -> frozenset[str]:
    """Give the numbers of the sections that a question names, as digits or a small letter."""
    found = (match[1].lower() for match in _NAMED.finditer(question))
    return frozenset(str(_WORDS.index(n) + 1) if n in _WORDS else n for n in found)


def without(text: str) -> str:
    """Leave out what names sections, so that their numbers are not taken for anything else."""
    return _NAMED.sub(" ", text)


def holds(passage: Passage, wanted: Collection[str]) -> bool:
    """Whether a passage stands in a section with such a number, or holds its heading."""
    headings = (*passage.heading.split(" > "), *_HEADING.findall(passage.body))
    return any(_number(heading) in wanted for heading in headings)


def is_numbered(passage: Passage) -> bool:
    """Whether a passage stands in a section whose heading has a number, or holds such a heading."""
    headings = (*passage.heading.split(" > "), *_HEADING.findall(passage.body))
    return any(_number(heading)[:1].isdecimal() for heading in headings)


def under(text: str, at: int, wanted: Collection[str]) -> bool:
    """Whether what begins at a place of a text stands under the heading of such a section."""
    above = [match[1] for match in _HEADING.finditer(text, 0, at)]
    return bool(above) and _number(above[-1]) in wanted


def _number(heading: str) -> str:
    """Give the number that a heading begins with, and else nothing."""
    found = _BEGINS.match(heading)
    return found[1].lower() if found else ""
