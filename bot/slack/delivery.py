"""Answers on their way into Slack: posted once, found again after a crash or an outage.

Knows nothing about how an answer came about, nor about when it is tried again: what may pass leaves as
NotYet. A message in a channel is posted exactly once: before each call it is noted that one begins,
and when an earlier one did not say how it ended, the thread is searched first. Slack is also given the
question's id as `client_msg_id`, by which it knows a message that it has; that decides where the thread
may not be searched. A reply that only the asker sees cannot be searched for; it is noted after it was
sent, so a crash in between shows it twice rather than not at all.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid5

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.answering import asking, faq, readers
from bot.answering.lifecycle import NotYet, Outdated
from bot.answering.policy import asked_back
from bot.intents import Intents
from bot.slack import clients, handovers, render
from bot.slack.audience import Audience
from bot.slack.newer import NewerBlocks
from bot.slack.render import Controls, Message
from bot.text import shorten
from store import answers, channels, questions
from store.database import Database, StoreGone
from store.feedback import faqs
from store.index import scopes
from store.queue import Queue
from store.records import Answer, Ask, Question

UNDERSTOOD_CHARS = 200

EVENT_TYPE = "threadwise_answer"
LAYOUTS: tuple[tuple[bool, Controls], ...] = (
    (True, "feedback"), (False, "feedback"), (False, "buttons"),
)  # fmt: skip
"""What is tried, best first, before the text alone: whether a container folds what is not read at once, and
how feedback is given. Older Slacks refuse the newer blocks."""

_log = logging.getLogger(__name__)


class SlackDelivery:
    """Delivers answers for one workspace; shared by a worker's threads."""

    def __init__(
        self,
        client: WebClient,
        database: Database,
        workspace: str,
        *,
        max_question: int = 3000,
        intents: Callable[[], Intents] = Intents,
        audience: Audience | None = None,
        newer: NewerBlocks | None = None,
        queue: Queue | None = None,
    ) -> None:
        """Without a `queue` nobody can be called: what has to be told later waits there."""
        self._client = client
        self._database = database
        self._workspace = workspace
        self._max_question = max_question
        self._intents = intents
        self._audience = audience or Audience(client, workspace)
        self._newer = newer or NewerBlocks()
        self._queue = queue

    def show(self, question: Question, answer: Answer) -> str | None:
        """Deliver an answer and give the message's ts; None when there is no lasting message.

        Raises SlackRefused when Slack will not have it, NotYet when it may if tried again.
        """
        if answer.status == "ignored" or question.ask.origin == "terminal":
            return None
        with self._database.connection() as connection:
            known = answers.posted_at(connection, self._workspace, answer.answer_id)
        if known:
            return known[1]
        is_private = question.ask.origin == "command"
        ts = self._once(question, answer, self._whispered if is_private else self._posted)
        with self._database.connection() as connection:
            channel = question.ask.channel
            answers.posted(connection, self._workspace, answer.answer_id, channel, ts or None)
        _log.info(
            "posted", extra={"question": question.question_id.hex, "answer": answer.answer_id.hex}
        )
        return ts or None

    def tidy(self, question: Question, *, is_posted: bool) -> None:
        """Take off the mark of being worked on; NotYet when Slack may let us later."""
        with self._database.connection() as connection:
            marker = questions.unmark(connection, self._workspace, question.question_id)
        if not marker:
            return
        try:
            unmark(self._client, question.ask, marker, is_posted=is_posted)
        except NotYet:
            if marker in ("eyes", "session"):  # a status goes by itself
                with self._database.connection() as connection:
                    questions.remark(connection, self._workspace, question.question_id, marker)
                raise

    def _once(
        self, question: Question, answer: Answer, send: Callable[[Question, Answer], str]
    ) -> str:
        """Send, unless an earlier try did; no connection to the database is held meanwhile."""
        passed_on = self._passed_on(question, answer)
        with self._database.connection() as connection:
            before = answers.begin_posting(
                connection, self._workspace, answer.answer_id, clients.LEASE_SECONDS
            )
        if before == "busy":
            raise NotYet(
                "an earlier try may be under way", after=clients.BUSY_SECONDS, is_failure=False
            )
        is_open = before == "open"
        try:
            ts = self._own(question) if is_open else None
            showable = passed_on if ts else self._showable(question, passed_on)
            is_open = True  # until Slack says otherwise
            return ts or send(question, showable)
        except StoreGone:
            raise
        except Exception as error:
            with self._database.connection() as connection:
                is_open = is_open and clients.is_open(error)
                answers.end_posting(connection, self._workspace, answer.answer_id, is_open=is_open)
            raise clients.explained(error, "chat.postMessage") from error

    def _showable(self, question: Question, answer: Answer) -> Answer:
        """Take back what may not be shown any more: time has passed since it was found.

        Raises NotYet while Slack does not say who reads it, Outdated when it did not before and now does.
        """
        cited = [(c.source, c.path) for c in (*answer.citations, *answer.hints)]
        was_unknown = readers.is_unknown(answer)
        if not cited and not was_unknown:
            return answer
        with self._database.connection() as connection:
            channel = channels.get(connection, self._workspace, question.ask.channel)
        reader = self._audience.reader(question.ask, channel)
        if was_unknown and reader.closed is None and answer.status != "failed":
            raise Outdated("Slack says now who reads it")
        if reader.closed == "unknown" and not was_unknown:
            raise NotYet("Slack does not say who reads it")
        kept = [path.partition("/")[2] for source, path in cited if source == faq.SOURCE]
        self._narrow(kept)
        with self._database.connection() as connection:
            pages = [each for each in cited if each[0] != faq.SOURCE]
            is_strict, where = reader.closed is not None, self._workspace
            is_hidden = scopes.hides(
                connection, where, reader.viewer, pages, strict=is_strict
            ) or any(not faqs.serves(connection, where, faq_id, reader.viewer) for faq_id in kept)
        if not is_hidden:
            return answer
        _log.warning("withheld question=%s: its readers changed", question.question_id.hex)
        signals = readers.signals(reader.closed or "changed")
        with self._database.connection() as connection:
            answers.withhold(connection, self._workspace, answer.answer_id, signals)
        return replace(
            answer, status="not_found", body=None, citations=(), hints=(), passages=(), shown=(),
            signals=signals,
        )  # fmt: skip

    def _narrow(self, kept: list[str]) -> None:
        """Keep replies to the channel that they come from, where that has become private since."""
        with self._database.connection() as connection:
            origins = faqs.open_channels(connection, self._workspace, kept)
        for channel in origins:
            if self._audience.place(channel).is_private:
                with self._database.connection() as connection:
                    faqs.narrow(connection, self._workspace, channel)

    def _passed_on(self, question: Question, answer: Answer) -> Answer:
        """Tell those who take over, and say so; what was asked in private is left to the asker.

        It comes before the reply that speaks of it, so a crash in between may tell them twice.
        """
        if self._called(question, answer):
            return replace(answer, body=handovers.CALLED)
        handover = handovers.of(answer, self._intents())
        if handover is None:
            return answer
        may_hear = self._audience.may_hear(question.ask, handover.route_to)
        if not may_hear or not self._handed_over(question, answer, handover):
            return replace(answer, body=handovers.not_passed_on(handover.route_to))
        return replace(answer, body=handovers.passed_on(handover.route_to))

    def _called(self, question: Question, answer: Answer) -> bool:
        """Call the people in charge to the thread, once, where somebody asks for a person there."""
        wants_person = handovers.wants_person(answer, self._intents())
        if self._queue is None or not wants_person or not self._may_call(question):
            return False
        call_id = uuid5(question.question_id, "call")
        call = handovers.call(call_id, question, question.ask.person)
        with self._database.connection() as connection:
            handovers.open_call(connection, self._queue, self._workspace, call)
        return True

    def _may_call(self, question: Question) -> bool:
        """Whether people can be called to the thread of a question: it is no private talk, and some are named."""
        if self._queue is None or question.ask.is_private:
            return False
        with self._database.connection() as connection:
            channel = channels.get(connection, self._workspace, question.ask.channel)
        return bool(handovers.in_charge(channel, self._intents()))

    def _handed_over(
        self, question: Question, answer: Answer, handover: handovers.Handover
    ) -> bool:
        """Tell those who take over, once; False when Slack will not let us, NotYet when it may."""
        with self._database.connection() as connection:
            if answers.is_handed_over(connection, self._workspace, answer.answer_id):
                return True
        try:
            self._tell(question, handover)
        except clients.FAILURES as error:
            reason = clients.explained(error, "chat.postMessage")
            if isinstance(reason, NotYet):
                raise reason from error
            _log.warning("not handed over: %s", reason)
            return False
        with self._database.connection() as connection:
            answers.hand_over(connection, self._workspace, answer.answer_id)
        return True

    def _tell(self, question: Question, handover: handovers.Handover) -> None:
        ask, key = question.ask, str(uuid5(question.question_id, "handover"))
        link = self._client.chat_getPermalink(channel=ask.channel, message_ts=ask.said_ts)
        text = handovers.told(handover, link["permalink"])
        if handover.route_to.startswith("S"):  # a group has no place of its own: the thread it is
            self._client.chat_postMessage(
                channel=ask.channel,
                thread_ts=ask.thread_ts or ask.message_ts,
                text=text,
                client_msg_id=key,
            )
        else:
            self._client.chat_postMessage(channel=handover.route_to, text=text, client_msg_id=key)

    def _posted(self, question: Question, answer: Answer) -> str:
        ask = question.ask
        payload = {"question_id": str(question.question_id), "answer_id": str(answer.answer_id)}

        def send(message: Message) -> str:
            response = self._client.chat_postMessage(
                channel=ask.channel,
                thread_ts=ask.thread_ts or ask.message_ts,
                text=message.text,
                blocks=list(message.blocks),
                metadata={"event_type": EVENT_TYPE, "event_payload": payload},
                client_msg_id=str(question.question_id),
                unfurl_links=False,
                unfurl_media=False,
            )
            return str(response["ts"])

        return self._simpler_if_refused(question, answer, send)

    def _whispered(self, question: Question, answer: Answer) -> str:
        """Reply where only the asker sees it; such a message has no ts to speak of."""
        self._simpler_if_refused(
            question, answer, lambda message: self._ephemeral(question, message)
        )
        return ""

    def _ephemeral(self, question: Question, message: Message) -> str:
        ask = question.ask
        if ask.respond_url:
            reply: dict[str, object] = {
                "text": message.text, "blocks": list(message.blocks), "response_type": "ephemeral",
                "replace_original": False,
            }  # fmt: skip
            thread = {"thread_ts": ask.thread_ts} if ask.thread_ts else {}
            sent = clients.webhook(ask.respond_url).send_dict(reply | thread)
            if sent.status_code == 200:
                return ""
            if "blocks" in sent.body:
                raise _refused_blocks()
            clients.check_hook(sent)
        response = self._client.chat_postEphemeral(
            channel=ask.channel, user=ask.person, text=message.text, blocks=list(message.blocks),
            thread_ts=ask.thread_ts,
        )  # fmt: skip
        return str(response["message_ts"])

    def _simpler_if_refused(
        self, question: Question, answer: Answer, send: Callable[[Message], str]
    ) -> str:
        """Send folded and with feedback controls; else simpler, at last as text alone, if Slack objects."""
        *others, last = self._messages(question, answer)
        was_folded = False
        for message in others:
            is_folded = any(block["type"] == "container" for block in message.blocks)
            try:
                ts = send(message)
            except SlackApiError as error:
                if clients.code_of(error) not in clients.BLOCK_ERRORS:
                    raise
                was_folded = was_folded or is_folded
                continue
            if was_folded and not is_folded:
                self._newer.refused(self._workspace, "container")
            return ts
        return send(last)

    def _messages(self, question: Question, answer: Answer) -> Iterator[Message]:
        """Give how an answer can be shown, best first; the same is not tried twice."""
        now = datetime.now(UTC)
        notes = asking.notes(question.ask.body, answer.signals, self._max_question)
        if answer.understood:
            notes.append(f"Understood with: “{shorten(answer.understood, UNDERSTOOD_CHARS)}”")
        if note := readers.note(answer):
            notes.append(note)
        known = self._intents().by_name
        choices = [known[name] for name in asked_back(answer) or () if name in known]
        human = self._may_call(question)
        folds = self._newer.takes(self._workspace, "container")
        before = None
        for folded, controls in LAYOUTS:
            message = render.message(
                answer, now, notes=notes, controls=controls, choices=choices,
                folded=folded and folds, human=human,
            )  # fmt: skip
            if message != before:
                yield message
            before = message
        yield Message(render.message(answer, now).text)

    def _own(self, question: Question) -> str | None:
        """Look in the thread for this bot's message about the question; None when there is none.

        Where Slack will never let us look, the question's id as `client_msg_id` has to do.
        """
        if question.ask.origin == "command":
            return None
        try:
            pages = self._pages(question.ask)
            return next((ts for ts, found in pages if found == str(question.question_id)), None)
        except clients.FAILURES as error:
            reason = clients.explained(error, "conversations.replies")
            if isinstance(reason, NotYet):
                raise reason from error
            _log.warning("question=%s not looked for: %s", question.question_id, reason)
            return None

    def _pages(self, ask: Ask) -> Iterator[tuple[str, str]]:
        """The bot's answers in a thread, page by page: each with its ts and its question's id."""
        cursor = None
        while True:
            page = self._client.conversations_replies(
                channel=ask.channel,
                ts=ask.thread_ts or ask.message_ts,
                oldest=ask.said_ts,
                limit=200,
                cursor=cursor,
                include_all_metadata=True,
            )
            for message in page.get("messages") or []:
                metadata = message.get("metadata") or {}
                if metadata.get("event_type") == EVENT_TYPE:
                    payload = metadata.get("event_payload") or {}
                    yield str(message["ts"]), str(payload.get("question_id"))
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


def unmark(client: WebClient, ask: Ask, marker: str, *, is_posted: bool) -> None:
    """Take the mark of being worked on off a message; Slack clears a status when we post.

    Raises NotYet when Slack may let us later; what it refuses for good stays.
    """
    try:
        if marker == "eyes":
            client.reactions_remove(channel=ask.channel, timestamp=ask.message_ts, name="eyes")
        elif marker == "session":
            thread_ts = ask.thread_ts or ask.message_ts
            client.api_call(
                "agents.sessions.setStatus",
                json={"channel_id": ask.channel, "thread_ts": thread_ts, "status": "active"},
            )
        elif not is_posted:
            client.assistant_threads_setStatus(
                channel_id=ask.channel, thread_ts=ask.thread_ts or ask.message_ts, status=""
            )
    except clients.FAILURES as error:
        reason = clients.explained(error, "reactions.remove")
        if isinstance(reason, NotYet):
            raise reason from error


def _refused_blocks() -> SlackApiError:
    return SlackApiError("response_url", {"error": "invalid_blocks"})  # type: ignore[no-untyped-call]
