"""Slash commands: /ask for everyone, /reindex and the changes of /threadwise for admins.

Knows nothing about ingesting: a run is queued, and its end is told to who asked for it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from slack_bolt import Ack, App

from bot import jobs
from bot.slack import faqs, gaps, wishes
from bot.slack.audience import is_outside
from bot.slack.edge import TOO_MUCH, Edge
from bot.slack.markup import mrkdwn, spoken
from bot.slack.render import Message
from bot.text import shorten
from store import channels, people, sessions
from store.feedback import labels
from store.feedback.labels import Seen
from store.index import sources
from store.records import Ask, Run, SourceStatus

Command = dict[str, str]

ASK_USAGE = (
    "Ask something, for example: `/ask How do I report a sick day?` Only you see the answer."
)
REINDEX_USAGE = (
    "`/reindex` reads all sources again, `/reindex NAME` one of them; unchanged documents are"
    " skipped. `/reindex status` shows how they are. Admins only."
)
SETTINGS_USAGE = (
    f"{wishes.USAGE}"
    "\n`/threadwise intents` shows what messages were taken for lately; `/threadwise replies` shows"
    " kept replies that wait for a decision, `/threadwise gaps` what people asked in vain.\n`/threadwise"
    " screen` gives a link to the screen for admins.\n`/threadwise forget me` erases what I keep of"
    " you.\nOnly admins change settings, see intents and decide about replies."
)
REFUSAL = (
    "Sorry, only Slack admins and the people in THREADWISE_ADMINS may do that. Ask one of them."
)
NO_SOURCES = "No documents are set up yet: name a folder in sources.toml (see the README)."
NO_REPLIES = "No kept reply waits for a decision here."
MOST_SHOWN = 5
"""Slack takes five replies to one command."""

WEEK = timedelta(days=7)

STALE_SECONDS = 120
"""A run that was not heard of for so long was interrupted; the next one goes on from there."""


def register(app: App, edge: Edge) -> None:
    def on_ask(ack: Ack, command: Command) -> None:
        ack(ask(edge, command))

    def on_reindex(ack: Ack, command: Command) -> None:
        _answer(edge, ack, command, reindex)

    def on_settings(ack: Ack, command: Command) -> None:
        words = command.get("text", "").lower().split()
        verb = words[0] if words else ""
        if verb in ("replies", "gaps"):
            ack()
            edge.later(decisions if verb == "replies" else waiting_gaps, edge, command)
        else:
            work = forget if words == ["forget", "me"] else _WORK.get(verb, settings)
            _answer(edge, ack, command, work)

    app.command("/ask")(on_ask)
    app.command("/reindex")(on_reindex)
    app.command("/threadwise")(on_settings)


def ask(edge: Edge, command: Command) -> str:
    """Claim a private question; give what the asker is told at once."""
    body = spoken(command.get("text", ""), edge.me)
    if not body or body.lower() == "help":
        return ASK_USAGE
    asked = Ask(
        workspace=edge.workspace,
        channel=command["channel_id"],
        message_ts=command["trigger_id"],
        person=command["user_id"],
        body=body,
        origin="command",
        is_private=True,
        thread_ts=command.get("thread_ts") or None,
        respond_url=command.get("response_url"),
        is_outside=is_outside({"team": command.get("team_id")}, {}, edge.workspace),
    )
    with edge.database.connection() as connection:
        if edge.claim(connection, asked) is None:
            return TOO_MUCH
    return f"Looking it up: {mrkdwn(shorten(body, 300))}"


def reindex(edge: Edge, command: Command) -> str:
    """Queue runs, or show how the sources are; give what the admin is told."""
    word = command.get("text", "").strip()
    if word.lower() == "help":
        return REINDEX_USAGE
    if not edge.is_admin(command["user_id"]):
        return REFUSAL
    with edge.database.connection() as connection:
        known = sources.statuses(connection, edge.workspace)
    if not known:
        return NO_SOURCES
    if word.lower() == "status":
        return "\n".join(state(status, datetime.now(UTC)) for status in known)
    chosen = [status for status in known if word in ("", "all", status.name)]
    if not chosen:
        names = ", ".join(status.name for status in known)
        return f"There is no source {mrkdwn(shorten(word, 80))}. There are: {mrkdwn(names)}."
    return "\n".join(_queue(edge, status, command["user_id"]) for status in chosen)


def settings(edge: Edge, command: Command) -> str:
    """Show or change what this channel wants; give what the admin is told."""
    verb, _, value = command.get("text", "").strip().partition(" ")
    verb, value = verb.lower(), value.strip()
    if verb != "status" and not wishes.is_change(verb):
        return SETTINGS_USAGE
    with edge.database.connection() as connection:
        now = channels.get(connection, edge.workspace, command["channel_id"])
        known = [status.name for status in sources.statuses(connection, edge.workspace)]
    if verb == "status":
        return wishes.shown(now)
    if not edge.is_admin(command["user_id"]):
        return REFUSAL
    changed = wishes.changed(now, verb, value, known)
    if isinstance(changed, str):
        return changed
    with edge.database.connection() as connection:
        moment = datetime.now(UTC)
        channels.put(connection, edge.workspace, changed, command["user_id"], moment)
    return wishes.shown(changed)


def intents(edge: Edge, command: Command) -> str:
    """Show what messages were taken for in the last week, how surely, and what people corrected."""
    if not edge.is_admin(command["user_id"]):
        return REFUSAL
    with edge.database.connection() as connection:
        found = labels.seen(connection, edge.workspace, datetime.now(UTC) - WEEK)
    if not found:
        return "No message was classified in the last 7 days."
    return "\n".join(["In the last 7 days:", *(_seen(row) for row in found)])


def decisions(edge: Edge, command: Command) -> None:
    """Show an admin, one by one, the kept replies that wait for a decision."""
    person, channel = command["user_id"], command["channel_id"]
    shown = [Message(REFUSAL)]
    if edge.is_admin(person):
        shown = faqs.open_ones(edge, channel) or [Message(NO_REPLIES)]
    for message in shown[:MOST_SHOWN]:
        url = command.get("response_url", "")
        edge.whisper(message, person=person, channel=channel, thread_ts=None, url=url)


def waiting_gaps(edge: Edge, command: Command) -> None:
    """Show an admin the gaps that most people ran into, with buttons to take, mute or close each."""
    person, channel = command["user_id"], command["channel_id"]
    shown = [Message(REFUSAL)]
    if edge.is_admin(person):
        shown = gaps.open_ones(edge, MOST_SHOWN) or [Message(gaps.NONE)]
    for message in shown:
        url = command.get("response_url", "")
        edge.whisper(message, person=person, channel=channel, thread_ts=None, url=url)


def forget(edge: Edge, command: Command) -> str:
    """Erase what is kept of who asks for it; give what went."""
    with edge.database.connection() as connection:
        gone = people.forget(connection, edge.workspace, command["user_id"])
    return (
        f"Erased: {gone.questions} questions with their answers, {gone.votes} votes, {gone.labels}"
        f" labels, {gone.faqs} kept replies. What is trained next is trained without them."
    )


def screen(edge: Edge, command: Command) -> str:
    """Give an admin a link that opens the screen once."""
    if not edge.is_admin(command["user_id"]):
        return REFUSAL
    return screen_link(edge, command["user_id"])


def screen_link(edge: Edge, person: str) -> str:
    """Make a link for an admin that opens the screen once."""
    with edge.database.connection() as connection:
        token = sessions.new_link(connection, edge.workspace, person, datetime.now(UTC))
    link = edge.settings.sign_in_link(token)
    return f"<{link}|Open the screen>: good once, for five minutes, for you alone."


_WORK = {"intents": intents, "screen": screen}


def _seen(row: Seen) -> str:
    confusion = f", {row.corrected} corrected, mostly to {mrkdwn(row.mostly or '')}"
    return (
        f"• {mrkdwn(row.intent)}: {row.messages} messages, confidence {row.confidence:.2f}"
        f"{confusion if row.corrected else ''}"
    )


def _answer(edge: Edge, ack: Ack, command: Command, work: Callable[[Edge, Command], str]) -> None:
    """Acknowledge, then work: whether someone is an admin has to be asked of Slack."""
    ack()

    def respond() -> None:
        # An errand of its own: what was done is not done again where only the saying fails.
        edge.later(say, Message(work(edge, command)))

    def say(message: Message) -> None:
        edge.whisper(
            message,
            person=command["user_id"],
            channel=command["channel_id"],
            thread_ts=None,
            url=command.get("response_url", ""),
        )

    edge.later(respond)


def _queue(edge: Edge, status: SourceStatus, person: str) -> str:
    name = mrkdwn(status.name)
    if _is_running(status.run, datetime.now(UTC)):
        return f"{name} is being read already: {_progress(status.run)}."
    with edge.database.connection() as connection:
        is_queued = jobs.defer_ingest(
            connection, edge.queue, edge.workspace, status.name, asked_by=person
        )
    if not is_queued:
        return f"{name} waits to be read already."
    return f"{name} will be read again now. I will tell you when it is done."


def state(status: SourceStatus, now: datetime) -> str:
    facts = [f"{status.documents} documents"]
    if status.failed:
        facts.append(f"{status.failed} could not be read")
    if status.partial:
        facts.append(f"{status.partial} read in part")
    if _is_running(status.run, now):
        facts.append(f"being read now: {_progress(status.run)}")
    facts.append(f"last read {_date(status.last_success)}")
    if status.next_run:
        facts.append(f"next {_date(status.next_run)}")
    if status.last_error:
        facts.append(f"last error: {mrkdwn(shorten(status.last_error, 300))}")
    if status.complaint:
        facts.append(mrkdwn(shorten(status.complaint, 300)))
    return f"• {mrkdwn(status.name)}: " + ", ".join(facts)


def _is_running(run: Run | None, now: datetime) -> bool:
    return (
        run is not None
        and run.state == "running"
        and (now - run.seen_at).total_seconds() < STALE_SECONDS
    )


def _progress(run: Run | None) -> str:
    if run is None or not run.total:
        return "just started"
    return f"{100 * run.seen // run.total} % ({run.seen} of {run.total} documents)"


def _date(moment: datetime | None) -> str:
    """A moment that Slack shows in each reader's own time zone."""
    if moment is None:
        return "never"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{moment:%Y-%m-%d %H:%M} UTC>"
