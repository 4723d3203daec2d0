"""Lines to running text: what a hyphen at a line's end means.

The document's own words decide: a word that stands elsewhere in one piece is joined, one that
stands elsewhere with its hyphen keeps it. Knows nothing about pages.
"""

import re
from collections import Counter
from collections.abc import Iterable

_END = re.compile(r"(?<![^\W\d_])([^\W\d_]+)-$")
_START = re.compile(r"([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_VOWEL = re.compile(r"[aeiouyäöüáéíóúàèìòùâêîôûøåæœ]", re.IGNORECASE)
_JOINERS = {"and", "or", "to", "und", "oder", "bis", "et", "ou", "y", "o", "en", "of"}

# Beginnings that English writes in one word with what follows.
_PREFIXES = """
re un in im il ir dis mis de be en em pre sub inter trans super over under out counter fore micro
macro hyper tele photo auto electro hydro bio geo neuro para per pro con com ex
"""
# Words that English joins with a hyphen; both sides must be such, or words of the document.
_PARTS = """
long short high low full part half self well ill non cross all one two three four five six seven
eight nine ten first second third last mid late early up down off on out by old new fire water air
oil gas heat cold hot wind sun sea land home house office work shop field site term time day week
month year hour minute date level scale size range speed rate cost price value risk safety free
proof friendly ready based related specific wide deep end start side door room floor wall roof top
back front left right hand eye face head foot body line page book paper card code key data file
web user client server host peer case test trial error built made run driven led owned paid known
spoken written used worn borne bound only like sized shaped coloured colored edged grade class
quality purpose duty load weight power pressure temperature volume strength steel wood glass stone
metal plastic double single multi semi anti co e x state art the to in of and person people team
staff member leader decision making maker saving keeping looking working running living standing
check follow set log sign build hands open closed public private real fast slow easy hard soft
good best better worse bottom stand alone ground under over cut edge step point white black red
green blue dark light clean dry wet fresh raw tier layer stage phase evidence world party product
service market tax pay sick leave holiday
"""


class Hyphens:
    """Knows a document's words and joins its lines."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._prefixes, self._parts = frozenset(_PREFIXES.split()), frozenset(_PARTS.split())
        self._words: Counter[str] = Counter()
        for line in lines:
            found = _WORD.findall(line.lower())
            # The last word of a line may be the first half of one.
            self._words.update(found[:-1] if line.rstrip().endswith("-") else found)

    def join(self, before: str, after: str) -> str:
        """Join a line and the next one: with a space, or as one word."""
        end, start = _END.search(before), _START.match(after)
        if not end:
            glued = before.endswith(("/", "-", "@")) and _in_address(before)
            glued |= before.endswith("-") and after[:1].isalnum() and before[-2:-1].isalnum()
            return before + after if glued else f"{before} {after}"
        if not start:
            return before + after if after[:1].isdigit() else f"{before} {after}"
        first, second = end.group(1), start.group(1)
        if second.lower() in _JOINERS:
            return f"{before} {after}"
        if not second[0].islower() or _in_address(before) or self._is_real(first, second):
            return before + after
        return before[:-1] + after

    def _is_real(self, first: str, second: str) -> bool:
        first, second = first.lower(), second.lower()
        whole, parted = self._words[first + second], self._words[f"{first}-{second}"]
        if whole or parted:
            return parted >= whole
        if not _VOWEL.search(second) or len(second) < 2 or first in self._prefixes:
            return False
        is_first, is_second = self._is_word(first), self._is_word(second)
        return is_first and is_second

    def _is_word(self, part: str) -> bool:
        return part in self._parts or (len(part) > 3 and self._words[part] > 0)


def _in_address(text: str) -> bool:
    last = text.rsplit(None, 1)[-1] if text.strip() else ""
    return "://" in last or "www." in last or "@" in last
