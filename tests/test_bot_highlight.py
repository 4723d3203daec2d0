"""The sentence that says it is found, quoted as it stands, without encoding a whole list."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.answering.highlight import MAX_CHARS, UNIT_CHARS, UNTOLD, Highlight, highlight, worth

VECTOR = [1.0, 0.0]


class Encode:
    """Finds texts with "refund" in them near, and remembers what it was asked to encode."""

    def __init__(self) -> None:
        self.seen: list[list[str]] = []

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.seen.append(list(texts))
        return np.array([VECTOR if "refund" in t else [0.1, 0.9] for t in texts], dtype=np.float32)


def test_the_sentence_that_says_it_is_given_as_it_stands() -> None:
    passage = "Shops open at nine.  A refund takes *five* days. Bring the receipt."
    found = highlight(passage, "how long is a refund", VECTOR, Encode())
    assert found.quote == "A refund takes *five* days." and len(found.cosines) == 3


def test_neighbours_that_say_it_as_well_are_joined() -> None:
    passage = "A refund takes days. No refund without receipt. We are closed on Mondays."
    found = highlight(passage, "refund", VECTOR, Encode())
    assert found.quote == "A refund takes days. No refund without receipt."


def test_of_a_long_passage_only_what_shares_words_with_the_question_is_encoded() -> None:
    filler = [f"Item {n} is about {'something else entirely ' * 8}and ends here." for n in range(9)]
    encode = Encode()
    passage = " ".join([*filler, "A refund takes five days."])
    found = highlight(passage, "When do I get my refunds?", VECTOR, encode)
    assert found.quote == "A refund takes five days."
    encoded = [text for group in encode.seen for text in group]
    assert sum(map(len, encoded)) <= MAX_CHARS and max(map(len, encoded)) <= UNIT_CHARS


def test_how_many_is_answered_by_a_number_and_not_by_the_sentence_that_repeats_the_question() -> (
    None
):
    passage = "The refund counter counts its refund forms. It has twelve refund forms. We are open."
    found = highlight(passage, "how many refund forms are there?", VECTOR, Encode())
    assert found.marked[0] == "It has twelve refund forms." and found.untold == 0


def test_a_passage_tells_how_far_it_is_from_the_kind_of_thing_that_is_asked_for() -> None:
    question = "how many refund forms are there?"
    far = highlight(
        "We have few refund forms. Twelve people work here.", question, VECTOR, Encode()
    )
    none = highlight("We have few refund forms. People work here.", question, VECTOR, Encode())
    any_ = highlight("We have few refund forms.", "are there refund forms?", VECTOR, Encode())
    assert any_.untold == 0 < far.untold and none.untold == UNTOLD


@pytest.mark.parametrize(
    "question", ["refund of plan b?", "how is plan C paid, as a refund", "Plan D refund"]
)
def test_the_row_of_the_letter_that_is_asked_for_is_first(question: str) -> None:
    letter = question[question.lower().index("plan") + 5].upper()
    passage = "| Plan | Refund |\n|---|---|\n" + "\n".join(
        f"| {x} | refund {x}1 |" for x in "ABCDE"
    )
    assert (
        highlight(passage, question, VECTOR, Encode()).marked[0]
        == f"| {letter} | refund {letter}1 |"
    )


@pytest.mark.parametrize("question", ["can u refund it", "what's a refund", "may I get it", "b"])
def test_a_letter_that_stands_for_a_word_names_nothing(question: str) -> None:
    assert worth(question, ["Refunds U, S, A, I and B are paid."], [False]) == [0]


def test_sentences_of_very_different_length_are_not_padded_to_the_longest() -> None:
    encode = Encode()
    highlight(
        "Yes. " + "A refund is paid " + "with much care " * 9 + "indeed.", "x", VECTOR, encode
    )
    assert len(encode.seen) == 2


def test_a_passage_without_sentences_is_its_own_quote() -> None:
    found = highlight("  # Title  ", "x", VECTOR, Encode())
    assert found == Highlight("# Title", ("# Title",))


def test_the_row_of_the_code_that_is_asked_for_is_quoted_and_none_about_another() -> None:
    rows = [f"| KG-{n} | refund box {n} | B{n} |" for n in range(1200, 1230)]
    passage = "\n".join(["| Part | Name | Shelf |", "|---|---|---|", *rows])
    found = highlight(passage, "on which shelf is kg 1217?", VECTOR, Encode())
    assert found.quote.endswith("| KG-1217 | refund box 1217 | B1217 |")
    assert found.marked == ("| KG-1217 | refund box 1217 | B1217 |",)
