"""Measures questions that are asked again: how long one takes, how often it happens, what an entry weighs.

Knows nothing about how answers are kept.
"""

import gzip
import json
from collections.abc import Iterator, Sequence

import numpy as np

from bot import indexing
from bot.answering.cache import SIGNAL
from bot.answering.request import Request
from bot.services import Services
from store import cache
from tests.bench.filler import ALL
from tests.bench.place import Clock, Place, Row, folder_source, opened, percentile

DRAWN = 5_000
"""Questions that are asked; how often one is follows Zipf's law."""

SEED = 14
AT_MOST_MS = 15.0


def run(place: Place) -> Iterator[Row]:
    """Ask as many questions of the handbook as people may ask in some weeks, and tell those that were kept apart."""
    name, folder = place.handbook()
    questions = _questions(place)
    asked = _drawn(questions, place.size(DRAWN))
    with opened() as services:
        indexing.run(services, folder_source(name, folder))
        services.load()
        anew, again = _times(services, asked)
        yield Row("asked anew, p50", percentile(anew, 0.5), "ms")
        for share in (0.5, 0.95):
            at_most = AT_MOST_MS if share == 0.95 else None
            yield Row(
                f"asked again, p{100 * share:.0f}", percentile(again, share), "ms", at_most=at_most
            )
        with services.database.connection() as connection:
            count, size = cache.size(connection, services.workspace)
        told = f"{count} entries"
        yield Row("an entry in the database", size / max(count, 1), "bytes", reference=told)
        told = f"{len(asked):,} asked, {len(set(asked)):,} different ones of {len(questions):,}"
        yield Row("asked again and kept", 100 * len(again) / len(asked), "%", reference=told)


def _times(services: Services, questions: Sequence[str]) -> tuple[list[float], list[float]]:
    """Give the milliseconds of those that were looked for, and of those that had been kept."""
    anew, again = list[float](), list[float]()
    for question in questions:
        clock = Clock()
        answer = services.answer(Request(question, ALL))
        (again if SIGNAL in answer.signals else anew).append(clock.seconds * 1000)
    return anew, again


def _drawn(questions: list[str], count: int) -> list[str]:
    """Draw questions, the n-th most frequent one with a weight of 1/n; which one is which is a matter of luck."""
    luck = np.random.default_rng(SEED)
    weights = 1 / np.arange(1, len(questions) + 1)
    ranked = luck.permutation(len(questions))
    chosen = luck.choice(ranked, size=count, p=weights / weights.sum())
    return [questions[number] for number in chosen]


def _questions(place: Place) -> list[str]:
    """Give our own questions and, where there is a folder of public data, those of its handbooks and FeedbackQA's."""
    found = dict.fromkeys(place.questions())
    if place.data is not None and not place.is_quick:
        for file in sorted((place.data / "questions").glob("*.jsonl")):
            lines = file.read_text(encoding="utf-8").splitlines()
            found |= dict.fromkeys(str(json.loads(line)["question"]) for line in lines)
        file = place.data / "feedback" / "feedbackqa" / "feedback.jsonl.gz"
        with gzip.open(file, "rt", encoding="utf-8") as opened_file:
            found |= dict.fromkeys(str(json.loads(line)["question"]) for line in opened_file)
    return list(found)
