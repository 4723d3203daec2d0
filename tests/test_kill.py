"""Killed in the middle of twenty questions: bot, worker, postmaster. Each gets exactly one answer."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from store import embedded
from store.database import Database
from store.migrate import migrate
from tests.fake_slack import Ack, FakeSlack

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = 20
PATIENCE_SECONDS = 60.0
RETRIES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Slack itself tries again at once, after a minute and after five."""


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
def slack(server: embedded.Server) -> Iterator[FakeSlack]:
    database = Database(server.url)
    with database.connection() as connection:
        connection.execute("TRUNCATE questions, answers, procrastinate_jobs CASCADE")
    database.close()
    with FakeSlack() as playing:
        yield playing


class Processes:
    """Starts our processes for real and ends those that are left."""

    def __init__(self, home: Path, api_url: str) -> None:
        ours = ("THREADWISE_", "SLACK_", "DATABASE_")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(ours)} | {
            "THREADWISE_HOME": str(home),
            "THREADWISE_HTTP_PORT": "0",
            "SLACK_API_URL": api_url,
            "SLACK_BOT_TOKEN": "xoxb-1",
            "SLACK_APP_TOKEN": "xapp-1",
        }
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
def processes(server: embedded.Server, slack: FakeSlack) -> Iterator[Processes]:
    made = Processes(server.folder.parent, slack.api_url)
    yield made
    made.end()


def ask_all(slack: FakeSlack, crowd: ThreadPoolExecutor) -> list[Future[Ack]]:
    """Mention the bot with twenty questions at once, each in a channel of its own."""
    asked = [
        slack.say(f"<@UBOT> question {n}", channel=f"C{n}", type="app_mention")
        for n in range(QUESTIONS)
    ]
    return [crowd.submit(slack.until_acked, event, RETRIES) for event in asked]


def wait(happens: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def answered(slack: FakeSlack) -> list[str]:
    """The channels in which something was posted, once per message."""
    return sorted(message["channel"] for message in slack.messages)


def each_once(slack: FakeSlack) -> bool:
    found = answered(slack)
    assert len(found) == len(set(found)), "a question was answered twice"
    return len(found) == QUESTIONS


def has_settled(server: embedded.Server) -> bool:
    """Whether nothing is left that could still post."""
    database = Database(server.url)
    with database.connection() as connection:
        row = connection.execute(
            "SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))"
            " + (SELECT count(*) FROM questions WHERE ended_at IS NULL)"
        ).fetchone()
    database.close()
    return row == (0,)


def test_a_killed_bot_costs_no_answer(
    server: embedded.Server, slack: FakeSlack, processes: Processes
) -> None:
    processes.start("worker")
    bot = processes.start("bot")
    wait(lambda: slack.is_linked)
    with ThreadPoolExecutor(4) as crowd:
        acks = ask_all(slack, crowd)
        wait(lambda: sum(ack.done() for ack in acks) >= 5)
        bot.kill()
        assert not all(ack.done() for ack in acks)
        bot.wait()
        processes.start("bot")
        assert all(ack.result().ok for ack in acks)
    wait(lambda: each_once(slack))
    wait(lambda: has_settled(server))
    assert each_once(slack)


def test_a_killed_worker_costs_no_answer(
    server: embedded.Server, slack: FakeSlack, processes: Processes
) -> None:
    processes.start("bot")
    worker = processes.start("worker")
    wait(lambda: slack.is_linked)
    with ThreadPoolExecutor(4) as crowd:
        ask_all(slack, crowd)
        wait(lambda: len(answered(slack)) >= 5)
        worker.kill()
        assert len(answered(slack)) < QUESTIONS
        processes.start("worker")
    wait(lambda: each_once(slack))
    wait(lambda: has_settled(server))
    assert each_once(slack)


def test_a_killed_postmaster_costs_no_answer(
    server: embedded.Server, slack: FakeSlack, processes: Processes
) -> None:
    processes.start("bot")
    processes.start("worker")
    wait(lambda: slack.is_linked)
    with ThreadPoolExecutor(4) as crowd:
        acks = ask_all(slack, crowd)
        wait(lambda: len(answered(slack)) >= 5)
        os.kill(postmaster(server), signal.SIGKILL)
        assert all(ack.result().ok for ack in acks)
    wait(lambda: each_once(slack))
    wait(lambda: has_settled(server))
    assert each_once(slack)


def postmaster(server: embedded.Server) -> int:
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
