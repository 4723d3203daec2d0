"""What messages can be about: examples, how well they are told apart, what people corrected, and training.

Knows nothing about how they are told apart. Of what people wrote it shows the examples of the file alone.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bot import intents as file
from bot import jobs
from bot.screen import charts
from bot.screen.charts import Curves
from bot.screen.parts import Parts
from store.feedback import labels, trainings, versions
from store.feedback.trainings import Training
from store.records import ModelVersion

WEEK = timedelta(days=7)
VERSIONS = 15
TRAININGS = 30
EXAMPLES = 8
"""Of one intent that are shown."""


def register(pages: Blueprint, parts: Parts) -> None:
    """Serve the page, and queue a training."""

    @pages.get("/intents")
    def intents() -> str:
        complaint, known = "", file.Intents.of(())
        try:
            known = file.read(parts.settings.intents)
        except file.IntentsError as error:
            complaint = str(error)
        with parts.connection() as connection:
            found = versions.all_of(connection, parts.workspace, "intents")
            trained = trainings.last(connection, parts.workspace, "intents", TRAININGS)
            seen = labels.seen(connection, parts.workspace, parts.now() - WEEK)
        serving = next((version for version in found if version.is_serving), None)
        return render_template(
            "intents.html",
            title="Intents",
            intents=known.by_name.values(),
            complaint=complaint,
            scores=_scores(serving),
            serving=serving,
            versions=found[:VERSIONS],
            seen=seen,
            trained=trained,
            curves=_curves(trained),
            most=EXAMPLES,
        )

    @pages.post("/intents/train")
    def train() -> ResponseReturnValue:
        with parts.connection() as connection:
            is_new = jobs.defer_training(connection, parts.queue)
            parts.note(connection, "asked for a training of the intents")
        return redirect(url_for("screen.intents", said="queued" if is_new else "waiting"), 303)


def _curves(trained: Sequence[Training]) -> Mapping[str, Curves]:
    """Lay out accuracy and loss on held-out rows, from training to training and within the last one."""
    by_time = {
        name: charts.curves({
            model: [
                (f"{one.made_at:%Y-%m-%d %H:%M}", value)
                for one in trained
                if isinstance(scores := one.report.get(model), Mapping)
                and isinstance(value := scores.get(name), int | float)
            ]
            for model in ("bert", "baseline")
        })
        for name in ("accuracy", "loss")
    }  # fmt: skip
    course = trained[-1].report.get("course") if trained else None
    epochs = course if isinstance(course, list) else []
    names = {"loss": "held out", "trained_loss": "while training"}
    within = {
        "loss by epoch": {
            words: [(str(n), epoch[name]) for n, epoch in enumerate(epochs, 1)]
            for name, words in names.items()
        },
        "accuracy by epoch": {
            "held out": [(str(n), epoch["accuracy"]) for n, epoch in enumerate(epochs, 1)]
        },
    }
    return {**by_time, **{name: charts.curves(lines) for name, lines in within.items()}}


def _scores(serving: ModelVersion | None) -> Mapping[str, object]:
    """Give the scores of the model that serves, on rows that it was not trained on."""
    found = serving.report.get(str(serving.report.get("serves"))) if serving else None
    return found if isinstance(found, Mapping) else {}
