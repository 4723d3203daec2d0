"""Brings back what a killed process left behind: jobs of dead workers, questions without a job.

Knows nothing about what the jobs do. How often a question may be tried is bot/answering/lifecycle.py's to say: it
counts the attempts and ends the question as failed when they are used up.
"""

import logging
from datetime import UTC, datetime, timedelta

from bot import jobs
from bot.services import Services
from store import election, questions, queue
from store.database import Connection
from store.queue import Job

log = logging.getLogger(__name__)

STALLED_SECONDS = 10.0
"""A worker beats every 2 s; after five missed beats its jobs are given to others."""

LOST_AFTER = timedelta(seconds=5)
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
        return len(stalled) + _requeue_lost(services, connection, workspace)


def _bring_back(connection: Connection, job: Job) -> None:
    is_given_up = job.queue != jobs.QUESTIONS and job.attempts + 1 >= MAX_ATTEMPTS
    if is_given_up:
        queue.fail(connection, job.job_id)
    is_again = not is_given_up and queue.retry(connection, job.job_id)
    log.warning(
        "stalled task=%s job=%d attempts=%d again=%s",
        job.task, job.job_id, job.attempts + 1, is_again,
    )  # fmt: skip


def _requeue_lost(services: Services, connection: Connection, workspace: str) -> int:
    waiting = questions.waiting(connection, workspace, datetime.now(UTC) - LOST_AFTER)
    held = queue.held(connection, jobs.ANSWER, "question_id") if waiting else set()
    lost = [question for question in waiting if str(question.question_id) not in held]
    for question in lost:
        log.warning("lost question=%s attempts=%d", question.question_id, question.attempts)
        jobs.defer_answer(connection, services.queue, workspace, question.question_id)
    return len(lost)
