"""The parameters that serve, part by part; and what people judged, unless learning is switched off."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from bot import indexing
from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.services import Services
from bot.settings import Settings
from ingest.entries import SourceConfig
from store import answers, questions
from store.database import Database
from store.feedback import votes
from store.index import embedders
from store.records import EVERYONE, Answer, Ask, Kind, ModelVersion, Passage, Viewer, Vote
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


def found(services: Services) -> list[Passage]:
    return services.answerer.retriever.find(QUESTION, READER, services.serving.now()).passages


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
    assert found(services)[0].path == "leave.md"
    like(services, "parents.md", people=5)
    assert found(services)[0].path == first


def like(services: Services, path: str, people: int) -> None:
    """Let people like a passage that was shown for the question."""
    embedder, workspace = services.embedder, services.workspace
    vector = embedder.encode([QUESTION])[0].tolist()
    shown = tuple(passage for passage in found(services) if passage.path == path)
    ask = Ask(workspace, "C1", "1", "U1", QUESTION, "mention", False)
    with services.database.connection() as connection:
        question_id = questions.claim(connection, ask, NOW)
        assert question_id
        answer = Answer(uuid4(), QUESTION, "answered", 0.9, "so", passages=shown)
        number = embedders.embedder_id(embedder.name)
        kept = answers.record(connection, workspace, question_id, answer, vector, number, NOW)
        for person in range(people):
            vote = Vote(kept.answer_id, f"U{person}", 1, "button")
            votes.cast(connection, workspace, vote, NOW)


def version(kind: Kind, **payload: object) -> ModelVersion:
    return ModelVersion(uuid4(), kind, None, payload, {}, NOW, NOW, True)


def test_each_part_changes_its_own_numbers_alone() -> None:
    shipped = Parameters(Calibrator.default())
    raised = shipped.with_part("title", {"title_weight": 0.2})
    assert (raised.title_weight, raised.vector_weight) == (0.2, shipped.vector_weight)
    assert raised.with_part("fusion", {"vector_weight": 0.6}).title_weight == 0.2
    assert shipped.with_part("sources", {"wiki": 0.1}).sources == {"wiki": 0.1}
    assert shipped.with_part("memory", {"weight": 0.1, "floor": 0.5}).recall.floor == 0.5
    assert shipped.with_part("intents", {"examples": "a digest"}) == shipped


def test_learned_thresholds_hold_for_the_confidence_that_serves_whichever_was_promoted_last() -> (
    None
):
    thresholds = version("thresholds", answer_above=0.9)
    confidence = version("confidence", intercept=0, weights={}, answer_above=0.5, unsure_above=0.1)
    read = Parameters.of({"thresholds": thresholds, "confidence": confidence})
    assert (read.calibrator.answer_above, read.calibrator.unsure_above) == (0.9, 0.1)
    assert read.versions == {"thresholds": thresholds, "confidence": confidence}


@pytest.mark.parametrize("broken", [{}, {"weights": "many"}, {"title_weight": "high"}])
def test_a_broken_payload_is_not_taken(broken: dict[str, object]) -> None:
    kind: Kind = "title" if "title_weight" in broken else "confidence"
    with pytest.raises((KeyError, TypeError, ValueError)):
        Parameters(Calibrator.default()).with_part(kind, broken)
