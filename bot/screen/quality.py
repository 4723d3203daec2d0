"""What evaluations measured, two of them beside each other; drift; and the team's own test set.

Knows nothing about how anything is measured: `threadwise eval` keeps what it prints.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from bot.learning import telling
from bot.screen import charts
from bot.screen.parts import Parts
from evals.metrics import wilson
from store import evaluations, testset
from store.evaluations import Evaluation
from store.feedback import drifts

SHOWN = 50
NAMED = 3
"""Questions that show what a drift is about."""

DRIFT_SPAN = timedelta(days=180)
COUNTS = ("questions", "queries", "n")
"""Names under which a report says over how many questions a share is."""


@dataclass(frozen=True, slots=True)
class Row:
    """A measure of two runs, each with its 95 % interval where it is a share."""

    name: str
    before: float | None
    after: float | None
    before_interval: tuple[float, float] | None
    after_interval: tuple[float, float] | None


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the runs, a comparison, and the test set."""

    @pages.get("/quality")
    def quality() -> str:
        with parts.connection() as connection:
            runs = evaluations.last(connection, parts.workspace, SHOWN)
            trials = testset.trials(connection, parts.workspace)
            found = drifts.latest(connection, parts.workspace)
            nights = drifts.history(connection, parts.workspace, parts.now() - DRIFT_SPAN)
            ids = [each for drift in found.values() for each in drift.question_ids]
            asked_in = drifts.channels(connection, parts.workspace, ids)
        named_in = list(parts.channels(asked_in))
        with parts.connection() as connection:
            shown = {
                drift.measure: drifts.named(connection, parts.workspace, drift, named_in, NAMED)
                for drift in found.values()
                if drift.since
            }
        before, after = _chosen(runs, "before", 1), _chosen(runs, "after", 0)
        return render_template(
            "quality.html",
            title="Quality",
            runs=runs,
            before=before,
            after=after,
            rows=list(_compared(before, after)),
            trials=trials,
            drifts=[(drift, telling.line(drift)) for drift in found.values()],
            shown=shown,
            curves=charts.curves(
                {
                    name: [
                        (f"{d.tested_at:%Y-%m-%d}", d.effect) for d in nights if d.measure == name
                    ]
                    for name in found
                }
            ),
        )

    @pages.get("/quality/test-set.jsonl")
    def test_set() -> Response:
        with parts.connection() as connection:
            trials = testset.trials(connection, parts.workspace)
        lines = (
            {"id": str(one.question_id), "question": one.body, "answerable": one.answerable,
             "path": one.path, "quote": one.quote}
            for one in trials
        )  # fmt: skip
        text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        reply = Response(text, mimetype="application/jsonl")
        reply.headers["Content-Disposition"] = 'attachment; filename="test-set.jsonl"'
        return reply

    @pages.post("/quality/test-set/<uuid:question_id>/drop")
    def drop(question_id: UUID) -> ResponseReturnValue:
        with parts.connection() as connection:
            if not testset.drop(connection, parts.workspace, question_id):
                abort(404, "That question is not in the test set.")
            parts.note(connection, "took out of the test set", str(question_id))
        return redirect(url_for("screen.quality", said="saved"), 303)


def _chosen(runs: list[Evaluation], name: str, usual: int) -> Evaluation | None:
    """Give the run that the address names, else the `usual` of the latest kind."""
    named = next((run for run in runs if str(run.evaluation_id) == request.args.get(name)), None)
    alike = [run for run in runs if run.kind == runs[0].kind]
    return named or (alike[usual] if len(alike) > usual else None)


def _compared(before: Evaluation | None, after: Evaluation | None) -> Iterator[Row]:
    """Give the measures of two runs, or of one."""
    first = dict(_numbers(before.report)) if before else {}
    second = dict(_numbers(after.report)) if after else {}
    for name in dict.fromkeys([*second, *first]):
        yield Row(
            name,
            first.get(name),
            second.get(name),
            _interval(name, first),
            _interval(name, second),
        )


def _numbers(report: Mapping[str, object], above: str = "") -> Iterator[tuple[str, float]]:
    """Give the numbers of a report with their names, those of its parts behind the part's."""
    for name, value in report.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{above}{name} › ")
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield f"{above}{name}", float(value)


def _interval(name: str, numbers: Mapping[str, float]) -> tuple[float, float] | None:
    """Give the Wilson interval of what is a share of the report's questions."""
    count = next((numbers[each] for each in COUNTS if each in numbers), None)
    value = numbers.get(name)
    if not count or value is None or not 0 <= value <= 1 or name in COUNTS or "mrr" in name:
        return None
    if "ndcg" in name or "crag" in name or "›" in name and "@" not in name:
        return None
    return wilson(round(value * count), int(count))
