"""Twenty questions at once to real processes, and something killed in the middle of them.

Knows nothing about who judges what came of it: the tests and `make bench` do.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from store.database import Database
from store.migrate import migrate
from store.server import embedded
from tests.bench.place import environment
from tests.fake_slack import Ack, FakeSlack

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = 20
PATIENCE_SECONDS = 240.0
"""Until real processes have done what they should, on a busy machine too."""

RETRIES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Slack itself tries again at once, after a minute and after five."""


class Processes:
    """Starts our processes for real and ends those that are left."""

    def __init__(self, home: Path, api_url: str) -> None:
        self.env = environment(
            home,
            SLACK_API_URL=api_url,
            SLACK_BOT_TOKEN="xoxb-1",
            SLACK_APP_TOKEN="xapp-1",
            # With these in the environment Bolt would look for tokens of many workspaces.
            SLACK_CLIENT_ID="1.2",
            SLACK_CLIENT_SECRET="secret",
        )
        self.running: list[subprocess.Popen[bytes]] = []

    def start(
        self, role: str, program: str = "tests.process", log: IO[bytes] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start `python -m PROGRAM ROLE`: tests.process answers without models, bot is the real one."""
        command = [sys.executable, "-m", program, role]
        started = subprocess.Popen(command, cwd=ROOT, env=self.env, stderr=log)
        self.running.append(started)
        return started

    def end(self) -> None:
        """End what still runs and wait for it."""
        for process in self.running:
            if process.poll() is None:
                process.terminate()
        for process in self.running:
            process.wait(timeout=30)


@dataclass(frozen=True)
class Stage:
    """An empty database, a Slack, and processes that were not started yet."""

    server: embedded.Server
    slack: FakeSlack
    processes: Processes


@contextmanager
def served() -> Iterator[embedded.Server]:
    """Run a server that may be killed; all of it is gone at the end."""
    home = Path(tempfile.mkdtemp(prefix="threadwise-kill-"))
    home.chmod(0o755)
    running = embedded.start(home)
    try:
        migrate(running.url)
        yield running
    finally:
        running.close()
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(running.folder, ignore_errors=True)


@contextmanager
def staged(server: embedded.Server) -> Iterator[Stage]:
    """Forget all questions, and give what the next twenty need."""
    database = Database(server.url)
    with database.connection() as connection:
        connection.execute("TRUNCATE questions, answers, procrastinate_jobs CASCADE")
    database.close()
    with FakeSlack() as slack:
        stage = Stage(server, slack, Processes(server.folder.parent, slack.api_url))
        try:
            yield stage
        finally:
            stage.processes.end()


def kill_the_bot(stage: Stage) -> list[str]:
    """Kill the bot while questions are being delivered; give the channels answered, once per answer."""
    stage.processes.start("worker")
    bot = stage.processes.start("bot")
    wait(lambda: stage.slack.is_linked)
    with ThreadPoolExecutor(4) as crowd:
        acks = ask_all(stage.slack, crowd)
        wait(lambda: sum(ack.done() for ack in acks) >= 5)
        bot.kill()
        assert not all(ack.done() for ack in acks)
        bot.wait()
        stage.processes.start("bot")
        assert all(ack.result().ok for ack in acks)
    return _settled(stage)


def kill_the_worker(stage: Stage) -> list[str]:
    """Kill the worker after a few answers; give the channels answered, once per answer."""
    stage.processes.start("bot")
    worker = stage.processes.start("worker")
    wait(lambda: stage.slack.is_linked)
    with ThreadPoolExecutor(4) as crowd:
        ask_all(stage.slack, crowd)
        wait(lambda: len(answered(stage.slack)) >= 5)
        worker.kill()
        assert len(answered(stage.slack)) < QUESTIONS
        stage.processes.start("worker")
    return _settled(stage)


def kill_the_postmaster(stage: Stage) -> list[str]:
    """Kill Postgres after a few answers; give the channels answered, once per answer."""
    stage.processes.start("bot")
    stage.processes.start("worker")
    wait(lambda: stage.slack.is_linked)
    with ThreadPoolExecutor(4) as crowd:
        acks = ask_all(stage.slack, crowd)
        wait(lambda: len(answered(stage.slack)) >= 5)
        assert len(answered(stage.slack)) < QUESTIONS
        os.kill(postmaster(stage.server), signal.SIGKILL)
        assert all(ack.result().ok for ack in acks)
    return _settled(stage)


def ask_all(slack: FakeSlack, crowd: ThreadPoolExecutor) -> list[Future[Ack]]:
    """Mention the bot with twenty questions at once, each in a channel of its own."""
    asked = [
        slack.say(f"<@UBOT> question {n}", channel=f"C{n}", type="app_mention")
        for n in range(QUESTIONS)
    ]
    return [crowd.submit(slack.until_acked, event, RETRIES) for event in asked]


def wait(happens: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until it happens; an AssertionError when it does not in time."""
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def answered(slack: FakeSlack) -> list[str]:
    """The channels in which something was posted, once per message."""
    return sorted(message["channel"] for message in slack.messages)


def postmaster(server: embedded.Server) -> int:
    """The process id of the running server."""
    return int((server.folder / "data" / "postmaster.pid").read_text().split()[0])


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


def _settled(stage: Stage) -> list[str]:
    wait(lambda: len(set(answered(stage.slack))) == QUESTIONS)
    wait(lambda: has_settled(stage.server))
    return answered(stage.slack)
