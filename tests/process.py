"""Runs one of our processes for real: `python -m tests.process worker`, or `bot`.

Its answerer needs no model. Knows nothing about what is tested. Its settings come from the environment, as always.
"""

import asyncio
import sys
import time
from uuid import uuid4

from bot import log
from bot.jobs import QUESTIONS
from bot.processes import bot as slack
from bot.processes import worker
from bot.runtime.watchdog import watched
from bot.services import open_services
from bot.settings import load
from store.records import Answer, Viewer

THINKING_SECONDS = 0.2
"""So that a kill finds several questions in the middle."""


class SlowAnswerer:
    """Answers every question with itself, after a while."""

    def answer(self, question: str, viewer: Viewer, **options: object) -> Answer:
        """Repeat the question."""
        time.sleep(THINKING_SECONDS)
        return Answer(uuid4(), question, "answered", 0.9, question)


def main() -> None:
    """Be the bot or the worker, until SIGTERM."""
    settings = load(env_file=None)
    log.configure(settings.log_level)
    if sys.argv[1] == "bot":
        slack.run(settings)
        return
    with open_services(settings) as services, watched(services.server):
        type(services).answerer = SlowAnswerer()
        asyncio.run(worker.serve(services, (QUESTIONS,)))


if __name__ == "__main__":
    main()
