"""Answers on their way into Slack: posted once, paced per channel, found again after a crash.

Knows nothing about how an answer came about. A message in a channel is posted exactly once: before
posting again the thread is searched for it. A reply that only the asker sees cannot be searched for;
it is noted after it was sent, so a crash in between shows it twice rather than not at all.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.answering.policy import asked_back
from bot.intents import Intents
from bot.slack import clients, handovers, render
from bot.slack.render import Controls, Message
from store import answers, questions
from store.database import Database
from store.records import Answer, Ask, Question

PACE_SECONDS = 1.0
"""Slack takes about one message a second and channel."""

POST_TRIES = 3
EVENT_TYPE = "threadwise_answer"
CONTROLS: tuple[Controls, ...] = ("feedback", "buttons")
"""What is tried, best first, before the text alone: older Slacks refuse the newer block."""

BLOCK_ERRORS = ("invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long")

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
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._database = database
        self._workspace = workspace
        self._max_question = max_question
        self._intents = intents
        self._sleep = sleep

    def __call__(self, question: Question, answer: Answer, attempt: int) -> str | None:
        """Deliver an answer and give the message's ts; None when there is no lasting message.

        Raises SlackRefused when Slack will not have it; any other error may pass if tried again.
        """
        ts = None
        if answer.status != "ignored" and question.ask.origin != "terminal":
            if question.ask.origin == "command":
                self._whisper(question, self._passed_on(question, answer))
            else:
                ts = self._post(question, answer, attempt)
        self._unmark(question, is_posted=ts is not None)
        return ts

    def _post(self, question: Question, answer: Answer, attempt: int) -> str:
        channel = question.ask.channel
        with self._database.connection() as connection:
            last = answers.take_turn(connection, self._workspace, channel)
            known = answers.posted_at(connection, self._workspace, answer.answer_id)
            if known and known[1]:
                return known[1]
            ts = self._own(question) if attempt > 1 else None
            if ts is None:
                self._pace(last)
                ts = self._send(question, self._passed_on(question, answer))
            answers.posted(connection, self._workspace, answer.answer_id, channel, ts)
        _log.info(
            "posted", extra={"question": question.question_id.hex, "answer": answer.answer_id.hex}
        )
        return ts

    def _passed_on(self, question: Question, answer: Answer) -> Answer:
        """Tell those who take over, and say so; what was asked in private is left to the asker.

        It comes before the reply that speaks of it, so a crash in between may tell them twice.
        """
        handover = handovers.of(answer, self._intents())
        if handover is None:
            return answer
        try:
            if not question.ask.is_private:
                self._tell(question.ask, handover)
                return replace(answer, body=handovers.passed_on(handover.route_to))
        except (SlackApiError, URLError, OSError) as error:
            _log.warning("not handed over: %s", _explained(error, clients.POSTING))
        return replace(answer, body=handovers.not_passed_on(handover.route_to))

    def _tell(self, ask: Ask, handover: handovers.Handover) -> None:
        link = self._client.chat_getPermalink(channel=ask.channel, message_ts=ask.said_ts)
        text = handovers.told(handover, link["permalink"])
        if handover.route_to.startswith("S"):  # a group has no place of its own: the thread it is
            thread_ts = ask.thread_ts or ask.message_ts
            self._client.chat_postMessage(channel=ask.channel, thread_ts=thread_ts, text=text)
        else:
            self._client.chat_postMessage(channel=handover.route_to, text=text)

    def _pace(self, last: str | None) -> None:
        if last:
            wait = float(last) + PACE_SECONDS - time.time()
            self._sleep(min(max(wait, 0.0), PACE_SECONDS))

    def _send(self, question: Question, answer: Answer) -> str:
        """Post; after an error that leaves it open whether it was, look before trying again."""
        for tries_left in range(POST_TRIES - 1, -1, -1):
            try:
                return self._posted(question, answer)
            except (SlackApiError, URLError, OSError) as error:
                if not tries_left or not _is_open(error):
                    raise _explained(error, clients.POSTING) from error
                self._sleep(POST_TRIES - tries_left)
                ts = self._own(question)
                if ts:
                    return ts
        raise AssertionError("the loop returns or raises")

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
                unfurl_links=False,
                unfurl_media=False,
            )
            return str(response["ts"])

        return self._simpler_if_refused(question, answer, send)

    def _whisper(self, question: Question, answer: Answer) -> None:
        """Reply where only the asker sees it."""
        with self._database.connection() as connection:
            if answers.posted_at(connection, self._workspace, answer.answer_id):
                return
        try:
            self._simpler_if_refused(
                question, answer, lambda message: self._ephemeral(question, message)
            )
        except SlackApiError as error:
            raise _explained(error, "chat.postEphemeral") from error
        with self._database.connection() as connection:
            channel = question.ask.channel
            answers.posted(connection, self._workspace, answer.answer_id, channel, None)

    def _ephemeral(self, question: Question, message: Message) -> str:
        ask = question.ask
        if ask.respond_url:
            hook = clients.webhook(ask.respond_url)
            sent = hook.send(
                text=message.text, blocks=list(message.blocks), response_type="ephemeral"
            )
            if sent.status_code == 200:
                return ""
            if "blocks" in sent.body:
                raise _refused_blocks()
        response = self._client.chat_postEphemeral(
            channel=ask.channel, user=ask.person, text=message.text, blocks=list(message.blocks)
        )
        return str(response["message_ts"])

    def _simpler_if_refused(
        self, question: Question, answer: Answer, send: Callable[[Message], str]
    ) -> str:
        """Send with feedback controls; with plain buttons, then as text alone, if Slack objects."""
        *others, last = self._messages(question, answer)
        for message in others:
            try:
                return send(message)
            except SlackApiError as error:
                if clients.code_of(error) not in BLOCK_ERRORS:
                    raise
        return send(last)

    def _messages(self, question: Question, answer: Answer) -> Iterator[Message]:
        now, notes = datetime.now(UTC), []
        if len(question.ask.body) > self._max_question:
            notes.append(f"Only the first {self._max_question:,} characters were read.")
        known = self._intents().by_name
        choices = [known[name] for name in asked_back(answer) or () if name in known]
        for controls in CONTROLS:
            yield render.message(answer, now, notes=notes, controls=controls, choices=choices)
        yield Message(render.message(answer, now).text)

    def _own(self, question: Question) -> str | None:
        """Look in the thread for this bot's message about the question."""
        ask, cursor = question.ask, None
        while True:
            try:
                page = self._client.conversations_replies(
                    channel=ask.channel,
                    ts=ask.thread_ts or ask.message_ts,
                    oldest=ask.said_ts,
                    limit=200,
                    cursor=cursor,
                    include_all_metadata=True,
                )
            except SlackApiError as error:
                raise _explained(error, "conversations.replies") from error
            for message in page.get("messages") or []:
                metadata = message.get("metadata") or {}
                payload = metadata.get("event_payload") or {}
                if metadata.get("event_type") == EVENT_TYPE and payload.get("question_id") == str(
                    question.question_id
                ):
                    return str(message["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None

    def _unmark(self, question: Question, *, is_posted: bool) -> None:
        with self._database.connection() as connection:
            marker = questions.unmark(connection, self._workspace, question.question_id)
        if marker:
            unmark(self._client, question.ask, marker, is_posted=is_posted)


def unmark(client: WebClient, ask: Ask, marker: str, *, is_posted: bool) -> None:
    """Take the mark of being worked on off a message; Slack clears a status when we post."""
    with suppress(SlackApiError, URLError, OSError):
        if marker == "eyes":
            client.reactions_remove(channel=ask.channel, timestamp=ask.message_ts, name="eyes")
        elif not is_posted:
            client.assistant_threads_setStatus(
                channel_id=ask.channel, thread_ts=ask.thread_ts or ask.message_ts, status=""
            )


def _is_open(error: Exception) -> bool:
    """Whether the message may have been posted all the same."""
    if not isinstance(error, SlackApiError):
        return True
    status = getattr(error.response, "status_code", 200)
    return status >= 500 or clients.code_of(error) in ("internal_error", "fatal_error")


def _refused_blocks() -> SlackApiError:
    return SlackApiError("response_url", {"error": "invalid_blocks"})  # type: ignore[no-untyped-call]


def _explained(error: Exception, method: str) -> Exception:
    refused = clients.refusal(error, method) if isinstance(error, SlackApiError) else None
    return refused or error
