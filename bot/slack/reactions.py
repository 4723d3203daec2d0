"""Reactions: which sign means what, and who takes it from there.

Knows nothing about what follows: votes, labels and kept replies are others' work.
"""

from slack_bolt import App

from bot.slack import faqs, feedback, labels, payload
from bot.slack.edge import Edge
from bot.slack.payload import Payload, Sign


def register(app: App, edge: Edge) -> None:
    def on_added(event: Payload) -> None:
        react(edge, payload.sign(event, is_added=True))

    def on_removed(event: Payload) -> None:
        react(edge, payload.sign(event, is_added=False))

    app.event("reaction_added")(on_added)
    app.event("reaction_removed")(on_removed)


def react(edge: Edge, sign: Sign | None) -> None:
    """Pass a sign on to who understands it; most signs mean nothing to us."""
    if sign is None or sign.person in ("", edge.me):
        return
    if feedback.understands(edge, sign):
        feedback.react(edge, sign)
    elif sign.name == edge.settings.keep_emoji:
        if sign.is_added:
            edge.later(faqs.keep_by_sign, edge, sign)
    elif intent := _intent(edge, sign.name):
        edge.later(labels.relabel, edge, sign, intent)


def _intent(edge: Edge, emoji: str) -> str | None:
    known = edge.intents.now().by_name.values()
    return next((each.name for each in known if each.emoji == emoji), None)
