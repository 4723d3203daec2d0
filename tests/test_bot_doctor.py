"""The doctor names what is wrong and the cure, and changes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bot.processes import doctor
from bot.processes.doctor import examine, needed_scopes, scopes
from bot.settings import ROOT, Settings
from store import workspaces
from store.database import Database
from store.feedback import versions
from tests.fake_llm import Act, fails, fake_llm, hangs, says
from tests.fake_slack import FakeSlack, Fault

MANIFEST = ROOT / "manifest.json"


def settings(tmp_path: Path, database_url: str, **more: object) -> Settings:
    values = {"home": tmp_path, "database_url": database_url, **more}
    return Settings(_env_file=None, **values)  # type: ignore[call-arg, arg-type]


def findings(given: Settings) -> dict[str, bool]:
    return {finding.line: finding.is_well for finding in examine(given)}


def the_bad(given: Settings) -> str:
    """All that is not well, on one line."""
    return " | ".join(line for line, is_well in findings(given).items() if not is_well)


def test_where_all_is_well_every_line_says_so(tmp_path: Path, database_url: str) -> None:
    found = findings(settings(tmp_path, database_url))
    assert all(found.values()), found
    text = " | ".join(found)
    for said in ("GB free", "up to date", "encoder", "Source handbook", "intents", "no SLACK_BOT"):
        assert said in text


def test_a_database_that_is_away_is_named_and_the_rest_is_still_looked_at(tmp_path: Path) -> None:
    bad = the_bad(settings(tmp_path, "postgresql://nobody@127.0.0.1:1/none"))
    assert "check DATABASE_URL" in bad and "Source" not in bad


def test_a_schema_that_is_behind_is_named_and_left_alone(tmp_path: Path, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM schema_migrations WHERE name LIKE '0001%'")
    given = settings(tmp_path, database_url)
    assert "0001_documents.sql; run `threadwise migrate`" in the_bad(given)
    assert "0001_documents.sql" in the_bad(given)


def test_a_reader_that_is_missing_is_named_with_its_place(
    tmp_path: Path, database_url: str
) -> None:
    bad = the_bad(settings(tmp_path, database_url, reader="no/such/reader"))
    assert "There is no model folder no/such/reader" in bad


def test_a_source_that_is_missing_is_named_with_its_place(
    tmp_path: Path, database_url: str
) -> None:
    (tmp_path / "sources.toml").write_text('[[source]]\nname = "wiki"\naddress = "nowhere"\n')
    bad = the_bad(settings(tmp_path, database_url, sources=tmp_path / "sources.toml"))
    assert "Source wiki" in bad and "nowhere" in bad


def test_a_schedule_that_is_none_is_named_with_its_line(tmp_path: Path, database_url: str) -> None:
    (tmp_path / "page.md").write_text("words")
    (tmp_path / "sources.toml").write_text(
        '[[source]]\nname = "wiki"\naddress = "."\nschedule = "0 25 * * *"\n'
    )
    bad = the_bad(settings(tmp_path, database_url, sources=tmp_path / "sources.toml"))
    assert "line 4" in bad and "'0 25 * * *' of source 'wiki'" in bad and "bad hour" in bad


def test_a_wrong_token_is_named_with_the_cure(tmp_path: Path, database_url: str) -> None:
    with FakeSlack() as slack:
        slack.fail("auth.test", Fault(error="invalid_auth"))
        bad = the_bad(
            settings(
                tmp_path,
                database_url,
                slack_bot_token="xoxb-wrong",
                slack_app_token="xapp-1",
                slack_api_url=slack.api_url,
            )
        )
    assert "invalid_auth" in bad and "copy it anew" in bad


def test_a_slack_that_knows_the_tokens_is_well(tmp_path: Path, database_url: str) -> None:
    with FakeSlack() as slack:
        found = findings(
            settings(
                tmp_path,
                database_url,
                slack_bot_token="xoxb-1",
                slack_app_token="xapp-1",
                slack_api_url=slack.api_url,
            )
        )
    assert all(found.values()), found
    assert "Slack opens a socket for the app token" in found


def test_a_missing_scope_is_named() -> None:
    needed = needed_scopes(MANIFEST)
    assert scopes(needed).is_well
    lacking = scopes(needed - {"chat:write"})
    assert not lacking.is_well and "lacks chat:write;" in lacking.line


@pytest.mark.parametrize("name", ["chat:write", "commands", "app_mentions:read"])
def test_the_manifest_asks_for_what_the_bot_lives_on(name: str) -> None:
    assert name in needed_scopes(MANIFEST)


def test_a_classifier_whose_files_lie_on_another_machine_is_named_with_the_cure(
    tmp_path: Path, database: Database
) -> None:
    given = settings(tmp_path, database.url)
    now = datetime.now(UTC)
    with database.connection() as connection:
        where = workspaces.current(connection)
        made = versions.add(connection, where, "intents", now, path="20260101-aa")
        versions.promote(connection, where, made, now)
    bad = the_bad(given)
    assert "20260101-aa" in bad and "THREADWISE_HOME/models" in bad


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (fails(401), "THREADWISE_LLM_KEY"),
        (fails(404), "THREADWISE_LLM_MODEL"),
        (fails(503), "log of its server"),
        (hangs, "THREADWISE_LLM_TIMEOUT"),
        (lambda handler: handler.give(b"<html>"), "does not speak chat completions"),
    ],
)
def test_an_llm_that_says_nothing_is_named_with_the_cure(
    act: Act, said: str, tmp_path: Path
) -> None:
    with fake_llm(act) as fake:
        given = settings(
            tmp_path, "", llm_url=fake.url, llm_model="small", llm_key="k-1234567",
            llm_timeout=0.5,
        )  # fmt: skip
        found = doctor.llm(given)
    assert not found.is_well and said in found.line and "k-1234567" not in found.line


def test_an_llm_that_answers_is_well_and_one_that_is_gone_is_not(tmp_path: Path) -> None:
    with fake_llm(says('{"text": "ready"}')) as fake:
        given = settings(tmp_path, "", llm_url=fake.url, llm_model="small")
        assert doctor.llm(given).is_well
    assert "start its server" in doctor.llm(given).line
    assert "quotes alone" in doctor.llm(settings(tmp_path, "")).line
