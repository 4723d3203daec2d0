"""The durable jobs: what each task of the queue does, as procrastinate tasks over the services.

Knows nothing about how jobs are fetched, nor about signals.
"""

import asyncio
import functools
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job

from bot import beside, erasure, indexing, jobs
from bot.answering import lifecycle
from bot.answering.lifecycle import Delivery, NotYet, Outdated, Undeliverable
from bot.answering.readers import Readers, inside
from bot.answering.request import Request
from bot.learning import training
from bot.processes import background
from bot.runtime import malloc
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Stopping, Throttle
from bot.services import Services
from store import answers, gaps, queue, workspaces
from store.database import Connection, StoreGone
from store.index import runs
from store.records import Answer, Ask, Question, Run

log = logging.getLogger(__name__)

MAX_TRIES = 6
"""Times that a job for a question is tried in a row, about a minute; bot/answering/lifecycle.py ends a question
that fails by itself before that, bot/processes/rescue.py queues the others anew."""

MAX_RESUMES = 5
"""Times that an interrupted ingestion goes on by itself; after that the schedule or a person does."""

NIGHT_THREADS = 1
"""A night has one, so that the rest of the machine can answer questions."""

NIGHT_SECONDS = 3600
"""The longest that a night may take."""

PACE_SECONDS = 1.0
"""Slack takes about one message a second and channel (docs.slack.dev, rate limits)."""

JOBS_KEPT = timedelta(days=7)
"""How long ended jobs can be looked up."""


class Backoff(BaseRetryStrategy):
    """Tries again after 1, 2, 4, ... seconds, whatever went wrong, up to MAX_TRIES times."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Decide after a failure; `job.attempts` are those before it."""
        if job.attempts + 1 >= MAX_TRIES:
            return None
        return RetryDecision(retry_in={"seconds": 2**job.attempts})


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What the tasks of one worker process work with.

    `delivery` shows answers to their askers; `tell` says to who asked for a run how it ended; `announce`
    tells the admins; `bulk` runs long work; `ready` waits until the models are loaded; `readers` tell
    who will read a reply, `thread` what was said before in its thread, `is_public` whether every member may
    read a channel. `say` says something besides answers, once for its key; it may raise NotYet.
    """

    services: Services
    throttle: Throttle
    metrics: Metrics
    bulk: Executor
    delivery: Delivery
    tell: Callable[[Run], None]
    announce: Callable[[str], None]
    ready: Callable[[], None]
    readers: Readers = inside
    thread: lifecycle.Thread = lambda _: ()
    is_public: Callable[[str], bool] = lambda _: False
    say: Callable[[str, str, Mapping[str, Any]], bool] = lambda *_: False

    def answer(self, request: Request) -> Answer:
        """Find an answer, and note how long each step took."""
        answer = self.services.answer(request)
        self.metrics.answered(answer)
        return answer

    def phrase(self, ask: Ask, answer: Answer) -> Answer:
        """Let the LLM phrase an answer where there is one, and note what became of it."""
        phrased = self.services.phrase(ask, answer)
        if phrased.phrasing is not None:
            self.metrics.phrased(phrased.phrasing)
        return phrased


def build(context: WorkerContext, connector: BaseConnector) -> App:
    """Make procrastinate's application with all tasks on it."""
    app = App(connector=connector)

    @app.task(name=jobs.ANSWER, queue=jobs.QUESTIONS, retry=Backoff())
    def answer_job(workspace: str, question_id: str, **unknown: Any) -> str:
        _note(jobs.ANSWER, unknown)
        return answer(context, workspace, UUID(question_id))

    @app.task(name=jobs.DELIVER, queue=jobs.DELIVERIES, retry=Backoff())
    def deliver_job(
        workspace: str, question_id: str, tries: int = 0, waited: float = 0.0, **unknown: Any
    ) -> str:
        _note(jobs.DELIVER, unknown)
        return deliver(context, workspace, UUID(question_id), tries, waited)

    # Long work has threads of its own: their lower priority cannot be raised again.
    @app.task(name=jobs.INGEST, queue=jobs.WORK)
    async def ingest_job(workspace: str, source: str, **options: Any) -> str:
        work = functools.partial(ingest, context, source, **options)
        return await asyncio.get_running_loop().run_in_executor(context.bulk, work)

    @app.task(name=jobs.TRAIN, queue=jobs.WORK)
    async def intents_job() -> str:
        return await asyncio.get_running_loop().run_in_executor(context.bulk, train, context)

    @app.task(name=jobs.LEARN, queue=jobs.WORK)
    async def learn_job() -> dict[str, object]:
        return await asyncio.get_running_loop().run_in_executor(context.bulk, learn, context)

    @app.task(name=jobs.RETAIN, queue=jobs.WORK)
    async def retain_job() -> int:
        return await asyncio.get_running_loop().run_in_executor(context.bulk, retain, context)

    @app.task(name=jobs.GROUP, queue=jobs.UPKEEP)
    async def group_job() -> int:
        return await asyncio.get_running_loop().run_in_executor(context.bulk, group, context)

    @app.task(name=jobs.RETRY, queue=jobs.UPKEEP)
    async def retry_job() -> int:
        return await asyncio.get_running_loop().run_in_executor(context.bulk, retry, context)

    @app.task(name=jobs.SAY, queue=jobs.UPKEEP, retry=Backoff())
    def say_job(
        workspace: str, kind: str, key: str, about: dict[str, Any],
        tries: int = 0, waited: float = 0.0, **unknown: Any,
    ) -> str:  # fmt: skip
        _note(jobs.SAY, unknown)
        return say(context, workspace, kind, key, about, tries, waited)

    @app.task(name=jobs.SECOND, queue=jobs.SPARE)
    async def second_job() -> str:
        return await asyncio.get_running_loop().run_in_executor(context.bulk, second, context)

    return app


def answer(context: WorkerContext, workspace: str, question_id: UUID) -> str:
    """Find the answer to one question and queue its delivery; gives its status. Safe to run again."""
    context.ready()
    started = time.perf_counter()
    with context.throttle.question():
        services = context.services
        status = lifecycle.handle(
            services.database,
            _current(context, workspace),
            question_id,
            context.answer,
            functools.partial(_hand_over, services),
            max_question=services.settings.max_question,
            readers=context.readers,
            thread=context.thread,
            phrase=context.phrase,
        )
    context.metrics.ended(status, time.perf_counter() - started)
    return status


def deliver(
    context: WorkerContext, workspace: str, question_id: UUID, tries: int = 0, waited: float = 0.0
) -> str:
    """Deliver one answer, or put it off as a new job; gives the status of the question, `later`, or `again`
    when it is to be answered anew."""
    services, workspace = context.services, _current(context, workspace)
    started = time.perf_counter()
    try:
        status = lifecycle.deliver(
            services.database, workspace, question_id, context.delivery, tries=tries, waited=waited
        )
        context.metrics.step("post", time.perf_counter() - started)
        return status
    except Outdated:
        with services.database.connection() as connection:
            jobs.defer_answer(connection, services.queue, workspace, question_id)
        return "again"
    except NotYet as not_yet:
        after = not_yet.after or 0.0
        log.info(
            "put_off question=%s tries=%d seconds=%.0f reason=%s",
            question_id, tries + not_yet.is_failure, after, not_yet,
        )  # fmt: skip
        with services.database.connection() as connection:
            jobs.defer_delivery(
                connection, services.queue, workspace, question_id, after=after,
                tries=tries + not_yet.is_failure, waited=waited + after * not_yet.is_failure,
            )  # fmt: skip
        return "later"


def ingest(
    context: WorkerContext,
    source: str,
    full: bool = False,
    asked_by: str | None = None,
    allow_removal: bool = False,
    resumed: int = 0,
) -> str:
    """Bring one source up to date, giving way to questions; gives the state it ended in.

    When the worker stops or Postgres goes away in the middle, the rest is queued as a new job:
    procrastinate's own retry could not, where a run of the same source waits already.
    """
    context.ready()
    services = context.services
    try:
        made = indexing.run(
            services,
            indexing.source(services, source),
            encode=context.throttle.encoder(services.embedder.encode),
            encode_questions=context.throttle.encoder(services.embedder.encode_questions),
            full=full,
            allow_removal=allow_removal,
            asked_by=asked_by,
        )
    except (Stopping, StoreGone):
        if resumed >= MAX_RESUMES:
            raise
        workspace = services.workspace
        with services.database.connection() as connection:
            jobs.defer_ingest(
                connection, services.queue, workspace, source,
                full=full, asked_by=asked_by, allow_removal=allow_removal, resumed=resumed + 1,
            )  # fmt: skip
        return "interrupted"
    except runs.Busy:
        return "busy"
    finally:
        malloc.trim()
    log.info("ingested source=%s state=%s embedded=%d", source, made.state, made.embedded)
    if made.changed or made.removed:
        with services.database.connection() as connection:
            jobs.defer_retry(connection, services.queue)
    context.tell(made)
    return made.state


def train(context: WorkerContext) -> str:
    """Train on the team's examples in a process of its own if it is due; gives how that ended."""
    services = context.services
    intents = services.intents.now()
    if not training.is_due(services, intents):
        return "known"
    given = training.served(services, intents)
    out = training.workplace(services.settings.home, intents)
    work = functools.partial(training.teach, given.rows, out, threads=services.settings.threads)
    try:
        background.run(work, context.throttle)
    except Stopping:
        return "interrupted"
    version = training.keep(services, given, out)
    log.info("intents_trained version=%s rows=%d", version.version_id, len(given.rows))
    return "trained"


def learn(context: WorkerContext) -> dict[str, object]:
    """Learn from people's votes in a process of its own; gives the night's report.

    A night that a stopping worker ends is queued anew; what it promoted so far stays.
    """
    from bot.learning import report  # with scipy: only the worker that holds a night pays for it

    services = context.services
    settings = services.settings.model_copy(update={"threads": NIGHT_THREADS})
    work = functools.partial(report.hold, settings)
    try:
        found = background.run(work, context.throttle, limit=NIGHT_SECONDS)
    except Stopping:
        with services.database.connection() as connection:
            jobs.defer_learn(connection, services.queue)
        return {"state": "interrupted"}
    told = found.as_json()
    log.info("night judged=%s parts=%s", told["judged"], told["parts"])
    context.announce(found.message)
    return told


def second(context: WorkerContext) -> str:
    """Encode with the second encoder what has no vector by it yet, giving way to questions; gives how that
    ended. Safe to run again, and to be killed: what is encoded is stored every few texts."""
    context.ready()
    services = context.services
    if services.second is None:
        return "none"
    encode = context.throttle.encoder(services.second.encode)
    try:
        encoded = beside.fill(services, encode)
    except (Stopping, StoreGone):
        with services.database.connection() as connection:
            jobs.defer_second(connection, services.queue)
        return "interrupted"
    finally:
        malloc.trim()
    log.info("second_encoded name=%s texts=%d", services.second.name, encoded)
    return "done"


def retain(context: WorkerContext) -> int:
    """Erase questions past the retention setting, and forget jobs that ended long ago; gives how many."""
    now = datetime.now(UTC)
    erasure.retain(context.services, now)
    with context.services.database.connection() as connection:
        return queue.forget(connection, now - JOBS_KEPT)


def group(context: WorkerContext) -> int:
    """Group the questions without a good answer anew; gives how many gaps there are."""
    from bot.learning import gaps  # with scikit-learn: only the worker that does it pays for it

    found = gaps.group(context.services, context.is_public, datetime.now(UTC))
    malloc.trim()
    return found


def retry(context: WorkerContext) -> int:
    """Try the questions of the gaps again, and tell the admins which are answered now; gives how many."""
    from bot.learning import gaps as trying

    services = context.services
    context.ready()
    try:
        answered = trying.retry(services, services.answer, context.throttle.pass_through)
    except Stopping:
        with services.database.connection() as connection:
            jobs.defer_retry(connection, services.queue)
        return 0
    workspace, now = services.workspace, datetime.now(UTC)
    with services.database.connection() as connection:
        closed = [
            str(each.gap_id)
            for each in answered
            if gaps.close(
                connection, workspace, each.gap_id, gaps.THREADWISE, now, cause=each.cause
            )
        ]
        if closed:
            key = f"gaps:{uuid4()}"
            about = {"gaps": closed}
            jobs.defer_notice(connection, services.queue, workspace, "gaps", key, about)
    return len(closed)


def say(
    context: WorkerContext, workspace: str, kind: str, key: str, about: Mapping[str, Any],
    tries: int = 0, waited: float = 0.0,
) -> str:  # fmt: skip
    """Say something besides answers, or put it off as a new job; gives `said`, `dropped` or `later`."""
    services, workspace = context.services, _current(context, workspace)
    try:
        return "said" if context.say(kind, key, about) else "dropped"
    except Undeliverable as refused:
        log.error("not_said kind=%s reason=%s", kind, refused)
        return "dropped"
    except NotYet as not_yet:
        if not_yet.is_failure and waited >= lifecycle.PATIENCE_SECONDS:
            log.error("not_said kind=%s reason=%s", kind, not_yet)
            return "dropped"
        after = lifecycle.pause(tries) if not_yet.after is None else not_yet.after
        with services.database.connection() as connection:
            jobs.defer_notice(
                connection, services.queue, workspace, kind, key, about, after=after,
                tries=tries + not_yet.is_failure, waited=waited + after * not_yet.is_failure,
            )  # fmt: skip
        return "later"


def _hand_over(services: Services, connection: Connection, question: Question) -> None:
    """Queue a delivery, at the channel's next turn where others see it."""
    ask, after = question.ask, 0.0
    if ask.origin != "command":
        after = answers.take_turn(connection, ask.workspace, ask.channel, PACE_SECONDS)
    jobs.defer_delivery(
        connection, services.queue, ask.workspace, question.question_id, after=after
    )


def _note(task: str, unknown: Mapping[str, Any]) -> None:
    """Say in one line that a job came from a newer Threadwise; it is done as far as it is known."""
    if unknown:
        log.warning("newer_job task=%s ignored=%s", task, ",".join(sorted(unknown)))


def _current(context: WorkerContext, workspace: str) -> str:
    """A job that was queued before Slack was connected belongs to the team since."""
    return context.services.workspace if workspace == workspaces.LOCAL else workspace
