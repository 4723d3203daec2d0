"""The pool: transactions, a server that goes away and comes back, and what a server must have.

Knows nothing about the project's tables.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import pytest

from store.database import Database, StoreError, StoreGone, check_server


@pytest.fixture
def things(empty_url: str) -> Iterator[Database]:
    """A Database with one empty table."""
    with closing(Database(empty_url)) as database:
        with database.connection() as connection:
            connection.execute("create table things (n int primary key)")
        yield database


def test_a_transaction_is_kept_or_rolled_back_as_a_whole(things: Database) -> None:
    with things.connection() as connection:
        connection.execute("insert into things values (1)")
    with pytest.raises(ZeroDivisionError), things.connection() as connection:
        connection.execute("insert into things values (2)")
        raise ZeroDivisionError
    assert numbers(things) == [1]


def test_a_driver_error_leaves_as_a_store_error_with_its_cause(things: Database) -> None:
    with (
        pytest.raises(StoreError, match="duplicate key") as caught,
        things.connection() as connection,
    ):
        connection.execute("insert into things values (1), (1)")
    assert isinstance(caught.value.__cause__, psycopg.errors.UniqueViolation)
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_cured_by_migrating(things: Database) -> None:
    with pytest.raises(StoreError, match="threadwise migrate"), things.reading() as connection:
        connection.execute("select 1 from nothing")


def test_a_statement_read_alone_opens_no_transaction(things: Database) -> None:
    query = "select state, xact_start is null from pg_stat_activity where application_name = %s"
    with things.reading() as reader, things.connection() as other:
        reader.execute("select 1")
        states = other.execute(f"{query} and pid = %s", ("threadwise", reader.info.backend_pid))
        assert states.fetchone() == ("idle", True)


def test_a_connection_used_for_reading_is_good_for_a_transaction_again(empty_url: str) -> None:
    with closing(Database(empty_url, size=1)) as database:
        with database.reading() as connection:
            connection.execute("select 1")
        with pytest.raises(ZeroDivisionError), database.connection() as connection:
            connection.execute("create table kept (n int)")
            raise ZeroDivisionError
        with database.reading() as connection:
            assert connection.execute("select to_regclass('kept')").fetchone() == (None,)


def test_reading_goes_to_the_replica_and_writing_to_the_primary(
    empty_url: str, database_url: str
) -> None:
    with (
        closing(Database(empty_url, replica_url=database_url)) as database,
        database.connection() as primary,
        database.reading() as replica,
    ):
        assert primary.info.dbname in empty_url
        assert replica.info.dbname in database_url


def test_the_primary_is_read_while_the_replica_is_away_and_one_line_says_so(
    empty_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    gone = "postgresql://me:replicaword@127.0.0.1:1/x"
    with closing(Database(empty_url, replica_url=gone)) as database:
        for lend in (database.reading, database.snapshot, database.reading):
            with lend() as connection:
                assert connection.info.dbname in empty_url
    (line,) = [r.getMessage() for r in caplog.records if "replica_away" in r.getMessage()]
    assert "refused" in line and "replicaword" not in line


def test_a_replica_that_is_back_is_read_again(
    server: str, empty_url: str, database_url: str
) -> None:
    with (
        closing(Database(database_url)) as there,
        closing(Database(empty_url, replica_url=database_url, replica_pause_seconds=0)) as database,
    ):
        with closed(server, there), database.snapshot() as connection:
            assert connection.info.dbname in empty_url
        with database.snapshot() as connection:
            assert connection.info.dbname in database_url


def test_connections_cut_by_the_server_are_replaced_unnoticed(things: Database) -> None:
    with things.connection() as first, things.connection() as second:
        first.execute("select 1")
        second.execute("select 1")
    cut(things)
    with things.connection() as connection:
        connection.execute("insert into things values (1)")
    assert numbers(things) == [1]


def test_a_server_that_is_away_is_waited_for(server: str, things: Database) -> None:
    with closed(server, things):
        back = threading.Timer(2.5, lambda: accept(server, things, True))
        back.start()
        with things.connection() as connection:
            connection.execute("insert into things values (1)")
        back.join()
    assert numbers(things) == [1]


def test_a_server_that_stays_away_is_one_clear_line(server: str, empty_url: str) -> None:
    with (
        closing(Database(empty_url, wait_seconds=0.1)) as database,
        closed(server, database),
        pytest.raises(StoreGone, match=r"does not answer: .* correct DATABASE_URL") as caught,
        database.connection(),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_a_connection_lost_in_the_middle_is_told_apart(things: Database) -> None:
    with pytest.raises(StoreGone, match="went away"), things.connection() as connection:
        connection.execute("select 1")
        cut(things)
        connection.execute("select 1")
    assert numbers(things) == []


def test_a_pool_with_every_connection_busy_says_so(empty_url: str) -> None:
    with (
        closing(Database(empty_url, size=1, wait_seconds=0.1)) as database,
        database.connection(),
        pytest.raises(StoreGone, match="stay busy"),
        database.connection(),
    ):
        pass


def test_a_closed_database_says_so(empty_url: str) -> None:
    database = Database(empty_url)
    database.close()
    with pytest.raises(StoreError, match="closed"), database.connection():
        pass


def test_a_filtered_vector_query_never_comes_back_short(things: Database) -> None:
    with things.connection() as connection:
        connection.execute("create extension vector")
        connection.execute("create table points (n int, rare bool, at halfvec(3))")
        connection.execute(
            "insert into points select n, n > 2900, ARRAY[1, n / 3000.0, 0]::halfvec(3) "
            "from generate_series(1, 3000) n"
        )
        connection.execute("create index on points using hnsw (at halfvec_cosine_ops)")
        connection.execute("set local enable_seqscan = off")
        nearest = "select n from points where rare order by at <=> '[1,0,0]' limit 10"
        plan = connection.execute(f"explain {nearest}").fetchall()
        assert "Index Scan using points_at_idx" in str(plan)
        assert len(connection.execute(nearest).fetchall()) == 10


def test_the_url_wins_over_our_connection_settings(empty_url: str) -> None:
    url = f"{empty_url}{'&' if '?' in empty_url else '?'}application_name=mine"
    with closing(Database(url)) as database, database.reading() as connection:
        assert connection.execute("show application_name").fetchone() == ("mine",)


def test_the_test_server_has_what_is_needed(database: Database) -> None:
    with database.reading() as connection:
        check_server(connection)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((150018, "15.18", "UTF8", "0.8.5", "0.8.5", True), "Postgres 15.18 is too old.*upgrade"),
        ((160004, "16.4", "LATIN1", None, "0.8.5", True), "LATIN1.*CREATE DATABASE"),
        ((160004, "16.4", "UTF8", None, None, True), "no pgvector; install"),
        ((160004, "16.4", "UTF8", None, "0.6.2", True), "has pgvector 0.6.2.*upgrade"),
        ((160004, "16.4", "UTF8", "0.8.3", "0.8.5", True), "ALTER EXTENSION vector UPDATE in it"),
        ((160004, "16.4", "UTF8", "0.8.5", "0.8.5", False), "'english' is missing"),
    ],
)
def test_what_a_server_lacks_is_named_with_its_cure(facts: tuple[object, ...], said: str) -> None:
    with pytest.raises(StoreError, match=said):
        check_server(FactsOf(facts))  # type: ignore[arg-type]


class FactsOf:
    """A connection to a server of which only these facts are known."""

    def __init__(self, facts: tuple[object, ...]) -> None:
        self.facts = facts

    def execute(self, query: str) -> "FactsOf":
        return self

    def fetchone(self) -> tuple[object, ...]:
        return self.facts


def numbers(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in connection.execute("select n from things order by n")]


def cut(database: Database) -> None:
    """End every connection to the database but the one that does it."""
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )


def accept(server: str, database: Database, yes: bool) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database.url)["dbname"]
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"alter database {name} allow_connections {yes}".encode())


@contextmanager
def closed(server: str, database: Database) -> Iterator[None]:
    """As if the server were away: connections are cut and new ones refused."""
    cut(database)
    accept(server, database, False)
    try:
        yield
    finally:
        accept(server, database, True)
