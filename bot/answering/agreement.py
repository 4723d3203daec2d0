"""Whether two questions ask the same, word by word: nothing that tells answers apart may differ.

Knows nothing about vectors: two questions of opposite meaning have almost the same one. Whatever gives an answer
again (a kept reply) asks `agrees` first, and wants a cosine of at least NEAR. Words that stand in
one of the two alone must be known to say nothing; all others must have their like in the other.
"""

import re
from collections.abc import Set as AbstractSet

from bot.answering.asked import Asked
from bot.answering.lexicon import is_typo, lexicon, real_words, stem

NEAR = 0.5
"""Cosine that the two questions need besides. The words decide: on the half of our pairs that they were chosen on, .5
loses 2 of 125 right pairs, .85 loses 44, and none lets a wrong one through (`threadwise eval replies`)."""

_MEASURING = {"much", "long", "size", "height"}
_PLACING = {"store", "located"}
_LASTING = {"period", "term"}
_HANDING_IN = {"submit", "send"}
_DEEDS = tuple(
    re.compile(rf"\b(?:{verbs})\b")
    for verbs in (
        "get|gets|getting|got|obtain|receive|request|acquire|apply|find|finding|take|takes|taking|took",
        "give|gives|giving|gave",
        "use|uses|using",
        "make|makes|making",
        "fill|filling|complete",
        "submit|submits|submitting",
    )
)
"""What one does with a thing: a verb says nothing beside itself or none, but much beside another."""

_WHOM = re.compile(r"\bwho (?:do|does|did) (?!i\b|we\b|you\b|one\b)")
_DIRECTION = re.compile(r"\b(from|to|into|by|between|for)\s+(?:the\s+|a\s+|our\s+|my\s+)?([^\W_]+)")


def agrees(question: str, kept: str) -> bool:
    """Say whether the answer to the kept question is the answer to this one.

    1. What is asked for (who, when, why, how many ...) is the same, where both say it; so is whether it is
       what one may or what one must.
    2. Each word that says something, number, code, date, name and "not" has its like in the other.
    3. What stands behind "from" and "to" has not changed places, nor have those who do it and to whom it is done.
    """
    one, other = Asked.of(question), Asked.of(kept)
    return (
        _same_kind(one.kind, other.kind)
        and {one.modal, other.modal} != {"must", "may"}
        and _same_deeds(one.text, other.text)
        and _same_words(one, other)
        and _same_ways(one.text, other.text)
        and _same_roles(one, other)
    )


def _same_kind(one: AbstractSet[str], other: AbstractSet[str]) -> bool:
    """ "How" and no such word at all go with each other; the others with themselves or with none. Where to get
    an errand done (Asked.kind has both) is how."""
    if "why" in one ^ other:
        return False
    if one | other == {"where", "how"} and "how" in one & other:
        return True
    firm, theirs = one - {"how", "whether"}, other - {"how", "whether"}
    if firm and theirs:
        return firm == theirs
    if firm or theirs:
        return not one or not other
    return True


def _same_deeds(one: str, other: str) -> bool:
    """Whether no verb of one stands against another verb of the other: to give a training is not to take it."""
    mine, theirs = ({n for n, verbs in enumerate(_DEEDS) if verbs.search(t)} for t in (one, other))
    return not mine or not theirs or bool(mine & theirs)


def _same_words(one: Asked, other: Asked) -> bool:
    shared = one.words.keys() & other.words.keys()
    spare = _spare(one, other, shared)
    left, right = one.words.keys() - shared - spare, other.words.keys() - shared - spare
    if not (shared or left or right):
        return False
    for word in left:
        like = next((each for each in right if _is_one_word(one, word, other, each)), None)
        if like is None:
            return False
        right.discard(like)
    return not right


def _is_one_word(one: Asked, word: str, other: Asked, like: str) -> bool:
    """Whether two words are one but for a typing error: not if both are words that are known to exist."""
    written = one.words[word], other.words[like]
    return not {*written} <= real_words() and (is_typo(word, like) or is_typo(*written))


def _spare(one: Asked, other: Asked, shared: AbstractSet[str]) -> AbstractSet[str]:
    """Give the words that need no like beside those that both questions have: "error ERR-2201" is ERR-2201, how
    long the notice period is, is what it is, and a request that is submitted is a request."""
    known, spare = lexicon(), set[str]()
    if shared & known.measures:
        spare |= _MEASURING
    if any(map(_is_code, shared)):
        spare |= known.labels
    if "where" in one.kind & other.kind:
        spare |= _PLACING
    if "how long" in one.kind & other.kind:
        spare |= _LASTING
    if "submit" in one.words.keys() | other.words.keys():
        spare |= _HANDING_IN
    return spare


def _same_ways(one: str, other: str) -> bool:
    """Whether no word stands behind "from" in one and behind "to" in the other."""
    ways = [{(p, stem(w)) for p, w in _DIRECTION.findall(text)} for text in (one, other)]
    words = [{word: {p for p, w in way if w == word} for _, word in way} for way in ways]
    return all(
        not (a & {"from"} and b & {"to", "into"} or b & {"from"} and a & {"to", "into"})
        for word, a in words[0].items()
        if (b := words[1].get(word))
    )


def _same_roles(one: Asked, other: Asked) -> bool:
    """Whether those whom both name come in one order: an intern's request is not reviewed by an intern."""
    orders = [[word for word in asked.words if word in lexicon().parties] for asked in (one, other)]
    if orders[0] != orders[1] and set(orders[0]) == set(orders[1]):
        return False
    is_whom = [bool(_WHOM.search(asked.text)) for asked in (one, other)]
    return is_whom[0] == is_whom[1] or list(one.words) == list(other.words)


def _is_code(word: str) -> bool:
    return any(map(str.isdigit, word))
