"""From a request to an answer: decide, look for a kept reply, search, highlight, say how sure it is.

Knows nothing about Slack, jobs or how the parts were trained. An answer is text that stands in a cited document.
"""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from bot.answering import absence, asking, confidence, faq, history, reading, sections, showing
from bot.answering.highlight import Highlight, highlight
from bot.answering.mismatch import is_about_another, is_half_said
from bot.answering.parameters import Parameters, Serving
from bot.answering.policy import STATUSES, Decision, Policy, Step, intent_signals
from bot.answering.reading import Reading
from bot.answering.request import Request
from bot.answering.rescoring import Rescorer
from bot.answering.retrieval import Found, Retriever
from store.database import Database
from store.index import codes
from store.records import Answer, Citation, Passage, Rewriting
from store.values import searchable

if TYPE_CHECKING:
    from models.embedder import Embedder
    from models.reader.reader import Reader

FURTHER_CHARS = 600
"""Characters of units that are encoded for each further passage that is shown."""

FURTHER_NEAR = 0.2
"""A second unit of a further passage is marked when it scores at most this much lower than the best.

A mark is then right in 82 % of the messages that hold the fact, with one mark in 77 % (three handbooks)."""


Rewrite = Callable[[Request, Sequence[str]], Rewriting | None]
"""Makes a whole question of a message and those it leans on, where an LLM may (bot.phrasing.rewriting).

Never raises because of it."""


class Judged(NamedTuple):
    """What of the first passage says it, the signals beside it, and what was read of all that is shown."""

    said: Highlight
    signals: dict[str, float]
    read: Reading


class Answerer:
    """Answers questions for one workspace; shared by the worker's threads."""

    def __init__(
        self,
        database: Database,
        workspace: str,
        embedder: "Embedder",
        serving: Serving,
        policy: Policy | None = None,
        reader: "Reader | None" = None,
        rescorer: Rescorer | None = None,
        rewrite: Rewrite = lambda request, earlier: None,
    ) -> None:
        """Without a `policy`, every message is taken for a question to the documents; without a `reader`, units
        are told apart by their cosines and words alone; `rescorer` is the retriever's."""
        self._database = database
        self.workspace = workspace
        self._embedder = embedder
        self._policy = policy
        self._reader = reader
        self._rewrite = rewrite
        self.serving = serving
        self.retriever = Retriever(database, workspace, embedder, rescorer, reader)

    def standing(self) -> str:
        """Tell what an answer depends on beside the request and what is stored: models, intents, parameters."""
        reader = self._reader.name if self._reader else ""
        decided = self._policy.standing() if self._policy else ""
        models = (self._embedder.name, reader, self.retriever.rescorer.names)
        return repr((models, decided, self.serving.now().standing()))

    def answer(self, request: Request) -> Answer:
        """Answer one message; raises store.database.StoreGone when the database is lost."""
        started = time.perf_counter()
        question = normalized(request.text)
        if not question:
            return _nothing(request.text)
        request = replace(request, text=question)
        # The policy and the search share it, and not every message needs it.
        vector = functools.cache(lambda: self._embedder.encode_questions([question])[0])

        decision = self._policy.decide(request, vector) if self._policy else Decision()
        decided = _ms(started)
        earlier = history.recent(request.earlier)
        earlier = earlier if history.leans(question, earlier) else ()

        if decision.action != "search":
            answer = _ended(_nothing(question), decision, decision.action)
        elif not earlier and (kept := self._kept_reply(request, vector().tolist())):
            answer = kept
        else:
            parameters = self.serving.now()
            sources = _narrowed(request.sources, decision.sources)
            if parts := None if earlier else asking.two(question):
                found, second = [
                    self.retriever.find(part, request.viewer, parameters, sources=sources)
                    for part in parts
                ]
                answer = self._both(found, second, parameters)
            else:
                rewriting = self._rewrite(request, earlier) if earlier else None
                found = self.retriever.find(
                    question, request.viewer, parameters, sources=sources, vector=vector(),
                    earlier=earlier, whole=rewriting.text if rewriting else "",
                )  # fmt: skip
                answer = replace(self._compose(found, parameters), rewriting=rewriting)
            answer = replace(answer, question=question, understood=" / ".join(earlier))
            if not answer.passages:
                answer = replace(answer, signals=absence.signals(self._database, self.workspace))
            if answer.status == "not_found" and decision.otherwise:
                answer = _ended(answer, decision, decision.otherwise)

        timings = {**answer.timings_ms, "intent": decided, "total": _ms(started)}
        return replace(
            answer,
            intent=decision.intent,
            intent_confidence=decision.confidence,
            timings_ms={step: round(ms, 2) for step, ms in timings.items()},
        )

    def _kept_reply(self, request: Request, vector: list[float]) -> Answer | None:
        """Give a person's approved answer; a channel with sources of its own has none."""
        if request.sources is not None:
            return None
        return faq.reply(self._database, self.workspace, self._embedder.name, request, vector)

    def _both(self, first: Found, second: Found, parameters: Parameters) -> Answer:
        """Answer the first of two questions and show the best passage for the second, or the other way
        round where only the second is answered. The signals say how that went (asking.notes)."""
        answer, other = self._compose(first, parameters), self._compose(second, parameters)
        if answer.status == "not_found" and other.status != "not_found":
            return replace(other, signals={**other.signals, asking.SECOND_ALONE: 1.0})
        if answer.status == "not_found":
            return answer
        is_shown = other.status != "not_found"
        if is_shown:
            answer = _with_second(answer, other)
        name = asking.BOTH if is_shown else asking.FIRST_ALONE
        return replace(answer, signals={**answer.signals, name: 1.0})

    def _compose(self, found: Found, parameters: Parameters) -> Answer:
        """Answer with the sentences that say it, if that is probable enough; else give hints."""
        started = time.perf_counter()
        said, signals, read = self.judge(found)
        chosen = showing.chosen(found.passages)
        is_open = bool(signals) and not is_about_another(
            found.question, chosen, said.quote, found.terms
        )
        probability = parameters.calibrator.probability(signals) if is_open else 0.0
        if is_open and _is_named(found):
            probability = max(probability, parameters.calibrator.unsure_above)
        if is_open and is_half_said(found.question, found.passages[0]):
            probability = min(probability, parameters.calibrator.doubt)
        status = parameters.calibrator.status(probability) if is_open else "not_found"
        is_told = status != "not_found"
        cited = tuple(_citation(passage) for passage in chosen)
        marked = [said.marked, *self._marked(found, chosen[1:], read)] if is_told else []
        return Answer(
            answer_id=uuid4(),
            question=found.question,
            status=status,
            confidence=probability,
            body=said.quote if is_told else None,
            citations=cited if is_told else (),
            shown=showing.shown(cited, said.quote, marked) if is_told else (),
            hints=() if is_told else cited,
            passages=tuple(found.passages),
            signals=signals,
            # "encoder": the key that kept answers and the JSON contract have for the embedder.
            versions={
                "encoder": self._embedder.name,
                **self.retriever.rescorer.names,
                **_ids(parameters),
            },
            vector=tuple(found.vector),
            timings_ms={**found.timings, "decide": _ms(started)},
        )

    def judge(self, found: Found) -> Judged:
        """Read what would be shown, and highlight what says it in the first passage; give the signals beside it.

        All are empty where nothing was found.
        """
        if not found.passages:
            return Judged(Highlight("", ()), {}, Reading())
        shown = showing.chosen(found.passages)
        read = reading.read(self._reader, found.question, shown, found.read)
        first, encode = found.passages[0], self.retriever.encode
        question, vector = (
            codes.expanded(found.question, found.terms.codes, first.whole),
            found.vector,
        )
        if question != found.question:
            vector = self._embedder.encode_questions([question])[0].tolist()
        said = highlight(first.body, question, vector, encode, read=read.of(first))
        signals = confidence.signals(found.passages, found.terms, said, found.units) | read.signals(
            shown
        )
        signals["memory"] = found.speaks.get(first.text_hash, 0.0)
        return Judged(said, signals, read)

    def _marked(
        self, found: Found, further: Sequence[Passage], read: Reading
    ) -> list[tuple[str, ...]]:
        """Mark one unit of each further passage, or two that are near."""
        encode, chars = self.retriever.encode, FURTHER_CHARS
        return [
            highlight(
                p.body, found.question, found.vector, encode,
                near=FURTHER_NEAR, chars=chars, read=read.of(p),
            ).marked
            for p in further
        ]  # fmt: skip


def _is_named(found: Found) -> bool:
    """Whether the best passage holds the very code, acronym or section that is asked for.

    Vectors say little of such questions, so that no signal of them should keep the passage back.
    """
    first, wanted = found.passages[0], found.terms.codes
    if codes.agreement(wanted, codes.lexemes(first.whole) if wanted else ()) > 0:
        return True
    section = sections.named(found.question)
    return bool(section) and sections.holds(first, section)


def normalized(text: str) -> str:
    """Put a message on one line, without what no model or database can take (NUL, lone surrogates)."""
    text = searchable(text.replace("\x00", " ").encode("utf-8", "ignore").decode("utf-8"))
    return " ".join(text.split())


def _narrowed(channel: Sequence[str] | None, intent: Sequence[str] | None) -> Sequence[str] | None:
    """Search what both the channel and the intent want; the channel's wish where they differ."""
    if channel is None or intent is None:
        return intent if channel is None else channel
    return [name for name in channel if name in intent] or channel


def _with_second(answer: Answer, other: Answer) -> Answer:
    """Show the first passage of another answer right after that of this one."""
    cited = other.citations[0]
    if any(each.chunk_id == cited.chunk_id for each in answer.citations):
        return answer
    seen = [
        each for each in other.shown if (each.path, each.heading) == (cited.path, cited.heading)
    ]
    mine = answer.citations[0]
    own = [s for s in answer.shown if (s.path, s.heading) == (mine.path, mine.heading)]
    further = [s for s in answer.shown if s not in own]
    return replace(
        answer,
        citations=(mine, cited, *answer.citations[1:])[: showing.PASSAGES],
        shown=(*own, *seen[-1:], *further)[: showing.PASSAGES + 1],
        passages=(*answer.passages, other.passages[0]),
    )


def _ended(answer: Answer, decision: Decision, step: Step) -> Answer:
    """End a message by what was decided about it instead of by a passage."""
    return replace(
        answer,
        status=STATUSES[step],
        confidence=decision.confidence,
        body=decision.reply,
        hints=(),
        signals=intent_signals(decision),
        versions={**answer.versions, "intents": decision.version},
    )


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
        left_out=passage.left_out,
    )


def _ids(parameters: Parameters) -> Mapping[str, str]:
    return {kind: str(v.version_id) for kind, v in parameters.versions.items()}


def _nothing(question: str) -> Answer:
    return Answer(uuid4(), question, "not_found", 0.0, None)


def _ms(since: float) -> float:
    return (time.perf_counter() - since) * 1000
