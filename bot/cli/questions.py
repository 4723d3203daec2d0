"""Commands about questions: ask, chat, why.

Knows nothing about how an answer is found.
"""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from bot.terminal import console
from bot.terminal.json_contract import answer_json

if TYPE_CHECKING:
    from bot.settings import Settings


class InputError(Exception):
    """What was given on the command line or stdin cannot be used."""


def register(app: typer.Typer) -> None:
    app.command()(ask)
    app.command()(chat)
    app.command()(why)


def ask(
    context: typer.Context,
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    batch: Annotated[
        bool,
        typer.Option("--batch", help='JSONL {"id","question"} on stdin, one JSON answer a line.'),
    ] = False,
) -> None:
    """Ask one question (or many) through the same pipeline as in Slack."""
    if batch == (question is not None):
        raise typer.BadParameter("give a QUESTION, or --batch with questions on stdin")
    rows = _read_batch() if batch else iter([("", question or "")])
    _answer_all(context.obj, rows, as_json=as_json or batch)


def _answer_all(settings: "Settings", rows: Iterator[tuple[str, str]], *, as_json: bool) -> None:
    from bot.services import open_services
    from bot.terminal.chat import Conversation
    from bot.terminal.render import render

    with open_services(settings) as services:
        services.load()  # a model that is not there is told of before anything is asked
        conversation = Conversation.in_process(services, remembers=False)
        for row_id, text in rows:
            answer, notes = conversation.ask(text), conversation.notes(text)
            if as_json:
                console.put_json(answer_json(answer, notes) | ({"id": row_id} if row_id else {}))
            else:
                render(console.data(), answer, notes)


def _read_batch() -> Iterator[tuple[str, str]]:
    for number, line in enumerate(sys.stdin, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            yield str(row.get("id", number)), str(row["question"])
        except (json.JSONDecodeError, KeyError, AttributeError, TypeError):
            raise InputError(
                f'Line {number} of the input is not {{"id": ..., "question": ...}}: {line[:80].strip()}'
            ) from None


def chat(context: typer.Context) -> None:
    """A conversation in the terminal, with +1 and -1."""
    from bot.services import open_services
    from bot.terminal import chat

    with open_services(context.obj) as services:
        chat.chat(services)


def why(
    context: typer.Context,
    answer_id: Annotated[str, typer.Argument(help="An answer's id, or the first 6 digits of it.")],
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """How an answer came about: passages, scores, signals, thresholds, versions."""
    from bot.services import open_services
    from bot.terminal import explain

    with open_services(context.obj) as services:
        found = explain.find(services, answer_id)
        if as_json:
            console.put_json(answer_json(found))
        else:
            console.data().print(explain.render(found))
