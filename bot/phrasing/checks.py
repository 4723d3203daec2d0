"""Whether all that a sentence says stands in the quotes that it names: word by word, without a model.

Knows nothing about who wrote the sentence. In doubt a sentence is refused: the quotes are shown in any case.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.answering import agreement
from bot.text import visible

SENTENCE_CHARS = 320
"""The longest sentence that is kept."""

MOST_LINES = 3
"""Lines of the quotes that one clause of a sentence may be put together from."""

_FOREIGN = re.compile(
    r"://|\bwww\.|\b(?:mailto|tel|javascript|data):|[<>|`@*~\\\[\]{}#^=]|(?<!\w)_|_(?!\w)|:[a-z0-9_+-]+:|!\S"
    r"|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}\b(?<!e\.g)(?<!i\.e)",
    re.IGNORECASE,
)
"""Links, addresses, mentions, emoji and markup: a phrased sentence has none, not even a quoted one."""

_LINE = re.compile(r"(?<=[.!?;])\s+|\n+|:\s+")
_CLAUSE = re.compile(
    r",\s+|\s+[–—-]\s+|[()]|\s+(?=(?:and|but|or|while|whereas|if|when|unless|except|because|so|until)\s)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’.,/_&+-][^\W_]+)*[%+]?|[€$£%]")

_NOT = frozenset({"not", "without", "none", "nobody", "nothing", "neither", "nor", "hardly"})
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|cannot|none|nobody|nothing|neither|nor|without|hardly|unable|fails?|failing)\b|n['’]t\b",
    re.IGNORECASE,
)
_RESTRICTIONS = re.compile(
    r"\b(?:only|except|excluding|unless|apart from|other than|but not|subject to)\b", re.IGNORECASE
)
_DUTY = re.compile(
    r"\b(?:must|have to|has to|need(?:s|ed)? to|shall|required?|requires|mandatory|obligatory|compulsory)\b",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"\b(?:may|can|could|might|allowed|permitted|optional|optionally|able to|welcome to|entitled)\b",
    re.IGNORECASE,
)
_HR = re.compile(r"\bHR\b")
_YOU = re.compile(r"\byou(?:r|rs|rself)?\b", re.IGNORECASE)
_ADVICE = re.compile(
    r"\b(?:should|recommend\w*|advis\w*|ought|suggest\w*|prefer\w*)\b", re.IGNORECASE
)

_POLAR = frozenset(
    agreement.words(
        "min max above below before after until within only all every each both either always daily weekly monthly"
        " yearly most more less fewer half twice once first last next earliest latest during since between outside"
        " inside mon tue wed thu fri sat sun jan feb march april may june july aug sep oct nov dec early late"
        " full part internal external former current previous old new north south east west left right"
    )
)
"""AbstractSet that turn a statement around or bound it: they must stand in the very lines that say the rest."""

_UNITS = frozenset(
    agreement.words(
        "seconds minute hour day week month year quarter eur usd gbp percent km miles metres cm mm kg gb mb tb kb"
        " people persons times pages points nights working business calendar degrees"
    )
)

_FREE = frozenset(
    agreement.words(
        "according following follows therefore however additionally besides means happens works case applies"
        " includes including named called"
    )
)
"""AbstractSet that an LLM puts between a document's words, and that say nothing by themselves."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A clause: its words (one stands for all that mean the same), and which of them are facts."""

    text: str
    words: AbstractSet[str]
    facts: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class _Line(_Part):
    """A clause of a quote; `sentence` is the whole sentence around it."""

    sentence: str = ""


def refusal(sentence: str, quotes: Sequence[str]) -> str | None:
    """Give a word for why a sentence is not kept; None where all of it stands in the quotes that it names.

    1. It has the form of a plain sentence: no link, mention, markup, hidden sign, nor too long.
    2. Each word that says something stands in the quotes, or one that means the same does.
    3. Each clause is held against the lines that say most of it: its numbers, names, codes and turning words
       stand in these, it has a "not", "only" or "unless" exactly where they do, and may is not must.
    4. A number has the unit that it has there, and words keep the order of their line: otherwise who does what to
       whom may have been turned around.
    """
    if not quotes:
        return "no_quote"
    if not is_plain(sentence):
        return "form"
    names = _names(sentence, quotes)
    said, held = _words(sentence), _words("\n".join(quotes))
    if not said - _FREE:
        return "empty"
    if missing := said - held - _FREE:
        return _kind(missing, names)
    lines = [line for quote in quotes for line in _lines(quote)]
    weights = _weights(lines)
    for clause in _clauses(sentence, names):
        if reason := _clause_refusal(clause, sentence, lines, weights):
            return reason
    if not _same_units(sentence, quotes):
        return "unit"
    return None if all(_same_column(sentence, quote) for quote in quotes) else "column"


def is_plain(text: str, most: int = SENTENCE_CHARS) -> bool:
    """Whether a text is one plain line without links, mentions, markup and hidden signs."""
    return (
        0 < len(text.strip()) <= most
        and visible(text) == text
        and "\n" not in text
        and not _FOREIGN.search(text)
        and any(sign.isalpha() for sign in text)
    )


def facts(text: str) -> set[str]:
    """Give the numbers and codes of a text, each in its common form."""
    return {word for word in _words(text) if any(map(str.isdigit, word))}


def _words(text: str) -> set[str]:
    """Give the words that say something; HR is the department and no hour."""
    return agreement.words(_HR.sub("personneldepartment", text))


def _names(sentence: str, quotes: Sequence[str]) -> set[str]:
    """Give the words that the sentence or its quotes write with a capital where no sentence begins."""
    found = set[str]()
    for text in (sentence, *quotes):
        for line in _LINE.split(text):
            for word in _WORD.findall(line)[1:]:
                if word[0].isupper():
                    found |= _words(word)
    return found


def _kind(missing: Iterable[str], names: AbstractSet[str]) -> str:
    words = set(missing)
    if any(any(map(str.isdigit, word)) for word in words):
        return "number"
    if words & _NOT:
        return "negation"
    if words & names:
        return "name"
    return "unit" if words & _UNITS else "unsaid"


def _facts_of(words: AbstractSet[str], names: AbstractSet[str]) -> set[str]:
    return {w for w in words if any(map(str.isdigit, w)) or w in names or w in _POLAR} - _NOT


def _clauses(sentence: str, names: AbstractSet[str]) -> list[_Part]:
    """Cut a sentence into clauses; what is left of a few words belongs to the clause before."""
    found: list[_Part] = []
    for piece in _CLAUSE.split(sentence):
        words = _words(piece)
        if found and len(words - _facts_of(words, names)) < 2:
            piece = f"{found.pop().text}, {piece}"
            words = _words(piece)
        if words:
            found.append(_Part(piece, words, _facts_of(words, names)))
    return found


def _lines(quote: str) -> list[_Line]:
    found = []
    for sentence in _LINE.split(quote):
        names = _names(sentence, ())
        for piece in _CLAUSE.split(sentence):
            if words := _words(piece):
                found.append(_Line(piece, words, _facts_of(words, names), sentence))
    return found


def _weights(lines: Sequence[_Line]) -> Mapping[str, float]:
    """Weigh each word by in how few lines it stands."""
    counts: dict[str, int] = {}
    for line in lines:
        for word in line.words:
            counts[word] = counts.get(word, 0) + 1
    return {word: 1 / count for word, count in counts.items()}


def _clause_refusal(
    clause: _Part, sentence: str, lines: Sequence[_Line], weights: Mapping[str, float]
) -> str | None:
    """Hold a clause against the lines that say most of it, found once without its numbers and once without its
    other facts: what was left out must stand in them all the same.

    Where several choices of lines say equally much, one of them must do.
    """
    numbers = {word for word in clause.facts if any(map(str.isdigit, word))}
    for left_out in (numbers, clause.facts - numbers):
        wanted = clause.words - left_out - _NOT or clause.words - _NOT
        covers = _covers(wanted, lines, weights)
        reasons = [_difference(clause, sentence, cover) for cover in covers] or ["unsaid"]
        if None not in reasons:
            return reasons[0]
    return None


def _covers(
    wanted: AbstractSet[str], lines: Sequence[_Line], weights: Mapping[str, float]
) -> list[list[_Line]]:
    """Give the lines that say the wanted words: the best one, then what the rest of them needs.

    Where several are best, there is a cover for each.
    """

    def worth(words: AbstractSet[str], line: _Line) -> float:
        return sum(weights.get(word, 0.0) for word in words & line.words)

    best = max((worth(wanted, line) for line in lines), default=0.0)
    if not best:
        return []
    covers = []
    for first in [line for line in lines if worth(wanted, line) >= best - 1e-9]:
        cover, rest = [first], wanted - first.words
        while rest and len(cover) < MOST_LINES:
            further = max(lines, key=lambda line: worth(rest, line))
            if not worth(rest, further):
                break
            cover.append(further)
            rest = rest - further.words
        covers.append(cover)
    return covers


def _difference(clause: _Part, sentence: str, cover: Sequence[_Line]) -> str | None:
    held = set[str]().union(*(line.words for line in cover))
    around = " ".join(line.sentence for line in cover)
    text = " ".join(line.text for line in cover)
    if missing := clause.facts - held - _speakable(clause, cover):
        return "number" if any(map(str.isdigit, "".join(missing))) else "name"
    if bool(_NEGATIONS.search(clause.text)) != bool(_NEGATIONS.search(text)):
        return "negation"
    if _RESTRICTIONS.search(around) and not _RESTRICTIONS.search(sentence):
        return "restriction"
    if _is_other_duty(clause.text, text):
        return "duty"
    pieces = _CLAUSE.split(clause.text)
    return None if all(_in_order(piece, cover[0].text) for piece in pieces) else "order"


def _speakable(clause: _Part, cover: Sequence[_Line]) -> AbstractSet[str]:
    """What may stand in the same sentence as the lines, where their sentence has one value for it alone."""
    sentence_words = set[str]()
    for line in cover:
        others = {w for w in _words(line.sentence) if any(map(str.isdigit, w))}
        wanted = {w for w in clause.facts if any(map(str.isdigit, w))}
        if others == wanted or not others:
            sentence_words |= _words(line.sentence)
    return sentence_words


def _is_other_duty(said: str, held: str) -> bool:
    """Whether may became must, must became may, or advice became either.

    An instruction ("send it to HR") may be told as a duty of the reader's ("you must send"), and the other way
    round.
    """
    must, may, ought = (bool(kind.search(said)) for kind in (_DUTY, _LEAVE, _ADVICE))
    must_there, may_there, ought_there = (
        bool(kind.search(held)) for kind in (_DUTY, _LEAVE, _ADVICE)
    )
    if may != may_there or ought != ought_there:
        return True
    return must and not must_there and (not _YOU.search(said) or bool(_YOU.search(held)))


def _same_units(sentence: str, quotes: Sequence[str]) -> bool:
    """Whether each number has the unit that it has in a quote, where it has one there."""
    held: dict[str, set[str]] = {}
    for quote in quotes:
        for number, unit in _measured(quote):
            held.setdefault(number, set()).add(unit)
    return all(
        unit in held.get(number, set()) or not any(held.get(number, {""}))
        for number, unit in _measured(sentence)
        if unit
    )


def _measured(text: str) -> list[tuple[str, str]]:
    """Give each number of a text with the unit behind it, or the currency before it, or ""."""
    found = []
    for line in _LINE.split(text):
        tokens = [words for token in _WORD.findall(line) if (words := _words(token))]
        for at, words in enumerate(tokens):
            for number in (w for w in words if any(map(str.isdigit, w))):
                near = [*tokens[at + 1 : at + 3], *tokens[max(at - 1, 0) : at]]
                unit = next((u for each in near for u in each & _UNITS), "")
                found.append((number, unit))
    return found


def _in_order(said: str, line: str) -> bool:
    """Whether the words that a clause shares with a line come in the line's order; units may stand on either side
    of their number."""
    if line.lstrip().startswith("|"):
        return True  # a row has no order that a sentence could keep
    there = _ordered(line)
    mine = [word for word in _ordered(said) if word in there]
    return _common(mine, there) == len(mine)


def _same_column(sentence: str, quote: str) -> bool:
    """Whether a number out of a table's row with several is told under the heading of its own column."""
    said = _words(sentence)
    heads: list[AbstractSet[str]] = []
    for line in quote.split("\n"):
        if not line.lstrip().startswith("|"):
            heads = []
            continue
        cells: list[AbstractSet[str]] = [
            _words(cell) for cell in line.strip().strip("|").split("|")
        ]
        if not heads:
            heads = cells
            continue
        counted = {n: {w for w in c if any(map(str.isdigit, w))} for n, c in enumerate(cells)}
        told = {n: len(said & heads[n]) for n in counted if n < len(heads) and counted[n]}
        if len(told) < 2 or not said & (cells[0] - set().union(*counted.values())):
            continue
        best = max(told.values())
        for n, numbers in counted.items():
            likely = [m for m, count in told.items() if count == best and numbers & counted[m]]
            if n in told and said & numbers and not (best and likely):
                return False
    return True


def _ordered(text: str) -> list[str]:
    found = []
    for token in _WORD.findall(text):
        found += sorted(_words(token) - _UNITS - _NOT)
    return list(dict.fromkeys(found))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Give the length of the longest run of words, with gaps, that both have in the same order."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for at, each in enumerate(other, start=1):
            before, row[at] = row[at], before + 1 if word == each else max(row[at], row[at - 1])
    return row[-1]
