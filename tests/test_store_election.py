"""One leads at a time, and the next takes over."""

import time
from collections.abc import Callable

import psycopg

from store import election
from store.database import Database


def soon(happens: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_only_one_of_two_leads(database_url: str) -> None:
    first = election.Candidate(database_url, "clock")
    second = election.Candidate(database_url, "clock")
    assert first.leads()
    assert not second.leads()
    assert first.leads()
    first.resign()
    assert soon(second.leads)
    second.resign()


def test_a_leader_whose_connection_is_cut_notices_and_another_takes_over(database_url: str) -> None:
    first = election.Candidate(database_url, "clock")
    second = election.Candidate(database_url, "clock")
    assert first.leads()
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'threadwise-election' AND datname = current_database()"
        )
    assert not first.leads()
    assert soon(second.leads)
    assert not first.leads()
    second.resign()


def test_leads_of_different_names_do_not_meet(database_url: str) -> None:
    first = election.Candidate(database_url, "clock")
    second = election.Candidate(database_url, "other")
    assert first.leads() and second.leads()
    first.resign()
    second.resign()


def test_a_server_that_is_away_means_no_lead() -> None:
    assert not election.Candidate("postgresql://nobody@127.0.0.1:1/none", "clock").leads()


def test_only_one_transaction_is_alone(database: Database) -> None:
    with database.connection() as first, database.connection() as second:
        assert election.alone(first, "rescue")
        assert not election.alone(second, "rescue")
    with database.connection() as third:
        assert election.alone(third, "rescue")
