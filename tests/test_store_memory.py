"""What people judged is remembered per question, for those who may see the text, and forgotten with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from store.database import Database
from store.feedback import memory, votes
from store.index import embedders
from store.records import EVERYONE, Vote
from tests.judged import ENCODER, NOW, TEAM, answered, index, recalled, vote


@pytest.fixture
def team(database: Database) -> Database:
    index(database, {"holidays": (EVERYONE,), "salaries": ("C9",)})
    return database


def test_a_vote_is_remembered_at_once_for_a_similar_question(team: Database) -> None:
    vote(team, answered(team, "when may I take leave", "holidays"), "U1", 1)
    (found,) = recalled(team, "when can I take leave")
    assert (found.passage.path, found.good, found.bad) == ("holidays.md", 1.0, 0.0)
    assert 0.5 < found.similarity < 1


def test_two_people_who_vote_at_once_are_both_remembered(team: Database) -> None:
    answer_id = answered(team, "when may I take leave", "holidays")
    with ThreadPoolExecutor(1) as other, psycopg.connect(team.url) as first:
        votes.cast(first, TEAM, Vote(answer_id, "U1", 1, "button"), NOW)
        second = other.submit(vote, team, answer_id, "U2", 1)
        waited_for(team, first.info.backend_pid)
        first.commit()
        second.result()
    (found,) = recalled(team, "when may I take leave")
    assert found.good == 2.0


def waited_for(database: Database, pid: int) -> None:
    """Return once another session waits for the one with this process id."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        while not connection.execute(
            "SELECT 1 FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))", (pid,)
        ).fetchone():
            pass


def test_a_memory_never_shows_what_the_viewer_may_not_see(team: Database) -> None:
    vote(team, answered(team, "what do managers earn", "salaries"), "U1", 1)
    assert recalled(team, "what do managers earn") == []
    assert len(recalled(team, "what do managers earn", ("C9",))) == 1


def test_a_changed_mind_replaces_and_a_withdrawn_vote_is_forgotten(team: Database) -> None:
    answer_id = answered(team, "when may I take leave", "holidays")
    vote(team, answer_id, "U1", 1)
    vote(team, answer_id, "U1", -1)
    assert [(m.good, m.bad) for m in recalled(team, "when may I take leave")] == [(0.0, 1.0)]
    with team.connection() as connection:
        votes.withdraw(connection, TEAM, Vote(answer_id, "U1", -1, "button"), NOW)
    assert recalled(team, "when may I take leave") == []


def test_a_text_that_changed_is_no_longer_remembered(team: Database) -> None:
    vote(team, answered(team, "when may I take leave", "vacation"), "U1", 1)
    assert recalled(team, "when may I take leave") == []
    with team.connection() as connection:
        assert memory.prune(connection, TEAM) == 1


@pytest.mark.parametrize(
    ("reason", "origin", "bad", "unfounded"),
    [
        ("wrong_document", "mention", 1.0, 0.0),
        ("outdated", "channel", 1.0, 0.0),
        ("wrong_topic", "mention", None, None),
        ("silent", "channel", None, None),
        ("not_found", "mention", None, 1.0),
        (None, "mention", 1.0, 0.0),
        (None, "channel", None, None),
        ("other", "dm", 1.0, 0.0),
        ("other", "channel", None, None),
    ],
)
def test_a_reason_decides_who_learns_from_a_thumbs_down(
    team: Database, reason: str | None, origin: str, bad: float | None, unfounded: float | None
) -> None:
    answer_id = answered(team, "when may I take leave", "holidays", origin=origin)
    vote(team, answer_id, "U1", -1, **({"reason": reason} if reason else {}))
    assert [m.bad for m in recalled(team, "when may I take leave")] == ([bad] if bad else [])
    with team.connection() as connection:
        found = memory.judged(connection, TEAM, embedders.embedder_id(ENCODER.name), 50, 100)
    told = [(row.good, row.bad, row.unfounded) for row in found]
    assert told == ([] if unfounded is None else [(0.0, bad or 0.0, unfounded)])


def test_a_message_that_should_have_been_left_alone_is_unwanted(team: Database) -> None:
    for text, reason in {"lunch anyone": "silent", "when may I take leave": "outdated"}.items():
        vote(team, answered(team, text, "holidays", origin="channel"), "U1", -1, reason=reason)
    liked = answered(team, "see you at noon", "holidays", origin="channel")
    vote(team, liked, "U1", -1, reason="silent")
    vote(team, liked, "U2", 1)
    with team.connection() as connection:
        assert votes.unwanted(connection, TEAM, NOW) == ["lunch anyone"]
        assert votes.unwanted(connection, TEAM, NOW - timedelta(days=1)) == []
        connection.execute(
            "INSERT INTO labels SELECT workspace_id, question_id, 'U3', 'question', 'admin', %s"
            " FROM questions WHERE body = 'lunch anyone'",
            (NOW,),
        )
        assert votes.unwanted(connection, TEAM, NOW) == []


def test_only_a_persons_first_votes_of_a_day_count(team: Database) -> None:
    for number in range(memory.PERSON_VOTES + 5):
        answer_id = answered(team, f"leave {number}", "holidays")
        with team.connection() as connection:
            at = NOW + timedelta(seconds=number)
            votes.cast(connection, TEAM, Vote(answer_id, "U1", 1, "button"), at)
    with team.connection() as connection:
        number = embedders.embedder_id(ENCODER.name)
        assert len(memory.judged(connection, TEAM, number, 50, 100)) == memory.PERSON_VOTES
    assert len(recalled(team, "leave")) == memory.PERSON_VOTES


def test_a_persons_latest_votes_are_learned_from_up_to_a_number(team: Database) -> None:
    for number in range(5):
        answer_id = answered(team, f"leave {number}", "holidays")
        with team.connection() as connection:
            at = NOW + timedelta(seconds=number)
            votes.cast(connection, TEAM, Vote(answer_id, "U1", 1, "button"), at)
    vote(team, answered(team, "when may I take leave", "holidays"), "U2", 1)
    with team.connection() as connection:
        assert sorted(memory.votes_each(connection, TEAM, 100)) == [1, 5]
        rows = memory.judged(connection, TEAM, embedders.embedder_id(ENCODER.name), 2, 100)
    assert [row.ask.body for row in rows] == ["when may I take leave", "leave 3", "leave 4"]


def test_judged_questions_come_with_what_is_needed_to_ask_them_again(team: Database) -> None:
    vote(team, answered(team, "when may I take leave", "holidays"), "U2", -1)
    with team.connection() as connection:
        number = embedders.embedder_id(ENCODER.name)
        (row,) = memory.judged(connection, TEAM, number, 50, 100)
    assert (row.ask.body, row.good, row.bad, row.people) == (
        "when may I take leave", 0.0, 1.0, ("U2",)
    )  # fmt: skip
    assert bytes.fromhex(row.text_hash) == b"holidays"
    assert len(row.vector) == ENCODER.dims
