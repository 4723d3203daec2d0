"""Passages whose best unit is near the question go first, and units are encoded once."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bot.answering import evidence
from bot.answering.remembering import Remembering
from store.records import Passage

PASSAGE = Passage(1, "wiki", "a.md", "Bread", "Rye", None, "x", "00", None, 0, 1.0)

SAYS = "The bakery opens early. Rye bread is sold out by nine."
ABOUT = "Bread comes in many kinds. We are proud of our bread. Ask for bread."


def passage(body: str, score: float, chunk_id: int = 1) -> Passage:
    return replace(PASSAGE, body=body, score=score, chunk_id=chunk_id)


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    """Give texts that tell when rye is sold out the question's direction."""
    return np.array([[1, 0] if "sold out" in text else [0.3, 0.95] for text in texts], np.float32)


def ordered_by(question: str, found: Sequence[Passage]) -> list[Passage]:
    return evidence.weighed(found, evidence.best_units(found, question, [1.0, 0.0], encode), {})


def test_a_passage_with_a_telling_sentence_goes_before_one_about_the_subject() -> None:
    found = [passage(body=ABOUT, chunk_id=1, score=0.5), passage(body=SAYS, chunk_id=2, score=0.4)]
    ordered = ordered_by("when is rye sold out?", found)
    assert [p.chunk_id for p in ordered] == [2, 1]


def test_a_passage_without_anything_to_quote_keeps_its_score() -> None:
    heading = passage(body="# Bread", score=0.5)
    assert ordered_by("bread?", [heading]) == [replace(heading, unit=0.0)]
    assert ordered_by("bread?", []) == []


def test_passages_far_down_are_not_read() -> None:
    far = evidence.PASSAGES
    found = [passage(body=ABOUT, chunk_id=n, score=1 - n / 100) for n in range(far)]
    found.append(passage(body=SAYS, chunk_id=99, score=0.1))
    ordered = ordered_by("when is rye sold out?", found)
    assert ordered[-1] == found[-1]


def test_a_text_is_encoded_once_while_it_is_remembered() -> None:
    asked: list[str] = []

    def counted(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return np.array([[len(text)] for text in texts], np.float32).reshape(len(texts), 1)

    remembering = Remembering(counted, most=2)
    assert remembering(["a", "bb", "a"]).ravel().tolist() == [1, 2, 1]
    assert remembering(["bb", "ccc"]).ravel().tolist() == [2, 3]
    remembering(["a"])
    assert asked == ["a", "bb", "ccc", "a"]
    assert remembering([]).shape == (0, 1)


def test_what_people_liked_says_it_as_well_as_the_best_unit() -> None:
    about = replace(passage(ABOUT, 0.5), text_hash="liked")
    found = [about, passage(SAYS, 0.5, chunk_id=2)]
    units = evidence.best_units(found, "when is rye sold out?", [1.0, 0.0], encode)
    assert evidence.weighed(found, units, {})[0].chunk_id == 2
    liked, other = evidence.weighed(found, units, {"liked": 1.0})
    assert liked.score == other.score
