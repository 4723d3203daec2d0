"""The clock: when what is due. Any number may run; one leads, and all it does is to defer jobs.

Knows nothing about what the jobs do.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger

from bot import indexing, jobs
from bot.runtime import shutdown
from bot.runtime.watchdog import watched
from bot.services import Services, open_services
from bot.settings import Settings
from ingest.config import ConfigError
from ingest.entries import SourceConfig
from ingest.schedule import Schedule
from store import recurring
from store.database import Connection, StoreError
from store.election import Candidate
from store.index import sources
from store.queue import Queue

log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
"""Between two signs of life of the leader, or two tries of the others."""

LOOK_SECONDS = 30.0
"""Between two looks whether something was missed."""

JUMP_SECONDS = 60.0
"""A wall clock that went so much further than the steady one: the machine slept, or was set."""

RETAIN = "17 3 * * *"
"""When old jobs are forgotten: at night, not on the hour when everyone's jobs start."""

DIGEST = "7 9 * * 1"
"""When the admins' channel gets the digest of the week: on Monday morning."""

GROUP = "41 4 * * 1"
"""When gaps are grouped: on Monday morning, before the week's digest."""


def run(settings: Settings) -> None:
    """Keep time until SIGTERM or SIGINT."""
    stop = shutdown.event()
    indexing.sources(settings)  # nothing starts on a file that cannot be read
    with open_services(settings) as services, watched(services.server):
        tick(services, stop)


def tick(services: Services, stop: threading.Event, beat: float = BEAT_SECONDS) -> None:
    """Lead whenever nobody else does, until `stop`; the schedule runs only while leading."""
    candidate = Candidate(services.database.url, "threadwise-clock")
    timetable = Timetable(services)
    try:
        while not stop.is_set():
            if candidate.leads():
                timetable.refresh()
            else:
                timetable.end()
            stop.wait(beat)
    finally:
        timetable.end()
        candidate.resign()


Defer = Callable[[Connection, Queue], bool]
"""Queues a job; False when one waits already."""


class Timetable:
    """The schedule of this installation, in memory only; follows changes of the sources' file."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scheduler: BackgroundScheduler | None = None
        self._planned: Sequence[SourceConfig] = ()
        self._triggers: dict[str, Cron] = {}
        self._registered: Sequence[SourceConfig] = ()
        self._zone: tzinfo = UTC
        # By the wall clock, and by one that stands still while the machine sleeps.
        self._looked: tuple[float, float] | None = None
        self._complaint = ""

    def refresh(self) -> None:
        """Start if need be, take up a changed configuration, and note what runs next."""
        try:
            configs = indexing.known(self._services)
            if configs != self._registered:
                # Before the schedule, which may be wrong: who may see what must not wait for it.
                indexing.register(self._services, configs)
                self._registered = configs
            if self._scheduler is None or configs != self._planned:
                self._start(configs)
            self._catch_up()
            self._complaint = ""
        except (ConfigError, StoreError) as error:
            # A slip in the file must not stop what is scheduled already; one line says it.
            if str(error) != self._complaint:
                self._complaint = str(error)
                log.error("schedule_kept reason=%s", error)

    def end(self) -> None:
        """Stop the schedule: somebody else leads, or the process ends."""
        self._registered = ()
        if self._scheduler is not None:
            self._stop()
            log.info("clock_rests")

    def _stop(self) -> None:
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None

    def _start(self, configs: Sequence[SourceConfig]) -> None:
        self._stop()
        scheduler = BackgroundScheduler(
            timezone=None,
            job_defaults={
                "coalesce": True,
                "misfire_grace_time": None,
                "max_instances": 1,
            },
        )
        zone = scheduler.timezone
        triggers = {c.name: Cron(c.schedule, zone) for c in configs if c.schedule}
        for name, when in triggers.items():
            scheduler.add_job(self._defer_ingestion, when, args=[name], id=f"ingest:{name}")
        for task, (when, _) in self._nightly(zone).items():
            scheduler.add_job(self._defer_due, when, args=[task], id=task)
        scheduler.start()
        self._scheduler, self._planned = scheduler, configs
        self._triggers, self._zone = triggers, zone
        self._note(configs)
        for config in configs:
            if config.complaint:
                log.error("not_scheduled source=%s reason=%s", config.name, config.complaint)
        log.info("clock_leads sources=%d", len(triggers))

    def _note(self, configs: Sequence[SourceConfig]) -> None:
        now = datetime.now(UTC)
        workspace = self._services.workspace
        with self._services.database.connection() as connection:
            missed = {
                status.name
                for status in sources.statuses(connection, workspace)
                if status.next_run and status.next_run < now and status.paused_at is None
            }
            for config in configs:
                when = self._triggers.get(config.name)
                if when and config.name in missed:
                    jobs.defer_ingest(connection, self._services.queue, workspace, config.name)
                due = when.get_next_fire_time(None, now) if when else None
                sources.plan_next(connection, workspace, config.name, due)

    def _defer_ingestion(self, name: str) -> None:
        def work() -> bool:
            now, workspace = datetime.now(UTC), self._services.workspace
            due = self._triggers[name].get_next_fire_time(None, now)
            with self._services.database.connection() as connection:
                sources.plan_next(connection, workspace, name, due)
                if name in sources.paused(connection, workspace):
                    return False
                return jobs.defer_ingest(connection, self._services.queue, workspace, name)

        self._attempt(f"ingest:{name}", work)

    def _nightly(self, zone: tzinfo) -> "dict[str, tuple[Cron, Defer]]":
        """What recurs besides the sources: when, and how it is deferred."""
        found: dict[str, tuple[Cron, Defer]] = {
            jobs.RETAIN: (Cron(RETAIN, zone), jobs.defer_retain),
            jobs.GROUP: (Cron(GROUP, zone), jobs.defer_grouping),
        }
        if self._services.settings.admin_channel:
            found[jobs.DIGEST] = Cron(DIGEST, zone), self._defer_digest
        learn_at = self._services.settings.learn_at
        if learn_at != "off":
            hour, minute = learn_at.split(":")
            found[jobs.LEARN] = Cron(f"{int(minute)} {int(hour)} * * *", zone), jobs.defer_learn
        return found

    def _defer_digest(self, connection: Connection, queue: Queue) -> bool:
        return jobs.defer_digest(connection, queue, self._services.workspace)

    def _catch_up(self) -> None:
        """Defer what fell due while nobody kept time, or while this machine slept."""
        wall, steady = time.time(), time.monotonic()
        before = self._looked or (wall, steady - LOOK_SECONDS)
        jumped = bool(self._looked) and wall - before[0] - (steady - before[1]) > JUMP_SECONDS
        if jumped and self._scheduler is not None:
            # Its timer stood still while the machine slept.
            self._start(self._planned)
        if jumped or steady - before[1] >= LOOK_SECONDS:
            self._looked = wall, steady
            for task in self._nightly(self._zone):
                self._defer_due(task)

    def _defer_due(self, task: str) -> None:
        """Defer a task if a time of its own has come since it was last deferred: once, however many
        clocks there are and whatever they show, since the server's time counts."""

        def work() -> bool:
            when, defer = self._nightly(self._zone)[task]
            with self._services.database.connection() as connection:
                since, now = recurring.begin(connection, task)
                due = when.get_next_fire_time(since, now)
                if due is None or due > now or not recurring.advance(connection, task, since):
                    return False
                return defer(connection, self._services.queue)

        self._attempt(task, work)

    def _attempt(self, name: str, work: Callable[[], bool]) -> None:
        try:
            if work():
                log.info("deferred job=%s", name)
        except StoreError as error:
            # The database waits up to 30 s by itself; after that the next time has to do.
            log.error("not_deferred job=%s reason=%s", name, error)


class Cron(BaseTrigger):  # type: ignore[misc]
    """A schedule as APScheduler asks for it, in the machine's zone."""

    def __init__(self, line: str, zone: tzinfo) -> None:
        self._schedule = Schedule(line)
        self._zone = zone

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Give when it is due after the time before, or after now."""
        return self._schedule.after(previous or now, self._zone)
