"""The App Home: what a person can ask, from what, what they asked last; for admins what waits.

Knows nothing about how any of it comes about. Each Home is seen by one person and made of what that person may see.
"""

from datetime import UTC, datetime, timedelta

from slack_bolt import Ack, App

from bot.slack import agent, payload, render
from bot.slack.commands import screen_link
from bot.slack.edge import Edge
from bot.slack.markup import mrkdwn
from bot.slack.payload import Payload
from bot.slack.render import Block
from bot.text import age, shorten
from store import calls, figures, gaps, people, questions
from store.feedback import faqs
from store.index import sources
from store.index.sources import Freshness

LAST_ASKED = 5
QUESTION_CHARS = 150
MOST_SOURCES = 20

HOW = (
    "Write to me in *Messages*, mention me in a channel, or use `/ask` for an answer that only you see."
    " I quote the team's documents and name the page; when nothing fits, I say so. Answers are automated and"
    " may be inaccurate: check the page."
)
NOTHING = "There are no documents that you may read yet."
GUEST = "You are a guest here, or Slack did not tell me who you are: I answer you from what is meant for you alone."
ENDED = {
    "answered": "answered", "unsure": "answered in doubt", "not_found": "not found",
    "routed": "passed on", "failed": "failed", None: "being answered",
}  # fmt: skip


def register(app: App, edge: Edge) -> None:
    """Listen to who opens the Home or the Messages tab, and to the buttons of the Home."""

    def on_opened(event: Payload) -> None:
        opened(edge, event)

    def on_forget(ack: Ack, body: Payload) -> None:
        ack()
        edge.later(forget, edge, payload.person(body))

    def on_screen(ack: Ack, body: Payload) -> None:
        ack()
        edge.later(open_screen, edge, payload.person(body))

    app.event("app_home_opened")(on_opened)
    app.action("home:forget")(on_forget)
    app.action("home:screen")(on_screen)


def opened(edge: Edge, event: Payload) -> None:
    """Show the Home, or offer questions in the agent's pane."""
    person = str(event.get("user", ""))
    if event.get("tab") == "messages":
        edge.later(agent.suggest, edge, person, str(event.get("channel", "")))
    elif event.get("tab") == "home":
        edge.later(publish, edge, person)


def publish(edge: Edge, person: str, note: str = "") -> None:
    """Show a person's Home, with a note above it."""
    blocks = [*([_text(note)] if note else []), *_of_person(edge, person)]
    if edge.is_admin(person):
        blocks += _of_admin(edge)
    edge.client.views_publish(user_id=person, view={"type": "home", "blocks": blocks})


def forget(edge: Edge, person: str) -> None:
    """Erase what is kept of a person, and say what went."""
    with edge.database.connection() as connection:
        gone = people.forget(connection, edge.workspace, person)
    publish(
        edge, person, f"Erased: {gone.questions} questions with their answers, {gone.votes} votes."
    )


def open_screen(edge: Edge, person: str) -> None:
    """Give an admin a link that opens the screen once."""
    if edge.is_admin(person):
        publish(edge, person, screen_link(edge, person))


def _of_person(edge: Edge, person: str) -> list[Block]:
    now, reader = datetime.now(UTC), edge.audience.person(person)
    with edge.database.connection() as connection:
        seen = sources.fresh(connection, edge.workspace, reader.viewer)
        asked = questions.of_person(connection, edge.workspace, person, LAST_ASKED)
    guest = [_text(GUEST)] if reader.closed else []
    blocks = [_head("What you can ask"), _text(HOW), *guest, _head("From what I answer you")]
    blocks.append(_text("\n".join(_fresh(each, now) for each in seen[:MOST_SOURCES]) or NOTHING))
    if asked:
        lines = [
            f"• {mrkdwn(shorten(' '.join(each.ask.body.split()), QUESTION_CHARS))}"
            f" ({ENDED.get(each.status, each.status)})"
            for each in asked
        ]
        blocks += [_head("What you asked last"), _text("\n".join(lines))]
    button = render.button("Forget me", "home:forget", "forget") | {
        "style": "danger",
        "confirm": {
            "title": _plain("Forget you?"),
            "text": _plain(
                "Your questions, votes and kept replies are erased. That cannot be undone."
            ),
            "confirm": _plain("Erase"),
            "deny": _plain("Keep"),
        },
    }
    return [*blocks, {"type": "actions", "elements": [button]}]


def _of_admin(edge: Edge) -> list[Block]:
    now, workspace = datetime.now(UTC), edge.workspace
    with edge.database.connection() as connection:
        figures.refresh(connection, workspace, now)
        today = figures.between(connection, workspace, now.date(), now.date() + timedelta(days=1))
        waiting = len(faqs.open_ones(connection, workspace))
        open_gaps, open_calls = (
            gaps.count(connection, workspace),
            calls.count(connection, workspace),
        )
        every = sources.statuses(connection, workspace)
    broken = [each.name for each in every if each.last_error or each.complaint]
    ended = f"{today.answered} answered, {today.unsure} in doubt, {today.not_found} not found"
    liked = f"{today.liked} of {today.judged} judged answers liked"
    replies = f"{waiting} kept replies (`/threadwise replies`)"
    asked = f"{open_gaps} gaps (`/threadwise gaps`)"
    lines = [
        f"*Today*: {today.asked} asked, {ended}, {today.failed} failed; {liked}",
        f"*Waiting*: {replies}, {asked}, {open_calls} calls for a person",
        f"*Sources with trouble*: {mrkdwn(', '.join(broken)) or 'none'}",
    ]
    button = render.button("Open the screen", "home:screen", "screen")
    actions: Block = {"type": "actions", "elements": [button]}
    return [{"type": "divider"}, _head("For admins"), _text("\n".join(lines)), actions]


def _fresh(each: Freshness, now: datetime) -> str:
    read = age(each.read_at, now).removeprefix("updated ") if each.read_at else "never"
    return f"• {mrkdwn(each.name)}, read {read}"


def _head(text: str) -> Block:
    return {"type": "header", "text": _plain(text)}


def _text(text: str) -> Block:
    return render.verbatim(shorten(text, render.SECTION_CHARS))


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}
