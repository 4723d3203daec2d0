"""From a question to an answer: retrieve, arrange, mark the best sentences, decide whether to say it.

Knows nothing about Slack, jobs or how the parts were trained. An answer is text that stands in a cited document.
"""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from uuid import uuid4

from bot.answering import confidence, faq, highlight, ranking, recall
from bot.answering.parameters import Parameters, Serving
from bot.answering.policy import STATUSES, Decision, Policy, Step, signals
from store.database import Database
from store.feedback import faqs
from store.feedback import memory as memories
from store.index import search
from store.index.embedders import embedder_id
from store.records import Answer, Citation, Origin, Passage, Viewer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embedder import Embedder

CANDIDATES = 30
"""Fused passages that are looked at before near-duplicates are collapsed."""

SHOWN = 3
"""Sources shown with an answer, at most."""

SHOWN_SHARE = 0.6
"""A further source is shown when its fused score is at least this share of the first one's."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one search gave: passages as arranged, with everything that the decision rests on."""

    question: str
    passages: list[Passage]
    terms: search.Terms
    vector: list[float]
    speaks: Mapping[str, float] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)


class Answerer:
    """Answers questions for one workspace; shared by the worker's threads."""

    def __init__(
        self,
        database: Database,
        workspace: str,
        embedder: "Embedder",
        serving: Serving,
        policy: Policy | None = None,
    ) -> None:
        """Without a `policy`, every message is taken for a question to the documents."""
        self._database = database
        self._workspace = workspace
        self._embedder = embedder
        self._serving = serving
        self.policy = policy

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
        """Answer one message from what the viewer may see; `sources` narrows the search.

        `origin`, `mode` and `strictness` of the channel, and the `chosen` intent are for the policy.
        """
        started = time.perf_counter()
        asked = clean(question)
        if not asked:
            return _empty(question)
        vector = functools.cache(lambda: self._embedder.encode([asked])[0])
        decision = Decision()
        if self.policy:
            decision = self.policy.decide(
                asked, vector=vector, origin=origin, mode=mode, strictness=strictness, chosen=chosen
            )
        decided = _ms(started)
        if decision.action == "search":
            answer = self._search(asked, viewer, decision, sources, vector)
        else:
            answer = _ended(_empty(asked), decision, decision.action)
        answer = replace(answer, intent=decision.intent, intent_confidence=decision.confidence)
        timings = {**answer.timings_ms, "intent": decided, "total": _ms(started)}
        return _with_timings(answer, timings)

    def _search(
        self,
        asked: str,
        viewer: Viewer,
        decision: Decision,
        sources: Sequence[str] | None,
        vector: Callable[[], "NDArray[np.float32]"],
    ) -> Answer:
        verified = self._verified(asked, viewer, vector()) if sources is None else None
        if verified:
            return verified
        parameters = self._serving.now()
        narrowed = _narrowed(sources, decision.sources)
        found = self.find(asked, viewer, parameters, sources=narrowed, vector=vector())
        answer = replace(self._decide(asked, found, parameters), timings_ms=found.timings)
        if answer.status == "not_found" and decision.otherwise:
            return _ended(answer, decision, decision.otherwise)
        return answer

    def _verified(self, asked: str, viewer: Viewer, vector: "NDArray[np.float32]") -> Answer | None:
        """Give a person's approved answer to almost the same question."""
        number, plain = embedder_id(self._embedder.name), vector.tolist()
        with self._database.reading() as connection:
            known = faqs.best(connection, self._workspace, number, plain, viewer, faq.SERVED_ABOVE)
        return faq.answer(asked, *known, plain) if known else None

    def find(
        self,
        question: str,
        viewer: Viewer,
        parameters: Parameters | None = None,
        *,
        sources: Sequence[str] | None = None,
        leg: search.Leg = "hybrid",
        vector: "NDArray[np.float32] | None" = None,
    ) -> Found:
        """Search for one question (three round trips) and arrange what was found.

        `vector` is the question's, where it is known already.
        """
        parameters = parameters or self._serving.now()
        started = time.perf_counter()
        vector = self._embedder.encode([question])[0] if vector is None else vector
        encoded = time.perf_counter()
        with self._database.reading() as connection:
            plan = search.prepare(connection, self._workspace, question, viewer, sources)
            leg = plan.leg(leg, embedder_id(self._embedder.name))
            rows = search.passages(
                connection,
                self._workspace,
                plan,
                vector.tolist(),
                weight=parameters.vector_weight,
                limit=CANDIDATES,
                leg=leg,
            )
            near = []
            if plan.scope and leg == "hybrid" and parameters.recall.weight:
                near = memories.near(
                    connection,
                    self._workspace,
                    plan.scope,
                    vector.tolist(),
                    parameters.recall.floor,
                )
        if leg == "hybrid":
            rows = ranking.prefer_titles(rows, plan.terms, parameters.title_weight)
        speaks = recall.evidence(recall.seen(near), parameters.recall.floor)
        rows = ranking.prefer_sources(
            recall.rescore(rows, near, speaks, parameters.recall), parameters.sources
        )
        timings = {"encode": (encoded - started) * 1000, "search": _ms(encoded)}
        return Found(question, ranking.arrange(rows), plan.terms, vector.tolist(), speaks, timings)

    def judge(self, found: Found) -> tuple[str, dict[str, float]]:
        """Mark the sentences that say it (a verbatim slice) and measure how sure that is."""
        if not found.passages:
            return "", {}
        first = found.passages[0]
        span, cosines = highlight.best_span(
            first.body, found.question, found.vector, self._embedder.encode
        )
        signals = confidence.signals(found.passages, found.terms, cosines)
        signals["memory"] = found.speaks.get(first.text_hash, 0.0)
        return span, signals

    def _decide(self, question: str, found: Found, parameters: Parameters) -> Answer:
        started = time.perf_counter()
        span, signals = self.judge(found)
        probability = parameters.calibrator.probability(signals) if signals else 0.0
        status = parameters.calibrator.status(probability) if signals else "not_found"
        found.timings["decide"] = _ms(started)
        cited = tuple(_citation(p) for p in _shown(found.passages))
        is_told = status != "not_found"
        return Answer(
            answer_id=uuid4(),
            question=question,
            status=status,
            confidence=probability,
            body=span if is_told else None,
            citations=cited if is_told else (),
            hints=() if is_told else cited,
            passages=tuple(found.passages),
            signals=signals,
            versions={"encoder": self._embedder.name, **_names(parameters)},
            vector=tuple(found.vector),
        )


def clean(question: str) -> str:
    """Drop what no encoder or database can take (NUL, lone surrogates) and outer space."""
    text = question.replace("\x00", " ").encode("utf-8", "ignore").decode("utf-8")
    return " ".join(text.split())


def _shown(passages: Sequence[Passage]) -> list[Passage]:
    """Choose up to three passages of different documents that score near the first."""
    shown: list[Passage] = []
    for passage in passages:
        is_new = all((p.source, p.path) != (passage.source, passage.path) for p in shown)
        if is_new and passage.score >= SHOWN_SHARE * passages[0].score:
            shown.append(passage)
    return shown[:SHOWN]


def _citation(passage: Passage) -> Citation:
    return Citation(
        title=passage.title,
        path=passage.path,
        url=passage.url,
        quote=passage.body,
        heading=passage.heading,
        score=passage.score,
        updated_at=passage.updated_at,
        source=passage.source,
        chunk_id=passage.chunk_id,
    )


def _ended(answer: Answer, decision: Decision, step: Step) -> Answer:
    """End a message by what was decided about it instead of by a passage."""
    return replace(
        answer,
        status=STATUSES[step],
        confidence=decision.confidence,
        body=decision.reply,
        hints=(),
        signals=signals(decision),
        versions={**answer.versions, "intents": decision.version},
    )


def _narrowed(channel: Sequence[str] | None, intent: Sequence[str] | None) -> Sequence[str] | None:
    """Search what both the channel and the intent want; the channel's wish where they differ."""
    if channel is None or intent is None:
        return intent if channel is None else channel
    return [name for name in channel if name in intent] or channel


def _names(parameters: Parameters) -> Mapping[str, str]:
    return {kind: str(v.version_id) for kind, v in parameters.versions.items()}


def _empty(question: str) -> Answer:
    return Answer(uuid4(), question, "not_found", 0.0, None)


def _with_timings(answer: Answer, timings: Mapping[str, float]) -> Answer:
    return replace(answer, timings_ms={k: round(v, 2) for k, v in timings.items()})


def _ms(since: float) -> float:
    return (time.perf_counter() - since) * 1000
