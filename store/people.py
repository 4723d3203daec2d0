"""What is kept of people, and forgetting it: one person's traces, or all that is older than a limit.

Knows nothing about Slack. What was made of erased rows (memory) goes with them.
"""

from dataclasses import dataclass
from datetime import datetime

from store.database import Connection
from store.feedback import memory

_MINE = (
    "SELECT question_id FROM questions WHERE workspace_id = %(workspace)s AND person = %(person)s"
)
_OLD = "SELECT question_id FROM questions WHERE workspace_id = %(workspace)s AND claimed_at < %(before)s"

FEEDBACK_TABLES = (
    "memory", "thumbs", "votes", "labels", "answers", "questions", "faqs", "nights", "model_versions",
)  # fmt: skip


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
    faqs = connection.execute(
        "DELETE FROM faqs WHERE workspace_id = %(workspace)s"
        " AND (author = %(person)s OR asker = %(person)s)",
        given,
    ).rowcount
    connection.execute(
        "UPDATE faqs SET decided_by = NULL WHERE workspace_id = %(workspace)s"
        " AND decided_by = %(person)s",
        given,
    )
    audit = connection.execute(
        "DELETE FROM audit WHERE workspace_id = %(workspace)s AND person = %(person)s", given
    ).rowcount
    questions, votes, more = _erase(connection, _MINE, given)
    for (answer_id,) in voted:
        memory.refresh(connection, workspace, answer_id)
    return Forgotten(questions, len(voted) + votes, labels + more, faqs, audit)


def retain(connection: Connection, workspace: str, before: datetime) -> Forgotten:
    """Erase questions asked before a moment, with their answers, votes and labels."""
    questions, votes, labels = _erase(connection, _OLD, {"workspace": workspace, "before": before})
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
    for table in ("thumbs", "memory"):
        connection.execute(f"DELETE FROM {table} WHERE {of_answers}", given)
    labels = connection.execute(f"DELETE FROM labels WHERE {of_questions}", given).rowcount
    connection.execute(f"DELETE FROM answers WHERE {of_questions}", given)
    questions = connection.execute(f"DELETE FROM questions WHERE {of_questions}", given).rowcount
    return questions, votes, labels
