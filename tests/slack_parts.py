"""What the Slack tests share: a bot served in a thread, a worker without models, answers to give.

Knows nothing about any one test.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

from bot.answering import lifecycle
from bot.answering.lifecycle import Delivery
from bot.answering.readers import Readers, inside
from bot.answering.request import Request
from bot.processes import web
from bot.processes.bot import serve
from bot.settings import Settings
from bot.slack import app, clients
from bot.slack.app import Bot
from bot.slack.delivery import SlackDelivery
from store import questions
from store.database import Database
from store.queue import Queue
from store.records import Answer, Citation
from tests.fake_slack import TEAM, FakeSlack

PING_SECONDS = 0.3
QUOTE = "Full-time staff get 28 days of leave. Unused days lapse in March."


def answer_of(status: str = "answered", **changes: object) -> Answer:
    """An answer as the answerer gives it."""
    cited = Citation(
        "Leave policy", "hr/leave.md", "https://docs.example/leave", QUOTE, "Leave > Days", 0.9,
        datetime(2026, 8, 1, tzinfo=UTC), "hr", 7,
    )  # fmt: skip
    is_shown = status in ("answered", "unsure")
    body = "Full-time staff get 28 days of leave." if is_shown else None
    given: dict[str, object] = {
        "body": body if status not in ("routed", "smalltalk") else "Please ask in <#C0HELP>.",
        "citations": (cited,) if is_shown else (),
        "hints": (cited,) if status == "not_found" else (),
    }
    values = {"answer_id": uuid4(), "question": "?", "status": status, "confidence": 0.8}
    return Answer(**(values | given | changes))  # type: ignore[arg-type]


@dataclass
class FakeAnswerer:
    """Gives a fixed kind of answer, or breaks as often as it is told to."""

    status: str = "answered"
    breaks: int = 0
    signals: Mapping[str, float] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Remember the request; answer it."""
        self.asked.append(request)
        if self.breaks:
            self.breaks -= 1
            raise ZeroDivisionError("broken on purpose")
        return answer_of(self.status, question=request.text, signals=self.signals)


@dataclass
class FakeServices:
    """The parts of bot.services.Services that handling a question needs."""

    settings: Settings
    database: Database
    answerer: FakeAnswerer = field(default_factory=FakeAnswerer)


def settings_for(fake: FakeSlack, database_url: str, **changes: object) -> Settings:
    """Settings that point to the fake and to a test's database."""
    given: dict[str, object] = {
        "home": Path("/nonexistent"),
        "slack_bot_token": "xoxb-1",
        "slack_app_token": "xapp-1",
        "slack_signing_secret": fake.secret,
        "slack_api_url": fake.api_url,
        "slack_mode": "http",
        "http_port": 0,
        "database_url": database_url,
        "admins": ("UBOSS",),
    }
    return Settings(_env_file=None, **(given | changes))  # type: ignore[arg-type]


@contextmanager
def served(fake: FakeSlack, settings: Settings, database: Database) -> Iterator[Bot]:
    """Serve the bot as `threadwise bot` does, in a thread, until the block ends."""
    workspace = app.connect(settings, database)
    bot = app.build(settings, database, Queue(database.url), workspace)
    server = thread = None
    stop = threading.Event()
    if settings.slack_mode == "http":
        guard = web.Guard(fake.secret, database)
        served_site = web.site(
            web.events(bot.app, guard) | web.health(lambda: None, bot.edge.metrics.text)
        )
        server = web.Server(served_site, "127.0.0.1", 0)
        fake.target = ("127.0.0.1", server.port)
    else:
        thread = threading.Thread(
            target=serve, args=(settings, bot, stop), kwargs={"ping": PING_SECONDS}
        )
        thread.start()
        fake.wait_for(lambda: fake.is_linked)
    try:
        yield bot
    finally:
        stop.set()
        if server:
            server.close()
            bot.edge.errands.shutdown(wait=True)
        if thread:
            thread.join()


def errands_done(bot: Bot) -> None:
    """Wait until the errands so far have ended, those too that they began, and theirs."""
    for _ in range(3):
        barrier = threading.Barrier(app.ERRAND_THREADS + 1)
        for _ in range(app.ERRAND_THREADS):
            bot.edge.errands.submit(barrier.wait, 10)
        barrier.wait(10)


def work_off(services: FakeServices, fake: FakeSlack, **options: object) -> list[str]:
    """Do what a worker does with everything that waits: give the statuses."""
    shown = delivery(fake, services.database, **options)
    return [handled(services, each, shown) for each in waiting(services.database)]


def delivery(fake: FakeSlack, database: Database, **options: object) -> SlackDelivery:
    """Make what delivers answers to a fake Slack."""
    client = clients.web("xoxb-1", fake.api_url)
    return SlackDelivery(client, database, TEAM, **options)  # type: ignore[arg-type]


def handled(
    services: FakeServices, question_id: UUID, delivery: Delivery, readers: Readers = inside
) -> str:
    """Bring a question to its end as a worker does; give the status."""
    answered(services, question_id, readers)
    return delivered(services, question_id, delivery)


def delivered(services: FakeServices, question_id: UUID, delivery: Delivery) -> str:
    """Deliver an answer that was recorded, as a worker does; give its status."""
    return lifecycle.deliver(services.database, TEAM, question_id, delivery, tries=0, waited=0.0)


def answered(
    services: FakeServices,
    question_id: UUID,
    readers: Readers = inside,
    thread: lifecycle.Thread = lambda _: (),
) -> str:
    """Find and record an answer as a worker does; give its status."""
    return lifecycle.handle(
        services.database,
        TEAM,
        question_id,
        services.answerer.answer,
        lambda *_: None,
        max_question=services.settings.max_question,
        readers=readers,
        thread=thread,
    )


def waiting(database: Database) -> list[UUID]:
    """The questions that have not ended."""
    with database.connection() as connection:
        found = questions.waiting(connection, TEAM, datetime.now(UTC) + timedelta(hours=1))
    return [question.question_id for question in found]


def jobs(database: Database, task: str) -> list[dict[str, object]]:
    """The arguments of the queued jobs of a task."""
    with database.connection() as connection:
        rows = connection.execute(
            "SELECT args FROM procrastinate_jobs WHERE task_name = %s ORDER BY id", (task,)
        ).fetchall()
    return [row[0] for row in rows]


def texts(fake: FakeSlack) -> list[str]:
    """What was said, for everyone or for one person."""
    said = ("chat.postMessage", "chat.postEphemeral", "response_url")
    return [str(call.params.get("text")) for call in fake.calls if call.method in said]
