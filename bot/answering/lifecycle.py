"""One question from begin to end: answer, keep, deliver, end. Safe to run again after any crash.

Knows nothing about how answers are found or where they are shown: both are handed in.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID, uuid4

from bot.answering.request import Request
from store import answers, channels, questions
from store.channels import ChannelSettings
from store.database import Database, StoreGone
from store.index.embedders import embedder_id
from store.records import EVERYONE, Answer, Ask, Question, Status, Viewer

MAX_ATTEMPTS = 3
"""After so many a question ends as failed; a fourth only says so."""

QUIET: Mapping[str, tuple[Status, ...]] = {
    "all": ("smalltalk",),
    "thread": ("smalltalk", "not_found"),
}
"""What is not said where nobody asked the bot by name; in mode `questions` only answers are said."""

WORDLESS = "Ask me a question in words, for example: How do I report a sick day?"

Answers = Callable[[Request], Answer]
"""Finds an answer: bot.services.Services.answer."""

Deliver = Callable[[Question, Answer, int], str | None]
"""Shows an answer (also an ignored one, to clean up); gives the id of a lasting message, if there is one.

Called with the question, its answer and the number of the attempt, from 1; may raise Undeliverable."""

_log = logging.getLogger(__name__)


class Undeliverable(Exception):
    """An answer could not be shown to its asker; `permanent` says that trying again will not help."""

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


def handle(
    database: Database,
    workspace: str,
    question_id: UUID,
    answer: Answers,
    deliver: Deliver,
    *,
    max_question: int,
) -> Status | Literal["unknown"]:
    """Bring a question to its end and give the status it ended in.

    Of a question, `max_question` characters are read. An unexpected error is raised, so that the job is
    tried again, until MAX_ATTEMPTS; then the question ends as failed and the asker is told. A lost
    database is raised every time.
    """
    with database.connection() as connection:
        question = questions.begin(connection, workspace, question_id, datetime.now(UTC))
        if question is None:
            ended = questions.get(connection, workspace, question_id)
            return (ended.status if ended else None) or "unknown"
    error = None
    try:
        given = _kept(database, workspace, question) or _found(
            database, workspace, question, answer, max_question
        )
        deliver(question, given, question.attempts)
    except StoreGone:
        raise
    except Exception as broken:
        is_final = isinstance(broken, Undeliverable) and broken.permanent
        if is_final:
            _log.error("question=%s not delivered: %s", question_id, broken)
            given, error = _failed(question), str(broken)
        else:
            _log.exception("question=%s attempt=%d broke", question_id, question.attempts)
            if question.attempts < MAX_ATTEMPTS:
                raise
            error = f"{type(broken).__name__}: {broken}"
            given = _apologise(database, workspace, question, deliver)
    with database.connection() as connection:
        now = datetime.now(UTC)
        questions.end(connection, workspace, question_id, given.status, error=error, now=now)
    return given.status


def viewer(ask: Ask) -> Viewer:
    """Who will read the reply: everyone in the channel, or the asker alone with their own rights."""
    if ask.is_private:
        return Viewer((EVERYONE, ask.channel, ask.person))
    return Viewer((EVERYONE, ask.channel))


def _kept(database: Database, workspace: str, question: Question) -> Answer | None:
    """Give the answer that an earlier attempt recorded; raise RuntimeError where none ever could."""
    with database.connection() as connection:
        known = answers.of(connection, workspace, question.question_id)
    if known is None and question.attempts > MAX_ATTEMPTS:
        raise RuntimeError("the process died each time that this question was answered")
    return known


def _found(
    database: Database, workspace: str, question: Question, answer: Answers, max_question: int
) -> Answer:
    """Find an answer, and record it before anybody sees it."""
    ask = question.ask
    with database.connection() as connection:
        channel = channels.get(connection, workspace, ask.channel)
    text = ask.body[:max_question]
    if any(sign.isalnum() for sign in text):
        found = answer(
            Request(
                text=text,
                viewer=viewer(ask),
                origin=ask.origin,
                mode=channel.mode,
                strictness=channel.strictness,
                sources=channel.sources,
                chosen=ask.chosen,
            )
        )
    else:
        found = Answer(uuid4(), text, "smalltalk", 1.0, WORDLESS)
    return _record(database, workspace, question, _quieted(ask, found, channel))


def _quieted(ask: Ask, answer: Answer, channel: ChannelSettings) -> Answer:
    """Turn a reply that nobody asked for into silence: status `ignored`."""
    if ask.origin == "thread":
        is_quiet = answer.status in QUIET["thread"]
    elif ask.origin != "channel":
        return answer
    elif channel.mode == "all":
        is_quiet = answer.status in QUIET["all"]
    else:
        is_quiet = answer.status not in ("answered", "unsure", "routed")
    return replace(answer, status="ignored") if is_quiet else answer


def _record(database: Database, workspace: str, question: Question, answer: Answer) -> Answer:
    embedder = answer.versions.get("encoder")
    with database.connection() as connection:
        return answers.record(
            connection,
            workspace,
            question.question_id,
            answer,
            answer.vector or None,
            embedder_id(embedder) if embedder and answer.vector else None,
            datetime.now(UTC),
        )


def _failed(question: Question) -> Answer:
    return Answer(question.question_id, question.ask.body, "failed", 0.0, None)


def _apologise(database: Database, workspace: str, question: Question, deliver: Deliver) -> Answer:
    """Tell the asker that it went wrong, with the id; what else goes wrong is only logged."""
    # An answer that was recorded before stands: it is only shown as failed.
    answer = replace(_record(database, workspace, question, _failed(question)), status="failed")
    try:
        deliver(question, answer, question.attempts)
    except StoreGone:
        raise
    except Exception:  # noqa: BLE001 - it ends as failed either way
        _log.exception("question=%s could not be told that it failed", question.question_id)
    return answer
