"""Sentences about our handbook that its passages say, and ones that they do not: made by swaps out of those that they do.

Knows nothing about who judges them: that is handed in. Judged are pairs of a sentence and the quotes that it names.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals import beir

HANDBOOK = Path(__file__).with_name("handbook")
PHRASED = Path(__file__).with_name("phrased.jsonl")
"""Written by us, in other words or another order than the handbook's; every second one was held out while the rules
were chosen."""

SENTENCE_CHARS = (30, 200)
MOST_TRIES = 40

_FRONT = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CUT = re.compile(r"(?<=[.!?])\s+|\n+")
_NUMBER = re.compile(r"(?<![\w.,:/-])\d+(?:[.,]\d+)*(?![\w:/-])")
_NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][A-Za-z]{1,}|S[1-4])\b")
_VERB = re.compile(
    r" (?:is|are|was|may|must|can|should|has|have|gets?|needs?|takes?|costs?|pays?|counts?|ends?|starts?|goes|comes?"
    r"|approves?|lapses?|does|do) "
)
_DOES = re.compile(
    r" (?:gets?|needs?|pays?|approves?|keeps?|gives?|checks?|sends?|replaces?|takes?|has|have|owns?"
    r"|registers?|enters?|lends?|makes?|brings?|counts? as|belongs? to|follows?|covers?) "
)
"""Around these, who and what cannot change places; what stands around "is" can, without saying anything else."""
_WHO = re.compile(r"(?:(?:The|An?|Your|Each|Every) [\w-]+|[A-Z][a-z]+s)(?: [\w-]+)?$")

Swap = Callable[[random.Random, str, "Passage", Sequence["Passage"]], str | None]
Judge = Callable[[str, Sequence[str]], str | None]
"""Gives why a sentence is not said by its quotes; None where it is."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A section of a page, as it would be quoted, and the whole sentences in it."""

    path: str
    text: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence, the quotes that it names, and the kind of swap it was made by ("" for one that they say)."""

    kind: str
    sentence: str
    quotes: tuple[str, ...]
    is_held_out: bool = False


@dataclass(frozen=True, slots=True)
class Scores:
    """Of how many sentences how many were kept; `unsupported_kept` lists those that must not have been."""

    verbatim: int
    verbatim_kept: int
    phrased: int
    phrased_kept: int
    held_out: int
    held_out_kept: int
    unsupported: int
    unsupported_kept: tuple[str, ...]
    kinds: Mapping[str, int]
    reasons: Mapping[str, int]


def passages(folder: Path = HANDBOOK) -> list[Passage]:
    """Read the handbook's sections."""
    found = []
    for file in sorted(folder.rglob("*.md")):
        text = _FRONT.sub("", file.read_text(encoding="utf-8"))
        for section in re.split(r"(?m)^#+ .*$", text):
            if body := section.strip():
                found.append(passage_of(file.relative_to(folder).as_posix(), body))
    return found


def passage_of(path: str, text: str) -> Passage:
    """Give a text as a passage, with the whole sentences in it."""
    return Passage(path, text, tuple(_sentences(text)))


def said(given: Sequence[Passage]) -> list[Case]:
    """Give every whole sentence of the passages, as it stands there."""
    return [Case("", each, (passage.text,)) for passage in given for each in passage.sentences]


def phrased(given: Sequence[Passage], file: Path = PHRASED) -> list[Case]:
    """Give our own wordings, each with the whole page that it is about as its quotes, section by section."""
    found = []
    for number, row in enumerate(beir.lines(file)):
        quotes = tuple(p.text for p in given if p.path == row["path"])
        found.append(Case("", str(row["sentence"]), quotes, is_held_out=bool(number % 2)))
    return found


def unsaid(given: Sequence[Passage], count: int = 500, seed: int = 0) -> list[Case]:
    """Make `count` sentences that their quotes do not say: each kind of swap in turn."""
    draw, found, seen = random.Random(seed), list[Case](), set[str]()
    able = [passage for passage in given if passage.sentences]
    while len(found) < count:
        for kind, swap in SWAPS.items():
            for _ in range(MOST_TRIES):
                passage = draw.choice(able)
                sentence = draw.choice(passage.sentences)
                made = swap(draw, sentence, passage, able)
                if made and made not in seen and made.lower() not in passage.text.lower():
                    seen.add(made)
                    found.append(Case(kind, made, (passage.text,)))
                    break
    return found[:count]


def score(judge: Judge, given: Sequence[Passage], count: int = 500, seed: int = 0) -> Scores:
    """Judge all of them."""
    own, wrong = phrased(given), unsaid(given, count, seed)

    def judged(cases: Sequence[Case]) -> list[str | None]:
        return [judge(case.sentence, case.quotes) for case in cases]

    verbatim = judged(said(given))
    chosen = judged([case for case in own if not case.is_held_out])
    held_out = judged([case for case in own if case.is_held_out])
    kept = [
        f"{case.kind}: {case.sentence}"
        for case, reason in zip(wrong, judged(wrong), strict=True)
        if reason is None
    ]
    return Scores(
        verbatim=len(verbatim),
        verbatim_kept=verbatim.count(None),
        phrased=len(chosen),
        phrased_kept=chosen.count(None),
        held_out=len(held_out),
        held_out_kept=held_out.count(None),
        unsupported=len(wrong),
        unsupported_kept=tuple(kept),
        kinds=Counter(case.kind for case in wrong),
        reasons=Counter(reason for reason in (*verbatim, *chosen, *held_out) if reason),
    )


def _sentences(body: str) -> Iterator[str]:
    for line in _CUT.split(body):
        text = re.sub(r"^(?:[-*]|\d+\.)\s+", "", line.strip())
        is_whole = text[:1].isupper() and text[-1:] in ".!" and "|" not in text and "`" not in text
        if is_whole and SENTENCE_CHARS[0] <= len(text) <= SENTENCE_CHARS[1]:
            yield text


# -- The swaps. Each gives None where a sentence has nothing of its kind.


def _exchanged(draw: random.Random, text: str, pairs: Sequence[tuple[str, str]]) -> str | None:
    """Put one word for another, in either direction."""
    both = [*pairs, *((b, a) for a, b in pairs)]
    able = [(a, b) for a, b in both if re.search(rf"\b{re.escape(a)}\b", text)]
    if not able:
        return None
    word, other = draw.choice(able)
    return re.sub(rf"\b{re.escape(word)}\b", other, text, count=1)


def _new_number(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    found = list(_NUMBER.finditer(text))
    if not found:
        return None
    one = draw.choice(found)
    other = str(draw.choice([3, 6, 9, 11, 17, 21, 35, 45, 55, 75, 110, 260, 750, 4100]))
    return None if other == one[0] else text[: one.start()] + other + text[one.end() :]


def _near_number(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    """Take another number of the same passage: all the words are there, but not together."""
    found = list(_NUMBER.finditer(text))
    near = sorted(set(_NUMBER.findall(passage.text)) - set(_NUMBER.findall(text)))
    if not found or not near:
        return None
    one = draw.choice(found)
    return f"{text[: one.start()]}{draw.choice(near)}{text[one.end() :]}"


def _name(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    found = list(_NAME.finditer(text))
    pool = _NAME.findall(passage.text) + _NAME.findall(draw.choice(others).text)
    pool = sorted(set(pool) - set(_NAME.findall(text)))
    if not found or not pool:
        return None
    one, other = draw.choice(found), draw.choice(pool)
    if one[0].rstrip("s") == other.rstrip("s"):
        return None
    return f"{text[: one.start()]}{other}{text[one.end() :]}"


def _negation(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    less = re.sub(r"\b(?:not|never) ", "", text, count=1)
    less = less if less != text else re.sub(r"\bno\b", "some", text, count=1)
    more = re.sub(
        r"\b(is|are|may|must|can|should|will|has to|have to) (?!not)", r"\1 not ", text, count=1
    )
    made = [each for each in (less, more) if each != text]
    return draw.choice(made) if made else None


def _pairs(*pairs: tuple[str, str]) -> Swap:
    def swap(
        draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
    ) -> str | None:
        return _exchanged(draw, text, pairs)

    return swap


def _passage(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    """Take a sentence of another page."""
    other = draw.choice([each for each in others if each.path != passage.path])
    return str(draw.choice(other.sentences))


def _turned(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    """Let what stands around the verb change places: who does what to whom."""
    verb = _DOES.search(text)
    if verb is None or " and " in text or " or " in text:
        return None
    left, right = text[: verb.start()], text[verb.end() :].rstrip(".")
    if not _WHO.match(left) or re.search(r"[,;:]|\b(?:not?|never|do|does|there)\b", text):
        return None
    return f"{right[:1].upper()}{right[1:]}{verb[0]}{left[:1].lower()}{left[1:]}."


def _crossed(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    """Say of one sentence's subject what another sentence of the passage says of its own."""
    other = draw.choice(passage.sentences)
    mine, theirs = _VERB.search(text), _VERB.search(other)
    if other == text or mine is None or theirs is None or mine[0] != theirs[0]:
        return None
    made = text[: mine.end()] + other[theirs.end() :]
    return None if text[: mine.end()] == other[: theirs.end()] else made


def _exception(
    draw: random.Random, text: str, passage: Passage, others: Sequence[Passage]
) -> str | None:
    """Leave out what a sentence is bounded by."""
    made = re.sub(r",? (?:unless|except|but not|only if|as long as) [^.]*", "", text, count=1)
    return made if made != text else re.sub(r"\b[Oo]nly ", "", text) if "nly " in text else None


SWAPS: Mapping[str, Swap] = {
    "a new number": _new_number,
    "a number from nearby": _near_number,
    "a name": _name,
    "a negation": _negation,
    "a unit": _pairs(
        ("days", "weeks"), ("hours", "minutes"), ("EUR", "USD"), ("months", "years"), ("%", "EUR"),
        ("a year", "a month"), ("per year", "per week"), ("weeks", "months"), ("kilometre", "mile"),
    ),
    "a bound": _pairs(
        ("at least", "at most"), ("up to", "at least"), ("before", "after"), ("above", "below"),
        ("under", "over"), ("within", "after"), ("more than", "less than"), ("from", "until"),
        ("longer", "shorter"), ("the earliest", "the latest"), ("maximum", "minimum"),
        ("first", "last"), ("every", "every second"),
    ),
    "a duty": _pairs(
        ("may", "must"), ("must", "need not"), ("can", "must"), ("should", "must"), ("has to", "may"),
        ("have to", "may"), ("need", "may get"),
    ),
    "another page": _passage,
    "turned around": _turned,
    "crossed": _crossed,
    "an exception": _exception,
    "an opposite": _pairs(
        ("paid", "unpaid"), ("free", "not free"), ("allowed", "forbidden"), ("open", "closed"),
        ("full-time", "part-time"), ("working days", "calendar days"), ("always", "never"), ("all", "none"),
        ("everyone", "nobody"), ("inside", "outside"), ("new", "old"), ("with", "without"), ("day", "night"),
        ("next", "previous"), ("approves", "declines"), ("same", "other"), ("both", "neither"),
    ),
    "a role": _pairs(
        ("line manager", "head of department"), ("finance lead", "IT lead"), ("team", "company"),
        ("finance", "payroll"), ("IT", "HR"), ("customer", "supplier"), ("reception", "security"),
        ("head of department", "managing directors"), ("contractors", "employees"), ("Contractors", "Employees"),
    ),
    "a time": _pairs(
        ("January", "March"), ("April", "June"), ("May", "July"), ("November", "December"),
        ("Monday", "Friday"), ("Sunday", "Thursday"), ("weekends", "weekdays"), ("morning", "evening"),
        ("7:30", "9:30"), ("18:00", "20:00"), ("16:00", "12:00"), ("summer", "winter"),
    ),
}  # fmt: skip
