"""One night of people's real ratings of passages, and what it does to questions that nobody rated.

Knows nothing about how a night decides. The ratings are FeedbackQA's (Li et al. 2022), noisy as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from bot.learning import night
from bot.learning.calibration import Progress
from bot.scorecards import retrieval, simulation
from bot.scorecards.simulation import Simulation
from bot.services import Services
from evals import beir, metrics, paired, ranking
from store import people
from store.feedback import votes
from store.records import Answer, Ask, Passage, Vote

RATED = Path("feedback") / "feedbackqa" / "feedback.jsonl.gz"
CORPUS = Path("retrieval") / "feedbackqa"
LIKED = ("Excellent", "Acceptable")
RATED_EACH = 5
"""Questions that one simulated rater judges: a day counts only a person's first twenty votes."""


@dataclass(frozen=True, slots=True)
class Change:
    """Mean nDCG@10 after something, and how it changed, with the 95 % interval of the change."""

    ndcg: float
    change: float
    interval: metrics.Interval

    def as_json(self) -> dict[str, object]:
        """Give it under the measure's own name."""
        return {"ndcg@10": self.ndcg, "change": self.change, "interval": self.interval}


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Mean nDCG@10 on the valid questions before any vote, with the votes alone, and after the night."""

    votes: int
    questions: int
    before: float
    at_once: Change
    after_night: Change
    night: night.Report

    def as_json(self) -> dict[str, object]:
        """Give it under the measure's own name."""
        return {
            "votes": self.votes,
            "questions": self.questions,
            "ndcg@10_before": self.before,
            "at_once": self.at_once.as_json(),
            "after_night": self.after_night.as_json(),
            "night": self.night.as_json(),
        }


def run(services: Services, data: Path, progress: Progress) -> Scorecard:
    """Give nDCG@10 on the valid questions before, with the train ratings as votes, and after a night.

    `data` holds FeedbackQA's ratings (RATED) and its corpus in BEIR layout (CORPUS).
    """
    valid = beir.read(data / CORPUS, "valid")
    rows = [row for row in beir.lines(data / RATED) if row.get("split") == "train"]
    workspace = retrieval.index(services, valid, progress)
    with services.database.connection() as connection:
        people.forget_everything(connection, workspace)
    asked = [*valid.questions, *(str(row["id"]) for row in rows)]
    texts = valid.questions | {str(row["id"]): str(row["question"]) for row in rows}
    encoded = services.embedder.encode_questions([texts[q] for q in asked])
    where = Simulation(services, workspace, texts, {}, dict(zip(asked, encoded, strict=True)), 0.0)
    before = _gains(where, valid, progress, "before")
    at = datetime(2026, 1, 5, 9, tzinfo=UTC)
    cast = _vote(where, rows, at, progress)
    at_once = _gains(where, valid, progress, "at once")
    report = night.run(services, workspace=workspace, now=at + timedelta(hours=18))
    after = _gains(where, valid, progress, "after")
    with services.database.connection() as connection:
        people.forget_everything(connection, workspace)
    return Scorecard(
        votes=cast,
        questions=len(before),
        before=_mean(before),
        at_once=_change(before, at_once),
        after_night=_change(before, after),
        night=report,
    )


def _gains(where: Simulation, valid: beir.DataSet, progress: Progress, name: str) -> list[float]:
    found = simulation.searched(where, list(valid.questions), progress, name)
    return [
        ranking.ndcg(list(dict.fromkeys(p.path for p in found[q])), valid.qrels[q], 10)
        for q in valid.questions
    ]


def _vote(
    where: Simulation, rows: Sequence[Mapping[str, object]], at: datetime, progress: Progress
) -> int:
    """Replay each rating as a thumb on an answer that showed the rated passage."""
    pages, cast = _passages(where, rows, progress), 0
    for number, row in enumerate(rows):
        passage, ratings = pages.get(str(row["passage_id"])), row["ratings"]
        if passage is None or not isinstance(ratings, list):
            continue
        when, text = at + timedelta(seconds=number), str(row["question"])
        vector = tuple(where.vectors[str(row["id"])].tolist())
        answer = Answer(
            uuid4(), text, "unsure", 0.5, passage.body, passages=(passage,), vector=vector
        )
        ask = Ask(where.workspace, "C1", f"{when.timestamp()}", "P", text, "mention", False)
        thumbs = [
            Vote(answer.answer_id, f"R{place}-{number // RATED_EACH}", 1 if r in LIKED else -1, "button")
            for place, r in enumerate(ratings)
        ]  # fmt: skip
        simulation.record(where, ask, answer, thumbs[0], when)
        with where.services.database.connection() as connection:
            for thumb in thumbs[1:]:
                votes.cast(connection, where.workspace, thumb, when)
        cast += len(thumbs)
        progress("votes", number + 1, len(rows))
    return cast


def _passages(
    where: Simulation, rows: Sequence[Mapping[str, object]], progress: Progress
) -> dict[str, Passage]:
    """Find the rated passages as a search gives them, by their own words."""
    wanted = {str(row["passage_id"]): f"{row['title']}\n\n{row['text']}" for row in rows}
    encoded = where.services.embedder.encode(list(wanted.values()))
    own = Simulation(
        where.services, where.workspace, wanted, {}, dict(zip(wanted, encoded, strict=True)), 0.0
    )
    found = simulation.searched(own, list(wanted), progress, "rated passages")
    return {page: p for page, passages in found.items() for p in passages if p.path == page}


def _change(before: Sequence[float], after: Sequence[float]) -> Change:
    differences = [b - a for a, b in zip(before, after, strict=True)]
    low, high = paired.interval(differences)
    return Change(_mean(after), _mean(differences), (round(low, 4), round(high, 4)))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
