"""A part is looked at seldom, and the levels of a year's looks add up to what a year may cost."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.learning import looks
from bot.learning.looks import Looks
from store.feedback.nights import Look

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_all_looks_of_all_parts_together_spend_the_years_level() -> None:
    spent = looks.PARTS * sum(looks.level(number) for number in range(1, 10_000))
    assert spent == pytest.approx(looks.ALPHA, rel=1e-3) and spent < looks.ALPHA


def test_a_part_is_due_again_when_half_as_many_new_questions_were_judged() -> None:
    looked = Looks([Look("title", NOW, 200), Look("fusion", NOW, 200)])
    old, new = [NOW - timedelta(days=1)] * 200, [NOW + timedelta(days=1)] * 99
    assert looked.missing("title", [*old, *new]) == 1
    assert looked.missing("title", [*old, *new, new[0]]) == 0
    assert looked.missing("memory", old) == 0
    assert (looked.number("title"), looked.number("memory")) == (2, 1)


def test_votes_that_were_erased_since_do_not_make_it_wait_for_ever() -> None:
    looked = Looks([Look("title", NOW, 4000)])
    assert looked.missing("title", [NOW + timedelta(days=1)] * 2000) == 0
