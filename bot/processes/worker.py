"""The worker: fetches durable jobs and runs them, through lost connections, until told to stop.

Knows nothing about what the jobs do (bot/processes/tasks.py).
"""

import asyncio
import ctypes
import functools
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, LiteralString

import psycopg
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from prometheus_client import start_http_server
from psycopg_pool import AsyncConnectionPool

from bot import indexing
from bot.jobs import DELIVERIES, QUESTIONS, SPARE, UPKEEP, WORK, defer_second
from bot.learning.training import TrainingTrigger
from bot.processes import rescue, tasks
from bot.processes.tasks import WorkerContext
from bot.runtime import shutdown
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Throttle, lower_priority
from bot.runtime.watchdog import watched
from bot.services import Services, open_services
from bot.settings import Settings
from bot.slack.app import wait_to_connect
from bot.slack.notifier import Notifier
from store import workspaces
from store.database import StoreError

log = logging.getLogger(__name__)

SLOTS = {QUESTIONS: 4, DELIVERIES: 4, WORK: 2, UPKEEP: 2, SPARE: 1}
"""Jobs at a time, per queue: neither ingestion nor a slow Slack can take the place of questions."""

POLL_SECONDS = 0.5
"""New jobs are notified; this is for retries, and for notifications that were lost."""

HEARTBEAT_SECONDS = 2.0

RESCUE_SECONDS = 2.0
"""Between two looks for what killed processes left."""

RECONNECT_SECONDS = 0.5

POOL_SECONDS = 5.0
"""The longest wait for a connection; psycopg's default of 30 would outlast many an outage."""

CONNECTIONS = 2 * len(SLOTS)
"""One listens for each queue, the others fetch jobs and note how they ended."""

CONNECTION = {"application_name": "threadwise-worker", "connect_timeout": 5}


M_ARENA_MAX = -8
"""The number of this option of mallopt, from malloc.h."""

NICENESS = 8
"""Below the Slack edge, above ingestion and training."""

STATE_TRIES = 10
"""Times that a job's end is written down, RECONNECT_SECONDS apart: outlasts a revival of the server."""


class Connector(PsycopgConnector):
    """Writes a job's end down again when the connection was lost meanwhile.

    Procrastinate tries once; after that the job would count as running for as long as this process
    lives, and neither it nor its question would ever be brought back.
    """

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        """Run a change of state, as often as it takes."""
        for _ in range(STATE_TRIES - 1):
            with suppress(ConnectorException):
                await super().execute_query_async(query, **arguments)
                return
            await asyncio.sleep(RECONNECT_SECONDS)
        await super().execute_query_async(query, **arguments)


def _share_one_heap() -> None:
    """Let all threads allocate from one heap, where the C library can be told (glibc): each of a
    worker's threads would keep what its own largest batch took."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


class UnknownQueue(Exception):
    """There is no queue of that name."""


def run(settings: Settings, queues: Sequence[str] | None = None) -> None:
    """Work until SIGTERM or SIGINT; then finish what is being answered and return."""
    chosen = tuple(queues or SLOTS)
    if QUESTIONS in chosen and DELIVERIES not in chosen:
        chosen = (*chosen, DELIVERIES)  # as it was before they had a queue of their own
    if WORK in chosen:
        chosen = (*chosen, *(queue for queue in (UPKEEP, SPARE) if queue not in chosen))
    for name in chosen:
        if name not in SLOTS:
            raise UnknownQueue(f"There is no queue {name!r}. Choose from: {', '.join(SLOTS)}.")
    # Where bot and worker share a machine, acknowledging goes before answering.
    os.nice(NICENESS)
    _share_one_heap()
    # Only who reads documents has to know where they are: a worker for questions may stand elsewhere.
    configs = indexing.sources(settings) if WORK in chosen else []
    with open_services(settings) as services, watched(services.server):
        if settings.talks_to_slack and services.workspace == workspaces.LOCAL:
            # Answers are looked for in one workspace: know which before the models are loaded.
            wait_to_connect(settings, services.database, threading.Event())
        indexing.restrict(services, configs)
        asyncio.run(serve(services, chosen))


async def serve(services: Services, queues: Sequence[str]) -> None:
    """Set a worker process up and work in it until a signal comes or the models cannot be loaded."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    throttle, metrics = Throttle(), Metrics(services.database)
    shutdown.call(functools.partial(_end, throttle, stop))
    threads = ThreadPoolExecutor(sum(SLOTS.values()) + 2, thread_name_prefix="job")
    loop.set_default_executor(threads)
    models = threads.submit(_load, services)
    models.add_done_callback(lambda done: _stop_if_failed(done, loop, stop))
    notifier = Notifier(services)
    context = WorkerContext(
        services=services,
        throttle=throttle,
        metrics=metrics,
        bulk=ThreadPoolExecutor(
            sum(SLOTS[queue] for queue in (WORK, UPKEEP, SPARE)), "bulk", initializer=lower_priority
        ),
        delivery=notifier,
        tell=notifier.tell,
        announce=notifier.announce,
        ready=lambda: _wait(models),
        readers=notifier.reader,
        thread=notifier.thread,
        is_public=notifier.is_public,
        say=notifier.say,
    )
    if services.settings.metrics_port is not None:
        start_http_server(services.settings.metrics_port, registry=metrics.registry)
    trigger = TrainingTrigger(services) if WORK in queues else None
    rescuing = asyncio.create_task(_rescue(context, trigger, stop))
    log.info("worker_started queues=%s", ",".join(queues))
    await _persist(functools.partial(_work, context, queues, stop), stop)
    await rescuing
    log.info("worker_stopped")
    if models.done() and (error := models.exception()):
        raise error


async def _persist(work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Begin again whenever the database has gone away."""
    while not stop.is_set():
        try:
            await work()
        except (psycopg.OperationalError, ConnectorException) as error:
            reason = str(error.__cause__ or error).strip().partition("\n")[0]
            log.warning("connection_lost reason=%s", reason)
        await _pause(RECONNECT_SECONDS, stop)


async def _work(context: WorkerContext, queues: Sequence[str], stop: asyncio.Event) -> None:
    """Fetch and run jobs over one pool of connections; ends when it is lost or `stop` is set."""
    connector = Connector(
        conninfo=context.services.queue.url,
        kwargs=CONNECTION,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=POOL_SECONDS,
        pool_factory=_pool,
    )
    app = tasks.build(context, connector)
    async with app.open_async():
        loops = [
            asyncio.create_task(
                app.run_worker_async(
                    queues=[name],
                    name=name,
                    concurrency=SLOTS[name],
                    fetch_job_polling_interval=POLL_SECONDS,
                    update_heartbeat_interval=HEARTBEAT_SECONDS,
                    stalled_worker_timeout=rescue.STALLED_SECONDS,
                    install_signal_handlers=False,
                )
            )
            for name in queues
        ]
        ended = asyncio.create_task(stop.wait())
        await asyncio.wait([*loops, ended], return_when=asyncio.FIRST_COMPLETED)
        # Cancelling lets procrastinate fetch no more and wait for what runs.
        for task in [*loops, ended]:
            task.cancel()
        for outcome in await asyncio.gather(*loops, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome


def _pool(check: object = None, **options: Any) -> AsyncConnectionPool[Any]:
    """Make procrastinate's pool without its check.

    With check_connection the first requests after a restart of the server hung until the pool's
    timeout; without it they fail at once, and `_persist` begins again.
    """
    return AsyncConnectionPool(**options)


async def _rescue(
    context: WorkerContext, trigger: TrainingTrigger | None, stop: asyncio.Event
) -> None:
    """Look for lost work, and for new examples, again and again, in a thread; not a job, so that it
    never waits for one."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(rescue.rescue, context.services)
            if trigger is not None:
                await asyncio.to_thread(trigger.offer)
        except StoreError as error:
            log.warning("rescue_failed reason=%s", error)
        await _pause(RESCUE_SECONDS, stop)


def _end(throttle: Throttle, stop: asyncio.Event) -> None:
    throttle.stop()
    stop.set()


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _load(services: Services) -> None:
    began = time.monotonic()
    services.load()
    if services.second is not None:  # documents may be there from before it was set
        with services.database.connection() as connection:
            defer_second(connection, services.queue)
    log.info("models_loaded seconds=%.1f", time.monotonic() - began)


def _wait(models: Future[Any]) -> None:
    models.result()


def _stop_if_failed(
    done: Future[Any], loop: asyncio.AbstractEventLoop, stop: asyncio.Event
) -> None:
    if done.exception() is not None:
        loop.call_soon_threadsafe(stop.set)
