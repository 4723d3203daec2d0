"""Commands about learning: learn, drift, forget.

Knows nothing about how anything is learned.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot.terminal import console

Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


def register(app: typer.Typer) -> None:
    app.command()(learn)
    app.command()(drift)
    app.command()(forget)


def learn(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change and keep nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Tonight's job, now: what was fitted, the promotion gate's numbers, promoted or not and why."""
    from bot.cli import reports
    from bot.learning import night, report
    from bot.services import open_services
    from store.feedback import nights

    with open_services(context.obj) as services:
        found = night.run(services, dry_run=dry_run, now=datetime.now(UTC))
        with services.database.connection() as connection:
            known = nights.last(connection, services.workspace)
    published = report.publish(found, known, context.obj.home)
    if as_json:
        console.put_json(published.as_json())
        return
    console.data().print(reports.table(found))
    if known:
        console.data().print(reports.history(known))
        console.notices().print(f"Learning curve: {published.picture}")


def drift(context: typer.Context, as_json: Json = False) -> None:
    """Whether what people ask, and what they get, is as in the weeks before; as the last night found it."""
    from bot.learning import telling
    from bot.services import open_services
    from store.feedback import drifts

    with open_services(context.obj) as services, services.database.connection() as connection:
        found = drifts.latest(connection, services.workspace)
    if as_json:
        console.put_json([telling.as_json(each) for each in found.values()])
        return
    for each in found.values():
        console.data().print(telling.line(each), markup=False)
    if not found:
        console.notices().print("No night has found enough questions to compare yet.")


def forget(
    context: typer.Context,
    person: Annotated[str, typer.Argument(metavar="USER_ID", help="A Slack user id, U0...")],
    as_json: Json = False,
) -> None:
    """Erase a person's questions, votes, labels and kept replies, and say what was removed."""
    from bot import erasure
    from bot.cli import reports
    from bot.services import open_services

    with open_services(context.obj) as services:
        result = erasure.forget(services, person)
    if as_json:
        console.put_json({"person": person, **asdict(result.gone)})
        return
    console.data().print(reports.erased(result))
