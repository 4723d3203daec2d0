"""`why`: how an answer came about, as it was recorded at the time.

Knows nothing about how answers are made; it shows what was kept.
"""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.answering import cache, showing
from bot.services import Services
from bot.terminal import console
from store import answers
from store.records import Answer, Phrasing, Rewriting


class UnknownAnswer(Exception):
    """There is no answer with that id."""


def find(services: Services, answer_id: str) -> Answer:
    """Look an answer up by its id or the beginning of it."""
    with services.database.reading() as connection:
        found = answers.get(connection, services.workspace, answer_id)
    if found is None:
        raise UnknownAnswer(
            f"No single answer has an id that begins with {answer_id!r}: give more digits of it."
        )
    return found


def render(answer: Answer) -> RenderableType:
    """Draw everything that was kept: the decision, its signals, the passages, the versions."""
    asked = cache.asked_first(answer.signals)
    signals = {name: value for name, value in answer.signals.items() if name != cache.SIGNAL}
    head = Text.assemble(
        (answer.question + "\n", "bold"),
        f"{answer.status}, confidence {answer.confidence:.2f}, id {answer.answer_id}\n",
        f"intent {answer.intent or '-'} ({answer.intent_confidence:.2f})\n",
        f"understood with: {answer.understood}\n" if answer.understood else "",
        _rewriting(answer.rewriting) if answer.rewriting else "",
        f"from the cache, first asked at {asked:%Y-%m-%d %H:%M} UTC\n" if asked else "",
    )
    return Group(
        head,
        _passages(answer),
        Text(),
        _shown(answer),
        Text(),
        _phrasing(answer.phrasing) if answer.phrasing else Text(),
        _pairs("signal", signals),
        Text(),
        _pairs("version", answer.versions),
        Text(),
        _pairs("ms", answer.timings_ms),
    )


def _rewriting(rewriting: Rewriting) -> str:
    """What the LLM made of a follow-up, in its words and not in the asker's."""
    told = f"{rewriting.model}, {rewriting.seconds:.2f} s"
    if not rewriting.text:
        return f"not rewritten ({told}): {rewriting.dropped}\n"
    return f"searched for as well, in the words of {told}: {rewriting.text}\n"


def _passages(answer: Answer) -> Table:
    rows = [
        (f"{p.path} > {p.heading}", f"{p.score:.3f}", _score(p.vector), _score(p.lexical))
        for p in answer.passages[:10]
    ]
    return console.table("Passages considered", ("passage", "fused", "cosine", "BM25"), rows)


def _shown(answer: Answer) -> Table:
    rows = [
        (f"{each.path} > {each.heading}", " … ".join(" ".join(m.split()) for m in each.marked))
        for each in showing.of(answer)
    ]
    return console.table("Shown", ("passage", "marked"), rows)


def _phrasing(phrasing: Phrasing) -> Table:
    """What the LLM wrote that was kept, and why the rest was not."""
    rows = [(sentence.text, _numbers(sentence.quotes)) for sentence in phrasing.sentences]
    rows += [(f"{count} dropped: {reason}", "") for reason, count in phrasing.drops.items()]
    rows.append((f"sent to {phrasing.model}, {phrasing.seconds:.2f} s", _numbers(phrasing.sent)))
    return console.table("Phrased", ("sentence", "sources"), rows)


def _numbers(values: Sequence[int]) -> str:
    return ", ".join(str(value) for value in values)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _pairs(name: str, values: object) -> Table:
    assert hasattr(values, "items")
    rows = [(key, f"{v:.3f}" if isinstance(v, float) else v) for key, v in values.items()]
    return console.table("", (name, "value"), rows)
