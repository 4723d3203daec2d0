"""Migrations: each file once, in order, whole or not at all, whoever starts at the same time.

Knows nothing about the project's own migrations except that they apply.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from store.migrate import LOCK, MigrationError, migrate

DEADLINE_SECONDS = 30
EXTENSION = "create extension if not exists vector;"
SLEEPING = "select pid from pg_stat_activity where wait_event = 'PgSleep'"
STARTER = """
import sys
from pathlib import Path
from store.migrate import migrate
migrate(sys.argv[1], Path(sys.argv[2]))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two small migrations."""
    write(tmp_path, "0001_things.sql", f"{EXTENSION}\ncreate table things (n int primary key);")
    write(
        tmp_path, "0002_more.sql", "insert into things values (1);\ninsert into things values (2);"
    )
    return tmp_path


def test_files_are_applied_in_order_and_once(empty_url: str, folder: Path) -> None:
    assert migrate(empty_url, folder) == ["0001_things.sql", "0002_more.sql"]
    assert migrate(empty_url, folder) == []
    assert values(empty_url, "select n from things order by n") == [1, 2]


def test_the_projects_own_migrations_apply_twice_without_harm(database_url: str) -> None:
    assert migrate(database_url) == []


def test_a_file_that_fails_leaves_nothing_and_runs_again_once_corrected(
    empty_url: str, folder: Path
) -> None:
    write(folder, "0003_bad.sql", "insert into things values (3);\nselect 1/0;")
    with pytest.raises(MigrationError, match=r"0003_bad.sql failed: division by zero"):
        migrate(empty_url, folder)
    assert values(empty_url, "select n from things order by n") == [1, 2]
    write(folder, "0003_bad.sql", "insert into things values (3);")
    assert migrate(empty_url, folder) == ["0003_bad.sql"]


def test_a_file_changed_after_it_was_applied_is_refused(empty_url: str, folder: Path) -> None:
    migrate(empty_url, folder)
    write(folder, "0002_more.sql", "insert into things values (7);")
    with pytest.raises(MigrationError, match=r"0002_more.sql was changed .* restore the file"):
        migrate(empty_url, folder)


def test_windows_line_ends_are_no_change(empty_url: str, folder: Path) -> None:
    migrate(empty_url, folder)
    file = folder / "0002_more.sql"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate(empty_url, folder) == []


def test_a_database_newer_than_the_code_is_refused(empty_url: str, folder: Path) -> None:
    migrate(empty_url, folder)
    (folder / "0002_more.sql").unlink()
    with pytest.raises(MigrationError, match=r"newer than this code \(it has 0002_more.sql\)"):
        migrate(empty_url, folder)


def test_names_that_leave_the_order_open_are_refused(empty_url: str, folder: Path) -> None:
    write(folder, "0002_again.sql", "select 1;")
    with pytest.raises(MigrationError, match="share a number"):
        migrate(empty_url, folder)
    (folder / "0002_again.sql").rename(folder / "3_again.sql")
    with pytest.raises(MigrationError, match="rename it"):
        migrate(empty_url, folder)


def test_an_empty_folder_is_refused(empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="no migrations"):
        migrate(empty_url, tmp_path)


def test_a_statement_that_needs_no_transaction_gets_none(empty_url: str, folder: Path) -> None:
    statement = "create index concurrently if not exists things_n on things (n);"
    write(folder, "0003_index.sql", f"-- no-transaction\n{statement}")
    assert migrate(empty_url, folder)[-1] == "0003_index.sql"
    query = "select indisvalid from pg_index where indexrelid = 'things_n'::regclass"
    assert values(empty_url, query) == [True]


def test_the_sql_of_an_installed_package_is_included(empty_url: str, folder: Path) -> None:
    write(folder, "0003_queue.sql", "-- include: package:procrastinate/sql/schema.sql\n")
    migrate(empty_url, folder)
    assert values(empty_url, "select count(*) from procrastinate_jobs") == [0]


def test_a_missing_package_is_named(empty_url: str, folder: Path) -> None:
    write(folder, "0003_queue.sql", "-- include: package:no_such_package/x.sql\n")
    with pytest.raises(MigrationError, match=r"no_such_package, which is not installed"):
        migrate(empty_url, folder)


def test_several_starters_at_once_apply_each_file_once(empty_url: str, folder: Path) -> None:
    statement = "create index concurrently if not exists things_n on things (n);"
    write(folder, "0003_index.sql", f"-- no-transaction\n{statement}")
    with ThreadPoolExecutor(4) as starters:
        applied = list(starters.map(lambda _: migrate(empty_url, folder), range(4)))
    assert sorted(map(len, applied)) == [0, 0, 0, 3]


def test_a_starter_killed_in_the_middle_leaves_nothing_and_stops_nobody(
    empty_url: str, folder: Path
) -> None:
    write(folder, "0003_slow.sql", "insert into things values (3);\nselect pg_sleep(600);")
    command = [sys.executable, "-c", STARTER, empty_url, str(folder)]
    with subprocess.Popen(command) as starter:
        until(lambda: bool(values(empty_url, SLEEPING)))
        starter.kill()
    write(folder, "0003_slow.sql", "insert into things values (3);")
    assert migrate(empty_url, folder) == ["0003_slow.sql"]
    assert values(empty_url, "select n from things order by n") == [1, 2, 3]


def test_a_lock_held_for_too_long_is_reported(empty_url: str, folder: Path) -> None:
    with psycopg.connect(empty_url, autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", (LOCK,))
        with pytest.raises(MigrationError, match="another process has been migrating"):
            migrate(empty_url, folder, wait_seconds=0.2)


def test_a_server_that_is_not_there_is_one_clear_line(folder: Path) -> None:
    with pytest.raises(MigrationError, match="DATABASE_URL") as caught:
        migrate("postgresql://nobody@127.0.0.1:1/none", folder)
    assert "\n" not in str(caught.value)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, newline="\n")


def values(url: str, query: str) -> list[object]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute(query.encode())]


def until(true: Callable[[], bool]) -> None:
    """Wait for something that must come true."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
