"""A team that asked, was answered and judged the answers, put into the store by hand.

Knows nothing about what is made of the votes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

from store import answers, questions
from store.database import Database
from store.feedback import memory, votes
from store.index import builds, documents, embedders, search
from store.records import EVERYONE, Answer, Ask, Chunk, Document, Passage, Viewer, Vote
from tests.fakes import HashEmbedder

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TEAM = "T1"
ENCODER = HashEmbedder()


def index(database: Database, texts: dict[str, tuple[str, ...]]) -> None:
    """Store one-chunk documents: text -> audience."""
    with database.connection() as connection:
        number = embedders.ensure_embedder(connection, TEAM, ENCODER.name, ENCODER.dims)
    with database.connection() as connection:
        build = builds.choose(connection, TEAM, "docs", number, "whole", NOW)
        pages = [
            Document(
                path=f"{text}.md",
                version="1",
                content_hash=text.encode(),
                title=text,
                url=None,
                updated_at=None,
                audience=audience,
                chunks=(Chunk(0, text, text, text.encode()),),
            )
            for text, audience in texts.items()
        ]
        vectors = ENCODER.encode(list(texts))
        documents.replace(connection, TEAM, build, pages, list(vectors), NOW)


def answered(
    database: Database, question: str, text: str, *, person: str = "U1", origin: str = "mention"
) -> UUID:
    """Keep an answer to `question` that shows `text` first."""
    passage = Passage(
        1, "docs", f"{text}.md", text, text, None, text, text.encode().hex(), None, 0, 1.0
    )
    ask = Ask(TEAM, "C1", str(uuid4()), person, question, origin, False)
    with database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
        assert question_id is not None
        answer = Answer(uuid4(), question, "answered", 0.9, text, passages=(passage,))
        vector = ENCODER.encode([question])[0].tolist()
        number = embedders.embedder_id(ENCODER.name)
        return answers.record(connection, TEAM, question_id, answer, vector, number, NOW).answer_id


def vote(database: Database, answer_id: UUID, person: str, value: int, **more: str) -> None:
    """Let a person vote on an answer."""
    with database.connection() as connection:
        votes.cast(connection, TEAM, replace(Vote(answer_id, person, value, "button"), **more), NOW)


def recalled(
    database: Database, question: str, principals: Sequence[str] = (EVERYONE,)
) -> list[memory.Memory]:
    """What memory holds for a question, for those who may see it."""
    with database.reading() as connection:
        plan = search.prepare(connection, TEAM, question, Viewer(tuple(principals)))
        if plan.scope is None:
            return []
        vector = ENCODER.encode([question])[0].tolist()
        return memory.near(connection, TEAM, plan.scope, vector, 0.2)
