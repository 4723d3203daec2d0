"""Text for people: what hides or overwrites is dropped, the rest stays as it stands."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.text import age, shorten, visible

NOW = datetime(2026, 11, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("one\r\ntwo\u2028three\x0bfour", "one\ntwo\nthree\nfour"),
        ("pay\u202eroll\u200b.txt", "payroll.txt"),
        ("half \ud83d a pair", "half  a pair"),
        ("tab\there", "tab here"),
        ("e\u0301tude, z" + "\u0335" * 40, "e\u0301tude, z" + "\u0335" * 3),
    ],
)
def test_what_nobody_can_see_is_dropped(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(shown) == shown


def test_a_text_is_cut_only_where_it_is_too_long() -> None:
    assert shorten("four words stand here", 21) == "four words stand here"
    assert shorten("four words stand here", 11) == "four words…"
    assert len(shorten("x" * 50, 20)) == 20


@pytest.mark.parametrize(
    ("days", "said"),
    [(0, "updated today"), (1, "updated 1 day ago"), (13, "updated 1 week ago"),
     (100, "updated 3 months ago"), (800, "updated 2 years ago"), (-3, "updated today")],
)  # fmt: skip
def test_age_is_told_in_the_largest_unit(days: int, said: str) -> None:
    assert age(NOW - timedelta(days=days), NOW) == said
