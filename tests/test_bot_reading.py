"""What a reader says decides which unit is marked, and what the confidence is told."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from bot.answering import reading
from bot.answering.highlight import highlight
from models.reader.codec import Page
from models.reader.reader import Read
from store.records import Passage

if TYPE_CHECKING:
    from models.reader.reader import Reader

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


def passage(number: int, score: float) -> Passage:
    return Passage(number, "wiki", f"{number}.md", "Badges", "", None, BODY, "00", None, 0, score)


class Counting:
    """A reader that takes the second page of a call for the answer, and remembers what it read."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def read(self, question: str, pages: Sequence[Page]) -> list[Read]:
        self.calls.append(len(pages))
        return [read("12 euros", relevance=0.9 if i == 1 else 0.1) for i in range(len(pages))]


def test_without_a_reader_nothing_is_read_and_nothing_said() -> None:
    nothing = reading.read(None, "q", [passage(1, 1.0)])
    assert nothing.signals([passage(1, 1.0)]) == {}
    assert nothing.ordered([passage(1, 1.0), passage(2, 0.9)])[0].chunk_id == 1


def test_what_is_read_as_an_answer_goes_before_what_scored_a_little_more() -> None:
    found = [passage(1, 1.0), passage(2, 0.9), passage(3, 0.2), passage(4, 0.95)]
    read = reading.read(cast("Reader", Counting()), "q", found[:3])
    assert [p.chunk_id for p in read.ordered(found)] == [2, 1, 3, 4]


def test_no_passage_is_read_twice() -> None:
    reader = Counting()
    first = reading.read(cast("Reader", reader), "q", [passage(1, 1.0), passage(2, 0.9)])
    second = reading.read(cast("Reader", reader), "q", [passage(2, 0.9), passage(3, 0.8)], first)
    assert reader.calls == [2, 1] and set(second.pages) == {1, 2, 3}


def test_the_confidence_hears_of_the_first_and_of_the_best_passage_that_is_shown() -> None:
    pages = {
        1: read("12 euros", relevance=0.2, no_answer=0.8),
        2: read("12 euros", relevance=0.5, no_answer=0.4),
        3: read("12 euros", relevance=1.0, no_answer=0.9),
    }
    shown = [passage(2, 1.0), passage(1, 0.9), passage(7, 0.5)]
    assert reading.Reading(pages).signals(shown) == pytest.approx(
        {"reader": 0.0, "reader_best": 0.0, "reader_span": 0.6}
    )
