"""The command about gaps: list what people asked in vain, decide about it, group it anew.

Knows nothing about how gaps are found.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, get_args
from uuid import UUID

import typer

from bot.terminal import console
from bot.text import shorten, visible

if TYPE_CHECKING:
    from bot.services import Services
    from store.gaps import Gap, State

NAME_CHARS = 80
PRIVATE = "(asked only in private)"
BY_HAND = "terminal"
"""Who changed a gap from the command line, in the audit."""


class GapsError(Exception):
    """A gap or a state that there is not."""


def register(app: typer.Typer) -> None:
    app.command(name="gaps")(show)


def show(
    context: typer.Context,
    state: Annotated[
        str | None, typer.Option(help="open, assigned, muted or closed; else open and assigned.")
    ] = None,
    refresh: Annotated[bool, typer.Option("--refresh", help="Group the questions now.")] = False,
    mute: Annotated[
        str | None, typer.Option(metavar="ID", help="Speak of this one no more.")
    ] = None,
    close: Annotated[str | None, typer.Option(metavar="ID", help="Call this one answered.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """What people asked without getting a good answer, by topic; private questions are only counted."""
    from bot.services import open_services
    from store import gaps

    chosen = _state(state)
    with open_services(context.obj) as services:
        if refresh:
            _refresh(services)
        now, workspace = datetime.now(UTC), services.workspace
        with services.database.connection() as connection:
            for text, change in ((mute, gaps.mute), (close, gaps.close)):
                if text and not change(connection, workspace, _id(text), BY_HAND, now):
                    raise GapsError(
                        f"There is no gap {text} to change; threadwise gaps lists them."
                    )
            found = gaps.listed(connection, workspace, state=chosen)
    if as_json:
        console.put_json([gap_json(gap) for gap in found])
        return
    columns = ("asked for", "people", "times", "disliked", "state", "last", "id")
    rows = [
        (_name(gap), gap.people, gap.asked, gap.disliked, gap.state, console.ago(gap.last_at, now),
         gap.gap_id)
        for gap in found
    ]  # fmt: skip
    console.data().print(console.table("", columns, rows), markup=False)


def gap_json(gap: "Gap") -> dict[str, object]:
    """Give a gap as one JSON object."""
    return {
        "id": gap.gap_id, "name": gap.name, "title": gap.title, "state": gap.state, "asked": gap.asked,
        "people": gap.people, "disliked": gap.disliked, "first_at": gap.first_at,
        "last_at": gap.last_at, "assigned_to": gap.assigned_to, "closed_by": gap.closed_by,
    }  # fmt: skip


def _refresh(services: "Services") -> None:
    from bot.learning import gaps as grouping
    from bot.slack.notifier import Notifier

    number = grouping.group(services, Notifier(services).is_public, datetime.now(UTC))
    console.notices().print(f"{number} gaps.")


def _name(gap: "Gap") -> str:
    if gap.name is None:
        return PRIVATE
    title = f"{gap.title}: " if gap.title else ""
    return shorten(visible(title + " ".join(gap.name.split())), NAME_CHARS)


def _state(text: str | None) -> "State | None":
    from store.gaps import State

    for state in get_args(State):
        if state == text:
            return state  # type: ignore[no-any-return]
    if text is not None:
        raise GapsError(f"There is no state {text!r}. Choose from: {', '.join(get_args(State))}.")
    return None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise GapsError(f"{text!r} is not the id of a gap; threadwise gaps lists them.") from None
