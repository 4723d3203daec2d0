"""What is said of a drift, and what to do about it: in the terminal, on the screen and in Slack.

Knows nothing about how drifts are found. Nothing that anybody asked stands in it.
"""

from collections.abc import Mapping, Sequence

from store.feedback.drifts import Drift, Measure

NAMES: Mapping[Measure, str] = {
    "topics": "what is asked about",
    "confidence": "how sure answers are",
    "refusals": "how many find nothing",
    "intents": "what messages are for",
}

CURES: Mapping[Measure, str] = {
    "topics": "Add documents about what is new, where Gaps says that it finds nothing.",
    "confidence": "Look at Gaps for what is asked and not said, and at Sources for what was not read.",
    "refusals": "Look at Gaps for what is asked in vain, and at Sources for what was not read.",
    "intents": "Look at Intents for what is taken for what, and correct it where it is wrong.",
}

CHECK = "Look at a few answers under Conversations: are they right?"
"""Where the bot is surer, or finds more, which may be good."""


def said(drift: Drift) -> str:
    """Say in a sentence what has changed."""
    if drift.measure == "topics":
        return "People ask about other things than in the eight weeks before."
    if drift.measure == "intents":
        told = ", ".join(f"{name} {_pair(pair)}" for name, pair in list(drift.detail.items())[:3])
        return f"Messages are for other things than in the eight weeks before: {told}."
    (pair,) = drift.detail.values()
    if drift.measure == "refusals":
        return f"Of the questions {_pair(pair)} find nothing."
    before, week = pair
    way = "less sure" if week < before else "surer"
    return f"The bot is {way} of its answers: {_pair(pair)} on average."


def cure(drift: Drift) -> str:
    """Say what to do."""
    pair = next(iter(drift.detail.values()), (0.0, 0.0))
    is_better = (drift.measure == "confidence" and pair[1] > pair[0]) or (
        drift.measure == "refusals" and pair[1] < pair[0]
    )
    return CHECK if is_better else CURES[drift.measure]


def line(drift: Drift) -> str:
    """Say in a line how a measure stands, with its numbers."""
    numbers = (
        f"effect {drift.effect:.3f}, p {drift.p:.5f}, {drift.week} questions beside {drift.before}"
    )
    if drift.since is None:
        return f"{NAMES[drift.measure]}: as before ({numbers})"
    return f"{said(drift)} Since {drift.since:%Y-%m-%d} ({numbers}). {cure(drift)}"


def as_json(drift: Drift) -> dict[str, object]:
    """Give a drift as JSON, without the questions that show it."""
    return {
        "measure": drift.measure,
        "tested_at": drift.tested_at.isoformat(),
        "since": drift.since.isoformat() if drift.since else None,
        "week": drift.week,
        "before": drift.before,
        "effect": round(drift.effect, 4),
        "p": round(drift.p, 6),
        "detail": {name: [round(x, 4) for x in pair] for name, pair in drift.detail.items()},
    }


def _pair(pair: Sequence[float]) -> str:
    before, week = pair
    return f"{week:.0%} ({before:.0%} before)"
