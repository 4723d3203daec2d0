"""What was learned, erased and simulated, as tables for the terminal.

Knows nothing about fitting; it shows what was kept.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from bot.learning import telling
from bot.learning.report import earlier, lines
from bot.terminal import console
from bot.text import percent
from evals import messages
from evals.messages import Card, Measured
from evals.metrics import wilson

if TYPE_CHECKING:
    from bot.erasure import Erased
    from bot.learning.night import Report
    from bot.scorecards import corpora as scorecard
    from bot.scorecards.simulation import Scorecard
    from bot.scorecards.years import Found
    from store.feedback.nights import Night


def table(report: "Report") -> RenderableType:
    """Show a night: a row for each part, with what was decided and why."""
    rows = [(v.kind, v.decision, v.reason) for v in report.verdicts]
    shown = console.table("", ("part", "", "why"), rows)
    for column in shown.columns:
        column.justify = "left"
    said = [*lines(report), *map(telling.line, report.drifts)]
    return Group(*said, shown) if rows else Group(*said)


def history(nights: Sequence["Night"]) -> RenderableType:
    """Show how people liked the answers from night to night, and what was promoted when."""
    return console.table("Nights so far", ("night", "judged", "liked", "promoted"), earlier(nights))


def years(result: Mapping[str, "Found"]) -> RenderableType:
    """Show in how many years each part was promoted, and after how many judged questions."""
    rows = [
        (
            votes,
            kind,
            f"{count} of {found.years} years",
            percent(count / found.years, wilson(count, found.years)),
            f"{found.after[kind]:.0f}" if kind in found.after else "-",
        )
        for votes, found in result.items()
        for kind, count in found.promoted.items()
    ]
    return console.table("", ("votes", "part", "promoted", "share (95 %)", "after votes"), rows)


def erased(result: "Erased") -> str:
    """Say what was removed of a person."""
    gone = result.gone
    return (
        f"Erased of {result.person}: {gone.questions} questions with their answers, {gone.votes} votes,"
        f" {gone.labels} labels, {gone.faqs} kept replies, {gone.audit} log entries."
        " The next models are trained without them."
    )


def simulation(result: "Scorecard") -> RenderableType:
    """Show a learning simulation: again and unseen, before and after, beside plus/minus one."""
    rows = []
    for name in ("again", "unseen"):
        group = result.groups[name]
        for label, found in ((name, group.learned), ("  +1/-1 boost", group.plus_minus_one)):
            low, high = found.hit_interval
            rows.append(
                (
                    label, found.n, percent(found.hit_before),
                    percent(found.hit_after), f"{100 * low:+.1f} to {100 * high:+.1f}",
                    f"{found.mrr_before:.3f}", f"{found.mrr_after:.3f}",
                )
            )  # fmt: skip
    columns = ("questions", "n", "hit@1", "after", "change (95 %)", "MRR@10", "after")
    title = (
        f"{result.votes} votes, {result.flip:.0%} turned round, seed {result.seed}:"
        f" {result.promotions} promoted, {result.refused} refused"
    )
    return console.table(title, columns, rows)


def corpora(result: "scorecard.Scorecard") -> RenderableType:
    """Show the measures of several corpora, with what serves and with what was fitted on the others."""
    tables = [_corpora("with the confidence that ships", result.serving)]
    if result.left_out:
        tables.append(_corpora("with a confidence fitted on the other corpora", result.left_out))
    return Group(*tables)


def _corpora(title: str, cards: Mapping[str, Card]) -> RenderableType:
    columns = {name: card.measured() for name, card in cards.items()}
    counts = [f"{card.questions} ({card.answerable})" for card in cards.values()]
    if len(cards) > 1:
        columns["mean"] = messages.mean(list(cards.values()))
        counts.append("")
    rows = [
        (measure, *(_measured(found[measure]) for found in columns.values()))
        for measure in messages.MEASURES
    ]
    return console.table(
        f"{title} (95 % intervals)",
        ("", *columns),
        [("questions (answerable)", *counts), *rows],
    )


def _measured(found: Measured) -> str:
    if math.isnan(found.value):
        return "-"
    return " ".join(f"{x:.2f}".replace("0.", ".", 1) for x in found)
