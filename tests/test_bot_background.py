"""Long work in a process of its own: what comes back, how it ends, what it may use."""

import functools
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.processes import background
from bot.processes.background import WorkFailed
from bot.runtime.throttle import NICENESS, Stopping, Throttle
from tests.killing import ROOT, wait


class Odd(Exception):
    """Says nothing."""


def double(number: int) -> int:
    return 2 * number


def bounds() -> tuple[int, int, str | None, int]:
    """Whose process this is, and what it may use."""
    data = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return os.getpid(), data, os.environ.get("OMP_NUM_THREADS"), os.nice(0)


def fail(error: Exception) -> None:
    raise error


def gorge() -> int:
    return len(bytearray(2 * background.DATA_BYTES))


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def survive() -> str:
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(os.getpid(), number)
    return "goes on"


def leave(code: int) -> None:
    os._exit(code)


def stay(file: Path) -> None:
    """Say which process this is and never end."""
    file.with_suffix(".new").write_text(str(os.getpid()))
    file.with_suffix(".new").rename(file)
    while True:
        signal.pause()


def unpicklable() -> object:
    return lambda: None


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_result_comes_back() -> None:
    assert background.run(functools.partial(double, 21), Throttle()) == 42


def test_the_work_is_done_elsewhere_low_in_priority_and_bounded() -> None:
    pid, data, threads, niceness = background.run(bounds, Throttle())
    assert pid != os.getpid()
    assert (data, threads) == (background.DATA_BYTES, "1")
    assert niceness == min(19, os.nice(0) + NICENESS)


@pytest.mark.parametrize(
    ("error", "said"), [(ValueError("no rows"), "no rows"), (Odd(), "Odd"), (SystemExit(3), "3")]
)
def test_what_the_work_raises_is_said_and_logged_in_full(
    error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(WorkFailed, match=said):
        background.run(functools.partial(fail, error), Throttle())


def test_work_that_wants_all_memory_fails_and_takes_nobody_with_it() -> None:
    with pytest.raises(WorkFailed, match="MemoryError"):
        background.run(gorge, Throttle())


@pytest.mark.parametrize(("work", "code"), [(die, -9), (functools.partial(leave, 7), 7)])
def test_a_process_that_vanishes_is_named_by_its_code(work: object, code: int) -> None:
    with pytest.raises(WorkFailed, match=f"code {code}"):
        background.run(work, Throttle())  # type: ignore[arg-type]


def test_a_result_that_cannot_be_sent_is_a_failure() -> None:
    with pytest.raises(WorkFailed, match="unpicklable"):
        background.run(unpicklable, Throttle())


def test_work_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match="ended after 0 s"):
        background.run(functools.partial(stay, tmp_path / "pid"), Throttle(), limit=0.0)


def test_work_ends_at_once_when_the_process_is_to_end() -> None:
    throttle = Throttle()
    throttle.stop()
    with pytest.raises(Stopping):
        background.run(signal.pause, throttle)


def test_a_signal_to_the_whole_group_is_left_to_the_parent() -> None:
    assert background.run(survive, Throttle()) == "goes on"


def test_work_does_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    program = (
        "import functools, pathlib\n"
        "from bot.processes import background\n"
        "from bot.runtime.throttle import Throttle\n"
        "from tests.test_bot_background import stay\n"
        f"background.run(functools.partial(stay, pathlib.Path({str(file)!r})), Throttle())\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    try:
        wait(file.exists, 30)
    finally:
        parent.kill()
        parent.wait()
    wait(lambda: not is_alive(int(file.read_text())), 10)
