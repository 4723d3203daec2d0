"""Score phrasing: how much of what the handbook says is kept, how much of what it does not say, and an LLM at work.

Knows nothing about how sentences are checked or how tables are printed.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import uuid4

from bot.learning.calibration import Progress
from bot.phrasing import checks
from bot.phrasing.phrasing import Phraser, Supports
from bot.settings import ROOT
from evals import answers, metrics, phrased
from evals.phrased import Passage, Scores
from store.records import Answer, Citation, Shown

QUESTIONS = ROOT / "evals" / "questions.jsonl"


@dataclass(frozen=True, slots=True)
class Trial:
    """What an LLM made of our own questions, each with the passage that answers it.

    `phrased` answers kept a sentence; `kept` and `dropped` count sentences and whole replies. Whether what was kept
    is right is for people to read: `shown` has it, with its question.
    """

    model: str
    questions: int
    phrased: int
    kept: int
    dropped: Mapping[str, int]
    seconds: metrics.Times
    shown: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """The checks on sentences about the handbook; `ms` is per sentence. `trial` is None without an LLM."""

    scores: Scores
    ms: metrics.Times
    trial: Trial | None

    def as_json(self) -> dict[str, object]:
        """Give it as it is printed."""
        return asdict(self)


def score(
    progress: Progress,
    phraser: Phraser | None = None,
    *,
    supports: Supports | None = None,
    count: int = 500,
    seed: int = 0,
    most: int = 40,
) -> Scorecard:
    """Judge the handbook's sentences, our wordings of them and `count` false ones; ask the LLM `most` questions."""
    given, taken = phrased.passages(), list[float]()

    def judge(sentence: str, quotes: Sequence[str]) -> str | None:
        started = time.perf_counter()
        reason = checks.refusal(sentence, quotes)
        if reason is None and supports is not None and not supports(sentence, quotes):
            reason = "unsupported"
        taken.append(1000 * (time.perf_counter() - started))
        return reason

    scores = phrased.score(judge, given, count, seed)
    trial = _trial(phraser, given, most, progress) if phraser else None
    return Scorecard(scores, metrics.times(taken), trial)


def _trial(phraser: Phraser, given: Sequence[Passage], most: int, progress: Progress) -> Trial:
    pairs = [
        (row.question, passage)
        for row in answers.labelled(QUESTIONS)
        for passage in given
        if row.quote and passage.path == row.path and row.quote in passage.text
    ][:: max(1, 120 // most)][:most]
    dropped, taken, shown, done = Counter[str](), list[float](), list[tuple[str, str]](), 0
    for number, (question, passage) in enumerate(pairs, start=1):
        found = phraser.phrased("terminal", _answer(question, passage)).phrasing
        progress("asking the LLM", number, len(pairs))
        if found is None:
            continue
        dropped.update(found.drops)
        taken.append(found.seconds)
        done += bool(found.sentences)
        shown += [(question, sentence.text) for sentence in found.sentences]
    return Trial(
        phraser.llm.model, len(pairs), done, len(shown), dropped, metrics.times(taken), tuple(shown)
    )


def _answer(question: str, passage: Passage) -> Answer:
    cited = Citation(passage.path, passage.path, None, passage.text, "", 1.0, None, "handbook", 1)
    seen = Shown(passage.text[:1500], (), passage.path, "")
    return Answer(uuid4(), question, "answered", 1.0, passage.text, (cited,), shown=(seen,))
