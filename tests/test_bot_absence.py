"""Before any document is there, an answer says so and what to do; afterwards "not found" means not found."""

import io
from datetime import UTC, datetime

from rich.console import Console

from bot.answering import absence
from bot.answering.answerer import Answerer
from bot.answering.parameters import Serving
from bot.answering.request import Request
from bot.slack import render as slack
from bot.terminal import json_contract
from bot.terminal import render as terminal
from store.database import Database
from store.records import EVERYONE, Answer, Viewer
from tests.judged import ENCODER, TEAM, index

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def ask(database: Database, text: str) -> Answer:
    answerer = Answerer(database, TEAM, ENCODER, Serving(database, TEAM))
    return answerer.answer(Request(text, Viewer((EVERYONE,))))


def printed(answer: Answer) -> str:
    out = io.StringIO()
    terminal.render(Console(file=out, width=500), answer)
    return out.getvalue()


def test_an_empty_index_is_told_in_the_terminal_in_slack_and_in_json(database: Database) -> None:
    for question in ("how many days off?", "who paints the fence? and when is lunch served?"):
        answer = ask(database, question)
        assert "no documents yet" in printed(answer) and "threadwise ingest" in printed(answer)
        message = slack.message(answer, NOW)
        assert message.text == absence.TOLD and "no documents yet" in str(message.blocks)
        told = json_contract.answer_json(answer)
        assert (told["status"], told["answer"], told["citations"]) == ("not_found", None, [])


def test_documents_that_do_not_hold_it_or_may_not_be_seen_are_documents(database: Database) -> None:
    index(database, {"salaries": ("C9",)})
    answer = ask(database, "how many days off?")
    assert answer.status == "not_found" and answer.passages == ()
    assert printed(answer).strip() == terminal.NOT_FOUND
    assert slack.message(answer, NOW).text == slack.NOT_FOUND
