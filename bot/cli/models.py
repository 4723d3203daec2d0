"""Commands about versions of what is learned: models, models promote, models rollback.

Knows nothing about how anything is trained.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot.terminal import console
from store.records import ModelVersion, kind_of

ID_DIGITS = 8

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]

models_app = typer.Typer(
    help="Versions of everything that is learned.", invoke_without_command=True
)


class UnknownVersion(Exception):
    """There is no such version, or nothing to roll back."""


def register(app: typer.Typer) -> None:
    app.add_typer(models_app, name="models")


@models_app.callback()
def list_models(context: typer.Context, as_json: Json = False) -> None:
    """List the versions, newest first; `promote ID` and `rollback [KIND]` change what serves."""
    if context.invoked_subcommand is not None:
        return
    from bot.services import open_services
    from store.feedback import versions

    with open_services(context.obj) as services, services.database.connection() as connection:
        found = versions.all_of(connection, services.workspace)
    if as_json:
        console.put_json([_version_json(version) for version in found])
        return
    now = datetime.now(UTC)
    rows = [
        (
            v.kind,
            short(v),
            console.ago(v.created_at, now),
            "serves" if v.is_serving else "",
            _key(v),
        )
        for v in found
    ]
    console.data().print(console.table("", ("kind", "id", "created", "", "numbers"), rows))


@models_app.command()
def promote(
    context: typer.Context,
    version_id: Annotated[str, typer.Argument(metavar="ID", help="Or the first digits of it.")],
) -> None:
    """Let a version serve; workers pick it up within seconds."""
    from bot.learning import choosing
    from bot.services import open_services
    from store.feedback import versions

    with open_services(context.obj) as services, services.database.connection() as connection:
        found = versions.get(connection, services.workspace, version_id)
        if found is None:
            raise UnknownVersion(
                f"No single version has an id that begins with {version_id!r}."
                " See them all with: threadwise models"
            )
        choosing.check_files(context.obj.home, found)
        versions.promote(connection, services.workspace, found.version_id, datetime.now(UTC))
    console.notices().print(f"{found.kind}: version {short(found)} serves now.")


@models_app.command()
def rollback(
    context: typer.Context,
    kind: Annotated[str | None, typer.Argument(help="Of this kind; else of any.")] = None,
) -> None:
    """Undo the last promotion."""
    from bot.services import open_services
    from store.feedback import versions

    part = kind_of(kind) if kind else None
    with open_services(context.obj) as services, services.database.connection() as connection:
        is_known = part is not None or not kind
        now = datetime.now(UTC)
        undone = versions.roll_back(connection, services.workspace, part, now) if is_known else None
    if undone is None:
        raise UnknownVersion(f"No version{f' of {kind}' if kind else ''} serves: nothing to undo.")
    last, before = undone
    again = f"version {short(before)}" if before else "the built-in default"
    console.notices().print(f"{last.kind}: {short(last)} is undone, {again} serves again.")


@models_app.command()
def compare(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="An encoder or reranker: folder or name.")
    ],
    questions: Annotated[
        Path,
        typer.Option(metavar="FILE", help='JSONL {"question","answerable","path","quote"}.'),
    ],
    as_json: Json = False,
) -> None:
    """Try a model beside what serves, on your own questions: quality, seconds, memory. Stores nothing."""
    from bot.scorecards import comparison
    from bot.services import open_services
    from evals.answers import labelled

    rows = labelled(questions)
    with open_services(context.obj) as services, console.bars() as progress:
        result = comparison.compare(services, name, rows, progress)
    if as_json:
        console.put_json(result.as_json())
        return
    measures = ("page@1", "page@3", "page@5", "fact@1", "fact@3", "fact@5", "ndcg@10")
    cells = []
    for row in result.rows:
        told = row.as_json()
        shares = [f"{told[measure]:.3f}" for measure in measures]
        cells.append((row.name, *shares, f"{1000 * row.seconds:.0f}", row.peak_mb))
    title = f"{result.questions} answerable questions"
    if result.encoded:
        title += f"; {result.encoded} passages encoded, {result.encoded_per_second:.1f} a second"
    columns = ("by", *measures, "ms", "peak MB")
    console.data().print(console.table(title, columns, cells))


def _key(version: ModelVersion) -> str:
    """The numbers of a report that a person looks for first."""
    report = version.report
    if version.kind == "intents":
        scores = report.get(str(report.get("serves")))
        numbers = f"accuracy {number(scores, 'accuracy')}, macro-F1 {number(scores, 'macro_f1')}"
        return f"{report.get('serves')}, {numbers}, {report.get('rows')} examples"
    plain = {k: v for k, v in report.items() if isinstance(v, int | float | str)}
    return ", ".join(
        f"{k} {v:.3g}" if isinstance(v, float) else f"{k} {v}" for k, v in plain.items()
    )


def _version_json(version: ModelVersion) -> dict[str, object]:
    return {
        "id": str(version.version_id),
        "kind": version.kind,
        "created_at": version.created_at,
        "promoted_at": version.promoted_at,
        "serving": version.is_serving,
        "path": version.path,
        "payload": version.payload,
        "report": version.report,
    }


def number(scores: object, name: str) -> str:
    """Write one number of a mapping of scores, or a dash."""
    value = scores.get(name) if isinstance(scores, Mapping) else None
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def short(version: ModelVersion | None) -> str:
    """Write the beginning of a version's id."""
    return str(version.version_id)[:ID_DIGITS] if version else "-"
