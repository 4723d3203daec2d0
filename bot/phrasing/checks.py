"""Whether all that a sentence says stands in the quotes that it names: word by word, without a model.

Knows nothing about who wrote the sentence. In doubt a sentence is refused: the quotes are shown in any case.
"""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from bot.answering import lexicon
from bot.text import visible

SENTENCE_CHARS = 320
"""The longest sentence that is kept."""

LEAST_WORDS = 2
"""Words that say something; with fewer, nothing can be held against a quote."""

MOST_LINES = 3
"""Lines of the quotes that one clause of a sentence may be put together from."""

_FOREIGN = re.compile(
    r"://|\bwww\.|\b(?:mailto|tel|javascript|data):|[<>|`@*~\\\[\]{}#^=]|(?<!\w)_|_(?!\w)|:[a-z0-9_+-]*[a-z][a-z0-9_+-]*:|:[+-]1:|:100:|!\S"
    r"|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}\b(?<!e\.g)(?<!i\.e)",
    re.IGNORECASE,
)
"""Links, addresses, mentions, emoji and markup: a phrased sentence has none, not even a quoted one."""

_LINE = re.compile(r"(?<=[.!?;])\s+|\n+")
_CHANNEL = re.compile(r"(?<![\w#])#[a-z0-9][a-z0-9_-]{1,79}")
_BEFORE = r"(?:after|before|on|in|at|with|without|for|from|during|within|by|up to|until|since|above|below)"
_PHRASE = re.compile(rf"(?<!\s)\s+(?={_BEFORE}\s)", re.IGNORECASE)
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_CLAUSE = re.compile(
    r",\s+|(?<!\s)\s+[–—-]\s+|[()]|(?<!\s)\s+(?=(?:and|but|or|while|whereas|if|when|unless|except|because|so|until)\s)",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’.,:/_&+-][^\W_]+)*[%+]?|[€$£%]")

_NOT = frozenset({"not", "without", "none", "nobody", "nothing", "neither", "nor", "hardly"})
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|cannot|none|nobody|nothing|neither|nor|without|hardly|unable|fails?|failing)\b|n['’]t\b",
    re.IGNORECASE,
)
_RESTRICTIONS = re.compile(
    r"\b(?:only|except|excluding|unless|apart from|other than|but not|subject to)\b", re.IGNORECASE
)
_CONDITIONS = re.compile(
    r"\b(?:if|when|whenever|provided|as long as|in case|once|where|depending)\b", re.IGNORECASE
)
_SHARES = re.compile(
    r"\b(?:(?:every|each) (?:second|third|fourth|other|two|three)|half|twice|double|thirds?|quarters? of|most of|some of"
    r"|partly|almost|nearly|about|roughly|usually|normally|mostly|sometimes|often|rarely|additional|extra|further)\b",
    re.IGNORECASE,
)
"""Words that make something less, or more, than it would be without them."""

_DUTY = re.compile(
    r"\b(?:must|have to|has to|need(?:s|ed)? to|shall|needed|necessary|required?|requires|mandatory|obligatory|compulsory)\b",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"\b(?:may|can|could|might|allowed|permitted|optional|optionally|able to|possible|impossible|welcome to|entitled)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(
    r"^(?:(?:and|but|if|when) )?(?:one|it|they|this|that|these|those|he|she|its|their|his|her|such)\b",
    re.IGNORECASE,
)
"""A sentence that begins so says it of something else, which may be another thing than in the document."""

_SPEAKERS = re.compile(r"\b(?:you|we|i|your|our|there)\b", re.IGNORECASE)
_HEAVY = re.compile(
    r"\b(?:teams?|company|office|firm|other|others|own|some|any|anyone|anybody|everyone|everybody|everything|nobody"
    r"|anything|something|else"
    r"|nothing|people|person|morning|again|back|off|over|currently|now|already|yet|still|first|last)\b",
    re.IGNORECASE,
)
"""Words that two questions may differ in, but no statement."""

_SHORT = re.compile(r"\b(?!(?:EUR|USD|GBP)\b)[A-Z][A-Z0-9]+\b")
"""What is written in capitals names something, whatever word it looks like; currencies have signs, too."""

_DEPARTMENT = re.compile(r"\b(?:HR|IT)\b")
_YOU = re.compile(r"\byou(?:r|rs|rself)?\b", re.IGNORECASE)
_ADVICE = re.compile(
    r"\b(?:should|recommend\w*|advis\w*|ought|suggest\w*|prefer\w*)\b", re.IGNORECASE
)

_POLAR = frozenset(
    lexicon.words(
        "min max above below before after until within only all every each both either always daily weekly monthly"
        " yearly most more less fewer half twice once first last next earliest latest during since between outside"
        " inside mon tue wed thu fri sat sun jan feb march april may june july aug sep oct nov dec early late"
        " full part internal external former current previous old new north south east west left right"
    )
)
"""Words that turn a statement around or bound it: they must stand in the very lines that say the rest."""

_UNITS = frozenset(
    lexicon.words(
        "seconds minute hour day week month year quarter eur usd gbp percent km miles metres cm mm kg gb mb tb kb"
        " people persons times pages points nights working business calendar degrees"
    )
)

_BOUNDS = frozenset(
    lexicon.words("min max above below before after until within between during since")
)
"""Words without which a sentence says more than its line does."""

_SIDED = frozenset(lexicon.words("eur usd gbp percent"))
"""Units that stand on either side of their number."""

_FREE = frozenset(
    lexicon.words(
        "according following follows therefore however additionally besides means happens works case applies"
        " includes including named called"
    )
)
"""Words that an LLM puts between a document's words, and that say nothing by themselves."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A clause: its words (one stands for all that mean the same), and which of them are facts."""

    text: str
    words: AbstractSet[str]
    facts: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class _Said:
    """A sentence of a quote, or a row or item with what stands above it for it, and its clauses."""

    text: str
    words: AbstractSet[str]
    parts: tuple[_Part, ...]

    @property
    def is_row(self) -> bool:
        return self.text.lstrip().startswith("|")


def refusal(sentence: str, quotes: Sequence[str]) -> str | None:
    """Give a word for why a sentence is not kept; None where all of it stands in the quotes that it names.

    1. It has the form of a plain sentence: no link, mention, markup, hidden sign, nor too long, and says itself what
       it is about.
    2. Each word that says something stands in one sentence of the quotes, or one that means the same does; a row of
       a table has its headings with it, an item of a list the line above.
    3. Its numbers, names, codes and turning words stand in the clauses that say the rest of it. It has as many
       negations as these, and their bounds and exceptions; may is not must.
    4. A number has the unit that it has there, and words keep the order of their sentence: otherwise who does what
       to whom may have been turned around.
    """
    if not quotes:
        return "no_quote"
    if not is_plain(_without_channels(sentence, quotes)):
        return "form"
    statements = _LINE.split(sentence.strip())
    if any(_PRONOUN.search(each) for each in statements):
        return "pronoun"
    if any(len(_words(each) - _FREE - _NOT) < LEAST_WORDS for each in statements):
        return "empty"
    names = _names(sentence, quotes)
    said, held = _words(sentence), _words("\n".join(quotes))
    if missing := said - held - _FREE:
        return _kind(missing, names)
    stands = [each for quote in quotes for each in _sentences(quote)]
    for part in [_part(each, names) for each in statements]:
        reasons = [_difference(part, each, names, sentence) for each in _holding(part, stands)]
        if None not in reasons:
            return reasons[0] if reasons else "apart"
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


def _without_channels(sentence: str, quotes: Sequence[str]) -> str:
    """Leave out the names of channels that stand in the quotes as well: they are shown as text."""
    held = set(_CHANNEL.findall("\n".join(quotes)))
    return _CHANNEL.sub(lambda found: "channel" if found[0] in held else found[0], sentence)


def facts(text: str) -> set[str]:
    """Give the numbers and codes of a text, each in its common form."""
    return {word for word in _words(text) if any(map(str.isdigit, word))}


@functools.lru_cache(maxsize=2048)
def _words(text: str) -> AbstractSet[str]:
    """Give the words that say something, those too that say little in a question.

    Kept, since a sentence's few words are looked at again and again: 3 ms a sentence instead of 30.
    """
    departments = _DEPARTMENT.sub(lambda found: f"{found[0]}department", text)
    heavy = {each.lower().removesuffix("s") for each in _HEAVY.findall(text)}
    short = {each.lower() for each in _SHORT.findall(departments)}
    return frozenset(lexicon.words(departments) | heavy | short)


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


def _part(text: str, names: AbstractSet[str]) -> _Part:
    words = _words(text)
    return _Part(text, words, _facts_of(words, names))


def _clauses(sentence: str, names: AbstractSet[str]) -> list[_Part]:
    """Cut a sentence into clauses; what has hardly a word of its own belongs to the clause before."""
    found: list[_Part] = []
    for piece in _CLAUSE.split(sentence):
        part = _part(piece, names)
        is_small = len(part.words - part.facts) < 2
        if found and (is_small or len(found[-1].words - found[-1].facts) < 2):
            part = _part(f"{found.pop().text}, {piece}", names)
        if part.words:
            found.append(part)
    return found


def _sentences(quote: str) -> list[_Said]:
    """Cut a quote into sentences; a row has its table's headings with it, an item the line that leads to it."""
    found, above = list[_Said](), ""
    for line in quote.split("\n"):
        is_row, is_item = line.lstrip().startswith("|"), bool(_ITEM.match(line))
        if not is_row and not is_item:
            above = line if line.rstrip().endswith(":") else ""
        elif is_row and not above.lstrip().startswith("|"):
            above = line
        for text in _LINE.split(line):
            names = _names(text, ())
            parts = tuple(
                part for each in _CLAUSE.split(text) if (part := _part(each, names)).words
            )
            if parts or text.strip():
                led = _words(above) if is_row or is_item else frozenset[str]()
                found.append(_Said(text, _words(text) | led, parts))
    return found


def _holding(part: _Part, stands: Sequence[_Said]) -> list[_Said]:
    """Give the sentences that have all words of a part."""
    return [each for each in stands if part.words - _FREE <= each.words]


def _weights(lines: Sequence[_Part]) -> Mapping[str, float]:
    """Weigh each word by in how few lines it stands."""
    counts: dict[str, int] = {}
    for line in lines:
        for word in line.words:
            counts[word] = counts.get(word, 0) + 1
    return {word: 1 / count for word, count in counts.items()}


def _difference(part: _Part, stands: _Said, names: AbstractSet[str], sentence: str) -> str | None:
    """Say in what a part says something else than the sentence that has all of its words."""
    used = [each for each in stands.parts if each.words - _NOT - _UNITS <= part.words]
    for clause in _clauses(part.text, names):
        covers = _clause_covers(clause, stands)
        if isinstance(covers, str):
            return covers
        used += [each for each in covers if each not in used]
    text = " ".join(each.text for each in stands.parts if each in used)
    if len(_NEGATIONS.findall(part.text)) != len(_NEGATIONS.findall(text)):
        return "negation"
    if _RESTRICTIONS.search(stands.text) and not _RESTRICTIONS.search(sentence):
        return "restriction"
    if _CONDITIONS.search(stands.text) and not _CONDITIONS.search(sentence):
        return "condition"
    if len(_SHARES.findall(part.text)) != len(_SHARES.findall(text)):
        return "bound"
    if any(each.words & _BOUNDS - part.words for each in used):
        return "bound"
    if _is_other_duty(part.text, text):
        return "duty"
    if not _same_units(part.text, stands.text):
        return "unit"
    if _is_about_another(part.text, stands.text):
        return "subject"
    if not stands.is_row and Counter(_ordered(part.text)) - Counter(_ordered(stands.text)):
        return "unsaid"
    pieces = [] if stands.is_row else _pieces(part.text, stands.text)
    return None if all(_in_order(piece, stands.text) for piece in pieces) else "order"


def _clause_covers(clause: _Part, stands: _Said) -> list[_Part] | str:
    """Give the parts of a sentence that say most of a clause, found once without the clause's numbers and once
    without its other facts: what was left out must stand in them all the same. Else give a word for what does not.

    Where several choices of parts say equally much, one of them must do.
    """
    if stands.is_row:
        return list(stands.parts)
    inside = [each for each in stands.parts if each.words <= clause.words]
    weights, chosen = _weights(stands.parts), list[_Part]()
    numbers = {word for word in clause.facts if any(map(str.isdigit, word))}
    for left_out in (numbers, clause.facts - numbers):
        wanted = clause.words - left_out - _NOT or clause.words - _NOT
        covers = _covers(wanted, stands.parts, weights)
        right = [
            cover
            for cover in covers
            if clause.facts <= set[str]().union(*(each.words for each in (*cover, *inside)))
        ]
        if covers and not right:
            missing = clause.facts - set[str]().union(*(each.words for each in covers[0]))
            return "number" if any(map(str.isdigit, "".join(missing))) else "name"
        chosen += right[0] if right else []
    return chosen


def _covers(
    wanted: AbstractSet[str], lines: Sequence[_Part], weights: Mapping[str, float]
) -> list[list[_Part]]:
    """Give the lines that say the wanted words: the best one, then what the rest of them needs.

    Where several are best, there is a cover for each.
    """

    def worth(words: AbstractSet[str], line: _Part) -> float:
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


def _is_other_duty(said: str, held: str) -> bool:
    """Whether may became must, must became may, or advice became either.

    An instruction ("send it to HR") may be told as a duty of the reader's ("you must send"), and the other way
    round.
    """
    must, may, ought = (len(kind.findall(said)) for kind in (_DUTY, _LEAVE, _ADVICE))
    must_there, may_there, ought_there = (
        len(kind.findall(held)) for kind in (_DUTY, _LEAVE, _ADVICE)
    )
    if may != may_there or ought != ought_there:
        return True
    return must > must_there and (not _YOU.search(said) or bool(_YOU.search(held)))


def _is_about_another(said: str, stands: str) -> bool:
    """Whether something is told of the reader or of us that the sentence says of a thing that goes unnamed."""
    if not _SPEAKERS.match(said) or _SPEAKERS.search(stands):
        return False
    first = _ordered(stands)[:1]
    return bool(first) and first[0] not in _words(said)


def _same_units(said: str, stands: str) -> bool:
    """Whether each number has the unit that it has in a sentence, where it has one there."""
    held: dict[str, set[str]] = {}
    for number, unit in _measured(stands):
        held.setdefault(number, set()).add(unit)
    return all(
        unit in held.get(number, set()) or not any(held.get(number, {""}))
        for number, unit in _measured(said)
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


def _led(text: str) -> list[tuple[str, str]]:
    """Give each preposition of a text with the first word behind it that says something."""
    found = []
    for match in re.finditer(rf"\b{_BEFORE}\s", text, re.IGNORECASE):
        behind = _ordered(text[match.end() :])
        if behind:
            found.append((match[0].strip().lower(), behind[0]))
    return found


def _pieces(said: str, stands: str) -> list[str]:
    """Cut at clauses, and where a preposition stands before the same word as it does in the sentence: such a piece
    may be moved as a whole ("after a call you start later")."""
    led, found = _led(stands), list[str]()
    for piece in _CLAUSE.split(said):
        for at, phrase in enumerate(_PHRASE.split(piece)):
            lead = _led(phrase)
            if at and (not lead or lead[0] not in led):
                found[-1] += f" {phrase}"
            else:
                found.append(phrase)
    return found


def _in_order(said: str, stands: str) -> bool:
    """Whether the words that a piece shares with a sentence come in the sentence's order; units may stand on either
    side of their number."""
    there = _ordered(stands)
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
        found += sorted(_words(token) - _SIDED - _NOT - _FREE)
    return found


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Give the length of the longest run of words, with gaps, that both have in the same order."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for at, each in enumerate(other, start=1):
            before, row[at] = row[at], before + 1 if word == each else max(row[at], row[at - 1])
    return row[-1]
