"""What a text says, word by word: each word by what stands for it, without those that say nothing.

Knows nothing about questions; the words that say nothing or the same are in agreement.toml.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store.index import codes

WORDS = Path(__file__).with_name("agreement.toml")

TYPO_LETTERS = 6
"""Letters from which two words with one typing error between them are the same word."""

LETTERS = 3
"""Letters of a word from which it may have other forms; what is left of one without its ending has more."""

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


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Words that say nothing, words that stand for others, and phrases that stand for words."""

    light: frozenset[str]
    same: Mapping[str, str]
    phrases: tuple[tuple[re.Pattern[str], str], ...]
    confusable: frozenset[frozenset[str]]
    measures: frozenset[str]
    errands: frozenset[str]
    labels: frozenset[str]
    parties: frozenset[str]


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
    phrases = [[part.strip() for part in line.split("=")] for line in given["phrases"]]
    return Lexicon(
        frozenset(given["light"].split()),
        same,
        tuple((_inflected(a), b) for a, b in sorted(phrases, key=lambda pair: -len(pair[0]))),
        frozenset(frozenset(line.split()) for line in given["confusable"]),
        *(
            frozenset(same.get(word, stem(word)) for word in given[name].split())
            for name in ("measures", "errands", "labels", "parties")
        ),
    )


def _inflected(phrase: str) -> re.Pattern[str]:
    """Match a phrase in any form of its words: hand in, handed in; bank holiday, bank holidays."""
    forms = (re.escape(word.removesuffix("e")) for word in phrase.split())
    endings = ("(?:e|es|ed|ing)" if w.endswith("e") else "(?:s|es|ed|ing)?" for w in phrase.split())
    parts = [
        form + ending if len(word) >= LETTERS else re.escape(word)
        for word, form, ending in zip(phrase.split(), forms, endings, strict=True)
    ]
    return re.compile(rf"\b{' '.join(parts)}\b")


def words(text: str) -> set[str]:
    """Give what a text says, each word as what stands for it; words that say nothing are left out."""
    return set(in_order(plain(text)))


def plain(text: str) -> str:
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
        text = phrase.sub(word, text)
    # "How long does it last?": the two words are one, however far apart.
    return re.sub(r"\bhow long\b(.*?)\b(?:last|take)s?\b", r"how long\1", text)


def in_order(text: str) -> dict[str, str]:
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
    return stem(token)


def _bare(token: str) -> list[str]:
    """List what a word may be without its ending: fixes is of fix, stored of store, applies of apply."""
    endings = ("s", "es", "ed", "d", "ing", "ly")
    found = [token.removesuffix(e) for e in endings if token.endswith(e)]
    if token.endswith(("ies", "ied")):
        found.append(token[:-3] + "y")
    return [*found, stem(token)]


def stem(word: str) -> str:
    """Take off what only grammar asks for; employer and employee stay two."""
    for ending in ("ments", "ment"):
        if word.endswith(ending) and len(word) - len(ending) > LETTERS:
            return stem(word.removesuffix(ending))
    if word.endswith(("tion", "tions")) and len(word) > 2 * LETTERS:
        return word[: word.rindex("ion")]
    for ending in ("ings", "ing", "ied", "ies", "ed", "es", "s", "ly", "e"):
        left = word[: -len(ending)]
        if not word.endswith(ending) or word.endswith("ss"):
            continue
        if ending in ("ing", "ed") and re.fullmatch("[^aeiou][aeiou][^aeiouwxy]", left):
            return left + "e"  # moving, moved: move
        if len(left) > LETTERS:
            return _single(left) + ("i" if ending in ("ied", "ies") else "")
    return word[:-1] + "i" if word.endswith("y") and len(word) > LETTERS + 1 else word


def _single(left: str) -> str:
    """Give shipp of shipped as ship."""
    return left[:-1] if re.search(r"([bdgmnprt])\1$", left) else left


def is_typo(one: str, other: str) -> bool:
    """Say whether two words, each without its ending, are one word with a typing error."""
    if min(len(one), len(other)) < TYPO_LETTERS - 1 or any(map(str.isdigit, one + other)):
        return False
    if one[0] != other[0] or _are_two_words(one, other):
        return False
    if max(len(one), len(other)) < TYPO_LETTERS:
        return sorted(one) == sorted(other)
    return _distance_is_one(one, other)


def _are_two_words(one: str, other: str) -> bool:
    """Whether both are words of their own, as contact and contract."""
    if one + "r" == other or other + "r" == one:
        return True  # trainee, trainer
    known = lexicon()
    stems = {frozenset(map(stem, pair)) for pair in known.confusable}
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
