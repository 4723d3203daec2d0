"""Score follow-ups: are last turns of conversations found better with what was said before them?

Knows nothing about how a question is told to lean on its history, nor how tables are printed.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.answering import history
from bot.answering.retrieval import Retriever
from bot.learning.calibration import Progress
from bot.scorecards import retrieval
from bot.services import Services
from evals import beir, paired, ranking
from store.records import READER

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
    """Recall@5 of the turns alone and with their history, with the 95 % interval of the difference."""

    turns: int
    alone: float
    with_history: float
    interval: tuple[float, float]


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


def score(services: Services, folder: Path, progress: Progress) -> Scorecard:
    """Index the conversations' passages in a workspace of their own (kept) and search for each last turn."""
    pages = tuple(_page(row) for row in beir.rows(folder, "corpus"))
    turns = [_turn(row) for row in beir.rows(folder, "tasks")]
    turns = [turn for turn in turns if turn.gains]
    data = beir.DataSet(pages, {}, {}, "all")
    workspace = retrieval.index(services, data, progress)
    retriever = Retriever(services.database, workspace, services.embedder)
    parameters = services.serving.now()

    def recall(turn: Turn, earlier: Sequence[str]) -> float:
        said = history.recent(earlier)
        leant = said if history.leans(turn.question, said) else ()
        found = retriever.find(turn.question, READER, parameters, earlier=leant)
        return ranking.recall([p.path for p in found.passages], turn.gains, CUT)

    def change(among: Sequence[Turn], name: str) -> Change:
        pairs = []
        for number, turn in enumerate(among, start=1):
            pairs.append((recall(turn, ()), recall(turn, turn.earlier)))
            progress(name, number, len(among))
        return _change(pairs)

    known = [turn for turn in turns if turn.is_follow_up and turn.earlier]
    leaning = [t for t in known if history.leans(t.question, history.recent(t.earlier))]
    strangers = _strangers(turns)
    return Scorecard(
        chosen_leaning=change([t for t in leaning if t.collection in CHOSEN], "chosen, leaning"),
        chosen_all=change([t for t in known if t.collection in CHOSEN], "chosen"),
        held_out_leaning=change(
            [t for t in leaning if t.collection not in CHOSEN], "held out, leaning"
        ),
        held_out_all=change([t for t in known if t.collection not in CHOSEN], "held out"),
        unrelated=change(strangers, "unrelated"),
        unrelated_taken=sum(history.leans(t.question, t.earlier) for t in strangers),
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


def _change(pairs: Sequence[tuple[float, float]]) -> Change:
    before, after = [a for a, _ in pairs], [b for _, b in pairs]
    interval = paired.interval([b - a for a, b in pairs])
    count = max(len(pairs), 1)
    return Change(len(pairs), sum(before) / count, sum(after) / count, interval)


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
