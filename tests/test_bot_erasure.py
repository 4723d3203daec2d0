"""Forgetting reaches the logs, and old logs go."""

import os
from datetime import UTC, datetime
from pathlib import Path

from bot import erasure
from bot.services import Services
from bot.settings import Settings
from store.database import Database

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_forgotten_persons_id_is_written_over_in_the_logs(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "logs").mkdir()
    log = tmp_path / "logs" / "worker.log"
    log.write_text("not_told person=U0GONE reason=x\nU0GONE and U0GONE2\nlast U0GONE")
    erasure.forget(services(database, tmp_path), "U0GONE")
    assert log.read_text() == "not_told person=****** reason=x\n****** and U0GONE2\nlast ******"


def test_whatever_the_home_folder_says_of_a_person_is_written_over_but_no_settings(
    database: Database, tmp_path: Path
) -> None:
    said = "of U0GONE"
    kept = (
        "sources.toml",
        "models/intents/1/report.json",
        "clones/wiki/a.md",
        "postgres/data/1.json",
    )
    gone = (
        "report.json",
        "nights/2026/a.jsonl",
        "postgres/server.log",
        "logs/old/bot.log",
        "a.csv",
    )
    for name in (*kept, *gone):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(said)
    (tmp_path / "linked.txt").symlink_to(tmp_path / "sources.toml")
    erasure.forget(services(database, tmp_path), "U0GONE")
    assert {name for name in (*kept, *gone) if "U0GONE" in (tmp_path / name).read_text()} == {*kept}


def test_a_log_goes_when_it_is_older_than_what_is_kept(database: Database, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name, year in (("old", 2024), ("new", 2026)):
        file = tmp_path / "logs" / f"{name}.log"
        file.touch()
        os.utime(file, (datetime(year, 3, 1, tzinfo=UTC).timestamp(),) * 2)
    erasure.retain(services(database, tmp_path), NOW)
    assert [file.name for file in (tmp_path / "logs").iterdir()] == ["new.log"]


def services(database: Database, home: Path) -> Services:
    settings = Settings(_env_file=None, home=home)  # type: ignore[call-arg]
    return Services(settings, database, None)
