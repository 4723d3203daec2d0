"""Measures the memory of everything that `up` runs: after a handbook and 50 questions, and its peak.

Knows nothing about what the processes do. PSS shares what processes share, so that it adds up.
"""

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.place import Place, Row, percentile, remove_server, scratch
from tests.fake_slack import FakeSlack
from tests.killing import ROOT, Processes, wait

QUESTIONS = 50
EVERY_SECONDS = 1.0
START_SECONDS = 900.0
BOT_MB = 150.0
TOGETHER_MB = 1600.0
ROLE = re.compile(r"bot\.child (\w+)|-m bot (up)|(parser_child)|(resource_tracker|multiprocessing)")


def run(place: Place) -> Iterator[Row]:
    """Run `up` with Slack on a handbook, ask, and look."""
    with scratch() as home, FakeSlack() as fake:
        try:
            yield from _measured(place, home, fake)
        finally:
            remove_server(home)


def _measured(place: Place, home: Path, fake: FakeSlack) -> Iterator[Row]:
    name, folder = place.handbook()
    questions = place.questions()
    with _up(home, fake, folder) as up, watched(lambda: [up.pid, _postmaster(home)]) as totals:
        wait(
            lambda: fake.is_linked and "Ready after" in (home / "up.log").read_text(), START_SECONDS
        )
        for number in range(QUESTIONS):
            text = f"<@UBOT> {questions[number % len(questions)]}"
            fake.event(fake.say(text, channel=f"C{number}", type="app_mention"))
        wait(lambda: len(fake.messages) >= QUESTIONS, START_SECONDS)
        threading.Event().wait(5 * EVERY_SECONDS)
        yield from _rows(f"{name}: ", up.pid, _postmaster(home))
        peak = max(totals)
    told = f"looked every second, {len(totals)} times, median {percentile(totals, 0.5):.0f} MB"
    yield Row(f"{name}: everything together, peak PSS", peak, "MB", TOGETHER_MB, reference=told)


@contextmanager
def _up(home: Path, fake: FakeSlack, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = Processes(home, fake.api_url).env
    command = [sys.executable, "-m", "bot", "up", "--docs", str(folder)]
    with (home / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def watched(roots: Callable[[], list[int]]) -> Iterator[list[float]]:
    """Collect the PSS of processes and all below them, in MB, every second."""
    totals, done = list[float](), threading.Event()

    def watch() -> None:
        while not done.wait(EVERY_SECONDS):
            totals.append(sum(pss(pid) for root in roots() for pid in family(root)))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield totals
    finally:
        done.set()
        watcher.join()


def _postmaster(home: Path) -> int:
    """Give the server's process id, 0 while there is none."""
    with suppress(OSError):
        return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    return 0


def _rows(told: str, up: int, postgres: int) -> Iterator[Row]:
    together = 0.0
    for pid in family(up):
        rss, peak, share = status(pid, "VmRSS"), status(pid, "VmHWM"), pss(pid)
        together += share
        also = f"PSS {share:.0f} MB, peak RSS {peak:.0f} MB"
        role = role_of(pid)
        limit = BOT_MB if role == "bot" else None
        yield Row(f"{told}{role}, RSS", rss, "MB", limit, reference=also)
    servers = family(postgres)
    share = sum(pss(pid) for pid in servers)
    many = f"{len(servers)} processes"
    yield Row(f"{told}Postgres, PSS of all", share, "MB", reference=many)
    yield Row(f"{told}everything together, PSS", together + share, "MB", TOGETHER_MB)


def family(pid: int) -> list[int]:
    """Give a process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # The name may hold spaces and brackets; the parent is the second field after it.
            parent = int(entry.read_text().rpartition(")")[2].split()[1])
            parents.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid] if pid else []
    for each in found:
        found += parents.get(each, [])
    return found


def pss(pid: int) -> float:
    """Give the MB of a process, what it shares divided by who shares it; 0 when it has ended."""
    with suppress(OSError):
        return _field(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss")
    return 0.0


def status(pid: int, field: str) -> float:
    """Give a size of /proc/PID/status in MB; 0 when it has ended."""
    with suppress(OSError):
        return _field(Path(f"/proc/{pid}/status").read_text(), field)
    return 0.0


def role_of(pid: int) -> str:
    """Name one of our processes by its command line."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        found = ROLE.search(words)
        return next(filter(None, found.groups())) if found else words.strip()[-40:]
    return "ended"


def _field(text: str, name: str) -> float:
    found = re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0
