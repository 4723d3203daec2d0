"""A secret of its own in every setting and every option of a source: none is in anything that leaves."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot import secrets
from bot.cli import questions
from bot.cli import sources as source_commands
from bot.log import KeyValues
from bot.processes.doctor import examine
from bot.runtime.metrics import Metrics
from bot.settings import Settings
from bot.slack.commands import state
from bot.terminal.json_contract import source_json
from ingest import config as configuration
from ingest import run as running
from ingest.config import ConfigError
from ingest.entries import SourceConfig
from store.database import Database
from store.index import runs, sources
from tests import slack_parts, tiny_bert
from tests.fake_http import FakeHttp, Reply, fake_http
from tests.fake_slack import TEAM, FakeSlack
from tests.fakes import HashEmbedder
from tests.screen_parts import Slack, browser, parts_for

# Of no shape that any pattern knows.
PLANTED = {name: f"planted{name}0q7z" for name in (
    "address", "query", "confluence", "client", "drive", "storage", "variable", "replica",
    "signing",
)}  # fmt: skip

TOML = """
[[source]]
name = "git"
kind = "git"
address = "http://me:{address}@127.0.0.1:1/wiki.git"
[[source]]
name = "site"
kind = "website"
address = "{web}/docs/?st={query}"
allow_private = true
[[source]]
name = "confluence"
kind = "confluence"
address = "{web}"
email = "bot@team.example"
token = "{confluence}"
[[source]]
name = "notion"
kind = "notion"
address = "{web}"
token = "${{NOTION_TOKEN}}"
[[source]]
name = "drive"
kind = "drive"
address = "{web}"
folder = "f"
client_id = "c"
client_secret = "{client}"
refresh_token = "{drive}"
token_address = "{web}/token"
[[source]]
name = "files"
kind = "files"
address = "nosuch://bucket/a"
storage = {{ secret = "{storage}" }}
"""


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


@pytest.fixture
def given(tmp_path: Path, web: FakeHttp) -> Settings:
    file = tmp_path / "sources.toml"
    file.write_text(TOML.format(web=web.url, **PLANTED))
    return Settings(
        _env_file=None, home=tmp_path, sources=file, slack_signing_secret=PLANTED["signing"],
        database_url="postgresql://me@127.0.0.1:1/x",
        database_replica_url=f"postgresql://me:{PLANTED['replica']}@127.0.0.1:1/x",
    )  # type: ignore[call-arg]  # fmt: skip


def is_clean(text: object) -> bool:
    return "planted" not in str(text)


def configs(settings: Settings) -> list[SourceConfig]:
    assert settings.sources is not None
    return configuration.load(settings.sources, environ={"NOTION_TOKEN": PLANTED["variable"]})


def test_every_secret_is_found_and_left_out_of_logs(given: Settings) -> None:
    assert given.sources is not None
    known = {
        *secrets.of(given),
        *configuration.secrets(given.sources, {"NOTION_TOKEN": PLANTED["variable"]}),
    }
    assert known >= set(PLANTED.values())
    assert "bot@team.example" not in known and "nosuch" not in known
    record = logging.LogRecord("x", 40, "f", 1, " ".join(PLANTED.values()), (), None)
    assert is_clean(KeyValues(sorted(known)).format(record))


def test_a_failing_source_tells_none_of_its_secrets(
    database: Database, given: Settings, web: FakeHttp
) -> None:
    for path in (
        "/token",
        "/wiki/api/v2/pages",
        "/v1/search",
        "/robots.txt",
        "/sitemap.xml",
        "/docs/",
    ):
        # A server that gives back whatever it was sent.
        web.routes[path] = lambda asked: Reply(
            " ".join([*PLANTED.values(), str(asked.headers)]), 403
        )
    for config in configs(given):
        made = running.ingest(
            config, database=database, workspace="local", embedder=HashEmbedder(),
            now=lambda: datetime.now(UTC),
        )  # fmt: skip
        assert made.state == "failed" and is_clean(made)
    with database.connection() as connection:
        known = sources.statuses(connection, "local")
        for status in known:
            failures = runs.failures(connection, "local", status.name)
            told = [status, state(status, datetime.now(UTC)), json.dumps(source_json(status, [])),
                    json.dumps(asdict(status), default=str), failures]  # fmt: skip
            assert len(known) == 6 and all(map(is_clean, told)), told


@pytest.fixture
def site(tmp_path: Path, web: FakeHttp, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site whose start page can be read, beside the sources that fail; its database is to be named."""
    monkeypatch.setenv("NOTION_TOKEN", PLANTED["variable"])
    web.routes |= {
        "/docs/": Reply("<title>Pay</title><h1>Pay</h1><p>Salary is paid on pay day.</p>"
                        "<a href=leave>Leave</a>"),
        "/docs/leave": Reply("<title>Leave</title><p>When you want leave, book a holiday.</p>"),
    }  # fmt: skip
    (tmp_path / "sources.toml").write_text(TOML.format(web=web.url, **PLANTED))
    (tmp_path / "intents.toml").touch()
    return Settings(
        _env_file=None, home=tmp_path, sources=tmp_path / "sources.toml",
        intents=tmp_path / "intents.toml", embedder=str(tiny_bert.write(tmp_path / "encoder")),
        answer_above=0.0, unsure_above=0.0, threads=1,
    )  # type: ignore[call-arg]  # fmt: skip


def test_commands_metrics_and_screen_tell_no_secret_of_sources_that_work_and_fail(
    database: Database, site: Settings
) -> None:
    settings = site.model_copy(update={"database_url": database.url})
    shell = typer.Typer()
    for group in (questions, source_commands):
        group.register(shell)

    def said(*words: str) -> str:
        ended = CliRunner().invoke(shell, words, obj=settings)
        return f"{ended.output}{ended.stderr}{ended.exception or ''}"

    told = {"ingest": said("ingest")}
    told["ask"] = said("ask", "when is pay day", "--json")
    answer = json.loads(told["ask"])
    assert answer["citations"]
    told |= {
        "words": said("ask", "when is pay day"),
        "why": said("why", answer["id"]),
        "why --json": said("why", answer["id"], "--json"),
        "sources": said("sources"),
        "sources --json": said("sources", "--json"),
        "metrics": Metrics(database).text().decode(),
    }
    assert "site" in told["sources"] and 'source="site"' in told["metrics"]
    page = browser(parts_for(database, Slack(), workspace="local"))
    for path in ("sources", "documents", "system", *(f"sources/{c.name}/" for c in configs(site))):
        told[path] = page.text(path)
    found = {
        n: t[max(0, t.find("planted") - 60) :][:90] for n, t in told.items() if not is_clean(t)
    }
    assert found == {}


def test_the_status_that_slack_shows_tells_no_secret(
    database: Database, given: Settings, fake: FakeSlack
) -> None:
    with slack_parts.served(fake, slack_parts.settings_for(fake, database.url), database):
        for config in configs(given):
            running.ingest(
                config, database=database, workspace=TEAM, embedder=HashEmbedder(),
                now=lambda: datetime.now(UTC),
            )  # fmt: skip
        fake.command("/reindex", "status", user="UBOSS")
        (shown,) = fake.wait_called("response_url", 1)
        assert "confluence" in str(shown) and is_clean(shown)


def test_doctor_tells_no_secret(given: Settings) -> None:
    os.environ["NOTION_TOKEN"] = PLANTED["variable"]
    try:
        lines = [finding.line for finding in examine(given)]
    finally:
        del os.environ["NOTION_TOKEN"]
    assert len(lines) > 5 and is_clean(lines)


@pytest.mark.parametrize("wrong", [
    'token = "{0}"\n[[', '[[source]]\nname = "a"\nkind = "notion"\ntoken = ["{0}"]\naddress = "x"',
    '[[source]]\nname = "a"\nkind = "files"\nstorage = "{0}"\naddress = "x"',
    '[[source]]\nname = "a"\nkind = "files"\ntokn = "{0}"\naddress = "https://x/?sas={0}"',
    '[[source]]\nname = "a"\nkind = "https://me:{0}@h/"\naddress = "x"',
    '[[source]]\nname = "a"\nkind = "git"\nschedule = "{0}"\naddress = "https://{0}@h/x.git"',
])  # fmt: skip
def test_a_wrong_file_tells_no_secret(tmp_path: Path, wrong: str) -> None:
    from store.redaction import redacted

    file = tmp_path / "sources.toml"
    file.write_text(wrong.format(PLANTED["query"]))
    try:
        told = str([c.complaint for c in configuration.load(file)])
    except ConfigError as error:
        told = str(error)
    assert is_clean(redacted(told, configuration.secrets(file, {})))


def test_commands_print_no_secret(given: Settings, tmp_path: Path) -> None:
    environ = os.environ | {
        "THREADWISE_HOME": str(tmp_path), "THREADWISE_SOURCES": str(given.sources),
        "DATABASE_URL": f"postgresql://me:{PLANTED['replica']}@127.0.0.1:1/x?sslmode={PLANTED['query']}",
        "NOTION_TOKEN": PLANTED["variable"], "SLACK_SIGNING_SECRET": PLANTED["signing"],
    }  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "-v", "sources", "--json"], env=environ, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 1 and is_clean(ended.stdout + ended.stderr)
