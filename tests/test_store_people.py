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


def test_no_row_of_any_table_holds_a_forgotten_persons_id(database: Database) -> None:
    """Planted in every text of every table that is not about documents, then looked for everywhere."""
    index(database, {"holidays": (EVERYONE,)})
    mine = answered(database, "when may I take leave", "holidays", person="U0GONE")
    vote(database, mine, "U0GONE", 1)
    other = answered(
        database, "does <@U0GONE> know about leave, or U0GONE2?", "holidays", person="U2"
    )
    vote(database, other, "U0GONE", -1)
    faq_id = "6b1f2c7e-0000-4000-8000-000000000001"
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO faqs (workspace_id, faq_id, question, body, author, author_name, asker, audience,"
            " channel, message_ts, embedder_id, embedding, kept_at)"
            " VALUES (%s, %s, 'q', 'secret words', 'U0GONE', 'Gone', 'U2', '{*}', 'C1', '1', 1, '[1]', %s)",
            (TEAM, faq_id, NOW),
        )
        connection.execute(
            "UPDATE answers SET body = 'secret words', citations = %s WHERE answer_id = %s",
            (f'[{{"source": "faq", "path": "faq/{faq_id}", "quote": "secret words"}}]', other),
        )
        for statement in (
            (
                "INSERT INTO runs (workspace_id, run_id, source, asked_by, started_at, seen_at, error)"
                " VALUES (%s, gen_random_uuid(), 'wiki', 'U0GONE', now(), now(), 'told U0GONE')"
            ),
            (
                "INSERT INTO channel_settings (workspace_id, channel, changed_by, changed_at)"
                " VALUES (%s, 'C1', 'U0GONE', now())"
            ),
            "INSERT INTO audit VALUES (%s, gen_random_uuid(), 'U2', 'made', 'U0GONE an admin', now())",
            "INSERT INTO nights VALUES (%s, gen_random_uuid(), now(), 1, '', '{\"by\": [\"U0GONE\"]}')",
        ):
            connection.execute(statement, (TEAM,))
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
            " VALUES ('work', 'ingest', '{\"asked_by\": \"U0GONE\"}')"
        )
        people.forget(connection, TEAM, "U0GONE")
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        ).fetchall()
        for (name,) in tables:
            for planted in (r"\mU0GONE\M", "secret words"):
                rows = connection.execute(
                    f"SELECT t::text FROM {name} t WHERE t::text ~ %s", (planted,)
                ).fetchall()
                assert rows == [], name
        left = connection.execute("SELECT body FROM questions").fetchall()
    assert left == [("does <@somebody> know about leave, or U0GONE2?",)]


def test_reports_of_runs_and_nights_have_an_age(database: Database) -> None:
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO nights VALUES (%s, gen_random_uuid(), %s, 1, '', '{}')", (TEAM, NOW)
        )
        connection.execute(
            "INSERT INTO runs (workspace_id, run_id, source, state, started_at, seen_at, finished_at)"
            " VALUES (%(team)s, gen_random_uuid(), 'wiki', 'done', %(now)s, %(now)s, %(now)s)",
            {"team": TEAM, "now": NOW},
        )
        people.retain(connection, TEAM, NOW)
        assert connection.execute("SELECT count(*) FROM nights, runs").fetchone() == (1,)
        people.retain(connection, TEAM, NOW + timedelta(seconds=1))
        for table in ("nights", "runs"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
