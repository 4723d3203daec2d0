"""What every listener works with: the claim in one transaction, and small errands after the ack.

Knows nothing about single events. Nothing here waits for Slack before a delivery is acknowledged.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot import jobs
from bot.answering.lifecycle import NotYet
from bot.intents import IntentFile
from bot.runtime.metrics import Metrics
from bot.settings import Settings
from bot.slack import clients, delivery
from bot.slack.audience import Audience, standing
from bot.slack.newer import NewerBlocks
from bot.slack.render import Message
from bot.text import shorten
from store import channels, questions
from store.database import Connection, Database
from store.queue import Queue
from store.records import Ask

ERRAND_TRIES = 6
"""Of a small errand whose first tries met a Slack that limits or is away: half a minute, or as told."""

LOADING = "is looking it up in the documents…"

TITLE_CHARS = 200
"""Of a session."""

TOO_MUCH = (
    "That is a lot of questions at once, and others are asking too: I left the last ones out."
    " Please ask them again in a minute."
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Edge:
    """The Slack side of one workspace; `me` is the bot's own user id."""

    settings: Settings
    database: Database
    queue: Queue
    workspace: str
    me: str
    client: WebClient
    errands: Executor
    metrics: Metrics
    intents: IntentFile
    audience: Audience
    newer: NewerBlocks = field(default_factory=NewerBlocks)
    bots: dict[str, bool] = field(default_factory=dict)

    def claim(self, connection: Connection, ask: Ask) -> UUID | None:
        """Claim a message and queue its answer in the caller's transaction.

        None: it was claimed before, or its asker has reached a limit.
        """
        started = time.perf_counter()
        question_id = questions.claim(connection, ask, datetime.now(UTC))
        if question_id is None or self._is_too_much(connection, ask, question_id):
            return None
        jobs.defer_answer(connection, self.queue, self.workspace, question_id)
        self.metrics.step("claim", time.perf_counter() - started)
        return question_id

    def _is_too_much(self, connection: Connection, ask: Ask, question_id: UUID) -> bool:
        """Whether a person asked more than one may; it is told once for a burst."""
        burst = questions.burst(connection, self.workspace, ask.person)
        is_within = (
            burst.lately <= self.settings.max_per_minute
            and burst.waiting <= self.settings.max_waiting
        )
        if is_within and not self._is_channel_full(connection, ask):
            return False
        now, error = datetime.now(UTC), questions.LIMITED
        questions.end(connection, self.workspace, question_id, "ignored", error=error, now=now)
        if not burst.refused and ask.origin in ("mention", "dm"):
            said, where = Message(TOO_MUCH), ask.thread_ts
            self.later(
                partial(self.whisper, said, person=ask.person, channel=ask.channel, thread_ts=where)
            )
        return True

    def _is_channel_full(self, connection: Connection, ask: Ask) -> bool:
        """Whether a channel asked more in a minute than its admins allow."""
        most = channels.get(connection, self.workspace, ask.channel).max_per_minute
        if most is None or ask.is_private:
            return False
        return questions.lately(connection, self.workspace, ask.channel) > most

    def close(self, connection: Connection, ask: Ask, intent: str | None = None) -> bool:
        """Claim a message that gets no answer, and end it; False: claimed before."""
        question_id = questions.claim(connection, ask, datetime.now(UTC))
        if question_id is not None:
            questions.end(
                connection,
                self.workspace,
                question_id,
                "ignored",
                intent=intent,
                now=datetime.now(UTC),
            )
        return question_id is not None

    def later(self, errand: Callable[..., object], *args: object, tries: int = 0) -> None:
        """Run an errand beside the acknowledgement; what may pass is tried again later, in no
        thread's time, up to ERRAND_TRIES times. What goes wrong in the end is logged."""
        with suppress(RuntimeError):  # the process ends: errands are not kept
            self.errands.submit(self._run, errand, args, tries)

    def _run(self, errand: Callable[..., object], args: tuple[object, ...], tries: int) -> None:
        name = getattr(errand, "__name__", "errand")
        try:
            errand(*args)
        except (*clients.FAILURES, NotYet) as error:
            reason = clients.explained(error, name)
            if not isinstance(reason, NotYet) or tries + 1 >= ERRAND_TRIES:
                _log.warning("errand=%s refused: %s", name, reason)
                return
            after = 2.0**tries if reason.after is None else reason.after
            again = threading.Timer(after, self.later, (errand, *args), {"tries": tries + 1})
            again.daemon = True
            again.start()
        except Exception:  # noqa: BLE001 - an errand may fail, its thread goes on
            _log.exception("errand=%s broke", name)

    def mark(self, question_id: UUID, ask: Ask) -> None:
        """Show at once that the question is being worked on, by a status or else by eyes."""
        try:
            marker = self._marker(ask)
        except clients.FAILURES as error:
            _log.info("not_marked reason=%s", clients.explained(error, "marking"))
            return
        with self.database.connection() as connection:
            is_open = questions.mark(connection, self.workspace, question_id, marker)
        if not is_open:
            self.later(partial(delivery.unmark, self.client, ask, marker, is_posted=False))

    def _marker(self, ask: Ask) -> str:
        """Mark a message. A Slack that is limiting or unwell is not asked twice: a mark can be missed."""
        thread_ts = ask.thread_ts or ask.message_ts
        if ask.origin == "dm" and self._begin_session(ask, thread_ts):
            return "session"
        try:
            self.client.assistant_threads_setStatus(
                channel_id=ask.channel,
                thread_ts=thread_ts,
                status=LOADING,
                loading_messages=["Looking it up…", "Reading the documents…"],
            )
        except SlackApiError as error:
            if isinstance(clients.explained(error, "assistant.threads.setStatus"), NotYet):
                raise
            self.client.reactions_add(channel=ask.channel, timestamp=ask.message_ts, name="eyes")
            return "eyes"
        return "status"

    def _begin_session(self, ask: Ask, thread_ts: str) -> bool:
        """Show a session at work, with a title to find it by and a stop button; False where there are none."""
        if not self.newer.takes(self.workspace, "session"):
            return False
        session = {
            "channel_id": ask.channel,
            "thread_ts": thread_ts,
            "status": "processing",
            "title": shorten(" ".join(ask.body.split()), TITLE_CHARS) or "A question",
            "initiator_user_id": ask.person,
        }
        try:
            self.client.api_call("agents.sessions.setStatus", json=session)
        except SlackApiError as error:
            if isinstance(clients.explained(error, "agents.sessions.setStatus"), NotYet):
                raise
            self.newer.refused(self.workspace, "session")
            return False
        return True

    def whisper(
        self, message: Message, *, person: str, channel: str, thread_ts: str | None, url: str = ""
    ) -> None:
        """Say something that only one person sees, by the response_url when there is one."""
        blocks = list(message.blocks)
        if url:
            reply = {"text": message.text, "blocks": blocks, "response_type": "ephemeral"}
            sent = clients.webhook(url).send_dict(
                reply
                | {"replace_original": False}
                | ({"thread_ts": thread_ts} if thread_ts else {})
            )
            if sent.status_code == 200:
                return
            clients.check_hook(sent)
        self.client.chat_postEphemeral(
            channel=channel, user=person, text=message.text, blocks=blocks, thread_ts=thread_ts
        )

    def rewrite(self, url: str, text: str) -> None:
        """Put a text in place of the message that was clicked on."""
        if url:
            section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
            clients.webhook(url).send(text=text, blocks=[section], replace_original=True)

    def name_of(self, person: str) -> str:
        """Give the name that people see for a user; the id when Slack does not say."""
        found = self.client.users_info(user=person).get("user") or {}
        profile = found.get("profile") or {}
        return str(profile.get("display_name") or found.get("real_name") or person)

    def is_bot(self, person: str) -> bool:
        """Whether a user is a program; when Slack does not say, it is taken for a person."""
        if person not in self.bots:
            found = self.client.users_info(user=person).get("user") or {}
            self.bots[person] = bool(found.get("is_bot")) or person == "USLACKBOT"
        return self.bots[person]

    def is_admin(self, person: str) -> bool:
        """Whether a person may reindex and change channels: set as such, or an admin in Slack."""
        if person in self.settings.admins:
            return True
        answer = self.client.users_info(user=person)
        found = answer.get("user") or {}
        is_ours = standing(answer, self.workspace) == "member"  # admins of elsewhere are none here
        return is_ours and bool(found.get("is_admin") or found.get("is_owner"))
