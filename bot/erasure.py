"""Erase what is kept of a person, or what is older than the retention setting.

Knows nothing about commands or Slack.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bot.services import Services
from store import people
from store.people import Forgotten

WRITTEN = {".log", ".txt", ".json", ".jsonl", ".csv", ".md", ".svg", ".html"}
NOT_OURS = {"postgres", "clones", "models"}


@dataclass(frozen=True, slots=True)
class Erased:
    """Whose rows were erased, and how many of each sort."""

    person: str
    gone: Forgotten


def forget(services: Services, person: str) -> Erased:
    """Erase a person's questions, votes, labels and kept replies; memory made of them goes at once."""
    with services.database.connection() as connection:
        gone = people.forget(connection, services.workspace, person)
    for file in _written(services.settings.home):
        _blacken(file, person)
    return Erased(person, gone)


def retain(services: Services, now: datetime) -> Forgotten:
    """Erase what is older than the retention setting: questions with what hangs on them, reports, logs."""
    before = now - timedelta(days=services.settings.retention_days)
    for file in _logs(services):
        if file.stat().st_mtime < before.timestamp():
            file.unlink(missing_ok=True)
    with services.database.connection() as connection:
        return people.retain(connection, services.workspace, before)


def _written(home: Path) -> Iterator[Path]:
    """Give the files in which a person may be named: logs and reports, also the database server's.

    Not those of documents, which the team wrote, nor models: their files are kept as they were hashed.
    """
    for folder, below, names in os.walk(home):
        if Path(folder) == home:
            below[:] = [name for name in below if name not in NOT_OURS]
        files = (Path(folder, name) for name in names)
        yield from (f for f in files if f.suffix in WRITTEN and f.is_file() and not f.is_symlink())
    yield from (f for f in (home / "postgres").glob("*.log") if f.is_file())


def _logs(services: Services) -> list[Path]:
    return [file for file in (services.settings.home / "logs").glob("*") if file.is_file()]


def _blacken(file: Path, person: str) -> None:
    """Write over a person's id where it stands, byte for byte: the file may be written to meanwhile."""
    whole = re.compile(rf"\b{re.escape(person)}\b".encode())
    with file.open("r+b") as opened:
        place = 0
        for line in iter(opened.readline, b""):
            for found in whole.finditer(line):
                opened.seek(place + found.start())
                opened.write(b"*" * len(found.group()))
            place += len(line)
            opened.seek(place)
