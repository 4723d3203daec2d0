"""Killed in the middle of twenty questions: worker, postmaster. Each gets exactly one answer."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store import answers, embedded, questions, queue
from store.database import Database, StoreGone
from store.migrate import migrate
from store.records import Ask

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = 20
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module")
def server() -> Iterator[embedded.Server]:
    """A server of these tests' own: it will be killed."""
    home = Path(tempfile.mkdtemp(prefix="threadwise-kill-"))
    home.chmod(0o755)
    running = embedded.start(home)
    migrate(running.url)
    yield running
    running.close()
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(running.folder, ignore_errors=True)


@pytest.fixture
def database(server: embedded.Server) -> Iterator[Database]:
    opened = Database(server.url)
    with opened.connection() as connection:
        connection.execute("TRUNCATE questions, answers, procrastinate_jobs CASCADE")
    yield opened
    opened.close()


class Processes:
    """Starts our processes for real and ends those that are left."""

    def __init__(self, home: Path) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("THREADWISE_", "SLACK_"))}
        self.env = kept | {"THREADWISE_HOME": str(home), "PYTHONWARNINGS": "default"}
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self, role: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.process", role]
        started = subprocess.Popen(command, cwd=ROOT, env=self.env)
        self.running.append(started)
        return started

    def end(self) -> None:
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            process.wait(timeout=20)


@pytest.fixture
def processes(server: embedded.Server) -> Iterator[Processes]:
    made = Processes(server.folder.parent)
    yield made
    made.end()


def ask(database: Database, texts: list[str]) -> None:
    """Claim questions and queue their jobs, as the bot does."""
    jobs = queue.Queue(database.url)
    for number, text in enumerate(texts):
        claimed = Ask("local", "terminal", str(number), "terminal", text, "terminal", True)
        with database.connection() as connection:
            question_id = questions.claim(connection, claimed, datetime.now(UTC))
            args = {"workspace": "local", "question_id": str(question_id)}
            jobs.defer(connection, "answer", args, queue=queue.QUESTIONS)


def ended(database: Database) -> dict[str, str]:
    """The questions that have ended, and how."""
    with database.connection() as connection:
        rows = connection.execute("SELECT body, status FROM questions WHERE ended_at IS NOT NULL")
        return dict(rows.fetchall())


def wait(happens: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with suppress(StoreGone):
            if happens():
                return
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def all_answered_once(database: Database, texts: list[str]) -> bool:
    with database.connection() as connection:
        rows = connection.execute("SELECT question_id FROM answers").fetchall()
        bodies = [answers.of(connection, "local", row[0]) for row in rows]
    assert len(bodies) <= len(texts)
    return ended(database) == dict.fromkeys(texts, "answered") and len(bodies) == len(texts)


def test_a_killed_worker_costs_no_answer(database: Database, processes: Processes) -> None:
    texts = [f"question {number}" for number in range(QUESTIONS)]
    first = processes.start("worker")
    ask(database, texts)
    wait(lambda: len(ended(database)) >= 5)
    first.send_signal(signal.SIGKILL)
    assert len(ended(database)) < QUESTIONS
    processes.start("worker")
    wait(lambda: all_answered_once(database, texts))


def test_a_killed_postmaster_costs_no_answer(
    server: embedded.Server, database: Database, processes: Processes
) -> None:
    texts = [f"question {number}" for number in range(QUESTIONS)]
    processes.start("worker")
    ask(database, texts)
    wait(lambda: len(ended(database)) >= 5)
    pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    wait(lambda: all_answered_once(database, texts))
