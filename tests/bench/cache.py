"""Measures questions that are asked again: how long one takes, how often it happens, what an entry weighs.

Knows nothing about how answers are kept.
"""

import gzip
import json
from collections.abc import Iterator

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

TIMED = 200
SEED = 14
AT_MOST_MS = 15.0


def run(place: Place) -> Iterator[Row]:
    """Ask of the handbook: each question anew, then again, and as many as people may ask in some weeks."""
    name, folder = place.handbook()
    questions = _questions(place)
    with opened() as services:
        indexing.run(services, folder_source(name, folder))
        few = questions[: place.size(TIMED)]
        anew = _times(services, few)
        again = _times(services, few)
        yield Row("asked anew, p50", percentile(anew, 0.5), "ms")
        for share in (0.5, 0.95):
            at_most = AT_MOST_MS if share == 0.95 else None
            yield Row(
                f"asked again, p{100 * share:.0f}", percentile(again, share), "ms", at_most=at_most
            )
        with services.database.connection() as connection:
            count, size = cache.size(connection, services.workspace)
            cache.clear(connection, services.workspace)
        told = f"{count} entries"
        yield Row("an entry in the database", size / max(count, 1), "bytes", reference=told)
        asked = _drawn(questions, place.size(DRAWN))
        found = [services.answer(Request(question, ALL)) for question in asked]
        hits = sum(SIGNAL in answer.signals for answer in found)
        told = f"{len(asked):,} asked, {len(set(asked)):,} different ones of {len(questions):,}"
        yield Row("asked again and kept", 100 * hits / len(asked), "%", reference=told)


def _times(services: Services, questions: list[str]) -> list[float]:
    found = []
    for question in questions:
        clock = Clock()
        services.answer(Request(question, ALL))
        found.append(clock.seconds * 1000)
    return found


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
