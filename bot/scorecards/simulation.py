"""Run the learning simulation on a retrieval data set, through the real store in a workspace of its own.

Knows nothing about how a night decides (bot/learning/night.py) or who votes how (evals/learning.py).
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from bot.learning import frozen_set, night
from bot.learning.calibration import Progress
from bot.learning.frozen_set import FrozenSet
from bot.learning.replay import answerer_in
from bot.scorecards import retrieval
from bot.services import Services
from evals import beir, learning
from store import answers, people, questions
from store.feedback import votes
from store.index.embedders import embedder_id
from store.records import READER, Answer, Ask, Passage, Vote

MOST = 1000
"""Questions measured in each group: with more the interval hardly shrinks."""

VOTES_EACH = 5
"""Votes that one simulated person casts in a night."""

BOOST = 0.1
"""What a vote adds to its document in the baseline, on the scale of the fused score (0..1)."""

DEPTH = 10


@dataclass(frozen=True, slots=True)
class Simulation:
    """Where people ask, and what: each question's text, right passage and vector; `flip` is the share of votes
    that are turned round."""

    services: Services
    workspace: str
    texts: Mapping[str, str]
    right: Mapping[str, str]
    vectors: Mapping[str, NDArray[np.float32]]
    flip: float


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that nobody asked, before and after: by what was learned, and by the baseline (BOOST) instead."""

    learned: learning.Comparison
    plus_minus_one: learning.Comparison

    def as_json(self) -> dict[str, object]:
        """Give what was learned at the top, the baseline beside it."""
        return {**self.learned.as_json(), "plus_minus_one": self.plus_minus_one.as_json()}


@dataclass(frozen=True, slots=True)
class Scorecard:
    """A simulation's groups of questions (`learning.groups`), what was decided, and the nights' reports."""

    groups: Mapping[str, Group]
    votes: int
    flip: float  # the share of votes turned round
    seed: int
    promotions: int
    refused: int
    waiting: int
    nights: tuple[night.Report, ...]

    def as_json(self) -> dict[str, object]:
        """Give each group under its own name."""
        return {
            **{name: group.as_json() for name, group in self.groups.items()},
            "votes": self.votes,
            "flip": self.flip,
            "seed": self.seed,
            "promotions": self.promotions,
            "refused": self.refused,
            "waiting": self.waiting,
            "nights": [report.as_json() for report in self.nights],
        }


def simulate(
    services: Services,
    folder: Path,
    *,
    nights: int,
    votes: int,
    flip: float,
    seed: int,
    progress: Progress,
) -> Scorecard:
    """Let people ask and vote, run the nights, and measure the same questions before and after.

    `votes` is how many are cast in all, spread evenly over the nights.
    """
    each = -(-votes // nights)
    run, drawn = prepare(services, folder, nights, each, flip, seed, progress)
    frozen = frozen_set.load(services)
    before = searched(run, drawn.others, progress, "before")
    chance, boosts, held = random.Random(seed), dict[str, int](), []
    for number, asked in enumerate(drawn.asked):
        at = datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(days=number)
        _ask(run, asked, at, chance, boosts, progress)
        held.append(_night(run, at, seed, frozen))
    after = searched(run, drawn.others, progress, "after")
    groups = learning.groups(drawn, run.right, boosts, MOST, seed)
    boosted = {q: _boosted(before[q], boosts) for q in drawn.others}
    with services.database.connection() as connection:
        people.forget_everything(connection, run.workspace)
    decisions = [v.decision for report in held for v in report.verdicts]
    return Scorecard(
        groups={
            name: Group(
                learning.compare(_ranks(run, rows, before), _ranks(run, rows, after)),
                learning.compare(_ranks(run, rows, before), _ranks(run, rows, boosted)),
            )
            for name, rows in groups.items()
        },
        votes=sum(len(asked) for asked in drawn.asked),
        flip=flip,
        seed=seed,
        promotions=decisions.count("promoted"),
        refused=decisions.count("refused"),
        waiting=decisions.count("waiting"),
        nights=tuple(held),
    )


def prepare(
    services: Services,
    folder: Path,
    nights: int,
    votes: int,
    flip: float,
    seed: int,
    progress: Progress,
) -> tuple[Simulation, learning.Draw]:
    """Index the data set, draw who asks what, and encode the questions that are needed."""
    texts, right, data = _questions(folder)
    embedder = services.embedder
    workspace = retrieval.index(services, data, progress)
    with services.database.connection() as connection:
        people.forget_everything(connection, workspace)
    drawn = learning.draw(right, nights, votes, seed)
    if not any(drawn.asked):
        raise beir.DataError(f"{folder} has no passage with two questions: nothing to ask again.")
    # Before votes nobody knows which passages will be shown: keep enough of each group.
    others = random.Random(seed).sample(drawn.others, min(len(drawn.others), 2 * MOST))
    topics = {right[q] for asked in drawn.asked for q in asked}
    kept = [q for q in drawn.others if right[q] in topics or q in set(others)]
    drawn = replace(drawn, others=tuple(kept))
    needed = [*kept, *(q for asked in drawn.asked for q in asked)]
    vectors = embedder.encode_questions([texts[q] for q in needed])
    run = Simulation(
        services, workspace, texts, right, dict(zip(needed, vectors, strict=True)), flip
    )
    return run, drawn


def _questions(folder: Path) -> tuple[dict[str, str], dict[str, str], beir.DataSet]:
    """Read the questions of all splits, each with its best passage."""
    texts: dict[str, str] = {}
    right: dict[str, str] = {}
    data = beir.read(folder)
    for file in sorted((folder / "qrels").glob("*.tsv")):
        data = beir.read(folder, file.stem)
        for question, text in data.questions.items():
            gains = data.qrels[question]
            if any(gain > 0 for gain in gains.values()):
                texts[question] = text
                right[question] = max(gains, key=lambda page: gains[page])
    return texts, right, data


def ask(run: Simulation, drawn: learning.Draw, at: datetime, seed: int, progress: Progress) -> None:
    """Let people ask and judge all questions that were drawn to be asked, with the signals of every answer."""
    chance, boosts = random.Random(seed), dict[str, int]()
    for asked in drawn.asked:
        _ask(run, asked, at, chance, boosts, progress, has_signals=True)


def searched(
    run: Simulation, asked: Sequence[str], progress: Progress, name: str
) -> dict[str, list[Passage]]:
    """Search for questions by what serves in the run's workspace."""
    answerer, found = answerer_in(run.services, run.workspace), {}
    for number, question in enumerate(asked, start=1):
        text, vector = run.texts[question], run.vectors[question]
        found[question] = answerer.retriever.find(
            text, READER, answerer.serving.now(), vector=vector
        ).passages
        progress(name, number, len(asked))
    return found


def _ask(
    run: Simulation,
    asked: Sequence[str],
    at: datetime,
    chance: random.Random,
    boosts: dict[str, int],
    progress: Progress,
    *,
    has_signals: bool = False,
) -> None:
    """Ask each question, show the first passage whatever the confidence, and vote on it.

    The signals that the confidence is made of take most of the time; votes on answers without them teach the
    confidence nothing.
    """
    answerer = answerer_in(run.services, run.workspace)
    for number, question in enumerate(asked):
        when, person = at + timedelta(minutes=number), f"P{number // VOTES_EACH}"
        text, vector = run.texts[question], run.vectors[question]
        found = answerer.retriever.find(text, READER, answerer.serving.now(), vector=vector)
        if not found.passages:
            continue
        shown = found.passages[0].path
        value = learning.thumb(shown == run.right[question], run.flip, chance)
        boosts[shown] = boosts.get(shown, 0) + value
        passages = tuple(found.passages)
        answer = Answer(
            uuid4(),
            text,
            "unsure",
            0.5,
            passages[0].body,
            passages=passages,
            signals=answerer.judge(found)[1] if has_signals else {},
            vector=tuple(found.vector),
        )
        record(run, Ask(run.workspace, "C1", f"{when.timestamp()}", person, text, "mention", False),
                answer, Vote(answer.answer_id, person, value, "button"), when)  # fmt: skip
        progress("votes", number + 1, len(asked))


def record(run: Simulation, ask: Ask, answer: Answer, vote: Vote, when: datetime) -> None:
    """Record a question with its answer, and a vote on it."""
    number = embedder_id(run.services.embedder.name)
    with run.services.database.connection() as connection:
        question_id = questions.claim(connection, ask, when)
        assert question_id is not None
        answers.record(connection, run.workspace, question_id, answer, answer.vector, number, when)
        votes.cast(connection, run.workspace, vote, when)


def _night(run: Simulation, at: datetime, seed: int, frozen: FrozenSet) -> night.Report:
    when = at + timedelta(hours=18)
    return night.run(run.services, workspace=run.workspace, now=when, seed=seed, frozen=frozen)


def _boosted(passages: Sequence[Passage], boosts: Mapping[str, int]) -> list[Passage]:
    """Order passages as the baseline does: a document rises by its thumbs up less those down, whatever is asked."""
    scored = [replace(p, score=p.score + BOOST * boosts.get(p.path, 0)) for p in passages]
    return sorted(scored, key=lambda p: -p.score)


def _ranks(
    run: Simulation, asked: Sequence[str], found: Mapping[str, Sequence[Passage]]
) -> list[int | None]:
    places = []
    for question in asked:
        pages = list(dict.fromkeys(p.path for p in found[question]))[:DEPTH]
        right = run.right[question]
        places.append(pages.index(right) + 1 if right in pages else None)
    return places
