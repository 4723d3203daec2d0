"""What a reader says decides which unit is marked, and what the confidence is told."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from bot.answering import reading
from bot.answering.highlight import highlight
from models.reader.reader import Read

BODY = "Badges are made at reception.\n\nA new one costs 12 euros.\n\nBadges are blue."


def encode(texts: Sequence[str]) -> Any:
    return np.tile(np.array([1.0, 0.0], np.float32), (len(texts), 1))


def read(said: str, *, relevance: float = 0.9, no_answer: float = 0.1) -> Read:
    start = BODY.index(said)
    sure = np.ones(1, np.float32)
    return Read(
        relevance, no_answer, (start, start + len(said)), ((start, start + len(said)),), sure, sure
    )


def test_the_unit_that_is_read_as_the_answer_is_marked_first() -> None:
    vector = [1.0, 0.0]
    alone = highlight(BODY, "what are badges", vector, encode)
    with_reader = highlight(BODY, "what are badges", vector, encode, read=read("12 euros"))
    assert alone.marked[0] != "A new one costs 12 euros."
    assert with_reader.marked[0] == "A new one costs 12 euros."


def test_of_two_units_alike_the_one_that_says_more_than_the_question_is_first() -> None:
    passage = "This is about a new badge.\n\nA new badge is 12 euros at reception, paid by card."
    found = highlight(passage, "a new badge?", [1.0, 0.0], encode)
    assert found.marked[0] == "A new badge is 12 euros at reception, paid by card."


def test_without_a_reader_nothing_is_read_and_nothing_said() -> None:
    nothing = reading.read(None, "q", [])
    assert nothing.signals() == {}


def test_the_confidence_hears_of_the_first_and_of_the_best_passage() -> None:
    pages = {
        1: read("12 euros", relevance=0.2, no_answer=0.8),
        2: read("12 euros", relevance=0.7, no_answer=0.4),
        3: read("12 euros", relevance=0.1, no_answer=0.9),
    }
    assert reading.Reading(pages).signals() == pytest.approx(
        {"reader": 0.2, "reader_best": 0.7, "reader_span": 0.6, "reader_agree": 0.5}
    )
