"""The gate: a candidate serves only if held-out votes say better and the frozen set says no worse.

Knows nothing about what a part is or how it was fitted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from evals import paired
from store.records import Decision, Kind

ALPHA = 0.01
"""The level of the test on held-out votes: thirty nights without effect promote .3 times."""

MIN_JUDGED = 200
"""Judged questions below which a night waits."""

MEAN_LOSS = 0.01
"""What the frozen set may lose in the mean."""

WORST_LOSS = 0.03
"""What its one-sided 95 % lower bound may reach: a set of 160 questions cannot exclude less."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one part, on which numbers."""

    kind: Kind
    decision: Decision
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    payload: Mapping[str, object] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Give it as it is kept and printed."""
        return asdict(self)


def waits(kind: Kind, have: int, need: int = MIN_JUDGED, what: str = "judged questions") -> Verdict:
    """Say how much is missing."""
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
    what: str = "votes",
    gains: Sequence[float] | None = None,
) -> Verdict:
    """Decide on held-out changes and on the differences of the frozen set's scores.

    `better` counts disliked passages that the candidate no longer puts first, `worse` liked ones;
    `chance` is the share of dislikes, which changing at random would reach. `what` people gave.
    With `gains`, how much likelier the candidate makes each held-out vote, these are tested instead:
    every vote has its say then, not only those that changed, and no few votes decide alone. The changes
    must be for the better in any case.
    """
    if gains is None:
        p = paired.sign_test(better, worse, max(0.5, chance))
    else:
        p = paired.no_gain(paired.winsorised(gains)) if better > worse else 1.0
    low, high = paired.interval(frozen, level=0.1)
    mean = sum(frozen) / len(frozen) if len(frozen) else 0.0
    numbers = {
        "judged": judged, "better": better, "worse": worse, "p": round(p, 5), "alpha": ALPHA,
        "frozen": len(frozen), "frozen_change": round(mean, 4),
        "frozen_low": round(low, 4), "frozen_high": round(high, 4),
    }  # fmt: skip
    if p >= ALPHA:
        reason = f"held-out {what} do not say better: {better} against {worse} changes, p {p:.3f}"
        return Verdict(kind, "refused", reason, numbers, payload)
    if not holds(frozen):
        reason = f"the frozen set may lose: {100 * mean:+.1f} points, at worst {100 * low:+.1f}"
        return Verdict(kind, "refused", reason, numbers, payload)
    reason = f"{better} against {worse} changes on held-out {what}, p {p:.4f}; frozen {100 * mean:+.1f} points"
    return Verdict(kind, "promoted", reason, numbers, payload)


def holds(frozen: Sequence[float]) -> bool:
    """Tell whether the frozen set is no worse: in the mean, and at the bound that its size allows."""
    if not len(frozen):
        return True
    mean = sum(frozen) / len(frozen)
    return mean >= -MEAN_LOSS and paired.lower_bound(frozen) >= -WORST_LOSS
