"""Promoting and rolling back: one version of a kind serves, whoever does both at the same time."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from store.database import Database
from store.feedback import versions
from store.records import Kind, ModelVersion

TEAM = "T1"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOW + timedelta(minutes=minutes)


@pytest.fixture
def three(database: Database) -> list[UUID]:
    """Three versions, of which the second serves after the first."""
    with database.connection() as connection:
        made = [versions.add(connection, TEAM, "title", at(n)) for n in range(3)]
        for n in (0, 1):
            versions.promote(connection, TEAM, made[n], at(n))
    return made


@pytest.mark.parametrize("kind", ["title", None])
def test_a_roll_back_waits_for_a_promotion_and_undoes_it(
    database: Database, three: list[UUID], kind: Kind | None
) -> None:
    def undo() -> ModelVersion:
        with database.connection() as connection:
            undone = versions.roll_back(connection, TEAM, kind, at(9))
        assert undone
        return undone[0]

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.url) as first:
        versions.promote(first, TEAM, three[2], at(5))
        later = pool.submit(undo)
        waited_for(database, first.info.backend_pid, later)
        first.commit()
        assert later.result(10).version_id == three[2]
    with database.connection() as connection:
        assert versions.serving(connection, TEAM)["title"].version_id == three[1]


def test_two_roll_backs_at_the_same_time_undo_two_promotions(
    database: Database, three: list[UUID]
) -> None:
    def undo() -> bool:
        with database.connection() as connection:
            return versions.roll_back(connection, TEAM, "title", at(9)) is not None

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.url) as first:
        assert versions.roll_back(first, TEAM, "title", at(8))
        later = pool.submit(undo)
        waited_for(database, first.info.backend_pid, later)
        first.commit()
        assert later.result(10)
    with database.connection() as connection:
        assert versions.serving(connection, TEAM) == {}


def waited_for(database: Database, pid: int, later: "Future[ModelVersion] | Future[bool]") -> None:
    """Return once another session waits for the one with this process id, or did not wait at all."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not later.done():
            if connection.execute(
                "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", (pid,)
            ).fetchone():
                return
