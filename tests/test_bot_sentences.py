"""What can be quoted: never a question, a header, a label or half a sentence without what belongs to it."""

import time

import pytest

from bot.answering.sentences import units


def quoted(passage: str) -> list[str]:
    return [unit.quoted(passage) for unit in units(passage)]


def marked(passage: str) -> list[str]:
    return [unit.text for unit in units(passage)]


FAQ = [
    ("**Q: Who waters the plants?**\n\n**A:** The porter does, on Fridays.",
     "**A:** The porter does, on Fridays."),
    ("Q: Who waters the plants?\nA: The porter does.", "A: The porter does."),
    ("Q1. Who waters the plants\nA1. The porter does.", "A1. The porter does."),
    ("**Who waters the plants?**\nThe porter does.", "The porter does."),
    ("**Who waters the plants?** The porter does.", "The porter does."),
    ("### Who waters the plants?\n\nThe porter does.", "The porter does."),
    ("Who waters the plants?\n----------\nThe porter does.", "The porter does."),
    ("Who waters the plants?\n:   The porter does.", "The porter does."),
    ("1. Who waters the plants?\n   The porter does.", "The porter does."),
    ("- Who waters the plants?\n  - The porter does.", "The porter does."),
    ("> Who waters the plants?\n\nThe porter does.", "The porter does."),
]  # fmt: skip


@pytest.mark.parametrize(("passage", "answer"), FAQ)
def test_a_pages_question_is_told_with_its_answer_and_the_answer_is_marked(
    passage: str, answer: str
) -> None:
    (unit,) = units(passage)
    assert unit.text == answer
    assert "Who waters the plants" in unit.quoted(passage)


def test_each_question_has_its_own_answer() -> None:
    passage = (
        "**Who pays?**\n\nThe office.\n\n**When?**\n\nOn Fridays.\n\n## Where?\n\nAt the desk."
    )
    assert quoted(passage) == [
        "**Who pays?**\n\nThe office.", "**When?**\n\nOn Fridays.", "Where?\n\nAt the desk.",
    ]  # fmt: skip


def test_a_question_that_nothing_answers_is_nothing() -> None:
    assert marked("- What motivates you?\n- What was hard?\n") == []
    assert marked("The desk is open. Any questions?") == ["The desk is open."]


def test_a_row_comes_with_its_header_as_they_stand() -> None:
    passage = "See:\n\n| Grade | Days |\n| :-- | --: |\n| Junior | 25 |\n| Senior | 28 |\n"
    assert quoted(passage) == [
        "| Grade | Days |\n| :-- | --: |\n| Junior | 25 |",
        "| Grade | Days |\n| :-- | --: |\n| Senior | 28 |",
    ]
    assert marked(passage) == ["| Junior | 25 |", "| Senior | 28 |"]


def test_a_second_table_has_a_header_of_its_own_and_an_empty_one_is_none() -> None:
    passage = "| A | B |\n|---|---|\n| 1 | 2 |\n\nText.\n\n|  |  |\n|---|---|\n| Fax | none |"
    assert quoted(passage) == ["| A | B |\n|---|---|\n| 1 | 2 |", "Text.", "| Fax | none |"]


def test_a_label_is_told_with_its_value_and_an_empty_one_is_nothing() -> None:
    passage = "Name: ____\nOwner: The porter\nPressure:\n6.5 bar\n\n**Date:**\n\n3 May\n\nSigned:"
    assert quoted(passage) == ["Owner: The porter", "Pressure:\n6.5 bar", "**Date:**\n\n3 May"]


def test_a_label_without_a_colon_names_the_value_below_it() -> None:
    passage = (
        "Pressure of the safety valve\n\n6.5 bar\n\nDate\n\n3 May\n\nSigned for by\n\nthe porter"
    )
    assert quoted(passage) == [
        "Pressure of the safety valve\n\n6.5 bar", "Date\n\n3 May", "Signed for by\n\nthe porter",
    ]  # fmt: skip


def test_a_bold_line_is_a_value_after_a_colon_and_else_a_heading() -> None:
    assert quoted("Name it so:\n\n**year and place**\n\n**Folders**\n\nAsk first.") == [
        "Name it so:\n\n**year and place**", "Ask first.",
    ]  # fmt: skip


def test_an_item_comes_with_its_lists_lead_in_or_the_item_that_it_stands_under() -> None:
    passage = "Bring the following:\n\n- a badge\n- shoes\n  - with steel caps\n\nThen come."
    assert quoted(passage) == [
        "Bring the following:\n\n- a badge", "Bring the following:\nshoes",
        "shoes\n  - with steel caps", "Then come.",
    ]  # fmt: skip


def test_a_bare_word_or_figure_is_told_with_the_sentence_before_it() -> None:
    assert quoted("No one works in these countries.\n\n- Freedonia\n- Grand Fenwick\n") == [
        "No one works in these countries.", "No one works in these countries.\n\n- Freedonia",
        "No one works in these countries.\nGrand Fenwick",
    ]  # fmt: skip
    assert quoted("The prize is in euros\n\n5,120")[-1] == "The prize is in euros\n\n5,120"


def test_a_number_in_front_is_no_sentence() -> None:
    assert marked("**5. Lock the door.** Then leave.") == ["**5. Lock the door.**", "Then leave."]


def test_code_comes_with_the_sentence_before_it() -> None:
    passage = "Be at the office. Then start it so:\n\n```sh\nmake up\n\nmake test\n```\nDone."
    assert quoted(passage) == [
        "Be at the office.", "Then start it so:\n\n```sh\nmake up\n\nmake test\n```", "Done.",
    ]  # fmt: skip
    assert quoted("Start it.\n\n```\nmake up\n```")[-1] == "Start it.\n\n```\nmake up\n```"


def test_headings_pictures_rules_and_bare_links_are_nothing() -> None:
    passage = (
        "# Leave\n\n**Days**\n\n![a form to fill in](form.png)\n\n[the form](https://x.example)\n"
        "https://x.example/form\n- [Days](#days)\n\n***\n\nAsk first."
    )
    assert marked(passage) == ["Ask first."]


def test_a_sentence_that_a_page_break_cut_is_whole_again() -> None:
    assert marked("It is heated to exactly\n\n200 degrees and\n\nthen left to cool.") == [
        "It is heated to exactly\n\n200 degrees and\n\nthen left to cool."
    ]
    assert marked("Wear gloves. It is heated to exactly") == ["Wear gloves."]


@pytest.mark.parametrize(
    "text", ["a? " * 3000, "| a " * 3000, "> " * 3000, "**" * 3000, "- " * 3000, "(" * 9000,
             "[a](" * 2000, "![" * 3000, "a.\n\n" * 3000, ": " * 3000, "Q: " * 3000, "  " * 4000 + "- x"]
)  # fmt: skip
def test_hostile_texts_are_cut_quickly_and_every_unit_is_a_slice(text: str) -> None:
    started = time.process_time()
    assert all(unit.text == text[unit.start : unit.end] for unit in units(text))
    assert time.process_time() - started < 2


def test_fields_that_say_where_to_look_are_never_the_answer() -> None:
    passage = (
        "Updated: 2025-08-12\nOwner: Rink lead\nTags: skates, hire\n\nSkates cost 6 EUR an hour."
    )
    assert [unit.text for unit in units(passage)] == [
        "Owner: Rink lead", "Skates cost 6 EUR an hour.",
    ]  # fmt: skip
