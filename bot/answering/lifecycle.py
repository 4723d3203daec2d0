"""One question from begin to end: answer, keep, deliver, end. Safe to run again after any crash.

Knows nothing about Slack: `deliver` shows the answer to whoever asked.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, Protocol
from uuid import UUID, uuid4

from bot.settings import Settings
from bot.slack.clients import SlackRefused
from store import answers, channels, questions
from store.channels import ChannelSettings
from store.database import Database, StoreGone
from store.index.embedders import embedder_id
from store.records import EVERYONE, Answer, Ask, Origin, Question, Status, Viewer

MAX_ATTEMPTS = 3
"""After so many a question ends as failed; a fourth only says so."""

QUIET: Mapping[str, tuple[Status, ...]] = {
    "all": ("smalltalk",),
    "thread": ("smalltalk", "not_found"),
}
"""What is not said where nobody asked the bot by name; in mode `questions` only answers are said."""

WORDLESS = "Ask me a question in words, for example: How do I report a sick day?"

Deliver = Callable[[Question, Answer, int], str | None]
"""Shows an answer (also an ignored one, to clean up); gives the ts of a lasting message."""

_log = logging.getLogger(__name__)


class Answers(Protocol):
    """What finds answers: bot.answering.answerer.Answerer."""

    def answer(
        self,
        question: str,
        viewer: Viewer,
        *,
        sources: Sequence[str] | None = None,
        origin: Origin = "mention",
        mode: str | None = None,
        strictness: float | None = None,
        chosen: str | None = None,
    ) -> Answer:
        """Answer one question from what the viewer may see."""


class Parts(Protocol):
    """What handling needs of bot.services.Services."""

    @property
    def settings(self) -> Settings:
        """The limits."""

    @property
    def database(self) -> Database:
        """Where questions are kept."""

    @property
    def answerer(self) -> Answers:
        """What finds answers; loaded at first use."""


def handle(
    services: Parts,
    workspace: str,
    question_id: UUID,
    deliver: Deliver,
) -> Status | Literal["unknown"]:
    """Bring a question to its end and give the status it ended in.

    An unexpected error is raised, so that the job is tried again, until MAX_ATTEMPTS; then the
    question ends as failed and the asker is told. A lost database is raised every time.
    """
    with services.database.connection() as connection:
        question = questions.begin(connection, workspace, question_id, datetime.now(UTC))
        if question is None:
            ended = questions.get(connection, workspace, question_id)
            return (ended.status if ended else None) or "unknown"
    error = None
    try:
        answer = _kept(services, workspace, question)
        deliver(question, answer, question.attempts)
    except StoreGone:
        raise
    except SlackRefused as refused:
        answer, error = _broken(question), str(refused)
        _log.error("question=%s not delivered: %s", question_id, refused)
    except Exception as broken:
        _log.exception("question=%s attempt=%d broke", question_id, question.attempts)
        if question.attempts < MAX_ATTEMPTS:
            raise
        error = f"{type(broken).__name__}: {broken}"
        answer = _apologise(services, workspace, question, deliver)
    _end(services, workspace, question, answer, error)
    return answer.status


def viewer(ask: Ask) -> Viewer:
    """Who will read the reply: everyone in the channel, or the asker alone with their own rights."""
    if ask.is_private:
        return Viewer((EVERYONE, ask.channel, ask.person))
    return Viewer((EVERYONE, ask.channel))


def spoken(ask: Ask, answer: Answer, settings: ChannelSettings) -> Answer:
    """Keep quiet (status `ignored`) where nobody asked for this reply."""
    if ask.origin == "thread":
        is_quiet = answer.status in QUIET["thread"]
    elif ask.origin != "channel":
        return answer
    elif settings.mode == "all":
        is_quiet = answer.status in QUIET["all"]
    else:
        is_quiet = answer.status not in ("answered", "unsure", "routed")
    return replace(answer, status="ignored") if is_quiet else answer


def _kept(services: Parts, workspace: str, question: Question) -> Answer:
    """Give the recorded answer, or find one and record it."""
    ask = question.ask
    with services.database.connection() as connection:
        known = answers.of(connection, workspace, question.question_id)
        settings = channels.get(connection, workspace, ask.channel)
    if known is not None:
        return known
    if question.attempts > MAX_ATTEMPTS:
        raise RuntimeError("the process died each time that this question was answered")
    asked = ask.body[: services.settings.max_question]
    if any(sign.isalnum() for sign in asked):
        found = services.answerer.answer(
            asked,
            viewer(ask),
            sources=settings.sources,
            origin=ask.origin,
            mode=settings.mode,
            strictness=settings.strictness,
            chosen=ask.chosen,
        )
    else:
        found = Answer(uuid4(), asked, "smalltalk", 1.0, WORDLESS)
    return _record(services, workspace, question, spoken(ask, found, settings))


def _record(services: Parts, workspace: str, question: Question, answer: Answer) -> Answer:
    encoder = answer.versions.get("encoder")
    with services.database.connection() as connection:
        return answers.record(
            connection,
            workspace,
            question.question_id,
            answer,
            answer.vector or None,
            embedder_id(encoder) if encoder and answer.vector else None,
            datetime.now(UTC),
        )


def _broken(question: Question) -> Answer:
    return Answer(question.question_id, question.ask.body, "failed", 0.0, None)


def _apologise(services: Parts, workspace: str, question: Question, deliver: Deliver) -> Answer:
    """Tell the asker that it went wrong, with the id; what else goes wrong is only logged."""
    answer = _record(services, workspace, question, _broken(question))
    try:
        deliver(question, replace(answer, status="failed"), question.attempts)
    except StoreGone:
        raise
    except Exception:  # noqa: BLE001 - it ends as failed either way
        _log.exception("question=%s could not be told that it failed", question.question_id)
    return replace(answer, status="failed")


def _end(
    services: Parts, workspace: str, question: Question, answer: Answer, error: str | None
) -> None:
    with services.database.connection() as connection:
        questions.end(
            connection,
            workspace,
            question.question_id,
            answer.status,
            error=error,
            now=datetime.now(UTC),
        )
