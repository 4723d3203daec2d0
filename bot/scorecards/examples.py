"""Examples for a reader out of questions with known facts: what a search finds for each, right or not.

Knows nothing about networks. The passages that a search puts first and that do not answer are the near misses that
a reader is asked about when it serves.
"""

import random
from collections.abc import Sequence

from bot.answering.answerer import normalized
from bot.learning.calibration import Progress
from bot.scorecards import asking
from bot.services import Services
from evals import answers
from evals.answers import Labelled
from evals.corpora import Corpus
from models.reader.pairs import Pair, Span
from store.records import READER, Passage

RIGHT = 2
"""Passages with the fact of each question, at most."""

NEAR = 5
"""Of so many passages after the first wrong one, some are drawn."""


def pairs(
    services: Services, corpora: Sequence[Corpus], progress: Progress, *, seed: int = 0
) -> list[Pair]:
    """Index the corpora, search for every question, and pair it with what was found."""
    chance, found = random.Random(seed), list[Pair]()
    for corpus in corpora:
        answerer = asking.open_answerer(services, [corpus], services.embedder, progress)
        parameters = answerer.serving.now()
        for number, row in enumerate(corpus.rows, start=1):
            question = normalized(row.question)
            passages = answerer.retriever.find(question, READER, parameters).passages
            found += _paired(row, question, passages, chance, corpus.name)
            progress(f"questions of {corpus.name}", number, len(corpus.rows))
    return found


def _paired(
    row: Labelled, question: str, passages: Sequence[Passage], chance: random.Random, name: str
) -> list[Pair]:
    right = [p for p in passages if answers.tells(row, p.path, p.body)]
    wrong = [p for p in passages if p not in right]
    near = chance.sample(wrong[1 : NEAR + 1], min(2 if right else 1, len(wrong[1 : NEAR + 1])))
    return [
        Pair(question, p.heading or p.title, p.body, spans, name, p.path)
        for p, spans in (
            *((p, _told(row, p.body)) for p in right[:RIGHT]),
            *((p, ()) for p in [*wrong[:1], *near]),
        )
    ]


def _told(row: Labelled, body: str) -> tuple[Span, ...] | None:
    """Give where the shortest form of the fact stands; None where its place is not known."""
    lower = body.lower()
    forms = sorted(filter(None, (*row.any_of, row.quote)), key=len)
    places = [(lower.find(form.lower()), form) for form in forms]
    return next((((at, at + len(form)),) for at, form in places if at >= 0), None)
