"""Order found passages as they are shown: what is learned of titles and sources added to their scores,
near-duplicates collapsed, the version that was asked for first, the newer of two near-equals first.

Knows nothing about the database or models: the weights are handed in.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.answering import sections, sentences, versions
from store.index import codes
from store.index.search import Terms
from store.records import Passage

SAME_SHARE = 0.9
"""Word overlap (Jaccard) from which two passages count as one."""

ALIKE = 0.65
"""Cosine from which two passages are about the same thing, so that the newer may win."""

NEAR_SCORE = 0.3
"""How far below the first a newer passage about the same thing may score and still win.

Measured on 24 questions about five outdated pages beside newer ones: right quote first 10 -> 15, and
the other 139 questions 81 -> 83 (.60 to .75 and .15 to .4 differ by up to 2 questions)."""

NEWER_BY = timedelta(days=3)
"""What two pages' own dates must differ by for one to be newer: less is one round of editing."""

_WORD = re.compile(r"\w+")
_COMMON = frozenset(
    [
        "what",
        "when",
        "where",
        "which",
        "with",
        "from",
        "have",
        "does",
        "this",
        "that",
        "your",
        "they",
        "will",
        "about",
    ]
)

Alike = Callable[[Passage, Sequence[Passage]], Mapping[int, float]]
"""Measures passages against one: the cosines by chunk id."""


def words(text: str) -> frozenset[str]:
    """Give the distinct lower-case words of a text."""
    return frozenset(_WORD.findall(text.lower()))


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Give the Jaccard similarity of two word sets, 0..1."""
    union = len(a | b)
    return len(a & b) / union if union else 1.0


def prefer_sources(passages: Sequence[Passage], worth: Mapping[str, float]) -> list[Passage]:
    """Add what each passage's source is worth to its score, and order by it."""
    if not worth:
        return list(passages)
    scored = [replace(p, score=p.score + worth.get(p.source, 0.0)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def prefer_titles(passages: Sequence[Passage], terms: Terms, weight: float) -> list[Passage]:
    """Add the weighted `title_share` to each score, and order by it."""
    if not weight:
        return list(passages)
    scored = [replace(p, score=p.score + weight * title_share(p, terms)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def prefer_codes(passages: Sequence[Passage], wanted: Collection[str]) -> list[Passage]:
    """Put passages that hold the very codes that are asked for first; the order stays among each.

    Texts about other codes are alike in all but the code, so vectors cannot tell them apart.
    """
    if not wanted:
        return list(passages)
    return sorted(passages, key=lambda p: -codes.agreement(wanted, codes.lexemes(p.whole)))


def prefer_sections(passages: Sequence[Passage], question: str) -> list[Passage]:
    """Put passages of the section that a question names by its number first; the order stays among each."""
    wanted = sections.named(question)
    return (
        sorted(passages, key=lambda p: not sections.holds(p, wanted)) if wanted else list(passages)
    )


def title_share(passage: Passage, terms: Terms) -> float:
    """Give the share (0..1) of the question's idf whose lexemes begin a word of title or heading.

    A lexeme is a stem, so a word that begins with it counts: no stemmer is needed here.
    """
    lacks = lacking(f"{passage.title} {passage.heading}", terms)
    return (sum(terms.idf) - sum(lacks)) / terms.ceiling


def lacking(text: str, terms: Terms) -> list[float]:
    """Give the weights of the question's lexemes that a text lacks: of which none begins a word, or is a code of it."""
    begun, held = words(f"{text} {codes.retold(text)}"), _codes_of(text, terms)
    pairs = zip(terms.terms, terms.idf, strict=True)
    return [idf for term, idf in pairs if term not in held and not _begins(_stem(term), begun)]


def _codes_of(text: str, terms: Terms) -> frozenset[str]:
    """Give the lexemes of a text's codes, where the question has any."""
    is_asked = any(term[0] in codes.MARKS for term in terms.terms)
    return frozenset(codes.lexemes(text)) if is_asked else frozenset()


def arrange(
    passages: Sequence[Passage],
    limit: int = 10,
    *,
    question: str = "",
    alike: Alike | None = None,
    liked: Collection[str] = (),
) -> list[Passage]:
    """Collapse near-duplicates, let the asked version and the newer of near-equals lead, cut to `limit`.

    `alike` is asked only where a newer passage may lead; without it, likenesses count that were measured
    against the first passage. `liked` are hashes of texts that people found right: these stay first.
    """
    asked = versions.named(question)
    kept = _telling_first(_asked_first(_collapse(passages), asked))
    if kept and kept[0].text_hash not in liked:
        kept = _newer_first(kept, question, asked, alike or _found_alike)
    return kept[:limit]


def _stem(lexeme: str) -> str:
    # English stems of words in -y end in -i, which the words themselves do not.
    return lexeme[:-1] if lexeme.endswith("i") and len(lexeme) > 3 else lexeme


def _begins(stem: str, among: frozenset[str]) -> bool:
    return stem in among or any(word.startswith(stem) for word in among)


def _age(passage: Passage) -> datetime:
    return passage.updated_at or datetime.min.replace(tzinfo=UTC)


def _collapse(passages: Sequence[Passage]) -> list[Passage]:
    kept: list[tuple[Passage, frozenset[str]]] = []
    for passage in passages:
        mine = words(passage.body)
        twin = next((i for i, one in enumerate(kept) if _is_twin(passage, mine, *one)), None)
        if twin is None:
            kept.append((passage, mine))
        elif _age(passage) > _age(kept[twin][0]):
            better = kept[twin][0]
            # The newer copy is cited, in the place that the better-scored one earned.
            newer = replace(
                passage, score=better.score, vector=better.vector, lexical=better.lexical
            )
            kept[twin] = (newer, mine)
    return [passage for passage, _ in kept]


def _is_twin(a: Passage, words_a: frozenset[str], b: Passage, words_b: frozenset[str]) -> bool:
    return overlap(words_a, words_b) >= SAME_SHARE and versions.of(a) == versions.of(b)


def _asked_first(passages: list[Passage], asked: frozenset[str]) -> list[Passage]:
    """Put the near passages of the version that the question names before the others."""
    if not asked or not passages:
        return passages
    floor = passages[0].score - NEAR_SCORE
    wanted = [p for p in passages if p.score >= floor and versions.agree(asked, versions.of(p))]
    return [*wanted, *(p for p in passages if p not in wanted)]


def _telling_first(passages: list[Passage]) -> list[Passage]:
    """Put what holds nothing to quote (a page's question, a header row) behind the first that does."""
    number = next((n for n, p in enumerate(passages) if sentences.units(p.body)), 0)
    return [passages[number], *passages[:number], *passages[number + 1 :]] if number else passages


def _newer_first(
    passages: list[Passage], question: str, asked: frozenset[str], alike: Alike
) -> list[Passage]:
    first, *others = passages
    about = _subject(question) & _subject(f"{first.title} {first.heading} {first.path}")
    rivals = [p for p in others if _may_lead(p, first, about, asked)]
    if not rivals:
        return passages
    likeness = alike(first, rivals)
    rivals = [p for p in rivals if likeness.get(p.chunk_id, 0.0) >= ALIKE]
    if not rivals:
        return passages
    newest = max(rivals, key=_age)
    return [newest, *(p for p in passages if p is not newest)]


def _may_lead(rival: Passage, first: Passage, about: frozenset[str], asked: frozenset[str]) -> bool:
    """Whether a passage is newer, scores near, and is about the same subject and the asked version."""
    if not (rival.updated_at and first.updated_at):
        return False
    return (
        (rival.source, rival.path) != (first.source, first.path)
        and rival.updated_at - first.updated_at >= NEWER_BY
        and first.score - rival.score <= NEAR_SCORE
        and about <= _subject(f"{rival.title} {rival.heading} {rival.path} {rival.body}")
        and _same_version(rival, first, asked)
    )


def _same_version(rival: Passage, first: Passage, asked: frozenset[str]) -> bool:
    """A question that names no version is answered by the newest."""
    if not asked:
        return True
    mine, its = versions.of(rival), versions.of(first)
    return versions.agree(asked, mine) or not (mine or versions.agree(asked, its))


def _subject(text: str) -> frozenset[str]:
    """Give the beginnings of a text's telling words, so that plurals and forms count as one."""
    return frozenset(word[:5] for word in words(text) if len(word) > 3 and word not in _COMMON)


def _found_alike(first: Passage, others: Sequence[Passage]) -> Mapping[int, float]:
    is_reference = first.likeness > 1 - 1e-3
    return {p.chunk_id: p.likeness for p in others} if is_reference else {}
