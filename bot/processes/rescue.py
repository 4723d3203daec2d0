"""Brings back what a killed process left behind: jobs of dead workers, questions without a job.

Knows nothing about what the jobs do. How often a question may be tried is bot/answering/lifecycle.py's to say: it
counts the attempts and ends the question as failed when they are used up.
"""

import logging

from bot import jobs
from bot.services import Services
from store import election, queue
from store.database import Connection
from store.queue import Job

log = logging.getLogger(__name__)

STALLED_SECONDS = 10.0
"""A worker beats every 2 s; after five missed beats its jobs are given to others."""

FAR_SECONDS = 60.0
"""No question is tried again later than this: what is due later was put off by a clock that is fast."""

LOST_SECONDS = 5.0
"""A question is claimed and queued in one transaction, so one without a job was left behind."""

MAX_ATTEMPTS = 3
"""Workers that one long job may take down with it (out of memory, say) before it is given up."""


def rescue(services: Services) -> int:
    """Queue again what was left behind, unless another worker is at it; gives how many."""
    workspace = services.workspace
    with services.database.connection() as connection:
        if not election.alone(connection, "threadwise-rescue"):
            return 0
        stalled = queue.stalled(connection, STALLED_SECONDS)
        for job in stalled:
            _bring_back(connection, job)
        queue.hasten(connection, jobs.QUESTIONS, FAR_SECONDS)
        return len(stalled) + _requeue_lost(services, connection, workspace)


def _bring_back(connection: Connection, job: Job) -> None:
    is_given_up = job.queue in (jobs.WORK, jobs.SPARE) and job.attempts + 1 >= MAX_ATTEMPTS
    if is_given_up:
        queue.fail(connection, job.job_id)
    is_again = not is_given_up and queue.retry(connection, job.job_id)
    log.warning(
        "stalled task=%s job=%d attempts=%d again=%s",
        job.task, job.job_id, job.attempts + 1, is_again,
    )  # fmt: skip


def _requeue_lost(services: Services, connection: Connection, workspace: str) -> int:
    tasks = (jobs.ANSWER, jobs.DELIVER)
    lost = queue.lost(connection, workspace, tasks, LOST_SECONDS)
    for question_id in lost:
        log.warning("lost question=%s", question_id)
        jobs.defer_answer(connection, services.queue, workspace, question_id)
    return len(lost)
