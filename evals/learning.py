"""The learning simulation: who asks what, how they vote, and which questions are measured.

Knows nothing about the bot: it is given the right passage of each question.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from evals import metrics, paired

ASKED_SHARE = 0.5
"""Of the questions about one passage; the others are asked again in other words."""


@dataclass(frozen=True, slots=True)
class Draw:
    """`asked` question ids night by night, and every question of the passages they are about."""

    asked: tuple[tuple[str, ...], ...]
    others: tuple[str, ...]


def draw(right: Mapping[str, str], nights: int, votes: int, seed: int) -> Draw:
    """Draw passages with at least two questions and let people ask half of each one's questions.

    `right` maps each question to its right passage. When the questions run out, nights stay short.
    """
    chance = random.Random(seed)
    about: dict[str, list[str]] = {}
    for question, passage in right.items():
        about.setdefault(passage, []).append(question)
    topics = [questions for questions in about.values() if len(questions) > 1]
    chance.shuffle(topics)
    asked: list[str] = []
    for questions in topics:
        if len(asked) >= nights * votes:
            break
        chance.shuffle(questions)
        asked += questions[: max(1, min(len(questions) - 1, round(ASKED_SHARE * len(questions))))]
    asked = asked[: nights * votes]
    taken = set(asked)
    chance.shuffle(asked)
    cut = tuple(tuple(asked[n * votes : (n + 1) * votes]) for n in range(nights))
    return Draw(cut, tuple(q for q in right if q not in taken))


def thumb(is_right: bool, flip: float, chance: random.Random) -> int:
    """Give a person's vote: 1 when the shown passage is right, -1 otherwise, sometimes turned round."""
    value = 1 if is_right else -1
    return -value if chance.random() < flip else value


def groups(
    drawn: Draw, right: Mapping[str, str], voted_on: Collection[str], most: int, seed: int
) -> dict[str, list[str]]:
    """Split the questions that were not asked, at most `most` of each.

    Again: others asked about its right passage, and that passage was shown and voted on. Unseen:
    nobody asked about its right passage and it was never shown. Between: one of the two.
    """
    topics = {right[q] for night in drawn.asked for q in night}
    found: dict[str, list[str]] = {"again": [], "unseen": [], "between": []}
    for question in drawn.others:
        is_topic, is_judged = right[question] in topics, right[question] in voted_on
        name = "between" if is_topic != is_judged else ("again" if is_topic else "unseen")
        found[name].append(question)
    chance = random.Random(seed)
    return {k: chance.sample(v, most) if len(v) > most else v for k, v in found.items()}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same questions before and after: how often the right passage came first, and how high it stood."""

    n: int
    hit_before: float
    hit_after: float
    hit_change: float
    hit_interval: metrics.Interval
    mrr_before: float
    mrr_after: float

    def as_json(self) -> dict[str, object]:
        """Give it under the measures' own names: hit@1 and MRR@10."""
        return {
            "n": self.n,
            "hit@1_before": self.hit_before,
            "hit@1_after": self.hit_after,
            "hit@1_change": self.hit_change,
            "hit@1_interval": self.hit_interval,
            "mrr@10_before": self.mrr_before,
            "mrr@10_after": self.mrr_after,
        }


def compare(before: Sequence[int | None], after: Sequence[int | None]) -> Comparison:
    """Compare ranks of the right passage (1 is first, None when it is not among the first ten).

    The interval of the change is of the paired bootstrap, 95 %.
    """
    hits = [(float(a == 1), float(b == 1)) for a, b in zip(before, after, strict=True)]
    low, high = paired.interval([b - a for a, b in hits])
    return Comparison(
        n=len(hits),
        hit_before=_mean([a for a, _ in hits]),
        hit_after=_mean([b for _, b in hits]),
        hit_change=_mean([b - a for a, b in hits]),
        hit_interval=(round(low, 4), round(high, 4)),
        mrr_before=_mean([1 / r if r else 0.0 for r in before]),
        mrr_after=_mean([1 / r if r else 0.0 for r in after]),
    )


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
