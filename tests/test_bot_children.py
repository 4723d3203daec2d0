"""The processes that `up` runs: they come back when they die and go when it does."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.processes.children import ChildFailed, Children

ROOT = Path(__file__).resolve().parent.parent

PARENT = """
import sys, time
from pathlib import Path
from bot.processes.children import Children
with Children(Path(sys.argv[1])) as children:
    children.start("clock")
    print(children.pid("clock"), flush=True)
    time.sleep(600)
"""


@pytest.fixture
def logs(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("THREADWISE_HOME", str(tmp_path))
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    return tmp_path / "logs"


def wait(happens: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def count(logs: Path, word: str) -> int:
    file = logs / "clock.log"
    return file.read_text().count(word) if file.exists() else 0


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_child_that_is_killed_comes_back_and_all_end_together(logs: Path) -> None:
    with Children(logs) as children:
        children.start("clock")
        wait(lambda: count(logs, "clock_leads") == 1)
        pid = children.pid("clock")
        os.kill(pid, signal.SIGKILL)
        wait(lambda: count(logs, "clock_leads") == 2)
        children.check()
        pid = children.pid("clock")
    assert count(logs, "clock_rests") == 1
    assert not is_alive(pid)


def test_a_child_that_cannot_start_is_given_up_with_its_last_words(
    logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    with Children(logs) as children:
        children.start("clock")
        with pytest.raises(ChildFailed, match="clock cannot start: .*DATABASE_URL"):
            wait(lambda: children.check() is not None)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_children_end_when_their_parent_is_killed(logs: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(logs)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait(lambda: count(logs, "clock_leads") == 1)
        parent.kill()
    wait(lambda: not is_alive(child))
    assert count(logs, "clock_rests") == 1
