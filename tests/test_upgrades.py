"""Upgrades in the middle of work: another schema than the code's, kills within a migration, a replica that lags."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bot import jobs
from bot.answering import lifecycle
from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.answering.request import Request
from store import answers, questions
from store.database import Connection, Database, StoreBehind
from store.index import search
from store.migrate import FOLDER, MigrationError, migrate
from store.queue import Queue
from store.records import (
    EVERYONE,
    Answer,
    Ask,
    Citation,
    Kind,
    Passage,
    Phrasing,
    Question,
    Sentence,
    Shown,
    Viewer,
)
from tests import postgres
from tests.store_parts import ENCODER, begin, make, put

ASK = Ask("local", "C1", "1700000000.000100", "U1", "How many days off?", "mention", False)
FILES = sorted(FOLDER.glob("*.sql"))
DELIVERIES_AT = 12  # since this one, migrations only add
KILL = "\nselect pg_terminate_backend(pg_backend_pid());\n"
COLUMNS = (
    "SELECT table_name, column_name, data_type, is_nullable, column_default"
    " FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
)
REQUIRED = (
    "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public'"
    " AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND is_generated = 'NEVER'"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the migrations that an older Threadwise knew."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return folder


@pytest.fixture
def old(empty_url: str, folder: Path) -> Iterator[Database]:
    with closing(Database(empty_url)) as database:
        yield database


def upgrade(url: str, folder: Path, number: int) -> None:
    """Bring a database to where migration `number` was the last one."""
    for file in FILES[:number]:
        shutil.copy(file, folder)
    migrate(url, folder)


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode()).fetchall()


def columns(found: list[tuple[object, ...]]) -> set[tuple[object, ...]]:
    """Give tables' columns with their types."""
    return {row[:3] for row in found}


def an_answer(request: Request) -> Answer:
    return Answer(uuid4(), request.text, "not_found", 0.1, None, (), ())


def hand_over(url: str, connection: Connection, question: Question) -> None:
    jobs.defer_delivery(connection, Queue(url), "local", question.question_id)


def a_passage() -> Passage:
    return Passage(1, "hr", "leave.md", "Leave", "", None, "28 days.", "00", None, 0, 0.9, unit=0.5)


def found_by(database: Database, question: str) -> list[Passage]:
    """Search as everyone, where questions are searched."""
    with database.snapshot() as connection:
        plan = search.prepare(connection, "local", question, Viewer((EVERYONE,)))
        vector = ENCODER.encode([question])[0].tolist()
        return search.passages(connection, "local", plan, vector, weight=0.5)


def handle(database: Database, question_id: UUID) -> str:
    return lifecycle.handle(
        database, "local", question_id, an_answer, partial(hand_over, database.url), max_question=500
    )  # fmt: skip


def test_a_kill_within_any_migration_leaves_nothing_and_old_code_can_write_after_each(
    empty_url: str, database_url: str, folder: Path
) -> None:
    """Old code knows none of the later columns: none may be asked for, and none of its own be gone."""
    for number, file in enumerate(FILES, 1):
        before = rows(empty_url, COLUMNS), set(rows(empty_url, REQUIRED))
        killed = folder / file.name
        text = file.read_text()
        killed.write_text(text + KILL)
        with pytest.raises(MigrationError, match="Postgres|terminat|closed|lost"):
            migrate(empty_url, folder)
        killed.write_text(text)
        assert migrate(empty_url, folder) == [file.name]
        if number >= DELIVERIES_AT:
            assert columns(before[0]) <= columns(rows(empty_url, COLUMNS))
            tables = {row[0] for row in before[0]}
            asked = set(rows(empty_url, REQUIRED)) - before[1]
            assert not [name for (name,) in asked if str(name).partition(".")[0] in tables]
    assert rows(empty_url, COLUMNS) == rows(database_url, COLUMNS)


@pytest.mark.parametrize("number", [5, DELIVERIES_AT - 1, len(FILES) - 1])
def test_new_code_with_an_old_schema_loses_no_question_and_names_the_cure(
    old: Database, folder: Path, number: int
) -> None:
    upgrade(old.url, folder, number)
    question_id = uuid4()
    with old.connection() as connection:
        connection.execute(
            "INSERT INTO questions (workspace_id, question_id, channel, message_ts, person, body, origin,"
            " is_private, claimed_at) VALUES ('local', %s, 'C1', '1.1', 'U1', 'Days off?', 'mention', false, now())",
            (question_id,),
        )
    try:
        handle(old, question_id)
    except StoreBehind as behind:
        assert str(behind).count("\n") == 0 and "threadwise migrate" in str(behind)
    upgrade(old.url, folder, len(FILES))
    assert rows(old.url, "SELECT status, error FROM questions") in (
        [(None, None)],
        [("not_found", None)],
    )
    assert handle(old, question_id) == "not_found"
    assert rows(old.url, "SELECT count(*) FROM answers") == [(1,)]


def test_what_a_newer_process_keeps_besides_breaks_no_older_one(database: Database) -> None:
    """During a rolling update both answer: the one must not choke on what the other kept."""
    cited = Citation(
        "Leave", "leave.md", None, "28 days.", "", 0.9, datetime.now(UTC), "hr", 1, ("page 2",)
    )
    given = Answer(
        uuid4(), "Days off?", "answered", 0.9, "28 days.", (cited,), (a_passage(),),
        hints=(cited,), shown=(Shown("28 days.", ("28 days.",), "leave.md", ""),), vector=(1.0,),
        phrasing=Phrasing((Sentence("28 days.", (1,)),), (1,), "small", 0.1),
    )  # fmt: skip
    later = {"unheard_of": {"deep": [1]}}
    with database.connection() as connection:
        question_id = questions.claim(connection, ASK, datetime.now(UTC))
        assert question_id is not None
        kept = answers.record(
            connection, "local", question_id, given, None, None, datetime.now(UTC)
        )
        for column in ("citations", "passages", "hints", "shown"):
            connection.execute(
                f"UPDATE answers SET {column} = jsonb_set({column}, '{{0}}', {column}->0 || %s)",
                (Jsonb(later),),
            )
        connection.execute(
            "UPDATE answers SET phrasing = jsonb_set(phrasing, '{sentences,0}',"
            " phrasing->'sentences'->0 || %(later)s) || %(later)s",
            {"later": Jsonb(later)},
        )
        assert answers.of(connection, "local", question_id) == kept

    packed = answers.packed(given).obj
    newer = {
        key: [each | later for each in value] if isinstance(value, list) else value
        for key, value in packed.items()
    }
    read = answers.unpacked(newer | later, given.vector)
    assert read == replace(given, answer_id=read.answer_id, question="", phrasing=None)


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("memory", {"weight": 0.1, "floor": 0.5}),
        ("thresholds", {"answer_above": 0.9}),
        ("title", {"title_weight": 0.2}),
        ("fusion", {"vector_weight": 0.6}),
        ("confidence", {"weights": {}, "intercept": 0, "answer_above": 0.5, "unsure_above": 0.1}),
    ],
)
def test_nor_do_learned_numbers_that_it_does_not_know(
    kind: Kind, payload: dict[str, object]
) -> None:
    shipped = Parameters(Calibrator.default())
    newer = payload | {"half_life": "ninety days"}
    assert shipped.with_part(kind, newer) == shipped.with_part(kind, payload) != shipped


def test_a_replica_that_lags_costs_an_answer_but_not_the_question(
    server: str, template: str, database: Database
) -> None:
    put(database, begin(database), make("leave.md", "Everybody has 28 days off a year."))
    with (
        postgres.database(server, template) as lagging,
        closing(Database(database.url, replica_url=lagging)) as served,
    ):
        assert found_by(served, "How many days off?") == []
        with served.connection() as connection:
            question_id = questions.claim(connection, ASK, datetime.now(UTC))
        assert question_id is not None
        assert handle(served, question_id) == "not_found"
    assert found_by(database, "How many days off?")


def test_five_thousand_waiting_questions_of_one_person_keep_nobody_else_waiting(
    database: Database,
) -> None:
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO questions (workspace_id, question_id, channel, message_ts, person, body, origin,"
            " is_private, claimed_at, place) SELECT 'local', gen_random_uuid(), 'C1', n::text, 'U1', 'What?', 'mention',"
            " false, now(), 1 - n FROM generate_series(1, 5000) n"
        )
        connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, priority, args)"
            " SELECT 'questions', 'answer', place, jsonb_build_object('workspace', 'local', 'question_id',"
            " question_id) FROM questions ORDER BY place DESC"
        )
        other = questions.claim(
            connection, Ask("local", "D2", "1.2", "U2", "And I?", "dm", True), datetime.now(UTC)
        )
        assert other is not None
        jobs.defer_answer(connection, Queue(database.url), "local", other)
        worker = connection.execute(
            "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
        ).fetchone()
        assert worker is not None
        taken = [
            row[0]
            for _ in range(2)
            for row in connection.execute(
                "SELECT args ->> 'question_id' FROM procrastinate_fetch_job_v2(ARRAY['questions'], %s)",
                worker,
            ).fetchall()
        ]
    assert str(other) in taken
