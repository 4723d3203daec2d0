"""A night killed in the middle leaves what serves untouched, and the next one completes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from bot.services import Services
from store.database import Database
from store.feedback import nights, versions
from tests import training_rows
from tests.killing import ROOT, wait
from tests.training_rows import NOW, TEAM

LATER: datetime = NOW + timedelta(days=9000)
"""After the killed night, which took the clock's time."""

PATIENCE_SECONDS = 240.0
"""Until a night is where it is to be killed: a training on a busy machine lies before it."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training_rows.trained(tmp_path_factory.mktemp("trained"))


@pytest.fixture
def team(database: Database, tmp_path: Path, trained: Path) -> Iterator[Services]:
    training_rows.write(tmp_path)
    made = training_rows.team(tmp_path, database)
    training_rows.serve(made, trained)
    training_rows.label(made)
    yield made


@contextmanager
def night(services: Services) -> Iterator[subprocess.Popen[bytes]]:
    """Hold a night in a process of its own, killed at the end at the latest."""
    env = os.environ | {
        "OMP_NUM_THREADS": "1",
        "DATABASE_URL": services.database.url, "THREADWISE_HOME": str(services.settings.home),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "tests.training_rows"], cwd=ROOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def in_training(services: Services) -> bool:
    home = services.settings.home / "models" / "intents" / ".training-night"
    return any(home.glob("checkpoint/*/*.pt"))


def blocked(services: Services) -> bool:
    """Whether somebody waits for the lock that the test holds."""
    with services.database.connection() as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'relation'"
        ).fetchone()
    return row != (0,)


@pytest.mark.parametrize(
    ("table", "moment"),
    [(None, in_training), ("model_versions", blocked), ("nights", blocked)],
    ids=["while training", "while promoting", "while reporting"],
)
def test_a_killed_night_changes_nothing_and_the_next_one_completes(
    team: Services, table: str | None, moment: Callable[[Services], bool]
) -> None:
    before = serving(team)
    with ExitStack() as held:
        if table:
            connection = held.enter_context(psycopg.connect(team.database.url))
            connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        with night(team) as process:
            wait(lambda: moment(team) or process.poll() is not None, PATIENCE_SECONDS)
            assert process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
    was_promoted = table == "nights"
    assert (serving(team) != before) == was_promoted
    report = training_rows.hold(team, LATER)
    assert report.verdicts[-1].decision == ("unchanged" if was_promoted else "promoted")
    assert serving(team) != before
    with team.database.connection() as connection:
        assert len(nights.last(connection, TEAM)) == 1


def serving(services: Services) -> str:
    with services.database.connection() as connection:
        return str(versions.serving(connection, TEAM)["intents"].version_id)
