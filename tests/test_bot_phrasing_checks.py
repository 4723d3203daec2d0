"""What of a sentence must stand in its quotes: a table of sentences that are kept and ones that are not."""

import pytest

from bot.phrasing import checks
from evals import phrased

LEAVE = (
    "Full-time staff get 25 days of leave a year, part-time staff get 15 days. Unused days are not paid out. Requests must"
    " be sent to HR at least 5 days before. Managers may approve up to EUR 500; the director approves above EUR 500."
    " Contractors get no leave unless their contract says so. Write to #ask-people."
)
TRAVEL = """\
| City or region | Daily allowance | Hotel limit per night |
|---|---|---|
| Lisbon | 46 EUR | 140 EUR |
| Oslo | 74 EUR | 185 EUR |"""


@pytest.mark.parametrize(
    "sentence",
    [
        "Full-time staff get 25 days of leave a year.",
        "Full-time staff get 25 days and part-time staff get 15 days.",
        "Full-time staff get 25 days of leave per year.",
        "Unused days are not paid out.",
        "You must send requests to HR at least 5 days before.",
        "Managers may approve up to 500 EUR.",
        "Your manager can approve up to €500.",
        "Contractors get no leave unless their contract says so.",
    ],
)
def test_a_sentence_in_the_words_of_its_quote_is_kept(sentence: str) -> None:
    assert checks.refusal(sentence, [LEAVE]) is None


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("Full-time staff get 30 days of leave a year.", "number"),
        ("Full-time staff get 15 days of leave.", "number"),
        ("Full-time staff get 15 days and part-time staff get 25 days.", "number"),
        ("Full-time staff get 25 weeks of leave a year.", "unit"),
        ("Unused days are paid out.", "negation"),
        ("Unused days are never not paid out.", "negation"),
        ("Requests must be sent to Finance at least 5 days before.", "name"),
        ("Requests must be sent to HR 5 days before.", "bound"),
        ("HR must send requests at least 5 days before.", "order"),
        ("Managers must approve up to EUR 500.", "duty"),
        ("Contractors get no leave.", "restriction"),
        ("Contractors get leave unless their contract says so.", "negation"),
        ("You get 25 days of leave a year.", "subject"),
        ("They are not paid out.", "pronoun"),
        ("Bonuses are paid in December.", "name"),
        ("Yes.", "empty"),
        ("Der Urlaub beträgt 25 Tage.", "name"),
    ],
)
def test_a_sentence_that_says_something_else_is_not(sentence: str, why: str) -> None:
    assert checks.refusal(sentence, [LEAVE]) == why


@pytest.mark.parametrize(
    "sentence",
    [
        "Part-time staff get 25 days of leave.",
        "Requests must be sent to HR at most 5 days before.",
        "Requests must be sent to HR at least 25 days before.",
        "Requests must be sent to HR at least 5 hours before.",
        "You may send requests to HR at least 5 days before.",
        "Managers may approve above EUR 500.",
        "The director approves up to EUR 500.",
        "Managers approve above EUR 500.",
        "Contractors may approve up to EUR 500.",
        "Full-time staff do not get 25 days of leave a year.",
    ],
)
def test_nor_is_one_that_is_put_together_from_parts_that_do_not_belong_together(
    sentence: str,
) -> None:
    assert checks.refusal(sentence, [LEAVE]) is not None


@pytest.mark.parametrize(
    ("sentence", "is_kept"),
    [
        ("In Lisbon the daily allowance is 46 EUR.", True),
        ("The hotel limit in Lisbon is 140 EUR per night.", True),
        ("The hotel limit in Lisbon is 46 EUR.", False),
        ("In Lisbon the daily allowance is 74 EUR.", False),
        ("In Oslo the daily allowance is 185 EUR.", False),
        ("In Bergen the daily allowance is 74 EUR.", False),
    ],
)
def test_a_number_out_of_a_table_stays_in_its_row_and_column(sentence: str, is_kept: bool) -> None:
    assert (checks.refusal(sentence, [TRAVEL]) is None) == is_kept


def test_a_sentence_may_use_the_quotes_that_it_names_and_no_others() -> None:
    assert checks.refusal("Unused days lapse in March.", ["Unused days lapse in March."]) is None
    assert checks.refusal("Unused days lapse in March.", [TRAVEL]) == "name"
    assert checks.refusal("Unused days lapse in March.", []) == "no_quote"


@pytest.mark.parametrize(
    ("text", "is_plain"),
    [
        ("Up to 40 EUR (with receipt), e.g. for lunch: it's 50 %.", True),
        ("Write to #ask-people.", False),
        ("See https://a.example.", False),
        ("See a.example/x.", False),
        ("Ask me@a.example", False),
        ("Hello @here", False),
        ("Hello <@U1>", False),
        ("*bold* move", False),
        ("a `code`", False),
        ("[a](b)", False),
        (":tada: yes", False),
        ("two\nlines", False),
        ("hid\u200bden", False),
        ("\u202eturned", False),
        ("12345", False),
        ("", False),
        ("a " * 400, False),
    ],
)
def test_what_a_plain_sentence_looks_like(text: str, is_plain: bool) -> None:
    assert checks.is_plain(text) == is_plain


def test_a_channel_may_be_named_where_the_quote_names_it() -> None:
    assert (
        checks.refusal(
            "Please write to #ask-people about contracts.",
            ["Write to #ask-people about contracts."],
        )
        is None
    )
    assert (
        checks.refusal(
            "Please write to #board about contracts.", ["Write to #ask-people about contracts."]
        )
        == "form"
    )


def test_none_of_fifty_false_sentences_about_the_handbook_is_kept() -> None:
    """`threadwise eval phrasing` tries 500."""
    given = phrased.passages()
    found = phrased.unsaid(given, 50, seed=7)
    assert len({case.kind for case in found}) >= 10
    assert [c.sentence for c in found if checks.refusal(c.sentence, c.quotes) is None] == []


def test_odd_quotes_break_nothing() -> None:
    for quote in (
        "",
        "|",
        "| a |\n|",
        "- ",
        "\n\n",
        "if and but " * 100,
        "5 days " * 200,
        "\u202e",
        "|" * 500,
    ):
        assert checks.refusal("Unused days lapse in March.", [quote]) is not None
