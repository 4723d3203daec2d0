"""Score follow-ups: are last turns of conversations found better with what was said before them?

Knows nothing about how a question is told to lean on its history, nor how tables are printed.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.answering import history
from bot.answering.request import Request
from bot.answering.retrieval import Retriever
from bot.learning.calibration import Progress
from bot.scorecards import retrieval
from bot.services import Services
from bot.terminal.chat import TERMINAL
from evals import beir, metrics, paired, ranking
from store.records import READER, Rewriting

CHOSEN = ("govt", "ibmcloud")
"""The collections on which the rule and the number of messages were chosen; the others were held out."""

CUT = 5
"""Passages that count as found."""


@dataclass(frozen=True, slots=True)
class Turn:
    """The last turn of a conversation, what people said before it, and the passages that answer it."""

    question: str
    earlier: tuple[str, ...]
    gains: Mapping[str, int]
    collection: str
    is_follow_up: bool


@dataclass(frozen=True, slots=True)
class Change:
    """Recall@5 of the turns alone and with their history by the rule, with the 95 % interval of the difference.

    `rewritten` is that of an LLM's rewritings, by the rule where there is none, and `rewritten_interval` that of its
    difference to the rule alone; both are None without an LLM.
    """

    turns: int
    alone: float
    with_history: float
    interval: tuple[float, float]
    rewritten: float | None = None
    rewritten_interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What the LLM made of the turns that lean: how many it rewrote, why not, in which time, and the texts."""

    model: str
    turns: int
    used: int
    dropped: Mapping[str, int]
    seconds: metrics.Times
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """How follow-ups are found: for each half those that lean on their history, and all with a history.

    `unrelated` are self-contained questions to which another conversation's history was given.
    """

    chosen_leaning: Change
    chosen_all: Change
    held_out_leaning: Change
    held_out_all: Change
    unrelated: Change
    unrelated_taken: int  # of them, those taken for follow-ups
    llm: Rewritten | None = None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """Recall@5 of one turn in each way; `rewriting` is None where no LLM was asked."""

    turn: Turn
    leans: bool
    alone: float
    with_history: float
    rewritten: float
    rewriting: Rewriting | None


def score(services: Services, folder: Path, progress: Progress) -> Scorecard:
    """Index the conversations' passages in a workspace of their own (kept) and search for each last turn."""
    pages = tuple(_page(row) for row in beir.rows(folder, "corpus"))
    turns = [_turn(row) for row in beir.rows(folder, "tasks")]
    turns = [turn for turn in turns if turn.gains]
    workspace = retrieval.index(services, beir.DataSet(pages, {}, {}, "all"), progress)
    retriever = Retriever(services.database, workspace, services.embedder)
    parameters = services.serving.now()

    def recall(turn: Turn, leant: Sequence[str], whole: str = "") -> float:
        found = retriever.find(turn.question, READER, parameters, earlier=leant, whole=whole)
        return ranking.recall([p.path for p in found.passages], turn.gains, CUT)

    def outcome(turn: Turn) -> _Outcome:
        leant, alone = history.recent(turn.earlier), recall(turn, ())
        if not history.leans(turn.question, leant):
            return _Outcome(turn, False, alone, alone, alone, None)
        by_rule, rewriting = recall(turn, leant), None
        if services.rewriter:
            request = Request(turn.question, READER, earlier=leant, channel=TERMINAL)
            rewriting = services.rewriter.rewritten(request, leant)
        text = rewriting.text if rewriting else ""
        by_llm = recall(turn, leant, text) if text else by_rule
        return _Outcome(turn, True, alone, by_rule, by_llm, rewriting)

    def outcomes(among: Sequence[Turn], name: str) -> list[_Outcome]:
        found = []
        for number, turn in enumerate(among, start=1):
            found.append(outcome(turn))
            progress(name, number, len(among))
        return found

    known = outcomes([t for t in turns if t.is_follow_up and t.earlier], "turns")
    strangers = outcomes(_strangers(turns), "unrelated")
    chosen = [each for each in known if each.turn.collection in CHOSEN]
    held_out = [each for each in known if each.turn.collection not in CHOSEN]
    return Scorecard(
        chosen_leaning=_change([each for each in chosen if each.leans]),
        chosen_all=_change(chosen),
        held_out_leaning=_change([each for each in held_out if each.leans]),
        held_out_all=_change(held_out),
        unrelated=_change(strangers),
        unrelated_taken=sum(each.leans for each in strangers),
        llm=_rewritten(known),
    )


def _strangers(turns: Sequence[Turn]) -> list[Turn]:
    """Give every conversation's first question the history of one about something else."""
    draw = random.Random(0)
    alone = [turn for turn in turns if not turn.is_follow_up]
    talks = [turn for turn in turns if turn.earlier]
    found = []
    for turn in alone:
        other = draw.choice([talk for talk in talks if talk.collection != turn.collection])
        found.append(Turn(turn.question, other.earlier, turn.gains, turn.collection, False))
    return found


def _change(found: Sequence[_Outcome]) -> Change:
    count = max(len(found), 1)
    made = Change(
        turns=len(found),
        alone=sum(each.alone for each in found) / count,
        with_history=sum(each.with_history for each in found) / count,
        interval=paired.interval([each.with_history - each.alone for each in found]),
    )
    if not any(each.rewriting for each in found):
        return made
    return replace(
        made,
        rewritten=sum(each.rewritten for each in found) / count,
        rewritten_interval=paired.interval([each.rewritten - each.with_history for each in found]),
    )


def _rewritten(found: Sequence[_Outcome]) -> Rewritten | None:
    asked = [(each.turn.question, each.rewriting) for each in found if each.rewriting]
    if not asked:
        return None
    used = [(question, each.text) for question, each in asked if each.text]
    return Rewritten(
        model=asked[0][1].model,
        turns=len(asked),
        used=len(used),
        dropped=Counter(each.dropped for _, each in asked if each.dropped),
        seconds=metrics.times([each.seconds for _, each in asked]),
        texts=tuple(used),
    )


def _page(row: Mapping[str, object]) -> beir.Page:
    return beir.Page(str(row["_id"]), str(row.get("title") or ""), str(row["text"]))


def _turn(row: Mapping[str, object]) -> Turn:
    said = row.get("history")
    people = [m for m in said if m["speaker"] == "user"] if isinstance(said, list) else []
    relevant, kinds = row.get("relevant"), row.get("multi_turn")
    return Turn(
        question=str(row["question"]),
        earlier=tuple(str(m["text"]) for m in people),
        gains={str(each): 1 for each in relevant} if isinstance(relevant, list) else {},
        collection=str(row.get("collection", "")),
        is_follow_up=isinstance(kinds, list) and kinds != ["N/A"],
    )
