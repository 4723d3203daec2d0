"""Whether two questions ask the same, word by word: nothing that tells answers apart may differ.

Knows nothing about vectors: two questions of opposite meaning have almost the same one. Whatever gives an answer
again (a kept reply, a cache) asks `agrees` first, and wants a cosine of at least NEAR. Words that stand in
one of the two alone must be known to say nothing; all others must have their like in the other.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store.index import codes

WORDS = Path(__file__).with_name("agreement.toml")

NEAR = 0.5
"""Cosine that the two questions need besides. The words decide: on the half of our pairs that they were chosen on, .5
loses 2 of 125 right pairs, .85 loses 44, and none lets a wrong one through (`threadwise eval replies`)."""

TYPO_LETTERS = 6
"""Letters from which two words with one typing error between them are the same word."""

LONG_LETTERS = 9
"""Letters from which another letter is a typing error too: Ireland and Iceland are shorter."""

_TOKEN = re.compile(r"[^\W_]+(?:[._/@:+&-]+[^\W_]+)*[%+]?|[€$£?%]")
_SIGNS = {"€": " eur ", "$": " usd ", "£": " gbp ", "%": " percent ", "’": "'", "#": " "}
_NEGATION = re.compile(
    r"\b(can|could|do|does|did|is|are|was|wo|would|should|must|has|have)n['’]?t\b"
)
_COUNTED = {
    word: str(number)
    for number, word in enumerate(
        [
            "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
            "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
            "eighteen", "nineteen", "twenty",
        ]
    )
    if number > 1
}  # fmt: skip
_ASKED = (
    (r"\bhow (?:many|often|long|far|old|much)\b", "how {}"),
    (r"\b(?:who|whos|who's|whose)\b", "who"),
    (r"\b(?:when|whens|when's)\b", "when"),
    (r"\b(?:where|wheres|where's)\b", "where"),
    (r"\b(?:why)\b", "why"),
    (r"\b(?:how|hows|how's)\b", "how"),
)
_WHETHER = re.compile(
    r"\W*(?:can|could|may|might|am|is|are|do|does|did|should|must|will|would|was|were|have|has)\b"
)
_MUST = re.compile(
    r"\b(?:must|required|mandatory|necessary|compulsory|obligatory|(?:have|has|had|need|needs) to)\b"
)
_MAY = re.compile(r"\b(?:can|may|could|might|allowed|permitted|possible|able)\b")
_DIRECTION = re.compile(r"\b(from|to|into|by|between|for)\s+(?:the\s+|a\s+|our\s+|my\s+)?([^\W_]+)")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words that say nothing, words that stand for others, and phrases that stand for words."""

    light: frozenset[str]
    same: Mapping[str, str]
    phrases: tuple[tuple[str, str], ...]
    confusable: frozenset[frozenset[str]]


@functools.cache
def real_words() -> frozenset[str]:
    """Read the words that the packaged encoder knows whole, once: 22,000 of the commonest."""
    from models.embedder import packaged_folder
    from models.tokens import vocabulary

    return vocabulary(packaged_folder() / "vocab.txt")


@functools.cache
def lexicon() -> Lexicon:
    """Read the words that ship with the project, once."""
    given = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    same = {word: line.split()[0] for line in given["same"] for word in line.split()}
    phrases = [tuple(part.strip() for part in line.split("=")) for line in given["phrases"]]
    return Lexicon(
        frozenset(given["light"].split()),
        same,
        tuple((a, b) for a, b in sorted(phrases, key=lambda pair: -len(pair[0]))),
        frozenset(frozenset(line.split()) for line in given["confusable"]),
    )


def agrees(question: str, kept: str) -> bool:
    """Say whether the answer to the kept question is the answer to this one.

    1. What is asked for (who, when, why, how many ...) is the same, where both say it; so is whether it is
       what one may or what one must.
    2. Each word that says something, number, code, date, name and "not" has its like in the other.
    3. What stands behind "from" and "to" has not changed places.
    """
    one, other = _plain(question), _plain(kept)
    return (
        _same_kind(_kind(one), _kind(other))
        and {_modal(one), _modal(other)} != {"must", "may"}
        and _same_words(_words(one), _words(other))
        and _same_ways(one, other)
    )


def words(text: str) -> set[str]:
    """Give what a text says, each word as what stands for it; words that say nothing are left out."""
    return set(_words(_plain(text)))


def _plain(text: str) -> str:
    """Give a question in small letters, its phrases and contractions in their common form."""
    text = text.lower()
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"(?<=\d)(?=(?:k|eur|usd|gbp|km|kg|gb|mb|tb|min|mins|h|hrs|days)\b)", " ", text)
    text = re.sub(r"\b(\d+) k\b", r"\g<1>000", text)
    text = _NEGATION.sub(r"\1 not", text.replace("cannot", "can not").replace("can't", "can not"))
    text = re.sub(r"['’]s\b", "", text)
    text = " ".join(
        re.sub(r"[-/]", " ", text) if not any(map(str.isdigit, text)) else text
        for text in text.split()
    )
    for phrase, word in lexicon().phrases:
        text = re.sub(rf"\b{re.escape(phrase)}\b", word, text)
    # "How long does it last?": the two words are one, however far apart.
    return re.sub(r"\bhow long\b(.*?)\b(?:last|take)s?\b", r"how long\1", text)


def _kind(text: str) -> set[str]:
    found = set[str]()
    for pattern, name in _ASKED:
        match = re.search(pattern, text)
        if match:
            found.add(name.format(match[0].split()[-1]))
            text = re.sub(pattern, " ", text)
    return found or ({"whether"} if _WHETHER.match(text) else found)


def _same_kind(one: set[str], other: set[str]) -> bool:
    """ "How" and no such word at all go with each other; the others with themselves or with none."""
    if "why" in one ^ other:
        return False
    firm, theirs = one - {"how", "whether"}, other - {"how", "whether"}
    if firm and theirs:
        return firm == theirs
    if firm or theirs:
        return not one or not other
    return True


def _modal(text: str) -> str | None:
    """Tell a question about what must be from one about what may be: "must I wear it?", "may I wear it?"

    "Who do I have to ask" is neither, since "who can I ask" is the same.
    """
    kind = _kind(text)
    if kind != {"whether"} and (kind or not re.search(r"\b(?:what|which)\b", text)):
        return None
    return "must" if _MUST.search(text) else "may" if _MAY.search(text) else None


def _words(text: str) -> dict[str, str]:
    """Give what a question says, each word as what stands for it, with the word as it was written."""
    known, found = lexicon(), dict[str, str]()
    for token in _TOKEN.findall(text):
        token = token.strip("?")
        if any(map(str.isdigit, token)):
            found |= {part: part for part in _parts(codes.form(token))}
        elif token and (word := _one(token, known)) not in known.light:
            found[_COUNTED.get(word, word)] = token
    return found


def _parts(code: str) -> set[str]:
    """Give a code's letters and its number apart, since people write them apart: err4042, err 4042."""
    found = re.fullmatch(r"([^\W\d_]{2,})(\d[\d.]*)", code)
    return {_one(found[1], lexicon()), found[2]} if found else {code}


def _one(token: str, known: Lexicon) -> str:
    if token in known.same:
        return known.same[token]
    if token in known.light:
        return token
    for bare in _bare(token):
        if bare in known.same or bare in known.light:
            return known.same.get(bare, bare)
    return _stem(token)


def _bare(token: str) -> list[str]:
    """List what a word may be without its ending: fixes is of fix, stored of store."""
    endings = ("s", "es", "ed", "d", "ing", "ly")
    return [token.removesuffix(e) for e in endings if token.endswith(e)] + [_stem(token)]


def _stem(word: str) -> str:
    """Take off what only grammar asks for; employer and employee stay two."""
    for ending in ("ings", "ing", "ied", "ies", "ed", "es", "s", "ly", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith("ss"):
            return word[: -len(ending)] + ("i" if ending in ("ied", "ies") else "")
    return word[:-1] + "i" if word.endswith("y") and len(word) > 4 else word


def _same_words(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    left, right = one.keys() - other.keys(), other.keys() - one.keys()
    if not one and not other:
        return False
    for word in left:
        written = [each for each in right if not {one[word], other[each]} <= real_words()]
        like = next((each for each in written if _is_typo(word, each)), None)
        if like is None:
            return False
        right.discard(like)
    return not right


def _is_typo(one: str, other: str) -> bool:
    if min(len(one), len(other)) < TYPO_LETTERS - 1 or any(map(str.isdigit, one + other)):
        return False
    if one[0] != other[0] or _are_two_words(one, other):
        return False
    if max(len(one), len(other)) < TYPO_LETTERS:
        return sorted(one) == sorted(other)
    return _distance_is_one(one, other)


def _are_two_words(one: str, other: str) -> bool:
    """Whether both are words of their own, as contact and contract."""
    known = lexicon()
    stems = {frozenset(map(_stem, pair)) for pair in known.confusable}
    named = set(known.same.values()) | known.light
    return frozenset((one, other)) in stems or (one in named and other in named)


def _distance_is_one(one: str, other: str) -> bool:
    """Whether a letter too much, too few, another, or two in each other's place is all that differs."""
    short, long = sorted((one, other), key=len)
    start = next(
        (i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short)
    )
    if len(long) == len(short):
        swapped = short[:start] + short[start : start + 2][::-1] + short[start + 2 :]
        is_other_letter = short[start + 1 :] == long[start + 1 :]
        return swapped == long or (is_other_letter and len(long) >= LONG_LETTERS)
    return len(long) == len(short) + 1 and short[start:] == long[start + 1 :]


def _same_ways(one: str, other: str) -> bool:
    """Whether no word stands behind "from" in one and behind "to" in the other."""
    ways = [{(p, _stem(w)) for p, w in _DIRECTION.findall(text)} for text in (one, other)]
    words = [{word: {p for p, w in way if w == word} for _, word in way} for way in ways]
    return all(
        not (a & {"from"} and b & {"to", "into"} or b & {"from"} and a & {"to", "into"})
        for word, a in words[0].items()
        if (b := words[1].get(word))
    )
