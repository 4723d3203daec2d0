"""A forgotten person leaves no question, vote or label behind, and nothing that was made of them."""

from datetime import UTC, datetime, timedelta

from store import people
from store.database import Database
from store.feedback import labels, votes
from store.records import EVERYONE, Vote
from tests.judged import TEAM, answered, index, recalled, vote

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_forgetting_erases_questions_votes_and_memory_and_counts_them(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    mine = answered(database, "when may I take leave", "holidays", person="U1")
    vote(database, mine, "U1", 1)
    vote(database, mine, "U2", 1)
    other = answered(database, "when can I be away", "holidays", person="U2")
    vote(database, other, "U1", 1)
    with database.connection() as connection:
        gone = people.forget(connection, TEAM, "U1")
        again = people.forget(connection, TEAM, "U1")
    assert (gone.questions, gone.votes) == (1, 3)
    assert again.total == 0
    assert recalled(database, "when may I take leave") == []
    assert recalled(database, "when can I be away") == []


def test_no_table_names_a_forgotten_person(database: Database) -> None:
    """Whatever tables there are: a thumb that was taken away leaves a row without a vote, too."""
    index(database, {"holidays": (EVERYONE,)})
    vote(database, answered(database, "when may I take leave", "holidays", person="U1"), "U1", 1)
    other = answered(database, "when can I be away", "holidays", person="U2")
    vote(database, other, "U1", -1)
    with database.connection() as connection:
        votes.withdraw(connection, TEAM, Vote(other, "U1", -1, "button"), NOW)
        people.forget(connection, TEAM, "U1")
        tables = connection.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE table_schema = current_schema() AND column_name = 'person'"
        ).fetchall()
        assert {"questions", "votes", "thumbs", "labels"} <= {name for (name,) in tables}
        for (name,) in tables:
            rows = connection.execute(f"SELECT 1 FROM {name} WHERE person = 'U1'").fetchall()
            assert rows == [], name


def test_another_persons_vote_on_the_same_answer_stays(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    answer_id = answered(database, "when may I take leave", "holidays", person="U3")
    vote(database, answer_id, "U1", -1)
    vote(database, answer_id, "U2", 1)
    with database.connection() as connection:
        people.forget(connection, TEAM, "U1")
        assert [v.person for v in votes.of(connection, TEAM, answer_id)] == ["U2"]
    assert [(m.good, m.bad) for m in recalled(database, "when may I take leave")] == [(1.0, 0.0)]


def test_retention_erases_what_is_older_and_keeps_the_rest(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    vote(database, answered(database, "when may I take leave", "holidays"), "U1", 1)
    with database.connection() as connection:
        assert people.retain(connection, TEAM, NOW).total == 0
        assert people.retain(connection, TEAM, NOW + timedelta(days=1)).questions == 1
    assert recalled(database, "when may I take leave") == []


def test_an_admins_label_outweighs_others_and_a_tie_says_nothing(database: Database) -> None:
    index(database, {"holidays": (EVERYONE,)})
    with database.connection() as connection:
        for text, given in (
            ("a", (("U8", "leave", "choice"), ("ADMIN", "payroll", "admin"))),
            ("b", (("U8", "leave", "choice"), ("U9", "payroll", "choice"))),
        ):
            votes_on = answered(database, text, "holidays")
            row = connection.execute(
                "SELECT question_id FROM answers WHERE answer_id = %s", (votes_on,)
            ).fetchone()
            assert row
            for person, intent, origin in given:
                labels.put(connection, TEAM, row[0], person, intent, origin, NOW)
        assert labels.rows(connection, TEAM) == [("a", "payroll")]
