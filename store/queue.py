"""The durable queue: jobs deferred, counted and brought back through procrastinate's SQL functions.

Knows nothing about what a job does. Deferring is one statement in the caller's own transaction, so
only workers need procrastinate itself and the Slack edge stays light.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from store.database import Connection

_DEFER = """
SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
    ROW(%(queue)s, %(task)s, %(priority)s, %(lock)s, %(queueing_lock)s, %(args)s,
        now() + make_interval(secs => %(after)s))
]::procrastinate_job_to_defer_v1[]))
"""

_STALLED = """
SELECT j.id, j.queue_name, j.task_name, j.args, j.attempts
FROM procrastinate_jobs j LEFT JOIN procrastinate_workers w ON w.id = j.worker_id
WHERE j.status = 'doing'
  AND (w.id IS NULL OR w.last_heartbeat < now() - make_interval(secs => %(seconds)s))
ORDER BY j.id
"""

_DEPTHS = """
SELECT queue_name, count(*) FILTER (WHERE status = 'todo'), count(*) FILTER (WHERE status = 'doing'),
       greatest(0, coalesce(extract(epoch FROM now() - min(scheduled_at) FILTER (WHERE status = 'todo')), 0))::float8
FROM procrastinate_jobs WHERE status IN ('todo', 'doing') GROUP BY queue_name ORDER BY queue_name
"""

_FORGET = """
DELETE FROM procrastinate_jobs j
WHERE j.status NOT IN ('todo', 'doing') AND NOT EXISTS (
    SELECT 1 FROM procrastinate_events e WHERE e.job_id = j.id AND e.at >= %(before)s)
"""


_LOST = """
SELECT q.question_id FROM questions q
WHERE q.workspace_id = %(workspace)s AND q.ended_at IS NULL
  AND q.claimed_at NOT BETWEEN now() - make_interval(secs => %(seconds)s) AND now()
  AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs j WHERE j.status IN ('todo', 'doing')
    AND j.task_name = ANY(%(tasks)s) AND j.args ->> 'question_id' = q.question_id::text)
ORDER BY q.claimed_at
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it stands in the queue; `attempts` are those that ended, not the running one."""

    job_id: int
    queue: str
    task: str
    args: Mapping[str, object]
    attempts: int


@dataclass(frozen=True, slots=True)
class Depth:
    """How many jobs of a queue wait and how many run; `oldest` is for how many seconds one of those that
    wait has been due."""

    queue: str
    waiting: int
    running: int
    oldest: float = field(default=0.0, compare=False)


@dataclass(frozen=True, slots=True)
class Queue:
    """Where jobs are deferred; workers connect to `url` themselves."""

    url: str

    def defer(
        self,
        connection: Connection,
        task: str,
        args: Mapping[str, object],
        *,
        queue: str,
        lock: str | None = None,
        queueing_lock: str | None = None,
        priority: int = 0,
        after: float | None = None,
    ) -> int | None:
        """Queue a job; it exists exactly when the caller's transaction commits.

        Jobs of one `lock` run one after the other. It runs `after` so many seconds, by the clock of
        the server, or at once. Returns the job's id, or None when a job with the
        same `queueing_lock` waits already (one that runs does not count).
        """
        values = {
            "queue": queue,
            "task": task,
            "priority": priority,
            "lock": lock,
            "queueing_lock": queueing_lock,
            "args": Jsonb(dict(args)),
            "after": after or None,
        }
        try:
            with _savepoint(connection):
                row = connection.execute(_DEFER, values).fetchone()
        except psycopg.errors.UniqueViolation:
            return None
        assert row is not None
        return int(row[0])


def stalled(connection: Connection, seconds: float) -> list[Job]:
    """List running jobs whose worker is gone or has not been heard of for so many seconds."""
    rows = connection.execute(_STALLED, {"seconds": seconds}).fetchall()
    return [Job(*row) for row in rows]


def retry(connection: Connection, job_id: int) -> bool:
    """Let a stalled job run again at once and free its lock; False when one like it waits already.

    In that case the stalled one is ended: the waiting one does its work.
    """
    try:
        with _savepoint(connection):
            connection.execute(
                "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", (job_id,)
            )
    except psycopg.errors.UniqueViolation:
        fail(connection, job_id)
        return False
    return True


def fail(connection: Connection, job_id: int) -> None:
    """End a job for good and free its lock; it is kept until `forget`."""
    connection.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", (job_id,))


def held(connection: Connection, task: str, key: str) -> set[str]:
    """The values of argument `key` over all jobs of `task` that wait or run."""
    rows = connection.execute(
        "SELECT args ->> %s FROM procrastinate_jobs"
        " WHERE task_name = %s AND status IN ('todo', 'doing')",
        (key, task),
    )
    return {value for (value,) in rows if value is not None}


def lost(
    connection: Connection, workspace: str, tasks: Sequence[str], seconds: float
) -> list[UUID]:
    """The open questions that no job of these tasks is for, oldest first.

    A claim needs so many seconds to count; one from the future is by a clock that is wrong.
    """
    rows = connection.execute(
        _LOST, {"workspace": workspace, "tasks": list(tasks), "seconds": seconds}
    )
    return [question_id for (question_id,) in rows.fetchall()]


def hasten(connection: Connection, name: str, seconds: float) -> int:
    """Bring the jobs of a queue that are due in more than so many seconds back to now; gives how many.

    Procrastinate reckons a retry by the clock of the worker, which may be an hour fast.
    """
    return connection.execute(
        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'"
        " AND queue_name = %s AND scheduled_at > now() + make_interval(secs => %s)",
        (name, seconds),
    ).rowcount


def front(connection: Connection, name: str) -> int | None:
    """The highest priority of what waits or runs in a queue; None when it is empty."""
    row = connection.execute(
        "SELECT max(priority) FROM ((SELECT priority FROM procrastinate_jobs"
        "  WHERE status = 'todo' AND queue_name = %(name)s ORDER BY priority DESC, id LIMIT 1)"
        " UNION ALL (SELECT priority FROM procrastinate_jobs"
        "  WHERE status = 'doing' AND worker_id IS NOT NULL AND queue_name = %(name)s)) active",
        {"name": name},
    ).fetchone()
    return row[0] if row else None


def depths(connection: Connection) -> list[Depth]:
    """How long each queue is; empty queues are left out."""
    return [Depth(*row) for row in connection.execute(_DEPTHS).fetchall()]


@dataclass(frozen=True, slots=True)
class Broken:
    """A job that failed for good, and when its last try ended."""

    job_id: int
    queue: str
    task: str
    attempts: int
    ended_at: datetime | None


def failed(connection: Connection, most: int) -> list[Broken]:
    """List the jobs that failed for good and are kept still, the latest first."""
    rows = connection.execute(
        "SELECT j.id, j.queue_name, j.task_name, j.attempts,"
        " (SELECT max(at) FROM procrastinate_events e WHERE e.job_id = j.id)"
        " FROM procrastinate_jobs j WHERE j.status = 'failed' ORDER BY j.id DESC LIMIT %s",
        (most,),
    ).fetchall()
    return [Broken(*row) for row in rows]


def workers(connection: Connection, seconds: float) -> int:
    """How many worker loops gave a sign of life within so many seconds."""
    row = connection.execute(
        "SELECT count(*) FROM procrastinate_workers"
        " WHERE last_heartbeat >= now() - make_interval(secs => %s)",
        (seconds,),
    ).fetchone()
    return int(row[0]) if row else 0


def forget(connection: Connection, before: datetime) -> int:
    """Delete jobs that ended before a time; returns how many."""
    return connection.execute(_FORGET, {"before": before}).rowcount


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """Undo only what is inside on an error.

    Not connection.transaction(): where no statement has run yet, that would commit at its end.
    """
    connection.execute("SAVEPOINT attempt")
    try:
        yield
    except psycopg.Error:
        connection.execute("ROLLBACK TO SAVEPOINT attempt")
        raise
