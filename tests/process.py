"""Runs one of our processes for real: `python -m tests.process worker`, or `bot`.

Its answerer needs no model. Knows nothing about what is tested. Its settings come from the environment, as always.
"""

import asyncio
import sys
import time
from uuid import uuid4

from bot import log
from bot.answering.request import Request
from bot.jobs import DELIVERIES, QUESTIONS
from bot.processes import bot as slack
from bot.processes import worker
from bot.runtime.watchdog import watched
from bot.services import open_services
from bot.settings import load
from store.records import Answer

THINKING_SECONDS = 0.2
"""So that a kill finds several questions in the middle."""


def repeat(request: Request) -> Answer:
    """Answer a question with itself, after a while."""
    time.sleep(THINKING_SECONDS)
    return Answer(uuid4(), request.text, "answered", 0.9, request.text)


def main() -> None:
    """Be the bot or the worker, until SIGTERM."""
    settings = load(env_file=None)
    log.configure(settings.log_level)
    if sys.argv[1] == "bot":
        slack.run(settings)
        return
    with open_services(settings, answer=repeat) as services, watched(services.server):
        asyncio.run(worker.serve(services, (QUESTIONS, DELIVERIES)))


if __name__ == "__main__":
    main()
