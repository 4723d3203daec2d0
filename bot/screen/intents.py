"""What messages can be about: examples, how well they are told apart, what people corrected, and training.

Knows nothing about how they are told apart. Of what people wrote it shows the examples of the file alone.
"""

from collections.abc import Mapping
from datetime import timedelta

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from bot import intents as file
from bot import jobs
from bot.screen.parts import Parts
from store.feedback import labels, versions
from store.records import ModelVersion

WEEK = timedelta(days=7)
VERSIONS = 15
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
            most=EXAMPLES,
        )

    @pages.post("/intents/train")
    def train() -> ResponseReturnValue:
        with parts.connection() as connection:
            is_new = jobs.defer_training(connection, parts.queue)
            parts.note(connection, "asked for a training of the intents")
        return redirect(url_for("screen.intents", said="queued" if is_new else "waiting"), 303)


def _scores(serving: ModelVersion | None) -> Mapping[str, object]:
    """Give the scores of the model that serves, on rows that it was not trained on."""
    found = serving.report.get(str(serving.report.get("serves"))) if serving else None
    return found if isinstance(found, Mapping) else {}
