"""What is kept of people, and forgetting it: one person's traces, or all that is older than a limit.

Knows nothing about Slack. What was made of erased rows (memory) goes with them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import sql
from psycopg.types.json import Jsonb

from store import cache, gaps
from store.database import Connection
from store.feedback import memory

_MINE = (
    "SELECT question_id FROM questions WHERE workspace_id = %(workspace)s AND person = %(person)s"
)
_OLD = "SELECT question_id FROM questions WHERE workspace_id = %(workspace)s AND claimed_at < %(before)s"

FEEDBACK_TABLES = (
    "gap_questions", "gaps", "calls", "memory", "thumbs", "votes", "labels", "answers", "questions", "faqs", "nights",
    "model_versions", "cached_answers", "drifts", "trainings",
)  # fmt: skip


AGEING = {"runs": "finished_at", "nights": "started_at", "audit": "happened_at",
          "notices": "created_at", "cached_answers": "asked_at", "drifts": "tested_at",
          "trainings": "made_at"}  # fmt: skip
"""Tables whose rows go by their age alone, each with the column that tells it."""

OF_DOCUMENTS = (
    "builds", "chunks", "documents", "embedders", "failures", "postings", "schema_migrations", "scopes",
    "sources", "term_stats",
)  # fmt: skip
"""Tables of what documents and settings say: a person named there is named by the team, not by us."""

SOMEBODY = "somebody"
"""Stands for a person who was forgotten."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many rows of each sort were erased; `votes` counts the person's own and those on their answers."""

    questions: int = 0
    votes: int = 0
    labels: int = 0
    faqs: int = 0
    audit: int = 0

    @property
    def total(self) -> int:
        """How many rows are gone, over all tables."""
        return self.questions + self.votes + self.labels + self.faqs + self.audit


def forget(connection: Connection, workspace: str, person: str) -> Forgotten:
    """Erase a person's questions with their answers, their votes, labels and kept replies.

    Votes of others on the person's questions go too: without the question they teach nothing.
    """
    given: dict[str, object] = {"workspace": workspace, "person": person}
    voted = connection.execute(
        "DELETE FROM votes WHERE workspace_id = %(workspace)s AND person = %(person)s"
        " RETURNING answer_id",
        given,
    ).fetchall()
    connection.execute(
        "DELETE FROM thumbs WHERE workspace_id = %(workspace)s AND person = %(person)s", given
    )
    labels = connection.execute(
        "DELETE FROM labels WHERE workspace_id = %(workspace)s AND person = %(person)s", given
    ).rowcount
    kept = connection.execute(
        "DELETE FROM faqs WHERE workspace_id = %(workspace)s"
        " AND (author = %(person)s OR asker = %(person)s) RETURNING faq_id::text",
        given,
    ).fetchall()
    _unquote(connection, workspace, [row[0] for row in kept])
    audit = connection.execute(
        "DELETE FROM audit WHERE workspace_id = %(workspace)s AND person = %(person)s", given
    ).rowcount
    questions, votes, more = _erase(connection, _MINE, given)
    gaps.prune(connection, workspace)
    for (answer_id,) in voted:
        memory.refresh(connection, workspace, answer_id)
    cache.clear(connection, workspace)
    _unname(connection, person)
    return Forgotten(questions, len(voted) + votes, labels + more, len(kept), audit)


def _unquote(connection: Connection, workspace: str, faq_ids: Sequence[str]) -> None:
    """Take kept replies that are gone out of the answers that quoted them."""
    for faq_id in faq_ids:
        cited = Jsonb([{"source": "faq", "path": f"faq/{faq_id}"}])
        connection.execute(
            "UPDATE answers SET body = NULL, citations = '[]', hints = '[]', passages = '[]',"
            " shown = '[]' WHERE workspace_id = %s AND (citations @> %s OR hints @> %s)",
            (workspace, cited, cited),
        )


def _unname(connection: Connection, person: str) -> None:
    """Put somebody in place of a person's id wherever it is left: in others' words, reports and jobs."""
    columns = connection.execute(
        "SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c"
        " JOIN information_schema.tables t USING (table_schema, table_name)"
        " WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE'"
        " AND c.data_type IN ('text', 'jsonb', 'character varying')"
        " AND NOT c.table_name = ANY (%s)",
        (list(OF_DOCUMENTS),),
    ).fetchall()
    whole = rf"\m{re.escape(person)}\M"
    for table, column, kind in columns:
        name = sql.Identifier(column)
        connection.execute(
            sql.SQL(
                "UPDATE {table} SET {name} = regexp_replace({name}::text, %s, %s, 'g')::{kind}"
                " WHERE {name}::text ~ %s"
            ).format(table=sql.Identifier(table), name=name, kind=sql.SQL(kind)),
            (whole, SOMEBODY, whole),
        )


def retain(connection: Connection, workspace: str, before: datetime) -> Forgotten:
    """Erase questions asked before a moment, with their answers, votes and labels, and the reports of
    runs and nights and the notes of what admins did from before it."""
    given: dict[str, object] = {"workspace": workspace, "before": before}
    for table, age in AGEING.items():
        connection.execute(
            f"DELETE FROM {table} WHERE workspace_id = %(workspace)s AND {age} < %(before)s", given
        )
    questions, votes, labels = _erase(connection, _OLD, given)
    gaps.prune(connection, workspace)
    cache.sweep(connection, workspace)
    return Forgotten(questions, votes, labels)


def forget_everything(connection: Connection, workspace: str) -> None:
    """Erase all feedback and all that was learned, but no documents: for a simulation's workspace."""
    for table in FEEDBACK_TABLES:
        connection.execute(f"DELETE FROM {table} WHERE workspace_id = %s", (workspace,))


def _erase(connection: Connection, chosen: str, given: dict[str, object]) -> tuple[int, int, int]:
    """Delete questions and what hangs on them; gives (questions, votes, labels)."""
    of_answers = (
        "workspace_id = %(workspace)s AND answer_id IN (SELECT answer_id FROM answers"
        f" WHERE workspace_id = %(workspace)s AND question_id IN ({chosen}))"
    )
    of_questions = f"workspace_id = %(workspace)s AND question_id IN ({chosen})"
    votes = connection.execute(f"DELETE FROM votes WHERE {of_answers}", given).rowcount
    for table in ("gap_questions", "calls"):
        connection.execute(f"DELETE FROM {table} WHERE {of_questions}", given)
    for table in ("thumbs", "memory"):
        connection.execute(f"DELETE FROM {table} WHERE {of_answers}", given)
    labels = connection.execute(f"DELETE FROM labels WHERE {of_questions}", given).rowcount
    for table in ("answers", "test_questions"):
        connection.execute(f"DELETE FROM {table} WHERE {of_questions}", given)
    questions = connection.execute(f"DELETE FROM questions WHERE {of_questions}", given).rowcount
    return questions, votes, labels
