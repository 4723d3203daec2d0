"""Measures every page of the screen over a million questions: time, size, and the process' memory.

Knows nothing about what the pages show. Rows are made in SQL (team.py).
"""

import re
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from bot.screen import app
from store import figures
from tests.bench import team
from tests.bench.place import Clock, Place, Row, opened
from tests.screen_parts import TEAM, Browser, Slack, browser, parts_for

QUESTIONS, DOCUMENTS = 1_000_000, 10_000
TRIES = 5
AT_MOST_MS = 300
AT_MOST_KB = 100
AT_MOST_MB = 190

PAGES = (
    "", "?days=365", "conversations", "conversations?days=365&text=travelling&thumbs=down",
    "conversations?days=365&text=4711", "conversations?days=365&status=failed",
    "conversations?days=365&source=archive&least=95", "conversations?days=365&channel=C7&thumbs=none",
    "replies", "sources", "sources/archive/", "documents", "documents?order=stale", "documents?order=disliked",
    "documents?order=partial", "documents?text=topic-77", "gaps", "channels", "channels/C3", "intents", "quality",
    "nights", "system",
)  # fmt: skip


def run(place: Place) -> Iterator[Row]:
    """Fill a store, count its figures for the first time, and open each page some times."""
    with opened() as services:
        with services.database.connection() as connection:
            team.fill(
                connection,
                TEAM,
                questions=place.size(QUESTIONS),
                documents=place.size(DOCUMENTS),
            )
        with services.database.connection() as connection:
            clock = Clock()
            figures.refresh(connection, TEAM, datetime.now(UTC))
            yield Row("figures counted for the first time", clock.seconds, "s")
        slack = Slack(open={f"C{n}": f"team-{n}" for n in range(40)})
        boss = browser(parts_for(services.database, slack, now=lambda: datetime.now(UTC)))
        for page in PAGES:
            yield from _page(boss, page)
        yield Row("memory of this process", _memory(), "MB", at_most=AT_MOST_MB)


def _page(boss: Browser, page: str) -> Iterator[Row]:
    times, size = [], 0
    boss.text(page)
    for _ in range(TRIES):
        clock = Clock()
        size = len(boss.text(page).encode())
        times.append(1000 * clock.seconds)
    name = f"{app.PATH}/{page}"
    yield Row(name, statistics.median(times), "ms", at_most=AT_MOST_MS)
    yield Row(f"{name}: size", size / 1000, "KB", at_most=AT_MOST_KB)


def _memory() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) / 1000 if found else 0.0
