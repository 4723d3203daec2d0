"""Questions whose vector is of an encoder that serves no more: judged ones, and those of kept replies.

Knows nothing about models: an encoder is its id (store/index/embedders.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from store.database import Connection
from store.values import halfvec

# Not "<>", for which Postgres would read all answers.
_OUTDATED = """
(SELECT 'answer', a.answer_id, q.body FROM answers a JOIN questions q USING (workspace_id, question_id)
 WHERE a.workspace_id = %(workspace)s
 AND (a.embedder_id < %(embedder)s OR a.embedder_id > %(embedder)s) AND EXISTS (
    SELECT 1 FROM votes v WHERE v.workspace_id = a.workspace_id AND v.answer_id = a.answer_id)
 LIMIT %(most)s)
UNION ALL
(SELECT 'faq', faq_id, question FROM faqs
 WHERE workspace_id = %(workspace)s AND embedder_id <> %(embedder)s LIMIT %(most)s)
"""

_KEYS = {
    "answer": (("answers", "answer_id"), ("memory", "answer_id")),
    "faq": (("faqs", "faq_id"),),
}
"""Where the vector of each kind stands, and under which key."""


@dataclass(frozen=True, slots=True)
class Outdated:
    """A question to be encoded anew: of an answer that people judged, or of a kept reply."""

    kind: Literal["answer", "faq"]
    key: UUID
    question: str


def outdated(connection: Connection, workspace: str, embedder_id: int, most: int) -> list[Outdated]:
    """List questions with a vector of another encoder, up to `most` of each kind."""
    rows = connection.execute(
        _OUTDATED, {"workspace": workspace, "embedder": embedder_id, "most": most}
    ).fetchall()
    return [Outdated(*row) for row in rows]


def renew(
    connection: Connection,
    workspace: str,
    embedder_id: int,
    questions: Sequence[Outdated],
    vectors: Sequence[Sequence[float]],
) -> None:
    """Store the vectors that this encoder gave for the questions, one each."""
    given = list(zip(questions, vectors, strict=True))
    for kind, places in _KEYS.items():
        rows = [
            (embedder_id, halfvec(connection, vector), workspace, question.key)
            for question, vector in given
            if question.kind == kind
        ]
        for table, key in places:
            connection.cursor().executemany(
                f"UPDATE {table} SET embedder_id = %s, embedding = %s::halfvec"
                f" WHERE workspace_id = %s AND {key} = %s",
                rows,
            )
