"""From an answer to a phrased answer, or to the answer as it is, whatever the LLM does.

Knows nothing about Slack, settings or the database.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from bot.answering import faq
from bot.phrasing import checks, prompt
from bot.phrasing.client import Llm, Silent
from bot.phrasing.prompt import Quote
from store.records import Answer, Phrasing, Sentence

SENTENCES = 5
"""Sentences of a reply that are looked at: it was told to write three."""

Supports = Callable[[str, Sequence[str]], bool]
"""Whether quotes say what a sentence says, as far as a model can tell (models.checker)."""

HELD_BACK = "held_back"
"""Why a sentence that passed every check was not shown: its answer is one of those that phrased ones are compared with. They
were drawn after the LLM had written, so that both kinds answer like questions."""

_log = logging.getLogger(__name__)


class Phraser:
    """Phrases answers by one LLM; shared by the worker's threads."""

    def __init__(
        self,
        llm: Llm,
        *,
        seconds: float,
        is_on: Callable[[], bool] = lambda: True,
        channels: Collection[str] = (),
        supports: Supports = lambda sentence, quotes: True,
        quoted_share: float = 0.0,
    ) -> None:
        """Of the answers that were phrased `quoted_share` are shown as quotes, to compare how people like both. Without `channels`, answers in all of them are phrased; `seconds` is how long an answer may wait for the
        LLM, with what rewriting it has taken."""
        self.llm = llm
        self.seconds = seconds
        self._is_on = is_on
        self._channels = channels
        self._supports = supports
        self._quoted_share = quoted_share

    def phrased(self, channel: str, answer: Answer, drawn_by: str = "") -> Answer:
        """Give the answer with its phrasing, or as it is; never raises because of the LLM.

        `drawn_by` names the question: its hash decides whether what was phrased is held back.

        Only an answer that the bot is sure of is phrased, and no colleague's kept reply, which is worded for people
        already. Where the LLM says that the quotes do not answer the question, it says nothing: its word is not
        calibrated, so the status stays.
        """
        if answer.status != "answered" or (self._channels and channel not in self._channels):
            return answer
        if any(cited.source == faq.SOURCE for cited in answer.citations[:1]) or not self._is_on():
            return answer
        given = prompt.quotes(answer)
        if not given:
            return answer
        started, drops = time.perf_counter(), dict[str, int]()
        try:
            kept = self._sentences(answer, given, drops)
        except Silent as silent:
            kept, drops = [], {str(silent): 1}
        except Exception:  # noqa: BLE001 - the quotes are shown in any case
            _log.exception("phrasing_broke answer=%s", answer.answer_id)
            kept, drops = [], {"broken": 1}
        if kept and drawn(drawn_by) < self._quoted_share:
            kept, drops = [], {**drops, HELD_BACK: len(kept)}
        seconds = time.perf_counter() - started
        _log.info(
            "phrased answer=%s chunks=%s kept=%d dropped=%s seconds=%.2f",
            answer.answer_id,
            ",".join(str(quote.chunk_id) for quote in given),
            len(kept),
            ",".join(f"{reason}:{count}" for reason, count in drops.items()) or "none",
            seconds,
        )
        phrasing = Phrasing(
            sentences=tuple(kept),
            sent=tuple(quote.chunk_id for quote in given),
            model=self.llm.model,
            seconds=round(seconds, 3),
            drops=drops,
        )
        timings = {**answer.timings_ms, "phrase": round(1000 * seconds, 2)}
        return replace(answer, phrasing=phrasing, timings_ms=timings)

    def _sentences(
        self, answer: Answer, given: Sequence[Quote], drops: dict[str, int]
    ) -> list[Sentence]:
        """Give the sentences that are kept; `drops` counts the others by why. Raises Silent."""
        waited = answer.rewriting.seconds if answer.rewriting else 0.0
        asked = prompt.user(answer.question, given)
        written = self.llm.say(
            prompt.SYSTEM, asked, prompt.SCHEMA, seconds=max(0.0, self.seconds - waited)
        )
        draft = prompt.read(written)
        if draft is None:
            raise Silent("not_json")
        if not draft.answerable:
            raise Silent("unanswerable")
        kept: list[Sentence] = []
        for number, each in enumerate(draft.sentences):
            sentence = Sentence(each.text.strip(), tuple(dict.fromkeys(each.quotes)))
            reason = "too_many" if number >= SENTENCES else self._refusal(sentence, given, kept)
            if reason is None:
                kept.append(sentence)
            else:
                drops[reason] = drops.get(reason, 0) + 1
        return kept

    def _refusal(
        self, sentence: Sentence, given: Sequence[Quote], kept: Sequence[Sentence]
    ) -> str | None:
        """Say why a sentence is not kept; None where it is."""
        texts = {quote.number: quote.text for quote in given}
        if not set(sentence.quotes) <= set(texts):
            return "no_such_quote"
        if sentence.text in [each.text for each in kept]:
            return "twice"
        quotes = [texts[number] for number in sentence.quotes]
        if reason := checks.refusal(sentence.text, quotes):
            return reason
        return None if self._supports(sentence.text, quotes) else "unsupported"


def drawn(name: str) -> float:
    """Give the number from 0 to below 1 that is drawn for a name: always the same."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
