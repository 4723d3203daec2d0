"""The promotion gate: a candidate serves only if held-out votes say that it is better, and the frozen set
of questions says that it is no worse.

Knows nothing about what a part is or how it was fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from store.records import Decision, Kind

MIN_JUDGED = 200
"""Judged questions that a part needs before it is fitted."""

MEAN_LOSS = 0.01
"""What the frozen set may lose on average: one point of 100."""

WORST_LOSS = 0.03
"""What it may lose at worst (one-sided 95 % bound): with its 160 questions no smaller loss can be ruled out."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one part, on which numbers; `payload` is what would serve, or does."""

    kind: Kind
    decision: Decision
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    payload: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Give it as it is kept in a night's report and printed."""
        return asdict(self)


def waits(kind: Kind, have: int, need: int = MIN_JUDGED, what: str = "judged questions") -> Verdict:
    """Decide to wait, and say how many more are needed."""
    reason = f"{need - have} more {what} are needed ({have} of {need})."
    return Verdict(kind, "waiting", reason, {"have": have, "need": need})


def judge(
    kind: Kind,
    payload: Mapping[str, object],
    *,
    judged: int,
    better: int,
    worse: int,
    chance: float,
    frozen: Sequence[float],
    level: float,
    what: str = "votes",
    gains: Sequence[float] | None = None,
) -> Verdict:
    """Decide about one part at tonight's `level` (looks.py); the losses allowed are this file's.

    Of the `judged` held-out votes or labels (`what` people gave), the candidate changes `better` ones for
    the better (a disliked passage no longer stands first, a liked one does) and `worse` ones for the worse.
    `chance` is the share that would be for the better if it changed them at random. `frozen` has one change
    of score per question of the frozen set.

    Votes on much the same question are one observation, so all these are counts of different questions.

    With `gains`, the test is on how much likelier the candidate makes each question's held-out votes: then
    every vote counts, not only those where the first passage changed. More changes must be for the better all
    the same, and far-out values, which the test brings in, must not hide a loss.
    """
    from evals import paired  # brings numpy, which the worker starts without

    if gains is None:
        p = paired.sign_test(better, worse, max(0.5, chance))
    else:
        is_better = better > worse and sum(gains) > 0
        p = paired.no_gain(paired.winsorised(gains)) if is_better else 1.0
    low, high = paired.interval(frozen, level=0.1)
    mean = sum(frozen) / len(frozen) if len(frozen) else 0.0
    numbers = {
        "judged": judged, "better": better, "worse": worse, "p": round(p, 6), "alpha": round(level, 6),
        "frozen": len(frozen), "frozen_change": round(mean, 4),
        "frozen_low": round(low, 4), "frozen_high": round(high, 4),
    }  # fmt: skip
    if p >= level:
        reason = (
            f"held-out {what} do not say better: {better} against {worse} changes,"
            f" p {p:.4f} (needed: {level:.4f})"
        )
        return Verdict(kind, "refused", reason, numbers, payload)
    if not holds(frozen):
        reason = f"the frozen set may lose: {100 * mean:+.1f} points, at worst {100 * low:+.1f}"
        return Verdict(kind, "refused", reason, numbers, payload)
    reason = f"{better} against {worse} changes on held-out {what}, p {p:.4f}; frozen {100 * mean:+.1f} points"
    return Verdict(kind, "promoted", reason, numbers, payload)


def holds(frozen: Sequence[float]) -> bool:
    """Tell whether the frozen set's scores are no worse: on average, and at worst (MEAN_LOSS, WORST_LOSS)."""
    from evals import paired  # as above

    if not len(frozen):
        return True
    mean = sum(frozen) / len(frozen)
    return mean >= -MEAN_LOSS and paired.lower_bound(frozen) >= -WORST_LOSS
