"""A worker over a fake Slack, without models: its answers are what a test says they are.

Knows nothing about any one test.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bot.answering.request import Request
from bot.processes import tasks
from bot.processes.tasks import WorkerContext
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Throttle
from bot.services import Services
from bot.slack.notifier import Notifier
from store.database import Database
from store.records import Answer
from tests import slack_parts
from tests.fake_slack import TEAM, FakeSlack
from tests.fakes import HashEmbedder
from tests.slack_parts import answer_of, settings_for


class Worker:
    """Does the jobs that wait, one after the other; `answers` gives the answer to a text."""

    def __init__(self, fake: FakeSlack, database: Database, **settings: Any) -> None:
        self.asked: list[Request] = []
        self.answers: Callable[[str], Answer] = lambda text: answer_of(question=text)
        self.encoder = HashEmbedder()
        given = settings_for(fake, database.url, **settings)
        self.services = Services(given, database, None, embedder=self.encoder, answer=self._answer)
        notifier = Notifier(self.services)
        self.context = WorkerContext(
            services=self.services, throttle=Throttle(), metrics=Metrics(database),
            bulk=ThreadPoolExecutor(1), delivery=notifier, tell=notifier.tell,
            announce=notifier.announce, ready=lambda: None, readers=notifier.reader,
            thread=notifier.thread, is_public=notifier.is_public, say=notifier.say,
        )  # fmt: skip

    def _answer(self, request: Request) -> Answer:
        self.asked.append(request)
        return self.answers(request.text)

    def work_off(self) -> list[str]:
        """Answer and deliver every question that waits; give how each ended."""
        ended = []
        for question_id in slack_parts.waiting(self.services.database):
            tasks.answer(self.context, TEAM, question_id)
            ended.append(tasks.deliver(self.context, TEAM, question_id))
        return ended

    def speak(self, kind: str | None = None) -> list[str]:
        """Do the jobs that say something, of one kind or all; give how each ended. They stay queued."""
        found = slack_parts.jobs(self.services.database, "say")
        chosen = [job for job in found if kind in (None, job["kind"])]
        return [tasks.say(self.context, **job) for job in chosen]  # type: ignore[arg-type]
