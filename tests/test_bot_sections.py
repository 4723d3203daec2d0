"""Sections that are asked for by their number."""

from dataclasses import replace

import numpy as np
import pytest

from bot.answering import ranking, sections, versions
from bot.answering.highlight import highlight, worth
from store.records import Passage

PASSAGE = Passage(
    1, "wiki", "a.md", "Kiln", "2.2 Vents", None, "Keep them open.", "0", None, 0, 1.0
)


@pytest.mark.parametrize(
    ("question", "numbers"),
    [
        ("what does section 2.2 of the kiln manual say?", {"2.2"}),
        ("Chapter three, please", {"3"}),
        ("summarise § 4", {"4"}),
        ("is clause 7.1.3 still valid", {"7.1.3"}),
        ("what stands in Appendix B?", {"b"}),
        ("sections 2 and 3", {"2"}),
        ("which part of the kiln is hot", set()),
        ("how do I install Osprey 2.2", set()),
        ("did 3 people take part in 2024?", set()),
    ],
)
def test_a_question_names_a_section_by_its_number(question: str, numbers: set[str]) -> None:
    assert sections.named(question) == numbers


@pytest.mark.parametrize(
    ("heading", "body", "is_held"),
    [
        ("Rules > 2.2 Vents", "Open.", True),
        ("2.2 Vents > Cleaning", "Brush them.", True),
        ("Section 2.2: Vents", "Open.", True),
        ("", "Text.\n\n## 2.2. Vents\n\nOpen.", True),
        ("2.21 Vents", "Open.", False),
        ("12.2 Vents", "See 2.2.", False),
        ("Vents", "They were added in 2.2", False),
    ],
)
def test_a_passage_holds_the_section_of_its_headings(
    heading: str, body: str, *, is_held: bool
) -> None:
    assert sections.holds(replace(PASSAGE, heading=heading, body=body), {"2.2"}) is is_held


def test_the_section_that_is_named_goes_first() -> None:
    other = replace(PASSAGE, chunk_id=2, heading="1 Purpose", score=2.0)
    question = "what does section 2.2 of the kiln manual say?"
    assert ranking.prefer_sections([other, PASSAGE], question) == [PASSAGE, other]
    assert ranking.prefer_sections([other, PASSAGE], "what is hot?") == [other, PASSAGE]
    assert versions.named(question) == frozenset()


def test_what_stands_under_the_named_heading_is_said() -> None:
    body = "# 1 Purpose\n\nThis manual is about kilns.\n\n# 2.2 Vents\n\nKeep the vents open."
    said = highlight(
        body, "what is section 2.2?", [1.0], lambda texts: np.ones((len(texts), 1), np.float32)
    )
    assert said.marked[0] == "Keep the vents open."


@pytest.mark.parametrize(
    "question",
    ["which box comes without a lid?", "which box doesn't include a lid", "what has no lid?"],
)
def test_a_question_with_a_not_is_answered_by_a_unit_with_one(question: str) -> None:
    body = "Oak includes a lid. Elm does not include a lid. Ash includes a key."
    said = highlight(body, question, [1.0], lambda texts: np.ones((len(texts), 1), np.float32))
    assert said.marked[0] == "Elm does not include a lid."
    assert worth("which box includes a lid?", [said.marked[0]], [False]) == [0]
