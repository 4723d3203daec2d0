"""Phrased and quoted answers are liked apart: the night switches phrasing off where it is liked clearly less."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from psycopg.types.json import Jsonb
from typer.testing import CliRunner

from bot.cli import phrasing as command
from bot.learning import looks, phrasing
from bot.learning.looks import Looks
from bot.settings import Settings
from store.database import Database
from store.feedback import likes, votes
from store.feedback import phrasing as switches
from store.feedback.nights import Look
from store.records import Vote
from tests.judged import TEAM, answered

NOW = datetime(2026, 3, 20, 3, 30, tzinfo=UTC)
DAY = timedelta(days=1)
WRITTEN = {
    "sentences": [{"text": "Ask HR.", "quotes": [1]}],
    "sent": [1],
    "model": "small",
    "seconds": 0.2,
    "drops": {},
}


def judged(
    database: Database, good: int, bad: int, *, phrased: bool, at: datetime = NOW - DAY
) -> None:
    """Let a person each like or dislike an answer."""
    for number in range(good + bad):
        person = f"U{number}"
        answer_id = answered(database, f"asked by {person} {phrased} {at}", "holidays")
        with database.connection() as connection:
            connection.execute(
                "UPDATE answers SET created_at = %s, phrasing = %s WHERE answer_id = %s",
                (at, Jsonb(WRITTEN if phrased else WRITTEN | {"sentences": []}), answer_id),
            )
            value = 1 if number < good else -1
            votes.cast(connection, TEAM, Vote(answer_id, person, value, "button"), at)


def compared(database: Database, looked: Looks | None = None) -> tuple[str, str] | None:
    with database.connection() as connection:
        found = phrasing.compare(connection, TEAM, looked or Looks(), NOW)
    return (found.decision, found.reason) if found else None


def test_thumbs_on_phrased_and_quoted_answers_are_counted_apart(database: Database) -> None:
    judged(database, 3, 1, phrased=True)
    judged(database, 1, 1, phrased=False)
    with database.connection() as connection:
        span = NOW - 2 * DAY, NOW
        assert likes.between(connection, TEAM, *span, least=9, phrased=True) == (3, 4)
        assert likes.between(connection, TEAM, *span, least=9, phrased=False) == (1, 2)
        assert likes.between(connection, TEAM, *span, least=9) == (4, 6)


def test_without_phrased_answers_nothing_is_said(database: Database) -> None:
    judged(database, 3, 1, phrased=False)
    assert compared(database) is None


def test_a_few_thumbs_decide_nothing(database: Database) -> None:
    judged(database, 0, 9, phrased=True)
    judged(database, 9, 0, phrased=False)
    found = compared(database)
    assert found and found[0] == "waiting" and "9 phrased and 9 quoted" in found[1]


def test_what_is_liked_as_much_stays(database: Database) -> None:
    judged(database, 30, 12, phrased=True)
    judged(database, 32, 10, phrased=False)
    found = compared(database)
    assert found and found[0] == "refused" and "stays" in found[1]


def test_what_is_liked_clearly_less_is_to_be_switched_off_until_somebody_switches_it_on(
    database: Database,
) -> None:
    judged(database, 15, 30, phrased=True)
    judged(database, 40, 5, phrased=False)
    found = compared(database)
    assert found and found[0] == "promoted" and "15 of 45 phrased" in found[1]
    with database.connection() as connection:
        switches.turn(connection, TEAM, False, found[1], "night", NOW)
    assert compared(database) is None
    with database.connection() as connection:
        switches.turn(connection, TEAM, True, "again", "U1", NOW)
    assert compared(database) is None  # what was judged before does not count again


def test_it_is_tested_again_only_on_many_new_thumbs(database: Database) -> None:
    judged(database, 30, 12, phrased=True)
    judged(database, 32, 10, phrased=False)
    before = Looks((Look("phrasing", NOW - DAY / 2, 42),))
    found = compared(database, before)
    assert found and found[0] == "waiting"
    assert f"{42 + looks.needed(42)} and 40 are needed" in found[1]


def test_the_command_tells_and_switches(database: Database, tmp_path: Path) -> None:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=tmp_path,
        database_url=database.url,
    )
    app = typer.Typer()

    @app.callback()
    def prepare(context: typer.Context) -> None:
        context.obj = settings

    command.register(app)
    runner = CliRunner()
    told = runner.invoke(app, ["phrasing", "status"])
    assert (
        told.exit_code == 0
        and "Phrasing is on" in told.output
        and "No LLM is set up" in told.output
    )
    assert json.loads(runner.invoke(app, ["phrasing", "off", "--json"]).stdout)["is_on"] is False
    assert "Phrasing is off since" in runner.invoke(app, ["phrasing", "status"]).output
    assert json.loads(runner.invoke(app, ["phrasing", "on", "--json"]).stdout)["is_on"] is True
    assert runner.invoke(app, ["phrasing", "perhaps"]).exit_code == 2


def test_where_enough_were_held_back_phrased_answers_are_compared_with_these_alone(
    database: Database,
) -> None:
    judged(database, 15, 30, phrased=True)
    judged(database, 5, 40, phrased=False)  # harder questions
    with database.connection() as connection:
        connection.execute(
            "UPDATE answers SET phrasing = NULL WHERE jsonb_array_length(phrasing->'sentences') = 0"
        )
    found = compared(database)
    assert found and found[0] == "refused" and "5 of 45 quoted" in found[1]
    judged(database, 24, 1, phrased=False, at=NOW - 2 * DAY)
    with database.connection() as connection:
        connection.execute(
            "UPDATE answers SET phrasing = jsonb_set(phrasing, '{drops}', '{\"held_back\": 1}')"
            " WHERE created_at = %s",
            (NOW - 2 * DAY,),
        )
    found = compared(database)
    assert found and found[0] == "promoted" and "24 of 25 quoted" in found[1]
