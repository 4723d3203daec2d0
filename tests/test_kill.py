"""Killed in the middle of twenty questions: bot, worker, postmaster. Each gets exactly one answer."""

from collections.abc import Iterator

import pytest

from store.server import embedded
from tests import killing
from tests.killing import QUESTIONS, Stage

EACH_ONCE = sorted(f"C{n}" for n in range(QUESTIONS))


@pytest.fixture(scope="module")
def server() -> Iterator[embedded.Server]:
    """A server of these tests' own: it will be killed."""
    with killing.served() as running:
        yield running


@pytest.fixture
def stage(server: embedded.Server) -> Iterator[Stage]:
    with killing.staged(server) as made:
        yield made


def test_a_killed_bot_costs_no_answer(stage: Stage) -> None:
    assert killing.kill_the_bot(stage) == EACH_ONCE


def test_a_killed_worker_costs_no_answer(stage: Stage) -> None:
    # 15 s: a worker counts as dead after ten seconds without a sign of life, and real processes start.
    assert killing.kill_the_worker(stage) == EACH_ONCE


def test_a_killed_postmaster_costs_no_answer(stage: Stage) -> None:
    assert killing.kill_the_postmaster(stage) == EACH_ONCE
