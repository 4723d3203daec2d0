"""What a message is and what is to be done: search the documents, reply, pass it on, or stay silent.

Knows nothing about searching or training. Rather than lose a question it searches.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from bot.answering.classifier import Classifier
from bot.answering.request import Request
from bot.intents import Intent, Intents
from store.records import Answer, Status

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.intents.classifier import Prediction

REPLY_ABOVE = 0.7
"""Confidence from which a ready reply is given without a search: it took none of our 210 questions to
the documents nor of 1,500 of FeedbackQA's, and was reached by 70 % of small talk held out."""

IGNORE_ABOVE = 0.85
"""Confidence from which chatter that was perhaps meant for the bot is left alone."""

PASS_ON_ABOVE = 0.9
"""Confidence from which a message that does not ask anything is passed on without a search: it took
2 of our 210 questions and 1 of 1,500 of FeedbackQA's, and was reached by half of the requests."""

LIKELY_ABOVE = 0.6
"""Confidence from which a message is passed on when a search finds nothing: this takes no answer away."""

ASK_BACK_MARGIN = 0.2
"""Two intents that both act and are closer than this are put to the asker."""

SPEAK_ABOVE = 0.5
"""Confidence in a question from which a channel is answered unasked, where it sets no strictness."""

PASSED_ON = "That is not in the documents' hands: I have passed it on to the people in charge."
"""Said of a message that somebody takes over; where there are channels it is said which."""

SIGNAL = "intent:"
"""Begins the name of a signal that is an intent's confidence."""

_ASKS = re.compile(
    r"\?|\b(how|what|whats|when|where|who|whose|which|why|can i|could i|do i|may i|am i|is it|are we"
    r"|is there)\b",
    re.IGNORECASE,
)
"""A message that asks is searched for first. Without this the same care would need a confidence of
.99, which one request in five reaches."""

Step = Literal["search", "reply", "route", "ask_back", "ignore"]
STATUSES: Mapping[Step, Status] = {
    "reply": "smalltalk",
    "route": "routed",
    "ask_back": "routed",
    "ignore": "ignored",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done with a message.

    `action` is done at once; after a search that found nothing, `otherwise` is done.
    `sources` narrows the search; `route_to` is the id of who takes over; `ask_back` names the two intents
    to choose from; `in_scope` is None where nothing was classified.
    """

    action: Step = "search"
    otherwise: Step | None = None
    intent: str | None = None
    confidence: float = 0.0
    in_scope: bool | None = None
    runner_up: str | None = None
    margin: float = 0.0
    reply: str | None = None
    route_to: str | None = None
    sources: tuple[str, ...] | None = None
    ask_back: tuple[str, str] | None = None
    version: str = ""


class Policy:
    """Decides for one workspace; shared by the worker's threads."""

    def __init__(
        self, intents: Callable[[], Intents], classifier: Callable[[], Classifier]
    ) -> None:
        """`intents` and `classifier` give what serves at the moment."""
        self._intents = intents
        self._classifier = classifier

    def standing(self) -> str:
        """Tell what a decision depends on beside the request: the intents and the classifier that serve."""
        intents = self._intents()
        if not intents.by_name:
            return ""
        told = [
            (i.name, i.description, i.action, i.reply, i.route_to, i.sources)
            for i in intents.by_name.values()
        ]
        return repr((intents.digest, told, self._classifier().version_id))

    def decide(self, request: Request, vector: Callable[[], "NDArray[np.float32]"]) -> Decision:
        """Decide about one message; without any intents, everything is searched for.

        `vector` gives the message's, for a classifier that needs it.
        """
        intents = self._intents()
        if not intents.by_name:
            return Decision()
        chosen = intents.by_name.get(request.chosen or "")
        if chosen:
            return _as_chosen(chosen)
        classifier = self._classifier()
        found = classifier.classify(request.text, vector)
        if not intents.can_read(request.text):
            # In a script that it was never shown, the classifier is sure of itself and wrong.
            found = replace(found, intent=None)
        message = Classified(request.text, intents, found, classifier.version_id)
        if request.origin == "channel" and request.mode != "all":
            strictness = request.strictness
            return message.overheard(SPEAK_ABOVE if strictness is None else strictness)
        return message.addressed(is_quiet=request.origin in ("channel", "thread"))


@dataclass(frozen=True, slots=True)
class Classified:
    """A message with what the classifier takes it for; `version` names the classifier."""

    text: str
    intents: Intents
    found: "Prediction"
    version: str

    def overheard(self, strictness: float) -> Decision:
        """Decide where nobody asked the bot: speak only to a question or a request, else be quiet.

        How surely it is one of the two matters, not which: "how do I get a receipt?" is near both.
        """
        intent = self._intent
        if intent is None or self.found.intent is None or self._wants_something() < strictness:
            return self._do("ignore")
        if intent.action == "answer" or (_is_request(intent) and _ASKS.search(self.text)):
            return self._do("search")
        return self._do("route" if self._is_clear() else "ignore")

    def addressed(self, *, is_quiet: bool) -> Decision:
        """Decide where the bot was asked; `is_quiet`: silence is a fitting reply to chatter."""
        intent = self._intent
        if intent is None or self.found.intent is None:
            return self._do("search")
        confidence = self.found.confidence
        if intent.action == "ignore" and is_quiet and confidence >= IGNORE_ABOVE:
            return self._do("ignore")
        if intent.action == "reply" and confidence >= REPLY_ABOVE:
            return self._do("reply")
        if self._is_clear():
            return self._do("route")
        if self._is_between():
            return self._do("search", "ask_back")
        is_likely = _is_request(intent) and confidence >= LIKELY_ABOVE
        return self._do("search", "route" if is_likely else None)

    @property
    def _intent(self) -> Intent | None:
        """The best intent; None where it has been deleted since the classifier was trained."""
        return self.intents.by_name.get(self.found.nearest)

    def _wants_something(self) -> float:
        """Give the confidence that it is a question or a request, as far as the two best intents tell."""
        first, second = self._intent, self.intents.by_name.get(self.found.runner_up)
        likely = (
            (first, self.found.confidence),
            (second, self.found.confidence - self.found.margin),
        )
        return sum(share for intent, share in likely if _is_question(intent) or _is_request(intent))

    def _is_clear(self) -> bool:
        """Whether it is a request and nothing else."""
        is_sure = self.found.confidence >= PASS_ON_ABOVE
        return is_sure and _is_request(self._intent) and not _ASKS.search(self.text)

    def _is_between(self) -> bool:
        """Whether it is a request, but open which of two."""
        second = self.intents.by_name.get(self.found.runner_up)
        both = 2 * self.found.confidence - self.found.margin
        is_open = self.found.margin < ASK_BACK_MARGIN and both >= LIKELY_ABOVE
        return is_open and _is_request(self._intent) and _is_request(second)

    def _is_narrow(self) -> bool:
        """Whether the search may leave other sources out: a wrong guess would hide the answer."""
        intent, found = self._intent, self.found
        is_sure = found.intent is not None and found.confidence >= LIKELY_ABOVE
        return is_sure and intent is not None and intent.action == "answer"

    def _do(self, action: Step, otherwise: Step | None = None) -> Decision:
        intent, found = self._intent, self.found
        step = otherwise if action == "search" else action
        return Decision(
            action=action,
            otherwise=otherwise,
            intent=found.nearest if found.intent else "oos",
            confidence=found.confidence,
            in_scope=found.intent is not None,
            runner_up=found.runner_up or None,
            margin=found.margin,
            reply=self._said(step),
            route_to=intent.route_to if intent and step == "route" else None,
            sources=intent.sources if intent and action == "search" and self._is_narrow() else None,
            ask_back=(found.nearest, found.runner_up) if step == "ask_back" else None,
            version=self.version,
        )

    def _said(self, step: Step | None) -> str | None:
        intent = self._intent
        if intent is None or step in (None, "ignore"):
            return None
        if step == "ask_back":
            second = self.intents.by_name[self.found.runner_up]
            return f"Did you mean “{intent.description}” or “{second.description}”?"
        return _reply(intent, step)


def _as_chosen(intent: Intent) -> Decision:
    """Do what an intent is for, without doubt."""
    steps: Mapping[str, Step] = {"answer": "search", "reply": "reply", "ignore": "ignore"}
    step = steps.get(intent.action, "route")
    return Decision(
        action=step,
        intent=intent.name,
        confidence=1.0,
        in_scope=True,
        reply=_reply(intent, step),
        route_to=intent.route_to if step == "route" else None,
        sources=intent.sources if step == "search" else None,
    )


def _reply(intent: Intent, step: Step | None) -> str | None:
    return PASSED_ON if step == "route" and intent.route_to else intent.reply


def is_asking(text: str) -> bool:
    """Whether a message asks something, by its words or its question mark."""
    return bool(_ASKS.search(text))


def intent_signals(decision: Decision) -> dict[str, float]:
    """Write the two best intents with their confidences, as they are kept with an answer."""
    names = (decision.intent, decision.runner_up)
    values = (decision.confidence, decision.confidence - decision.margin)
    return {f"{SIGNAL}{name}": value for name, value in zip(names, values, strict=True) if name}


def asked_back(answer: Answer) -> tuple[str, str] | None:
    """Name the two intents that the asker is to choose from; None where nothing is open.

    It is read from `intent_signals`, so that an answer which was kept tells it too.
    """
    kept = {k.removeprefix(SIGNAL): v for k, v in answer.signals.items() if k.startswith(SIGNAL)}
    if answer.status != "routed" or len(kept) != 2:
        return None
    second, first = sorted(kept, key=lambda name: kept[name])
    return (first, second) if kept[first] - kept[second] < ASK_BACK_MARGIN else None


def _is_question(intent: Intent | None) -> bool:
    return intent is not None and intent.action == "answer"


def _is_request(intent: Intent | None) -> bool:
    return intent is not None and intent.action in ("route", "human")
