"""No query reads the whole of a table that grows: each is planned as for a million questions and ten million
chunks.

A few hundred rows are there; Postgres is told that they are so many, and plans by the shape of these few.
"""

import importlib
import inspect
import json
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

import store
from store.audit import Deed
from store.cache import State
from store.calls import Call
from store.channels import ChannelSettings
from store.conversations import Onlooker, Wanted
from store.database import SETTINGS
from store.feedback.drifts import Drift
from store.feedback.faqs import Reply
from store.feedback.nights import Night
from store.feedback.stale import Outdated
from store.feedback.trainings import Training
from store.gaps import Group, Member, Untitled
from store.index.builds import Build
from store.index.embedders import embedder_id, ensure_embedder
from store.index.search import Plan, Scope, Terms
from store.records import (
    EVERYONE,
    Answer,
    Ask,
    Chunk,
    Document,
    Failure,
    Question,
    Run,
    Viewer,
    Vote,
)  # fmt: skip
from store.testset import Trial

ROWS = 400
ROW_COST = 0.01
"""What Postgres' planner counts for a row that is read, by default (cpu_tuple_cost)."""

GROWING = {
    "accepted_signatures": 100_000, "answers": 1_000_000, "audit": 100_000, "calls": 200_000, "channel_turns": 10_000,
    "chunks": 10_000_000, "daily_figures": 500_000, "documents": 1_000_000, "failures": 100_000, "labels": 200_000,
    "gap_questions": 100_000, "memory": 300_000, "nights": 4_000, "notices": 10_000,
    "postings": 600_000_000, "procrastinate_events": 3_000_000,
    "procrastinate_jobs": 1_000_000, "questions": 1_000_000, "runs": 100_000, "second_vectors": 10_000_000, "term_stats": 3_000_000,
    "thumbs": 300_000, "votes": 300_000,
}  # fmt: skip
"""Tables that grow with the questions, the documents or the days, with their rows. Sources, builds, scopes,
encoders, versions and settings are as many as a team sets up, kept replies as an admin approves by hand."""

MAY_READ_ALL = {
    "conversations.search": "what matches little is looked for in all chosen days, for some seconds",
    "feedback.memory.answers_judged": "a night counts all votes: which of a day count depends on the others",
    "feedback.memory.judged": "so it does here",
    "feedback.memory.votes_each": "and here",
    "feedback.votes.unwanted": "and here",
    "feedback.labels.rows": "a classifier is trained on all labels",
    "feedback.memory.prune": "once a night, each judged question is looked at",
    "index.second.prune": "after hours of encoding, each text that was encoded is looked for",
    "queue.forget": "once a night, the jobs of the last week are",
    "feedback.drifts.tallies": "a night looks at all questions of nine weeks",
    "feedback.drifts.vectors": "and here",
    "figures.refresh": "counts all questions when it counts for the first time",
    "people.forget": "every text is searched for a person who asked to be forgotten",
    "people.forget_everything": "erases the whole workspace of a simulation",
    "workspaces.connect": "moves all rows, once, when Slack is connected",
}

NUMBER, DIMS = embedder_id("plans@1"), 384
VECTOR = [1.0] + [0.0] * (DIMS - 1)
HASH = bytes(31) + b"\7"
ONE, NOW = UUID(int=7), datetime.now(UTC)
ASK = Ask(
    "local", "channel7", "message_ts7", "person7", "Who plans it?", "mention", False, "thread_ts7"
)
CHUNK = Chunk(0, "Heading", "body of a page", HASH)
BUILD = Build(7, "source7", NUMBER, "v1", "live")
SEARCH = Plan(
    Scope((7, 8), NUMBER, DIMS, 9_000_000, 1_000_000), Terms(("term7", "term8"), (5.0, 1.0), 1, 90.0, 0, 0.0)
)  # fmt: skip

DAYS: Mapping[str, object] = {"since": NOW.date() - timedelta(days=7), "until": NOW.date()}

STATE = State((8,), (1,), (), 1)

GIVEN: Mapping[str, object] = {
    "workspace": "local", "channel": "channel7", "ts": "message_ts7", "message_ts": "message_ts7",
    "thread_ts": "thread_ts7", "person": "person7", "ask": ASK, "limit": 3, "name": "source7", "admin": "U1",
    "question_id": ONE, "answer_id": ONE, "faq_id": ONE, "version_id": ONE, "job_id": 7, "build_id": 7,
    "chunk_id": 7, "scope_id": 8, "embedder_id": NUMBER, "dims": DIMS, "vector": VECTOR, "vectors": [VECTOR],
    "now": NOW, "since": NOW - timedelta(days=1), "until": NOW, "before": NOW - timedelta(days=ROWS - 1),
    "older_than": NOW - timedelta(minutes=1), "at": NOW, "seconds": 60.0, "lease_seconds": 60.0, "pace": 1.0,
    "is_open": True, "approve": True, "strict": False, "front": 0, "most": 50, "answers": 4000, "least": 50,
    "floor": 0.3, "weight": 0.5, "viewer": Viewer((EVERYONE,)), "scope": SEARCH.scope, "plan": SEARCH,
    "question": "Who plans the partty?", "unknown": ["partty"], "others": [8, 9], "sources": None,
    "vote": Vote(ONE, "person7", -1, "button"), "intent": "intent7", "origin": "admin", "kind": "title",
    "status": "answered", "error": "it failed", "marker": "eyes", "body": "Who?", "edited_ts": "1.3",
    "reply": Reply("channel7", "thread_ts7", "new", "U7", "Ana", "Ask Ana.", None, True),
    "answer": Answer(uuid4(), "Who?", "answered", 0.9, "Ana"), "settings": ChannelSettings("channel7"),
    "changed_by": "U1", "night": Night(uuid4(), NOW, 1.0, "", {}), "prefix": str(ONE),
    "questions": [Outdated("answer", ONE, "Who?")], "source": "source7", "chunker": "v1", "build": BUILD,
    "build_ids": [7], "rows": [(7, 7, "Title", CHUNK)], "titles": {7: "Title"}, "text_hashes": [HASH],
    "paths": ["path7"], "documents": [Document("path7", "1", b"", "Title", None, None, ("G",), (CHUNK,))],
    "document": Document("path7", "1", b"", "Title", None, None, ("G",), (CHUNK,)), "address": "folder",
    "versions": {"path7": "2"}, "chunks": [(1_000_007, 7, "term of a page")], "added": Counter({"term7": 1}),
    "removed": Counter[str](), "failures": [(Failure("source7", "path7", "why", NOW, False), "1")],
    "run": Run(uuid4(), "source7", "running", NOW, NOW, None, *[0] * 9, None), "cited": [("source7", "path7")],
    "audience_of": lambda path: ("G",), "schedule": None, "configured": ["source7"], "task": "answer",
    "gap_id": ONE, "assignee": "U7", "by": "U1", "pages": [("source7", "path7")], "call_id": ONE,
    "call": Call(ONE, ONE, "channel7", "thread_ts7", "person7", NOW), "state": "open", "notice_id": ONE,
    "groups": [Group(ONE, (Member(ONE, True, False, 0.9),), NOW)],
    "part": "channel", "key": "question_id", "after": 7, "tasks": ["answer"], "signature": "signature7", "team": "T1",
    "deed": Deed("U1", "retrained", "intents", NOW), "token": "token7",
    "onlooker": Onlooker("person7", ("channel7",)), "wanted": Wanted(NOW - timedelta(days=30), NOW),
    "principals": [EVERYONE], "path": "path7", "order": "cited", "stale": NOW, "added_by": "U1",
    "trial": Trial(ONE, "Who?", True, "path7", "Ana"), "report": {}, "detail": "", "is_public": True,
    "drift": Drift("topics", NOW, 60, 400, 0.1, 0.001, question_ids=(ONE,)), "question_ids": [ONE],
    "training": Training("intents", NOW, True, 90, 0.9, 0.3, {}), "each": 8, "channels": ["channel7"],
    "gap": Untitled(ONE, (ONE,), ("channel7",), ("Who?",)), "title": "People",
    "expires_at": None, "reason": "", "signals": {}, "faq_ids": [ONE], "named_in": ["C1"], "who": "U1", "is_on": True,
}  # fmt: skip
"""What is passed to a function of the store, by the name of the parameter."""

INSTEAD: Mapping[str, Mapping[str, object]] = {
    "feedback.faqs.serves": {"faq_id": str(ONE)},
    "index.embedders.ensure_embedder": {"name": "plans@1"},
    **{f"figures.{name}": DAYS for name in ("between", "daily", "by", "cited")},
    "cache.look": {"key": b"key"},
    "cache.used": {"key": b"key", "state": STATE},
    "cache.put": {
        "key": b"key",
        "state": STATE,
        "answer": Answer(uuid4(), "Who?", "answered", 0.9, "Ana", vector=tuple(VECTOR)),
    },
    "feedback.drifts.add": {"found": [Drift("topics", NOW, 60, 400, 0.1, 0.001)]},
    "index.second.cosines": {"text_hashes": [HASH.hex()]},
    "index.second.add": {"vectors": {HASH: VECTOR}},
    "index.pages.listed": DAYS,
    "questions.stands": {"question": Question(ONE, ASK, NOW, 1, None)},
}
"""Where a parameter of that name is something else."""

VARIANTS: Mapping[str, tuple[Mapping[str, object], ...]] = {
    "index.search.passages": ({"exact": 20_000_000}, {"leg": "vector"}, {"leg": "lexical"}),
    "index.documents.known_vectors": ({"build_id": 7},),
    "index.pages.listed": tuple(
        {"order": order} for order in ("stale", "disliked", "partial", "hidden", "path")
    ),
    "conversations.search": tuple(
        {"wanted": Wanted(NOW - timedelta(days=365), NOW, **wanted)}
        for wanted in (
            {"words": "term7"},
            {"status": "failed"},
            {"thumbs": "up"},
            {"thumbs": "none"},
            {"least": 0.5},
            {"channel": "channel7"},
            {"source": "source7"},
        )
    ),
}
"""Further calls that lead to other queries."""

OF_COLUMN = {
    "workspace_id": "'local'", "origin": "'mention'", "status": "'answered'", "value": "1",
    "embedder_id": str(NUMBER), "audience": f"ARRAY['{EVERYONE}']", "embedding": "{vector}",
    "build_id": "n % 20", "scope_id": "n % 20", "source": "'source' || n % 20", "marker": "'none'",
    "channel": "'channel' || n % 50", "person": "'person' || n % 60", "type": "'deferred'", "part": "'channel'",
    "task_name": "'task' || n % 6", "queue_name": "'queue' || n % 3", "intent": "'intent' || n % 12",
}  # fmt: skip
OF_TABLE = {
    ("accepted_signatures", "accepted_at"): "now()",
    ("answers", "citations"): "'[]'",
    ("answers", "phrasing"): "NULL",
    ("answers", "rewriting"): "NULL",
    ("channel_turns", "channel"): "'channel' || n",
    ("labels", "origin"): "'admin'",
    ("procrastinate_events", "id"): "n + 1000000",
    ("procrastinate_jobs", "status"): "(CASE n WHEN 7 THEN 'doing' ELSE 'failed' END)::procrastinate_job_status",
    ("procrastinate_jobs", "worker_id"): "NULL",
    ("runs", "state"): "'done'",
}  # fmt: skip
OF_TYPE = {
    "text": "'{column}' || n", "character varying": "'{column}' || n", "uuid": "lpad(to_hex(n), 32, '0')::uuid",
    "bytea": "decode(lpad(to_hex(n), 64, '0'), 'hex')", "jsonb": "'{{}}'", "ARRAY": "'{{}}'",
    "date": "current_date - n", "timestamp with time zone": "now() - n * interval '1 day'", "boolean": "n % 2 = 0",
}  # fmt: skip
"""What the n-th row holds, by column or by type; a number otherwise is n."""


class Planned(psycopg.Connection[tuple[Any, ...]]):
    """A connection that has each query planned before it runs it."""

    plans: list[dict[str, Any]]


def planned(cursor: psycopg.Cursor[Any], query: Any, parameters: Any) -> None:
    connection = cursor.connection
    assert isinstance(connection, Planned)
    text = query if isinstance(query, str) else query.as_string(connection)
    if text.split(None, 1)[0].strip("(").upper() in (
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "WITH",
    ):
        plain = psycopg.Cursor(connection)
        plain.execute(f"EXPLAIN (FORMAT JSON) {text}".encode(), parameters)
        (row,) = plain.fetchall()
        connection.plans.append(row[0][0]["Plan"])


class Cursor(psycopg.Cursor[Any]):
    def execute(self, query: Any, params: Any = None, **more: Any) -> "Cursor":
        planned(self, query, params)
        return super().execute(query, params, **more)

    def executemany(self, query: Any, params_seq: Any, **more: Any) -> None:
        for params in (rows := list(params_seq))[:1]:
            planned(self, query, params)
        super().executemany(query, rows, **more)


class ServerCursor(psycopg.ServerCursor[Any]):
    def execute(self, query: Any, params: Any = None, **more: Any) -> "ServerCursor":
        planned(self, query, params)
        return super().execute(query, params, **more)


@contextmanager
def large(url: str) -> Iterator[Planned]:
    """Connect to a database that says to be large."""
    with Planned.connect(url, cursor_factory=psycopg.Cursor) as connection:
        connection.execute(SETTINGS)
        ensure_embedder(connection, "local", "plans@1", DIMS)
        try:
            connection.execute("SET session_replication_role = replica")  # no triggers
        except psycopg.errors.InsufficientPrivilege:
            pytest.skip("the account may not change what Postgres knows of its tables")
        for table, rows in GROWING.items():
            fill(connection, table)
            connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = off)".encode())
            connection.execute(f"ANALYZE {table}".encode())
            connection.execute(
                "UPDATE pg_class SET reltuples = %s WHERE oid = %s::regclass"
                " OR oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = %s::regclass AND indpred IS NULL)",
                (rows, table, table),
            )
        connection.execute("SET session_replication_role = origin")
        connection.commit()
        connection.plans = []
        connection.cursor_factory, connection.server_cursor_factory = Cursor, ServerCursor
        yield connection


def fill(connection: Planned, table: str) -> None:
    columns = connection.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'",
        (table,),
    ).fetchall()
    values = [
        OF_TABLE.get((table, name))
        or OF_COLUMN.get(name)
        or OF_TYPE.get(kind, "n").format(column=name)
        for name, kind in columns
    ]
    listed = ", ".join(name for name, _ in columns)
    connection.execute(
        f"INSERT INTO {table} ({listed}) SELECT {', '.join(values)} FROM generate_series(1, {ROWS}) n"
        .replace("{vector}", f"'{json.dumps(VECTOR)}'").encode()
    )  # fmt: skip


def calls() -> Iterator[tuple[str, Callable[..., object], dict[str, object]]]:
    """Give each public function of the store that asks Postgres, with what to pass to it."""
    for module in pkgutil.walk_packages(store.__path__, "store."):
        found = importlib.import_module(module.name)
        for name, function in inspect.getmembers(found, inspect.isfunction):
            parameters = inspect.signature(function).parameters
            if (
                function.__module__ != module.name
                or name[0] == "_"
                or "connection" not in parameters
            ):
                continue
            known = f"{module.name.removeprefix('store.')}.{name}"
            given = {**GIVEN, **INSTEAD.get(known, {})}
            needed = [p.name for p in parameters.values() if p.default is p.empty]
            passed = {name: given[name] for name in needed if name != "connection"}
            for more in ({}, *VARIANTS.get(known, ())):
                yield known, function, {**passed, **more}


def read_whole(
    plan: Mapping[str, Any], table_of: Mapping[str, str], above: str = ""
) -> Iterator[str]:
    """Name the growing tables of which a plan reads all rows, or about half of them by an index."""
    kind = plan["Node Type"]
    table = plan.get("Relation Name") or table_of.get(plan.get("Index Name", ""), "")
    if table in GROWING and kind.endswith("Scan"):
        half = max(1000, GROWING[table] * ROW_COST / 2)
        if kind == "Seq Scan" or (above != "Limit" and plan["Total Cost"] > half):
            yield f"{kind} of {table}"
    for part in plan.get("Plans", ()):
        yield from read_whole(part, table_of, kind)


def test_no_query_reads_the_whole_of_a_table_that_grows(database_url: str) -> None:
    faults: dict[str, set[str]] = {}
    with large(database_url) as connection:
        table_of = dict(
            psycopg.Cursor(connection).execute(
                "SELECT indexrelid::regclass::text, indrelid::regclass::text FROM pg_index"
            ).fetchall()
        )  # fmt: skip
        for name, function, given in calls():
            connection.plans.clear()
            with connection.transaction(force_rollback=True):
                function(connection, **given)
            found = {each for plan in connection.plans for each in read_whole(plan, table_of)}
            if found:
                faults.setdefault(name, set()).update(found)
    assert "people.forget_everything" in faults  # it would be noticed
    assert {name: each for name, each in faults.items() if name not in MAY_READ_ALL} == {}
