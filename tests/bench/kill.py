"""Counts answers when bot, worker or postmaster is killed in the middle of twenty questions.

Knows nothing about how it is done (tests/killing.py).
"""

from collections.abc import Iterator

from tests import killing
from tests.bench.place import Clock, Place, Row
from tests.killing import QUESTIONS

KILLS = {
    "the bot": killing.kill_the_bot,
    "the worker": killing.kill_the_worker,
    "the postmaster": killing.kill_the_postmaster,
}


def run(place: Place) -> Iterator[Row]:
    """Kill each of them once."""
    with killing.served() as server:
        for name, kill in KILLS.items():
            with killing.staged(server) as stage:
                stage.processes.env["THREADWISE_LOG_LEVEL"] = "ERROR"
                clock = Clock()
                channels = kill(stage)
                seconds = f"all in {clock.seconds:.0f} s, with starting the processes"
            questions = len(set(channels))
            yield Row(f"kill -9 of {name}: answered of {QUESTIONS}", questions, "",
                      at_least=QUESTIONS, reference=seconds)  # fmt: skip
            yield Row(f"kill -9 of {name}: answered twice", len(channels) - questions, at_most=0)
