"""Codes and acronyms of a text: what a stemmer takes apart, in one form however it was written.

Knows nothing about the database: the lexemes that it makes are indexed beside Postgres' English ones,
and made of questions by the same functions.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator

from store.index import dates
from store.values import searchable

VERSION = "codes-2"
"""Part of a build's version: where this changes, documents are indexed anew."""

CODE = "="
"""Begins a code's lexeme; no English lexeme begins so."""

SHORT = "@"
"""Begins the lexeme of an acronym that a text writes: PTO."""

LONG = "~"
"""Begins the lexeme of the initials of words that an acronym may stand for: paid time off."""

MARKS = CODE + SHORT + LONG
"""The signs that lexemes of this file begin with."""

_TOKEN = re.compile(r"[^\W_](?:[^\W_]|[._/@+-]+(?=[^\W_])|_)*")
_PAIR = re.compile(r"\b([^\W\d_]{1,12})[ #]{1,2}(\d[\d.]*)(?:[ -]([A-Z]))?\b")
_COUNTED = re.compile(
    r"\s?(?:[%€$£°]|(?:percent|per cent|days?|weeks?|months?|years?|hours?|hrs?|h|minutes?|mins?|seconds?|secs?|times|x"
    r"|[kmgt]b|[kcm]?m|[km]?g|litres?|liters?|l|bar|volts?|usd|eur|euros?|dollars?|pounds?|people|persons?|items"
    r"|pieces|tage|wochen|stunden|uhr|jours|heures)\b)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"([^\W\d_]{1,12})[-_/]?(\d+)[A-Za-z]?")
_SIGN = re.compile(r"[._/@+-]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+")
_ACRONYM = re.compile(r"\b[A-Z][A-Z&]?[A-Z]{0,4}\b")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")

_NUMERALS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_RANK = re.compile(r"\b[A-Za-z][1-9]\b")
_RANKED = re.compile(
    rf"\b([^\W\d_]{{3,}}) ([1-9]|{'|'.join(_NUMERALS)})\b(?![.,:/-]\d)", re.IGNORECASE
)

_UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe"}
)
_LIGATURES = str.maketrans({"æ": "ae", "ø": "o", "œ": "oe", "ł": "l", "đ": "d"})

_FILLERS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be but by can do does for from get how if in into is it its of on or our since"
        " than that the their then there this to until up was we what when where which who will with you"
        " your i my me not no after before over under about above below within only per",
    )
)

LONGEST_RUN = 5
"""Words that an acronym stands for, at most."""

MOST = 500
"""Codes of one chunk or question that count: a table of numbers has more, of which none is asked."""


def forms(text: str) -> set[str]:
    """Give every code and date of a text in its one form: ERR-4042, "err 4042" and err04042 are `err4042`.

    Signs between letters, and between a letter and a digit, go; between two digits they stay, as a
    point. A number of three digits within a code, and each part around a slash, is one as well.
    """
    return _codes(text) | dates.held(searchable(text))


def sought(question: str) -> set[str]:
    """Give the forms of the codes and dates that a question asks for; any one of a date's is enough."""
    return _codes(question).union(*dates.asked(searchable(question)))


def _codes(text: str) -> set[str]:
    text = _THOUSANDS.sub("", dates.without(searchable(text), spoken=False))
    found = set[str]()
    for token in _TOKEN.findall(text):
        if _is_code(token):
            found.update(form(part) for part in (token, *token.split("/")) if _is_code(part))
            found.update(number.lstrip("0") for number in re.findall(r"\d{3,}", token))
    for word, number, letter in _PAIR.findall(text):
        if word.lower() not in _FILLERS and (len(word) > 1 or len(number) > 2):
            found.add(form(word + number))
            found.add(form(word + number + letter))
    return found - {""}


def form(token: str) -> str:
    token = re.sub(r"(?<=\d)[._/@+-]+(?=\d)", ".", token.lower().strip("._-"))
    token = re.sub(r"[_/@+-]+|(?<!\d)\.+|\.+(?!\d)", "", token)
    return re.sub(r"(?<![\d.])0+(?=\d)", "", token)


def named(text: str) -> set[str]:
    """Give the codes that can be nothing else: letters with three digits, versions, names_with_lines.

    What a text says in other words too (3pm, Q3, a port's number) is none of them.
    """
    return {form(token) for token in _TOKEN.findall(text) if _is_named(token)}


def numbers(text: str) -> set[str]:
    """Give numbers that name something: of four digits or more, neither round nor a year."""
    found = {form(token) for token in _TOKEN.findall(_THOUSANDS.sub("", text)) if token.isdecimal()}
    return {n for n in found if len(n) >= 4 and not n.endswith("00") and n[:2] not in ("19", "20")}


def pairs(text: str) -> dict[str, str]:
    """Give what may name one of several ("err 4042", "vlan 12", SEV2), as code -> the family that it may belong to.

    What a number counts ("work 30 hours") names nothing, nor does a version (versions.py), a date or a
    letter with a digit (Q3).
    """
    text = dates.without(searchable(text), spoken=False)
    numbered = {
        form(match[1] + match[2]): match[1].lower()
        for match in map(_NUMBERED.fullmatch, _TOKEN.findall(text))
        if match and len(match[1]) + len(match[2]) > 2
    }
    return numbered | {
        form(match[1] + match[2]): match[1].lower()
        for match in _PAIR.finditer(text)
        if match[1].lower() not in _FILLERS
        and match[2].isdecimal()
        and len(match[2]) >= (2 if len(match[1]) > 1 else 3)
        and not _COUNTED.match(text, match.end(2))
    }


def agreement(wanted: Collection[str], held: Collection[str]) -> int:
    """Say whether a text holds the codes that are asked for: 1 all, -1 not all, 0 none is asked for."""
    if not wanted:
        return 0
    return 1 if set(wanted) <= set(held) else -1


def is_about_others(wanted: Collection[str], held: Collection[str]) -> bool:
    """Say whether a text holds none of the codes that are asked for, but others of their family."""
    asked_for = {lexeme for lexeme in wanted if lexeme.startswith(CODE)}
    letters = (re.match(r"[^\W\d_]+", code.removeprefix(CODE)) for code in asked_for)
    families = {f"{CODE}{found[0]}#" for found in letters if found}
    return asked_for.isdisjoint(held) and not families.isdisjoint(held)


def lexemes(text: str) -> list[str]:
    """Give the lexemes of a chunk's codes, their families and its acronyms.

    Titles, headings, cells of tables and labels may be asked for by their initials.
    """
    labels = re.split(r"[\n|:]", text)
    long = set[str]().union(*(runs(label) for label in labels if _is_label(label)))
    codes = {*sorted(_codes(text))[:MOST], *sorted(dates.held(searchable(text)))[:MOST]}
    kinds = {f"{CODE}{family}#" for family in {*_families(text), *pairs(text).values()}}
    long |= set(_ranks(text))
    initials = {SHORT + each for each in short_words(text)} | {LONG + each for each in long}
    return sorted({CODE + code for code in codes} | kinds | initials)


def _ranks(text: str) -> dict[str, str]:
    """Give the words with a small number behind them by what they may be shortened to: p1 -> priority one.

    None where two words begin alike, or where the text has the short form itself.
    """
    found = dict[str, set[str]]()
    for match in _RANKED.finditer(text):
        number = match[2].lower()
        digit = number if number.isdecimal() else str(_NUMERALS.index(number) + 1)
        if match[1].lower() not in _FILLERS and not _COUNTED.match(text, match.end(2)):
            found.setdefault(match[1][0].lower() + digit, set()).add(match[0].lower())
    own = {rank.lower() for rank in _RANK.findall(text)}
    return {rank: min(said) for rank, said in found.items() if len(said) == 1 and rank not in own}


def runs(text: str) -> set[str]:
    """Give the initials of every two to five words that stand together: what an acronym would be."""
    return {initials for initials, _ in _runs(text)}


def _runs(text: str) -> Iterator[tuple[str, str]]:
    for phrase in re.split(r"[^\w\s&-]+|\s[-–—]\s", text.lower()):
        words = [word for word in _WORD.findall(phrase) if word not in ("of", "and", "the", "for")]
        for start, first in enumerate(words):
            for end in range(start + 2, min(start + LONGEST_RUN, len(words)) + 1):
                is_pair = end == start + 2 and len(words) > 2
                if first not in _FILLERS and not is_pair:
                    run = words[start:end]
                    yield "".join(word[0] for word in run), " ".join(run)


def expanded(question: str, wanted: Collection[str], text: str) -> str:
    """Write an acronym of the question as the words that a text has for it: PTO as "paid time off", P1 as
    "priority one".

    `wanted` are the lexemes that were looked for; where the text has no such words, nothing changes.
    """
    if ranks := _ranks(text) if _RANK.search(question) else {}:
        question = _RANK.sub(lambda rank: ranks.get(rank[0].lower(), rank[0]), question)
    short = {lexeme.removeprefix(LONG) for lexeme in wanted if lexeme.startswith(LONG)}
    long = {initials: run for initials, run in _runs(text) if initials in short} if short else {}
    return _WORD.sub(lambda word: long.get(word[0].lower(), word[0]), question)


def asked(text: str) -> list[str]:
    """Give the lexemes to look for in a question: its codes, their families, acronyms both ways."""
    families = {f"{CODE}{family}#" for family in pairs(text).values()}
    initials = {LONG + word for word in acronyms(text)} | {SHORT + run for run in spelt_out(text)}
    initials |= {LONG + rank.lower() for rank in _RANK.findall(text)}
    return sorted({CODE + code for code in sought(text)} | families | initials)[:MOST]


def spelt_out(text: str) -> set[str]:
    """Give the initials of three words or more of a question, none of them a filler."""
    pattern = "|".join(map(re.escape, sorted(_FILLERS)))
    parts = re.split(rf"\b(?:{pattern})\b", text, flags=re.IGNORECASE)
    return {run for part in parts for run in runs(part) if len(run) > 2}


def short_words(text: str) -> set[str]:
    """Give the acronyms that a text writes in capitals, in small letters."""
    return {word.lower().replace("&", "") for word in _ACRONYM.findall(text) if len(word) > 1}


def words(text: str) -> list[str]:
    """Give a text's words, in small letters, without digits."""
    return [word.lower() for word in _WORD.findall(text)]


def acronyms(text: str) -> set[str]:
    """Give the words of a question that may be acronyms, in small letters: two letters only in capitals,
    since "hi" or the "nd" of 2nd are none.
    """
    found = (word for word in re.findall(r"\b[^\W\d_]{2,6}\b", text))
    return {word.lower() for word in found if len(word) > 2 or word.isupper()} - _FILLERS


def parted(text: str) -> str:
    """Give the parts of names in CamelCase, which Postgres takes for one word each."""
    return " ".join(
        _CAMEL.sub(" ", token) for token in _TOKEN.findall(text) if _CAMEL.search(token)
    )


def retold(text: str) -> str:
    """Give the words by which a text may be asked for beside its own: parts of names, words with umlauts and
    accents as a keyboard without them writes them, and months of dates that are written in numbers."""
    plain = sorted({each for word in _foreign(text) for each in plainly(word)})
    return " ".join(part for part in (parted(text), *plain, dates.spoken(text)) if part)


def _foreign(text: str) -> set[str]:
    return set() if text.isascii() else {w for w in _WORD.findall(text) if not w.isascii()}


def plainly(word: str) -> set[str]:
    """Give a word in plain letters: Schlüssel as Schluessel and Schlussel, déjeuner as dejeuner."""
    word = word.lower()
    bare = unicodedata.normalize("NFKD", word.replace("ß", "ss").translate(_LIGATURES))
    spelt = unicodedata.normalize("NFC", word).translate(_UMLAUTS)
    both = (unicodedata.normalize("NFKD", each) for each in (bare, spelt))
    return {"".join(c for c in each if not unicodedata.combining(c)) for each in both} - {word}


def _is_code(token: str) -> bool:
    if any(sign.isdigit() for sign in token):
        return len(token) > 1
    if "_" in token.strip("_") or "@" in token or _CAMEL.search(token):
        return True
    return all(len(part) > 1 for part in token.split(".")) and "." in token


def _is_named(token: str) -> bool:
    if re.fullmatch(r"[vV]\d+(\.\d+)+", token):
        return True
    if re.fullmatch(r"[^\W_]+(_[^\W_]+)+", token):
        return True
    return bool(
        re.match(r"[^\W\d_]{2,}", token) and re.search(r"\d{3,}", token) and "@" not in token
    )


def _families(text: str) -> Iterable[str]:
    """Give the letters that numbered codes of a text begin with: err of ERR-4042."""
    for token in _TOKEN.findall(text):
        found = re.match(r"([^\W\d_]{2,})[-_]?\d{3,}", token)
        if found:
            yield found[1].lower()


def _is_label(line: str) -> bool:
    return line.count(" ") <= 2 * LONGEST_RUN and 2 <= len(_WORD.findall(line)) <= LONGEST_RUN + 1
