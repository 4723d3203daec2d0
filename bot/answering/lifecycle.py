"""One question from begin to end: answer, keep, deliver, end. Safe to run again after any crash.

Answering and delivering are two steps, each a job of its own. Knows nothing about how answers are
found or where they are shown: both are handed in.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal, Protocol
from uuid import UUID, uuid4

from bot.answering import asking, history
from bot.answering import readers as reading
from bot.answering.readers import Readers
from bot.answering.request import Request
from store import answers, channels, questions
from store.channels import ChannelSettings
from store.database import Connection, Database, StoreBehind, StoreGone
from store.index.embedders import embedder_id
from store.records import EVERYONE, Answer, Ask, Origin, Question, Status, Viewer

MAX_ATTEMPTS = 3
"""After so many a question ends as failed; a fourth only says so."""

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = 120.0
"""Between two tries to deliver: people should not wait long once Slack is back."""

PATIENCE_SECONDS = 3600.0
"""How long an answer is tried to be delivered, by the pauses in between: a worker that is away does
not use it up."""

QUIET: Mapping[str, tuple[Status, ...]] = {
    "all": ("smalltalk",),
    "thread": ("smalltalk", "not_found"),
}
"""What is not said where nobody asked the bot by name; in mode `questions` only answers are said."""

CALLED: Sequence[Origin] = ("mention", "dm", "command")
"""Where the bot was spoken to, so that "any idea?" is said to it."""

WORDLESS = "Ask me a question in words, for example: How do I report a sick day?"

Answers = Callable[[Request], Answer]
"""Finds an answer: bot.services.Services.answer."""

Phrase = Callable[[Ask, Answer], Answer]
"""Lets an LLM phrase an answer, where there is one: bot.services.Services.phrase. Never raises because of it."""

Thread = Callable[[Ask], Sequence[str]]
"""Reads what people said before in the thread of a message, oldest first. Never raises."""

HandOver = Callable[[Connection, Question], None]
"""Queues the delivery of an answer, in the transaction that records it."""

_log = logging.getLogger(__name__)


class Delivery(Protocol):
    """What shows answers to their askers. Both may raise Undeliverable or NotYet."""

    def show(self, question: Question, answer: Answer) -> str | None:
        """Show an answer, once however often it is called; gives the id of a lasting message."""

    def tidy(self, question: Question, *, is_posted: bool) -> None:
        """Take off what marked the question as being worked on."""


class Undeliverable(Exception):
    """An answer cannot be shown to its asker, now or later."""


class Outdated(Exception):
    """A recorded answer that nobody has seen is to be found anew: more is known than when it was found."""


class NotYet(Exception):
    """An answer cannot be shown now; it may be in `after` seconds, where that is known.

    `is_failure` is false when nothing is wrong and it is only not its turn.
    """

    def __init__(
        self, message: str, *, after: float | None = None, is_failure: bool = True
    ) -> None:
        super().__init__(message)
        self.after = after
        self.is_failure = is_failure


def handle(
    database: Database,
    workspace: str,
    question_id: UUID,
    answer: Answers,
    hand_over: HandOver,
    *,
    max_question: int,
    readers: Readers = reading.inside,
    thread: Thread = lambda _: (),
    phrase: Phrase = lambda _, answer: answer,
) -> Status | Literal["unknown"]:
    """Find and record the answer to a question and hand it over to be delivered; give its status.

    Of a question, `max_question` characters are read; `readers` tell who will read the reply, `thread` what
    was said before it. An unexpected error is raised, so that the job is tried again, until MAX_ATTEMPTS; then the answer is
    that it failed. A lost database is raised every time. One for the terminal is fetched by who asked,
    so it ends here.
    """
    with database.connection() as connection:
        question = questions.begin(connection, workspace, question_id, datetime.now(UTC))
        if question is None:
            ended = questions.get(connection, workspace, question_id)
            return (ended.status if ended else None) or "unknown"
    error = None
    try:
        with _uncounted_where_behind(database, workspace, question_id):
            found = _kept(database, workspace, question)
            if found is None:
                found = _found(database, workspace, question, answer, max_question, readers, thread)
                found = phrase(question.ask, found)
    except StoreGone:
        raise
    except Exception as broken:
        _log.exception("question=%s attempt=%d broke", question_id, question.attempts)
        if question.attempts < MAX_ATTEMPTS:
            raise
        error, found = f"{type(broken).__name__}: {broken}", _failed(question)
    with (
        _uncounted_where_behind(database, workspace, question_id),
        database.connection() as connection,
    ):
        stands = questions.stands(connection, workspace, question)
        if stands:
            status = _keep(connection, workspace, question, found, error, hand_over)
    if not stands:  # edited or deleted meanwhile
        return handle(
            database, workspace, question_id, answer, hand_over,
            max_question=max_question, readers=readers, thread=thread, phrase=phrase,
        )  # fmt: skip
    return status


@contextmanager
def _uncounted_where_behind(
    database: Database, workspace: str, question_id: UUID
) -> Iterator[None]:
    """Let an attempt not count that a database without the newest migrations ended.

    This worker was upgraded before it: the question is not to blame.
    """
    try:
        yield
    except StoreBehind:
        with database.connection() as connection:
            questions.give_back(connection, workspace, question_id)
        raise


def _keep(
    connection: Connection,
    workspace: str,
    question: Question,
    found: Answer,
    error: str | None,
    hand_over: HandOver,
) -> Status:
    """Record an answer and see to it that its asker gets it."""
    given, question_id = _record(connection, workspace, question, found), question.question_id
    if error is not None:
        questions.blame(connection, workspace, question_id, error)
    if question.ask.origin == "terminal":
        now = datetime.now(UTC)
        questions.end(connection, workspace, question_id, given.status, now=now)
    else:
        hand_over(connection, question)
    return given.status


def deliver(
    database: Database,
    workspace: str,
    question_id: UUID,
    delivery: Delivery,
    *,
    tries: int,
    waited: float,
) -> Status | Literal["unknown"]:
    """Show a recorded answer to its asker, end the question and give the status it ended in.

    Raises NotYet, with the seconds to wait, when it is to be tried again: what may pass for
    PATIENCE_SECONDS in all (`waited` so far), a defect of ours MAX_ATTEMPTS times (`tries` before).
    After that the question ends as failed and the asker is told, if that is possible. Raises Outdated
    when the answer was dropped and is to be found again.
    """
    with database.connection() as connection:
        question = questions.get(connection, workspace, question_id)
        answer = answers.of(connection, workspace, question_id)
    if question is None or answer is None:
        return "unknown"
    status, posted = question.status, None
    if status is None:
        status, error = answer.status, None
        try:
            posted = delivery.show(question, answer)
            status = _shown_status(database, workspace, answer)
        except StoreGone:
            raise
        except Outdated:
            with database.connection() as connection:
                answers.drop(connection, workspace, answer.answer_id)
            raise
        except Undeliverable as refused:
            _log.error("question=%s not delivered: %s", question_id, refused)
            status, error = "failed", str(refused)
        except Exception as broken:  # noqa: BLE001 - logged where it is the end
            _try_again(broken, tries, waited)
            _log.exception("question=%s given up after %d tries", question_id, tries + 1)
            status, error = "failed", f"{type(broken).__name__}: {broken}"
            _apologise(question, answer, delivery)
        with database.connection() as connection:
            now = datetime.now(UTC)
            questions.end(connection, workspace, question_id, status, error=error, now=now)
    _tidy(question, delivery, posted is not None, tries, waited)
    return status


def _shown_status(database: Database, workspace: str, answer: Answer) -> Status:
    """Give the status that an answer was shown with: not found, where it had to be withheld."""
    with database.connection() as connection:
        return answers.status(connection, workspace, answer.answer_id) or answer.status


def pause(tries: int) -> float:
    """The seconds to wait after so many tries that failed before this one: 2, 4, 8, ..."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(tries, 16), LONGEST_PAUSE_SECONDS)


def _try_again(broken: Exception, tries: int, waited: float) -> None:
    """Raise NotYet if it is to be tried again."""
    if isinstance(broken, NotYet):
        if not broken.is_failure:
            raise broken
        if waited < PATIENCE_SECONDS:
            after = pause(tries) if broken.after is None else broken.after
            raise NotYet(str(broken), after=after) from broken
    elif tries + 1 < MAX_ATTEMPTS:
        _log.error("delivery broke", exc_info=broken)
        raise NotYet(f"{type(broken).__name__}: {broken}", after=pause(tries)) from broken


def _apologise(question: Question, answer: Answer, delivery: Delivery) -> None:
    """Tell the asker that it went wrong, with the id; what else goes wrong is only logged."""
    try:
        # The answer that was recorded stands: it is only shown as failed.
        delivery.show(question, replace(answer, status="failed"))
    except StoreGone:
        raise
    except Exception as broken:  # noqa: BLE001 - it ends as failed either way
        _log.warning(
            "question=%s could not be told that it failed: %s", question.question_id, broken
        )


def _tidy(
    question: Question, delivery: Delivery, is_posted: bool, tries: int, waited: float
) -> None:
    try:
        delivery.tidy(question, is_posted=is_posted)
    except NotYet as not_yet:
        _try_again(not_yet, tries, waited)


def viewer(ask: Ask) -> Viewer:
    """Who reads the reply where all are members: everyone in the channel, or the asker alone."""
    return Viewer((EVERYONE, *reading.own(ask)))


def _kept(database: Database, workspace: str, question: Question) -> Answer | None:
    """Give the answer that an earlier attempt recorded; raise RuntimeError where none ever could."""
    with database.connection() as connection:
        known = answers.of(connection, workspace, question.question_id)
    if known is None and question.attempts > MAX_ATTEMPTS:
        raise RuntimeError("the process died each time that this question was answered")
    return known


def _found(
    database: Database,
    workspace: str,
    question: Question,
    answer: Answers,
    max_question: int,
    readers: Readers,
    thread: Thread,
) -> Answer:
    ask = question.ask
    with database.connection() as connection:
        channel = channels.get(connection, workspace, ask.channel)
        before = questions.before(connection, workspace, ask, limit=history.MESSAGES)
    text, earlier, stands_for = _meant(ask, before, thread)
    asked = asking.read(text, max_question)
    text, earlier = asked.text, (*earlier, asked.told) if asked.told else earlier
    if _is_worded(text):
        reader = readers(ask, channel)
        found = answer(
            Request(
                text=text,
                viewer=reader.viewer,
                origin=ask.origin,
                mode=channel.mode,
                strictness=channel.strictness,
                sources=channel.sources,
                chosen=ask.chosen,
                earlier=earlier,
                channel=ask.channel,
                question_id=question.question_id,
            )
        )
        if stands_for:
            found = replace(found, understood=text)
        found = replace(found, signals={**found.signals, **reading.signals(reader.closed)})
    else:
        found = Answer(uuid4(), text, "smalltalk", 1.0, WORDLESS)
    return _quieted(ask, found, channel)


def _meant(ask: Ask, before: Sequence[str], thread: Thread) -> tuple[str, tuple[str, ...], bool]:
    """Give what is to be answered, what was said before it, and whether it stands for the message itself.

    A message that says nothing itself stands for what it forwards, else for the question above it. Slack is
    asked only where the thread's earlier questions, which are kept, do not do.
    """
    forwarded = ask.forwarded or ""
    is_called = ask.origin in CALLED and bool(ask.thread_ts or _is_worded(forwarded))
    if _is_worded(ask.body) and not (is_called and history.only_calls(ask.body)):
        said = [*before, forwarded] if forwarded else before
        if not said and ask.thread_ts and history.leans(ask.body, ("",)):
            said = thread(ask)
        return ask.body, tuple(said), False
    if _is_worded(forwarded):
        return forwarded, tuple(before), True
    above = history.asked_last(thread(ask) or before) if ask.thread_ts else None
    return (*above, True) if above else (ask.body, (), False)


def _is_worded(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


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


def _record(connection: Connection, workspace: str, question: Question, answer: Answer) -> Answer:
    """Keep an answer before anybody sees it; one that was kept before stands."""
    embedder = answer.versions.get("encoder")
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
