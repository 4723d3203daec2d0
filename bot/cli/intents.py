"""`threadwise intents`: train, eval, report, list, check.

Knows nothing about how anything is trained.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from bot.cli.models import number, short
from bot.terminal import console
from store.records import ModelVersion

if TYPE_CHECKING:
    from models.intents.report import Report

app = typer.Typer(help="What a message can be, and how it is told.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


TRAININGS = 30


@app.command()
def train(
    context: typer.Context,
    out: Annotated[
        Path | None, typer.Option(help="Write the model into this folder; nothing is promoted.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the split and the order of the rows.")] = 0,
    as_json: Json = False,
) -> None:
    """Train on the intents' file, and the labels that serve already, and let the result serve."""
    from bot import intents
    from bot.learning import training
    from bot.learning.training_set import TrainingSet
    from bot.services import open_services

    found = intents.read(context.obj.intents)
    target = out or training.workplace(context.obj.home, found)
    given = TrainingSet(found)
    if out is None:
        with open_services(context.obj) as services:
            given = training.served(services, found)
    with console.bars() as progress:
        report = training.teach(
            given.rows,
            target,
            threads=context.obj.threads,
            seed=seed,
            on_progress=lambda done, steps: progress("training", done, steps),
        )
    version = None
    if out is None:
        with open_services(context.obj) as services:
            version = training.keep(services, given, target)
    if as_json:
        named = {"version": str(version.version_id)} if version else {}
        console.put_json({**asdict(report), **named})
        return
    _print_report(report)
    where = f"Version {short(version)} serves now." if version else f"Written to {target}."
    console.notices().print(where, markup=False)


@app.command("eval")
def evaluate(
    context: typer.Context,
    train_file: Annotated[Path, typer.Option("--train", help='JSONL {"text", "intent"}.')],
    test_file: Annotated[Path, typer.Option("--test", help='The same; "oos" is out of scope.')],
    seeds: Annotated[str, typer.Option(help="Comma-separated; one training each.")] = "0",
    as_json: Json = False,
) -> None:
    """Train on one file, try on another: accuracy, rejection, calibration."""
    from bot.scorecards import intents

    with console.bars() as progress:
        result = intents.evaluate(
            train_file, test_file, _seeds(seeds), context.obj.threads, progress
        )
    if as_json:
        console.put_json(result.as_json())
        return
    names = tuple(result.bert.measures)
    kinds = (("bert", result.bert.measures), ("baseline", result.baseline.measures))
    rows = [(kind, *(number(measures, name) for name in names)) for kind, measures in kinds]
    title = f"{result.train} training rows, {result.test} test rows, seeds {seeds}"
    console.data().print(console.table(title, ("model", *names), rows))
    if result.leaked:
        console.notices().print(
            f"{result.leaked} training rows also stand in the test file: they were left out."
        )
    console.notices().print(result.reason, markup=False)


@app.command("report")
def report(context: typer.Context, as_json: Json = False) -> None:
    """How the trainings went: accuracy and loss on held-out rows, and of the last one epoch by epoch."""
    from bot.services import open_services
    from store.feedback import trainings

    with open_services(context.obj) as services, services.database.connection() as connection:
        found = trainings.last(connection, services.workspace, "intents", TRAININGS)
    if as_json:
        console.put_json([{**asdict(one), "made_at": one.made_at.isoformat()} for one in found])
        return
    rows = [
        (f"{one.made_at:%Y-%m-%d %H:%M}", "serves" if one.is_kept else "refused", one.rows,
         *(number({name: getattr(one, name)}, name) for name in ("accuracy", "loss")))
        for one in found
    ]  # fmt: skip
    columns = ("trained", "came to", "examples", "accuracy", "loss")
    console.data().print(console.table("Trainings, on rows held out", columns, rows))
    course = found[-1].report.get("course") if found else None
    if isinstance(course, list) and course:
        names = ("trained_loss", "loss", "accuracy")
        epochs = [(n, *(number(e, name) for name in names)) for n, e in enumerate(course, 1)]
        heads = ("epoch", "loss while training", "held-out loss", "held-out accuracy")
        console.data().print(console.table("The last one", heads, epochs))


@app.command("list")
def list_intents(context: typer.Context, as_json: Json = False) -> None:
    """The intents, their examples, and how well the serving version tells each."""
    from bot import intents
    from bot.services import open_services
    from store.feedback import versions

    found = intents.load(context.obj.intents)
    with open_services(context.obj) as services, services.database.connection() as connection:
        serving = versions.serving(connection, services.workspace).get("intents")
    scores = _intent_scores(serving)
    rows = [
        {
            "name": intent.name,
            "action": intent.action,
            "emoji": intent.emoji,
            "route_to": intent.route_to,
            "examples": len(intent.examples),
            "description": intent.description,
            "scores": scores.get(intent.name),
        }
        for intent in found
    ]
    if as_json:
        console.put_json(rows)
        return
    _print_intents(rows, serving)


@app.command()
def check(context: typer.Context, as_json: Json = False) -> None:
    """Examples that look wrong: probably mislabelled, or nearly the same under two intents."""
    from bot import intents
    from models import embedder
    from models.intents import quality
    from models.intents.examples import Example

    found = intents.read(context.obj.intents)
    rows = [Example(*row) for row in found.examples()]
    vectors = embedder.load(threads=context.obj.threads).encode([row.text for row in rows])
    suspects = quality.mislabelled(rows, vectors)
    twins = quality.twins(rows, vectors)
    if as_json:
        console.put_json(
            {
                "examples": len(rows),
                "mislabelled": [
                    {"text": s.example.text, "intent": s.example.intent, "likely": s.likely,
                     "confidence": s.confidence}
                    for s in suspects
                ],
                "twins": [
                    {"texts": [t.first.text, t.second.text],
                     "intents": [t.first.intent, t.second.intent], "cosine": t.cosine}
                    for t in twins
                ],
            }
        )  # fmt: skip
        return
    out = console.data()
    marked = [
        (escape(s.example.text), s.example.intent, s.likely, f"{s.confidence:.2f}")
        for s in suspects
    ]
    same = [
        (escape(t.first.text), t.first.intent, escape(t.second.text), t.second.intent)
        for t in twins
    ]
    out.print(console.table("Perhaps mislabelled", ("example", "is", "looks like", "sure"), marked))
    out.print(console.table("Nearly the same", ("example", "is", "example", "is"), same))


def _seeds(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: give numbers, like 0,1,2", param_hint="--seeds"
        ) from None


def _print_report(report: "Report") -> None:
    names = ("accuracy", "macro_f1", "oos_recall", "oos_auroc", "ece_after")
    rows = [
        (kind, *(number(scores, name) for name in names))
        for kind, scores in (("bert", asdict(report.bert)), ("baseline", asdict(report.baseline)))
    ]
    title = f"{report.rows} examples, {report.held_out} held out, {report.seconds} s"
    console.data().print(console.table(title, ("model", *names), rows))
    console.data().print(report.reason, markup=False)
    for warning in report.warnings:
        console.notices().print(f"  {warning}", markup=False, style="yellow")


def _print_intents(rows: Sequence[Mapping[str, object]], serving: ModelVersion | None) -> None:
    shown = [
        (r["name"], r["action"], f":{r['emoji']}:" if r["emoji"] else "", r["examples"],
         *(number(r["scores"], name) for name in ("precision", "recall", "f1")))
        for r in rows
    ]  # fmt: skip
    title = f"Version {short(serving)} serves" if serving else "Nothing is trained yet"
    columns = ("intent", "action", "emoji", "examples", "precision", "recall", "f1")
    console.data().print(console.table(title, columns, shown))


def _intent_scores(serving: ModelVersion | None) -> Mapping[str, object]:
    if serving is None:
        return {}
    scores = serving.report.get(str(serving.report.get("serves")))
    found = scores.get("intents") if isinstance(scores, Mapping) else None
    return found if isinstance(found, Mapping) else {}
