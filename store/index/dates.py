"""Dates of a text in one form each, however they are written: 4 March 2026, March 4th, 2026-03-04, 04.03.2026.

Knows nothing about the database. 3/4 may be the third of April or the fourth of March, so it stands for both.
Months are read in English, German and French.
"""

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

_NAMES = (
    "january jan januar jänner janvier janv",
    "february feb februar février fevrier févr",
    "march mar märz maerz mars",
    "april apr avril avr",
    "may mai",
    "june jun juni juin",
    "july jul juli juillet juil",
    "august aug août aout",
    "september sep sept septembre",
    "october oct oktober okt octobre",
    "november nov novembre",
    "december dec dezember dez décembre decembre déc",
)
_NUMBER = {name: month for month, names in enumerate(_NAMES, 1) for name in names.split()}
_ORDINAL = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "1st": 1,
    "2nd": 2,
    "3rd": 3,
    "4th": 4,
}

MONTH = "(?:" + "|".join(sorted(_NUMBER, key=len, reverse=True)) + ")"
"""Matches a month's name, in full or short."""

_MONTH = rf"({MONTH})(?:\b\.?)"
_DAY = r"(0?[1-9]|[12]\d|3[01])"
_YEAR = r"((?:19|20)\d\d)(?!\d)"
_ISO = re.compile(rf"(?<![\w.-]){_YEAR}([-/.])(\d{{1,2}})\2(\d{{1,2}})(?!\d|[-.]\d)")
_NUMERIC = re.compile(
    rf"(?<![\w./-]){_DAY}([./-])(0?[1-9]|[12]\d|3[01])\2(?:{_YEAR}|(\d\d))(?![\w/-]|\.\d)"
)
_SHORT = re.compile(
    r"\b(?:on|by|until|till|before|after|since|from|to|due|am|vom|bis|seit|ab|le)(?: the)? "
    rf"{_DAY}([./]){_DAY}(?:\.(?!\d)|(?![\w/.]))",
    re.IGNORECASE,
)
_LAST = re.compile(rf"(?<![\w./-]){_DAY}(/){_DAY}(?=\s?[?!.]?\Z)")
_DAY_FIRST = re.compile(
    rf"(?<![\w.,]){_DAY}(?:st|nd|rd|th|er|\.)?[ -](?:of |de )?{_MONTH}(?:,?[ -]{_YEAR})?",
    re.IGNORECASE,
)
_MONTH_FIRST = re.compile(
    rf"\b{_MONTH} {_DAY}(?:st|nd|rd|th)?(?![\w:%€$]|[.,]\d)(?:,? {_YEAR})?", re.IGNORECASE
)
_OF_YEAR = re.compile(rf"\b{_MONTH},? (?:of )?{_YEAR}", re.IGNORECASE)
_QUARTER = re.compile(
    rf"\b(?:q([1-4])[ /]?{_YEAR}|{_YEAR}[ /-]?q([1-4])\b"
    rf"|(first|second|third|fourth|1st|2nd|3rd|4th|[1-4]\.) (?:quarter|quartal)(?: of)? {_YEAR})",
    re.IGNORECASE,
)

_VERBS = ("may", "march", "mar", "mars", "mai")
"""Words that are a month's name only beside something that says so."""


@dataclass(frozen=True, slots=True)
class Dated:
    """A date at a place of a text: a day (of a year or of every year), a month of a year, or a quarter."""

    start: int
    end: int
    year: int | None
    month: int
    day: int | None = None
    quarter: int | None = None

    @property
    def spoken(self) -> str:
        """The words that a text about it may have: March 2026."""
        name = "quarter" if self.quarter else MONTHS[self.month - 1]
        return f"{name} {self.year}" if self.year else name


def found(text: str) -> list[Dated]:
    """Give the dates of a text in their order; one that may be two days stands there twice."""
    taken, kept = list[tuple[int, int]](), list[Dated]()
    for pattern, read in _READERS:
        for match in pattern.finditer(text):
            if all(match.end() <= start or match.start() >= end for start, end in taken):
                dated = [each for each in read(match) if _exists(each)]
                kept += dated
                taken += [match.span()] if dated else []
    return sorted(kept, key=lambda each: (each.start, each.month))


def days(text: str) -> list[tuple[Dated, date]]:
    """Give the days of a text that stand with their year, each where it stands."""
    return [
        (each, date(each.year, each.month, each.day))
        for each in found(text)
        if each.year and each.day
    ]


def held(text: str) -> set[str]:
    """Give the forms by which a text's dates are found: 2026-03-04 also as the fourth of March of any year."""
    forms = set[str]()
    for each in found(text):
        if each.quarter:
            forms.add(f"{each.year}q{each.quarter}")
            continue
        if each.year:
            forms.add(f"{each.year}-{each.month:02}")
        if each.day:
            forms |= {_day(each, str(each.year) if each.year else "-"), _day(each, "*")}
    return forms


def asked(text: str) -> list[tuple[str, ...]]:
    """Give the forms to look for, one tuple for each date of a question; any form of a tuple is the date.

    A day of a year is also found where a text leaves the year out.
    """
    forms = dict[tuple[int, int], tuple[str, ...]]()
    for each in found(text):
        if each.quarter:
            own: tuple[str, ...] = (f"{each.year}q{each.quarter}",)
        elif each.day is None:
            own = (f"{each.year}-{each.month:02}",)
        elif each.year:
            own = (_day(each, str(each.year)), _day(each, "-"))
        else:
            own = (_day(each, "*"),)
        place = (each.start, each.end)
        forms[place] = (*forms.get(place, ()), *own)
    return list(forms.values())


def is_day(forms: Sequence[str]) -> bool:
    """Whether the forms of a date (as `asked` gives them) are of a day, not of a month or a quarter."""
    return all(form.count("-") > 1 for form in forms)


def spoken(text: str) -> str:
    """Give the months and years of the dates of a text, as words."""
    return " ".join(sorted({each.spoken for each in found(text)}))


def without(text: str, *, spoken: bool = True) -> str:
    """Write a text without its dates; where they stood, their month and year are `spoken`: "the March 2026"."""
    parts, at = [], 0
    for each in found(text):
        if each.start >= at:
            parts += [text[at : each.start], each.spoken if spoken else " "]
            at = each.end
    return "".join([*parts, text[at:]])


def _day(each: Dated, year: str) -> str:
    return f"{year}-{each.month:02}-{each.day:02}"


def _exists(each: Dated) -> bool:
    try:
        date(each.year or 2024, each.month, each.day or 1)
    except ValueError:
        return False
    return True


def _iso(match: re.Match[str]) -> Iterator[Dated]:
    yield Dated(*match.span(), int(match[1]), int(match[3]), int(match[4]))


def _numeric(match: re.Match[str]) -> Iterator[Dated]:
    first, sign, second = match[1], match[2], match[3]
    if match[4]:
        year = int(match[4])
    elif sign == "/" or len(first) == len(second) == 2:
        year = 2000 + int(match[5])
    else:
        return  # a version: 4.8.10
    yield from _either(match, int(first), int(second), year, is_open=sign != ".")


def _short(match: re.Match[str]) -> Iterator[Dated]:
    yield from _either(match, int(match[1]), int(match[3]), None, is_open=match[2] == "/")


def _either(
    match: re.Match[str], first: int, second: int, year: int | None, *, is_open: bool
) -> Iterator[Dated]:
    """Give day before month, and where it is open the other way round too."""
    yield Dated(*match.span(), year, second, first)
    if is_open and first != second:
        yield Dated(*match.span(), year, first, second)


def _named(match: re.Match[str], *, day: int, month: int) -> Iterator[Dated]:
    """Read a day beside the name of a month; `day` and `month` are the groups that they stand in."""
    year = int(match[3]) if match[3] else None
    if _is_month(match, month, is_told=bool(year)):
        yield Dated(*match.span(), year, _NUMBER[match[month].lower()], int(match[day]))


def _of_year(match: re.Match[str]) -> Iterator[Dated]:
    if _is_month(match, 1, is_told=True):
        yield Dated(*match.span(), int(match[2]), _NUMBER[match[1].lower()])


def _quarter(match: re.Match[str]) -> Iterator[Dated]:
    number = match[1] or match[4] or match[5].strip(".").lower()
    quarter = _ORDINAL.get(number) or int(number)
    yield Dated(*match.span(), int(match[2] or match[3] or match[6]), 1, quarter=quarter)


def _is_month(match: re.Match[str], group: int, *, is_told: bool) -> bool:
    """Whether a name is a month's: "you may 4 times" and "the 4 may be" have none."""
    name, after = match[group], match.string[match.end() :].lstrip()
    if is_told or name.lower() not in _VERBS or name[0].isupper():
        return True
    return not after[:1].isalnum()


_READERS = (
    (_ISO, _iso),
    (_NUMERIC, _numeric),
    (_DAY_FIRST, functools.partial(_named, day=1, month=2)),
    (_MONTH_FIRST, functools.partial(_named, day=2, month=1)),
    (_OF_YEAR, _of_year),
    (_QUARTER, _quarter),
    (_SHORT, _short),
    (_LAST, _short),
)
