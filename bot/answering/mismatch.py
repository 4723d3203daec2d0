"""Whether what was found is about another code, section, year or day than the one that is asked for.

Knows nothing about scores: texts about ERR-4042 and ERR-4043, about 2024 and 2025, are alike in all but that, so
no vector tells them apart. Only a text that names its own can be about another; one that names none may answer.
"""

import re
from collections.abc import Sequence
from datetime import date

from bot.answering import sections, versions
from store.index import codes, dates, language
from store.index.search import Terms
from store.records import Passage
from store.values import searchable

_BOUND = re.compile(
    r"\b(?:until|till|from|since|before|after|by|to|between|through|over|valid|expires?|ends?|begins?|starts?|starting"
    r"|bis|ab|seit|vor|nach|von|zum|jusqu\w*|avant|depuis|dès|du|au)\b|[-–—]\s*$",
    re.IGNORECASE,
)
"""Words before a date that make it a border: such a text speaks of other days too."""

_ONWARD = re.compile(
    r"\b(?:from|since|after|begins?|starts?|starting|ab|seit|nach|depuis|dès)\b", re.IGNORECASE
)
"""Those of them that speak of the days behind it, and not of those before."""

_CAPITAL = r"[A-Z][^\W\d_]+"
_WITHIN = r"(?:(?<=[a-z,(|:] )|(?<=(?:Dr|Mr|Ms)\. )|(?<=Mrs\. )|(?<=Prof\. )|(?<=(?:Frau|Herr) ))"
_NAME = re.compile(rf"\b(?=({_CAPITAL}) ({_CAPITAL})\b)")

HALF = 0.5
"""The share of a question's words from which a passage in its language is more than that."""

YEAR_DIGITS = 4

BOUND_CHARS = 25
"""Characters before a date in which its border word stands."""


def is_about_another(question: str, shown: Sequence[Passage], quote: str, terms: Terms) -> bool:
    """Whether the first of the passages that would be shown is about another one, and none about the one asked for.

    `quote` is what of the first passage would be said.
    """
    wanted = terms.codes
    # Few questions name a code: only then are the passage's own worth reading.
    if wanted and codes.is_about_others(wanted, codes.lexemes(shown[0].whole)):
        return True
    texts = [searchable(p.whole) for p in shown]
    return (
        _is_unsaid(question, shown[0])
        or _is_another_section(question, shown)
        or _is_another_version(question, shown, texts, quote)
        or _is_another_day(searchable(question), texts)
        or _is_another_name(searchable(question), texts, terms)
    )


def _is_another_name(question: str, texts: Sequence[str], terms: Terms) -> bool:
    """Whether a half of a name stands beside another half: Piet Vermaelen for Piet Jansen, whom no document has."""
    if not terms.unknown or language.is_foreign(question):
        return False
    for first, second in _NAME.findall(question):
        # The word before a surname is a name, if no sentence begins with it: "Ask Jansen".
        others = ((second, rf"\b{first} {_CAPITAL}"), (first, rf"{_WITHIN}{_CAPITAL} {second}\b"))
        for strange, other in others:
            is_strange = not (_is_known(strange, terms) or any(strange in text for text in texts))
            if is_strange and re.search(other, texts[0]):
                return True
    return False


def _is_known(word: str, terms: Terms) -> bool:
    return any(word.lower().startswith(term) for term in terms.terms)


def is_half_said(question: str, passage: Passage) -> bool:
    """Whether a passage says at most half of the words of a question that is not in English.

    Vectors are near there for the language alone: the packaged encoder knows English.
    """
    return language.is_foreign(question) and language.share_said(question, passage.whole) <= HALF


def _is_unsaid(question: str, passage: Passage) -> bool:
    return language.is_foreign(question) and not language.share_said(question, passage.whole)


def _is_another_section(question: str, shown: Sequence[Passage]) -> bool:
    wanted = {number for number in sections.named(question) if number[0].isdecimal()}
    if not wanted or any(sections.holds(p, wanted) for p in shown):
        return False
    return sections.is_numbered(shown[0])


def _is_another_version(
    question: str, shown: Sequence[Passage], texts: Sequence[str], quote: str
) -> bool:
    wanted = versions.named(dates.without(question, spoken=False))
    if not wanted or any(versions.agree(wanted, versions.named(text)) for text in texts):
        return False
    # A year is no version: 2024 is not missing where 3.0 stands.
    kinds = {_is_year(number) for number in wanted}
    return any(
        not _BOUND.search(text) and any(_is_year(n) in kinds for n in versions.named(text))
        for text in (versions.names(shown[0]), searchable(quote))
    )


def _is_year(number: str) -> bool:
    return number.isdecimal() and len(number) == YEAR_DIGITS


def _is_another_day(question: str, texts: Sequence[str]) -> bool:
    wanted = dates.asked(question)
    held = set[str]().union(*(dates.held(text) for text in texts))
    if not wanted or any(held.intersection(forms) for forms in wanted):
        return False
    days = [day for _, day in dates.days(question)]
    if not days:
        return False
    borders = [(_before(texts[0], each), day) for each, day in dates.days(texts[0])]
    return bool(borders) and not any(_is_within(day, borders) for day in days)


def _before(text: str, dated: dates.Dated) -> str:
    return text[max(0, dated.start - BOUND_CHARS) : dated.start]


def _is_within(day: date, borders: Sequence[tuple[str, date]]) -> bool:
    """Whether a text that speaks of `borders`, each with the words before it, may speak of a day too."""
    told = [(before, border) for before, border in borders if _BOUND.search(before)]
    if not told:
        return False
    (last_before, last), (first_before, first) = (
        choose(told, key=lambda each: each[1]) for choose in (max, min)
    )
    if day > last:
        return bool(_ONWARD.search(last_before))
    return day >= first or not _ONWARD.search(first_before)
