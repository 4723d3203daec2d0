"""The one door to the queue: which jobs there are, where each waits, and what goes first.

Whoever defers a job does so in a transaction of its own: the job exists exactly when that commits.
"""

from collections.abc import Mapping
from uuid import UUID

from store import questions, recurring
from store.database import Connection
from store.queue import Queue, front

QUESTIONS = "questions"
"""Where people wait for the end: served first, never behind ingestion."""

DELIVERIES = "deliveries"
"""Answers on their way into Slack: in slots of their own, so that a slow Slack keeps no question waiting."""

WORK = "work"
"""Ingestion and learning: minutes, not milliseconds."""

UPKEEP = "upkeep"
"""What nobody waits for at once: gaps, and what is said besides answers. Old workers do not fetch it."""

SPARE = "spare"
"""Hours of encoding that improve answers and that nobody waits for."""

ANSWER = "answer"
DELIVER = "deliver"
INGEST = "ingest"
TRAIN = "intents"
LEARN = "learn"
RETAIN = "retain"
GROUP = "gaps"
RETRY = "retry_gaps"
SAY = "say"
SECOND = "second"
DIGEST = "digest"


def defer_answer(connection: Connection, queue: Queue, workspace: str, question_id: UUID) -> None:
    """Queue the answer to a claimed question, in a fair order: people take turns (questions.place)."""
    place = questions.place(connection, workspace, question_id, front(connection, QUESTIONS))
    args = {"workspace": workspace, "question_id": str(question_id)}
    queue.defer(connection, ANSWER, args, queue=QUESTIONS, priority=place)


def defer_delivery(
    connection: Connection,
    queue: Queue,
    workspace: str,
    question_id: UUID,
    *,
    after: float = 0.0,
    tries: int = 0,
    waited: float = 0.0,
) -> None:
    """Queue the delivery of a recorded answer, after so many seconds; one that waits already stands.

    `tries` and `waited` (seconds) are those of the tries before.
    """
    args = {
        "workspace": workspace,
        "question_id": str(question_id),
        "tries": tries,
        "waited": waited,
    }
    lock = f"deliver:{question_id}"
    queue.defer(connection, DELIVER, args, queue=DELIVERIES, queueing_lock=lock, after=after)


def defer_notice(
    connection: Connection,
    queue: Queue,
    workspace: str,
    kind: str,
    key: str,
    about: Mapping[str, object],
    *,
    after: float = 0.0,
    tries: int = 0,
    waited: float = 0.0,
) -> None:
    """Queue something to be said in Slack besides answers, after so many seconds: once for each `key`.

    `kind` says what (bot/slack/notices.py), `about` holds ids only: what is said is made when it is said.
    """
    args = {
        "workspace": workspace, "kind": kind, "key": key, "about": dict(about), "tries": tries,
        "waited": waited,
    }  # fmt: skip
    queue.defer(connection, SAY, args, queue=UPKEEP, queueing_lock=f"say:{key}", after=after)


def defer_digest(connection: Connection, queue: Queue, workspace: str) -> bool:
    """Queue the digest of the seven days up to today, by the clock of the server; once for a day."""
    until = recurring.today(connection).isoformat()
    key, about = f"digest:{until}", {"until": until}
    defer_notice(connection, queue, workspace, "digest", key, about)
    return True


def defer_grouping(connection: Connection, queue: Queue) -> bool:
    """Queue that gaps are grouped anew; False when it waits already."""
    return queue.defer(connection, GROUP, {}, queue=UPKEEP, queueing_lock=GROUP) is not None


def defer_retry(connection: Connection, queue: Queue) -> bool:
    """Queue that the questions of gaps are tried again; False when it waits already."""
    return queue.defer(connection, RETRY, {}, queue=UPKEEP, queueing_lock=RETRY) is not None


def defer_ingest(
    connection: Connection,
    queue: Queue,
    workspace: str,
    source: str,
    *,
    asked_by: str | None = None,
    full: bool = False,
    allow_removal: bool = False,
    resumed: int = 0,
) -> bool:
    """Queue a run of one source; runs of the same source go one after the other.

    `asked_by` is told how it ended; `resumed` counts how often this run was interrupted already.
    False when a run of this source waits already.
    """
    args = {
        "workspace": workspace,
        "source": source,
        "full": full,
        "asked_by": asked_by,
        "allow_removal": allow_removal,
        "resumed": resumed,
    }
    lock = f"ingest:{workspace}:{source}"
    job = queue.defer(connection, INGEST, args, queue=WORK, lock=lock, queueing_lock=lock)
    return job is not None


def defer_training(connection: Connection, queue: Queue) -> bool:
    """Queue a training on the team's examples; False when one waits already."""
    job = queue.defer(connection, TRAIN, {}, queue=WORK, lock=TRAIN, queueing_lock=TRAIN)
    return job is not None


def defer_learn(connection: Connection, queue: Queue) -> bool:
    """Queue a night; False when one waits already."""
    return queue.defer(connection, LEARN, {}, queue=WORK, queueing_lock=LEARN) is not None


def defer_second(connection: Connection, queue: Queue) -> bool:
    """Queue the encoding of what has no vector of the second encoder yet; False when it waits already."""
    job = queue.defer(connection, SECOND, {}, queue=SPARE, lock=SECOND, queueing_lock=SECOND)
    return job is not None


def defer_retain(connection: Connection, queue: Queue) -> bool:
    """Queue the erasing of what is older than the retention setting; False when it waits already."""
    return queue.defer(connection, RETAIN, {}, queue=WORK, queueing_lock=RETAIN) is not None
