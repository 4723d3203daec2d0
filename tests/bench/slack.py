"""Measures Slack's acknowledgements under load: a real bot, a real worker that ingests meanwhile.

Knows nothing about what is answered.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from bot import indexing, jobs
from bot.services import Services
from bot.slack import app
from store.index import runs
from store.records import Run
from tests.bench.place import Clock, Place, Row, opened, percentile
from tests.fake_slack import Ack, FakeSlack
from tests.killing import Processes, wait

PER_SECOND = 50
SECONDS = 10
CHANNELS = 125
"""Each is posted to once a second at most, as Slack wants it."""

TOKENS = {"slack_bot_token": "xoxb-1", "slack_app_token": "xapp-1"}
START_SECONDS = 240.0
END_SECONDS = 600.0


def run(place: Place) -> Iterator[Row]:
    """Deliver 500 mentions in ten seconds."""
    with (
        FakeSlack() as fake,
        place.large() as large,
        opened(slack_api_url=fake.api_url, **TOKENS) as services,
    ):
        app.connect(services.settings, services.database)
        processes = Processes(services.settings.home, fake.api_url)
        processes.env["THREADWISE_LOG_LEVEL"] = "WARNING"
        try:
            processes.start("bot", "bot")
            processes.start("worker", "bot")
            added = indexing.add(services, str(place.handbook()[1]))
            _ingest(services, added.name, lambda run: run.state == "done")
            _ask_one(fake)
            added = indexing.add(services, str(large))
            source = _ingest(services, added.name, lambda run: run.embedded > 0)
            yield from _load(place, fake, services, source)
        finally:
            processes.end()


def _ingest(services: Services, name: str, ready: Callable[[Run], bool]) -> str:
    """Queue a source and wait until its run is ready; give its name."""
    indexing.register(services, indexing.known(services))
    with services.database.connection() as connection:
        jobs.defer_ingest(connection, services.queue, services.workspace, name)

    def is_there() -> bool:
        found = _run(services, name)
        return found is not None and ready(found)

    wait(is_there, START_SECONDS)
    return name


def _run(services: Services, source: str) -> Run | None:
    with services.database.connection() as connection:
        return next(iter(runs.last(connection, services.workspace, source)), None)


def _ask_one(fake: FakeSlack) -> None:
    wait(lambda: fake.is_linked, START_SECONDS)
    fake.event(fake.say("<@UBOT> how many days of leave?", channel="C0", type="app_mention"))
    wait(lambda: len(fake.messages) == 1, START_SECONDS)
    fake.messages.clear()


def _load(place: Place, fake: FakeSlack, services: Services, source: str) -> Iterator[Row]:
    events = _events(fake, place.questions(), max(50, place.size(PER_SECOND * SECONDS)))
    before, clock = _run(services, source), Clock()
    acks = _deliver(fake, events)
    took = clock.seconds
    after = _run(services, source)
    assert before and after
    embedded = after.embedded - before.embedded
    done = _until_answered(fake, {event["ts"] for event in events})
    lasted = clock.seconds
    threads = Counter(message.get("thread_ts") for message in fake.messages)
    milliseconds = [ack.seconds * 1000 for ack in acks]
    told = f"{len(events)} events in {took:.1f} s, {embedded} chunks embedded meanwhile"
    yield Row("acknowledged, p50", percentile(milliseconds, 0.5), "ms", reference=told)
    yield Row("acknowledged, p99", percentile(milliseconds, 0.99), "ms", 100.0, reference=told)
    yield Row("acknowledged, slowest", max(milliseconds), "ms")
    yield Row("not acknowledged in 3 s", sum(not ack.ok for ack in acks), at_most=0)
    yield Row("lost", len(events) - len(done), at_most=0)
    twice = sum(count > 1 for count in threads.values())
    yield Row("answered twice", twice, at_most=0)
    is_running = after.state == "running"
    state = "it ingested throughout" if is_running else "INGESTION ENDED EARLY: give it more"
    yield Row("from the first event to the last answer", lasted, "s", reference=state)


def _events(fake: FakeSlack, questions: Sequence[str], count: int) -> list[dict[str, Any]]:
    return [
        fake.say(
            f"<@UBOT> {questions[n % len(questions)]}",
            channel=f"C{n % CHANNELS}",
            user=f"U{n}",
            type="app_mention",
        )
        for n in range(count)
    ]


def _deliver(fake: FakeSlack, events: Sequence[dict[str, Any]]) -> list[Ack]:
    """Deliver so many a second, whether the earlier ones are acknowledged or not."""
    began = time.monotonic()
    made: list[Future[Ack]] = []
    with ThreadPoolExecutor(PER_SECOND) as crowd:
        for number, event in enumerate(events):
            pause = began + number / PER_SECOND - time.monotonic()
            threading.Event().wait(max(0.0, pause))
            made.append(crowd.submit(fake.event, event))
        return [each.result() for each in made]


def _until_answered(fake: FakeSlack, asked: set[str]) -> set[str]:
    """Give the messages that were answered, after waiting for all of them; and for a second answer."""
    deadline = time.monotonic() + END_SECONDS
    while True:
        done = {str(message.get("thread_ts")) for message in list(fake.messages)} & asked
        if done == asked or time.monotonic() > deadline:
            break
        time.sleep(0.1)
    threading.Event().wait(5.0)
    return done
