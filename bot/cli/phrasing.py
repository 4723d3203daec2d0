"""`threadwise phrasing`: is it on, who decided that, how do people like it; on and off.

Knows nothing about LLMs.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

from bot.terminal import console
from bot.text import percent

SPAN = timedelta(days=365)

Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    app.command()(phrasing)


def phrasing(
    context: typer.Context,
    what: Annotated[Literal["on", "off", "status"], typer.Argument(help="on, off or status")],
    as_json: Json = False,
) -> None:
    """Switch the phrasing of answers by an LLM on or off, or tell how it stands."""
    from bot.services import open_services
    from store.feedback import likes
    from store.feedback import phrasing as switches

    now = datetime.now(UTC)
    with open_services(context.obj) as services, services.database.connection() as connection:
        workspace = services.workspace
        if what != "status":
            reason = "switched by an admin"
            switches.turn(connection, workspace, what == "on", reason, "command line", now)
        switch = switches.switch(connection, workspace)
        counts = {
            name: likes.between(
                connection, workspace, now - SPAN, now, least=10, phrased=is_phrased
            )
            for name, is_phrased in (("phrased", True), ("quoted", False))
        }
    found: dict[str, object] = {
        "is_set_up": context.obj.llm_url is not None,
        "is_on": switch.is_on,
        "reason": switch.reason or None,
        "changed_by": switch.changed_by,
        "changed_at": switch.changed_at.isoformat() if switch.changed_at else None,
        **{name: {"liked": good, "judged": count} for name, (good, count) in counts.items()},
    }
    if as_json:
        console.put_json(found)
        return
    state = "on" if switch.is_on else "off"
    why = f" since {switch.changed_at:%Y-%m-%d}: {switch.reason}" if switch.changed_at else ""
    console.data().print(f"Phrasing is {state}{why}", markup=False)
    if context.obj.llm_url is None:
        console.data().print("No LLM is set up, so nothing is phrased: set THREADWISE_LLM_URL.")
    for name, (good, count) in counts.items():
        share = percent(good / count) if count else "-"
        console.data().print(f"{name} answers liked in a year: {share} of {count}", markup=False)
