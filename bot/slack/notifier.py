"""Where a worker's words go: answers to their askers, the end of a run to who asked for it.

Knows nothing about how answers and runs come about.
"""

import logging
from collections.abc import Mapping
from threading import Lock
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.answering.readers import Reader, inside
from bot.services import Services
from bot.slack import audience, calls, clients, digest, drift, gaps, notices, threads
from bot.slack.audience import Audience
from bot.slack.delivery import SlackDelivery
from bot.slack.markup import mrkdwn
from bot.slack.newer import NewerBlocks
from bot.slack.notices import Maker, Speaker
from bot.text import shorten
from store.channels import ChannelSettings
from store.records import Answer, Ask, Question, Run

MAKERS: Mapping[str, Maker] = {
    "gaps": gaps.answered, "call": calls.called, "reminder": calls.reminder,
    "digest": digest.weekly, "drift": drift.began,
}  # fmt: skip
"""Who makes what is said, by its kind."""

log = logging.getLogger(__name__)


class NoToken(Exception):
    """A question came from Slack, and this worker cannot post there."""


class Notifier:
    """Speaks in Slack when a token is set; an answer for the terminal is fetched by who asked."""

    def __init__(self, services: Services) -> None:
        settings = services.settings
        self._services = services
        self._client = (
            clients.web(settings.slack_bot_token, settings.slack_api_url)
            if settings.talks_to_slack
            else None
        )
        self._lock = Lock()
        self._audiences: dict[str, Audience] = {}
        self._newer = NewerBlocks()

    def show(self, question: Question, answer: Answer) -> str | None:
        """Show an answer to its asker; gives the ts of a lasting message (bot.answering.lifecycle.Delivery)."""
        return self._delivery(question).show(question, answer)

    def tidy(self, question: Question, *, is_posted: bool) -> None:
        """Take off what marked the question as being worked on."""
        self._delivery(question).tidy(question, is_posted=is_posted)

    def _delivery(self, question: Question) -> SlackDelivery:
        if self._client is None:
            raise NoToken(
                "A question came from Slack but this worker has no SLACK_BOT_TOKEN:"
                " set the same tokens for every process."
            )
        return SlackDelivery(
            self._client,
            self._services.database,
            question.ask.workspace,
            max_question=self._services.settings.max_question,
            intents=self._services.intents.now,
            audience=self._audience(question.ask.workspace),
            newer=self._newer,
            queue=self._services.queue,
        )

    def reader(self, ask: Ask, channel: ChannelSettings) -> Reader:
        """Tell who will read the reply to a message (bot.answering.readers.Readers)."""
        if ask.origin == "terminal":
            return inside(ask, channel)
        return self._audience(ask.workspace).reader(ask, channel)

    def thread(self, ask: Ask) -> list[str]:
        """Read what people said before a message in its thread (bot.answering.lifecycle.Thread)."""
        settings = self._services.settings
        if ask.origin == "terminal" or self._client is None:
            return []
        quick = clients.quick(settings.slack_bot_token, settings.slack_api_url)
        return threads.before(quick, ask)

    def _audience(self, workspace: str) -> Audience:
        settings = self._services.settings
        with self._lock:
            if workspace not in self._audiences:
                token, url = settings.slack_bot_token, settings.slack_api_url
                self._audiences[workspace] = audience.of(token, url, workspace)
            return self._audiences[workspace]

    def is_public(self, channel: str) -> bool:
        """Whether every member may read a channel, and nobody else; what Slack does not say is not."""
        if self._client is None:
            return False
        return self._audience(self._services.workspace).is_open(channel)

    def say(self, kind: str, key: str, about: Mapping[str, Any]) -> bool:
        """Say something besides answers, once for its key; False when there is nothing to say.

        Raises SlackRefused, or NotYet when it may be said later.
        """
        maker = MAKERS.get(kind)
        if self._client is None or maker is None:
            log.warning("not_said kind=%s reason=%s", kind, "no token" if maker else "unknown")
            return False
        workspace = self._services.workspace
        speaker = Speaker(
            settings=self._services.settings,
            database=self._services.database,
            workspace=workspace,
            client=self._client,
            audience=self._audience(workspace),
            intents=self._services.intents.now,
            newer=self._newer,
        )
        return notices.say(speaker, maker, key, about)

    def tell(self, run: Run) -> None:
        """Tell who asked for a run, if it was a person in Slack, how it ended."""
        if self._client is None:
            return
        try:
            notify_run(self._client, run)
        except (SlackClientError, OSError) as error:
            log.warning("not_told person=%s reason=%s", run.asked_by, error)

    def announce(self, text: str) -> None:
        """Tell the admins' channel, where one is set."""
        channel = self._services.settings.admin_channel
        if self._client is None or channel is None:
            return
        try:
            self._client.chat_postMessage(channel=channel, text=text)
        except (SlackClientError, OSError) as error:
            log.warning("not_announced channel=%s reason=%s", channel, error)


def notify_run(client: WebClient, run: Run) -> None:
    """Tell the admin who asked for a run, in a direct message, how it ended."""
    if not (run.asked_by or "").startswith(("U", "W")):
        return
    name, counts = mrkdwn(run.source), f"{run.changed} changed, {run.unchanged} unchanged"
    counts += f", {run.removed} removed" + (f", {run.failed} failed" if run.failed else "")
    text = f"{name} is up to date: {run.seen} documents, {counts}."
    if run.state != "done":
        reason = mrkdwn(shorten(run.error or "see the worker's log", 1000))
        text = f"{name} could not be brought up to date ({run.state}): {reason}"
    client.chat_postMessage(channel=str(run.asked_by), text=text)
