"""What people judged changes the order of passages at once, unless learning is switched off."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from bot import indexing
from bot.services import Services
from bot.settings import Settings
from ingest.entries import SourceConfig
from store import answers, questions
from store.database import Database
from store.feedback import votes
from store.index import embedders
from store.records import EVERYONE, Answer, Ask, Viewer, Vote
from tests.fakes import HashEmbedder

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
READER = Viewer((EVERYONE,))
QUESTION = "how much leave do I have"
PAGES = {
    "leave": "How much leave do I have? You have 30 days.",
    "parents": "How much leave parents have is up to them.",
    "pay": "Pay day is the last day of the month.",
}


def opened(database: Database, home: Path, **given: str) -> Services:
    (home / "intents.toml").touch()  # no intents: every message is searched for
    settings = Settings(_env_file=None, home=home, intents=home / "intents.toml", **given)  # type: ignore[call-arg]
    return Services(settings, database, None, embedder=HashEmbedder())


def found(services: Services) -> list[str]:
    return [
        p.path
        for p in services.answerer.retriever.find(QUESTION, READER, services.serving.now()).passages
    ]


@pytest.mark.parametrize(("learn_at", "first"), [("03:30", "parents.md"), ("off", "leave.md")])
def test_a_liked_passage_is_raised_unless_learning_is_switched_off(
    database: Database, tmp_path: Path, learn_at: str, first: str
) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    for name, text in PAGES.items():
        (docs / f"{name}.md").write_text(f"# About {name}\n\n{text}\n")
    services = opened(database, tmp_path, learn_at=learn_at)
    indexing.run(services, SourceConfig("docs", "folder", str(docs)))
    assert found(services)[0] == "leave.md"
    like(services, "parents.md", people=5)
    assert found(services)[0] == first


def like(services: Services, path: str, people: int) -> None:
    """Let people like a passage that was shown for the question."""
    encoder, workspace = services.embedder, services.workspace
    vector = encoder.encode([QUESTION])[0].tolist()
    passages = services.answerer.retriever.find(QUESTION, READER, services.serving.now()).passages
    shown = tuple(p for p in passages if p.path == path)
    ask = Ask(workspace, "C1", "1", "U1", QUESTION, "mention", False)
    with services.database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
        assert question_id
        answer = Answer(uuid4(), QUESTION, "answered", 0.9, "so", passages=shown)
        number = embedders.embedder_id(encoder.name)
        kept = answers.record(connection, workspace, question_id, answer, vector, number, NOW)
        for person in range(people):
            vote = Vote(kept.answer_id, f"U{person}", 1, "button")
            votes.cast(connection, workspace, vote, NOW)
