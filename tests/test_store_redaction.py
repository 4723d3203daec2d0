"""Secrets stay inside: in whatever shape, whichever way a text leaves."""

import json
import logging
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.log import KeyValues
from bot.processes.doctor import examine
from bot.settings import Settings
from ingest import run as running
from ingest.entries import SourceConfig
from store.database import Database, StoreError
from store.index import runs, sources
from store.redaction import escaped, redacted
from tests.fakes import HashEmbedder

TOKEN = "ghp_PLANTEDplantedPLANTED42"
PASSWORD = "PLANTEDp@ss/w0rd"


@pytest.mark.parametrize("text", [
    f"git cannot read https://{TOKEN}@127.0.0.1:1/x.git: fatal",
    f"git cannot read https://me:{TOKEN}@127.0.0.1:1/x.git",
    f"postgresql://me:{PASSWORD}@host:5432/db", f"postgresql://me:{PASSWORD}%zz@host/db",
    f"host=h password='{PASSWORD}' user=me", f"host=h password={TOKEN} user=me",
    f"https://wiki.example/x?page=1&token={TOKEN}&y=2", f"https://x/?private_token={TOKEN}",
    f"https://x/?X-Amz-Signature={TOKEN}", f"https://x/?sig={TOKEN}",
    f"Authorization: Bearer {TOKEN}", f"authorization: Basic {TOKEN}",
    f'{{"client_secret": "{TOKEN}", "refresh_token": "{TOKEN}"}}', f"API_KEY={TOKEN}",
    "xoxb-1-2-PLANTED", "xapp-1-PLANTED-2", f"SLACK_SIGNING_SECRET={TOKEN}",
    "https://hooks.slack.com/commands/T1/2/PLANTED", "key AKIAPLANTED0PLANTED0", TOKEN,
])  # fmt: skip
def test_a_secret_is_known_by_its_shape(text: str) -> None:
    assert "PLANTED" not in redacted(text)


@pytest.mark.parametrize("text", [
    "https://host:8080/@user/page", "git@github.com:team/handbook.git", "key=embedder reason=x",
    "the token is not valid; copy it anew from the app's settings", "mail me@example.com",
    "postgresql://host:5432/db", "THREADWISE_ADMINS=U1", "hr/leave.md: It has 60 MB.",
])  # fmt: skip
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert redacted(text) == text


def test_a_given_secret_of_no_shape_is_left_out() -> None:
    assert redacted("signed by 8f742231b10e8888", ["8f742231b10e8888"]) == "signed by ***"
    assert redacted("a cat", ["a"]) == "a cat"


@pytest.mark.parametrize(
    "part",
    ["://", "://a:", "a_", "?key=", "basic ", "password=", "a-", "token='", '"token": "', "@"],
)
def test_no_text_costs_more_than_its_length(part: str) -> None:
    assert len(redacted(part * 20_000)) > 0


def test_signs_that_steer_a_terminal_are_written_out() -> None:
    assert escaped("a\x1b[31mred\u202e.txt\r\nb\tc") == "a\\x1b[31mred\\u202e.txt\\r\nb\tc"


def test_a_log_line_and_its_traceback_hold_no_secret() -> None:
    try:
        raise ValueError(f"https://{TOKEN}@host/ and {PASSWORD}")
    except ValueError:
        record = logging.LogRecord("x", 40, "f", 1, "xoxb-PLANTED %s", (TOKEN,), sys.exc_info())
    vars(record)["reason"] = f"password={PASSWORD}"
    line = KeyValues([PASSWORD]).format(record)
    assert "PLANTED" not in line and "ValueError" in line


def test_a_sources_address_and_errors_are_shown_and_kept_without_its_token(
    database: Database, tmp_path: Path
) -> None:
    address = f"https://me:{TOKEN}@127.0.0.1:1/wiki.git"
    made = running.ingest(
        SourceConfig("wiki", "git", address), database=database, workspace="local",
        embedder=HashEmbedder(), now=lambda: datetime.now(UTC),
    )  # fmt: skip
    with database.connection() as connection:
        (status,) = sources.statuses(connection, "local")
        last = runs.last(connection, "local", "wiki")
    assert made.state == "failed" and "127.0.0.1" in str(made.error)
    for told in (made, status, last):
        assert "PLANTED" not in str(told)
    assert "PLANTED" not in json.dumps(asdict(status), default=str)


def test_doctor_and_a_bad_address_of_the_database_tell_no_password(tmp_path: Path) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(
        f'[[source]]\nname = "a"\nkind = "git"\naddress = "https://{TOKEN}@127.0.0.1:1/x.git"\n'
    )
    for url in (f"postgresql://me:{PASSWORD}%zz@127.0.0.1:1/x", f"postgres//me:{PASSWORD}@h",
                f"host=127.0.0.1 port=1 password='{PASSWORD}"):  # fmt: skip
        given = Settings(_env_file=None, home=tmp_path, sources=file, database_url=url)  # type: ignore[call-arg]
        told = " ".join(finding.line for finding in examine(given))
        assert "PLANTED" not in told and "127.0.0.1:1/x.git" in told and "DATABASE_URL" in told
        with pytest.raises(StoreError) as error:
            Database(url)
        assert "PLANTED" not in str(error.value)


def test_the_command_line_ends_on_a_line_without_secrets(tmp_path: Path) -> None:
    environ = os.environ | {
        "THREADWISE_HOME": str(tmp_path), "DATABASE_URL": f"postgresql://me:{PASSWORD}%zz@h/x",
        "SLACK_SIGNING_SECRET": "PLANTED-signing", "SLACK_BOT_TOKEN": "xoxb-PLANTED",
        "SLACK_APP_TOKEN": "xapp-PLANTED",
    }  # fmt: skip
    for command in ("sources", "-v", "migrate"):
        words = [command, "sources"] if command == "-v" else [command]
        ended = subprocess.run(
            [sys.executable, "-m", "bot", *words], env=environ, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert ended.returncode == 1 and "DATABASE_URL" in ended.stderr
        assert "PLANTED" not in ended.stdout + ended.stderr
