"""Promoting and rolling back: one version of a kind serves, whoever does both at the same time."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from store.database import Database
from store.feedback import versions
from store.records import Kind, ModelVersion
from tests.store_parts import waited_for

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


def test_the_last_promotion_of_any_kind_is_chosen_after_the_wait(
    database: Database, three: list[UUID]
) -> None:
    def undo() -> ModelVersion:
        with database.connection() as connection:
            undone = versions.roll_back(connection, TEAM, None, at(9))
        assert undone
        return undone[0]

    with ThreadPoolExecutor(1) as pool, psycopg.connect(database.url) as first:
        fusion = versions.add(first, TEAM, "fusion", at(5))
        versions.promote(first, TEAM, fusion, at(5))
        later = pool.submit(undo)
        waited_for(database, first.info.backend_pid, later)
        first.commit()
        assert later.result(10).version_id == fusion
