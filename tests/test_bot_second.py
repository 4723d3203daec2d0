"""A second encoder beside the first: encoded bit by bit, added up once all of it is there; a reranker after it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bot import beside, embedding, indexing
from bot.answering.answerer import Answerer
from bot.answering.confidence import Calibrator
from bot.answering.parameters import Parameters
from bot.answering.request import Request
from bot.answering.rescoring import Rescorer, added
from bot.answering.retrieval import Retriever
from bot.processes import tasks
from bot.processes.tasks import WorkerContext
from bot.runtime.metrics import Metrics
from bot.runtime.throttle import Throttle
from bot.services import Services
from bot.settings import Settings
from ingest.entries import SourceConfig
from models.files import ModelError
from store import queue
from store.database import Database
from store.index import second
from store.index.embedders import embedder_id
from store.index.search import Terms
from store.records import EVERYONE, Passage, Viewer
from tests import tiny_bert
from tests.fakes import HashEmbedder, Nowhere
from tests.test_models_hub import Server

READER = Viewer((EVERYONE,))
PAGES = {
    "leave": "You may take leave in May.",
    "pay": "Pay day is the last day of May.",
    "party": "The party is in the garden, in May.",
}
QUESTION = "in which month may I"


class Partial(HashEmbedder):
    """A second encoder for which one page is near whatever is asked; it can be killed."""

    def __init__(self, near: str, survives: int = 100) -> None:
        super().__init__("large@1", dims=64)
        self.near, self.survives = near, survives

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoded.extend(texts)
        self.survives -= len(texts)
        if self.survives < 0:
            raise KeyboardInterrupt
        vectors = np.zeros((len(texts), self.dims), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, 0 if self.near in text or text == QUESTION else 1] = 1.0
        return vectors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "pages"
    place.mkdir()
    for name, text in PAGES.items():
        (place / f"{name}.md").write_text(f"# About {name}\n\n{text}\n")
    return place


def team(database: Database, home: Path, beside: HashEmbedder | None) -> Services:
    settings = Settings(_env_file=None, home=home)  # type: ignore[call-arg]
    return Services(settings, database, None, embedder=HashEmbedder(), second=beside)


def ingest(services: Services, folder: Path) -> None:
    assert indexing.run(services, SourceConfig("wiki", "folder", str(folder))).state == "done"


def found(services: Services) -> list[str]:
    retriever = Retriever(
        services.database, services.workspace, services.embedder, services.rescorer
    )
    passages = retriever.find(QUESTION, READER, Parameters(Calibrator.default())).passages
    return [passage.path.removesuffix(".md") for passage in passages]


def vectors(services: Services) -> int:
    with services.database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM second_vectors").fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize("near", list(PAGES))
def test_its_cosines_count_once_all_of_them_are_there(
    database: Database, tmp_path: Path, folder: Path, near: str
) -> None:
    alone = team(database, tmp_path, None)
    ingest(alone, folder)
    before = found(alone)
    both = team(database, tmp_path, Partial(PAGES[near]))
    assert found(both) == before
    assert beside.fill(both) == 3
    assert found(both)[0] == near
    assert sorted(found(both)) == sorted(before)
    assert found(alone) == before


def test_a_page_without_its_vector_leaves_the_first_encoder_alone(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    both = team(database, tmp_path, Partial(PAGES["party"]))
    ingest(both, folder)
    beside.fill(both)
    assert found(both)[0] == "party"
    (folder / "leave.md").write_text(
        "# About leave\n\nAs of now you may take leave in June or May.\n"
    )
    ingest(both, folder)
    assert found(both) == found(team(database, tmp_path, None))
    assert beside.fill(both) == 1
    assert found(both)[0] == "party"


def test_a_kill_costs_what_was_not_stored_yet(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    for number in range(20):
        (folder / f"{number}.md").write_text(f"# Page {number}\n\nIt says {number} in May.\n")
    dying = Partial("party", survives=17)
    services = team(database, tmp_path, dying)
    ingest(services, folder)
    with pytest.raises(KeyboardInterrupt):
        beside.fill(services)
    stored = vectors(services)
    assert 0 < stored <= 17
    dying.survives = 100
    assert beside.fill(services) == 23 - stored
    assert beside.fill(services) == 0


def test_a_rebuild_keeps_vectors_and_what_is_gone_loses_them(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    services = team(database, tmp_path, Partial(PAGES["pay"]))
    ingest(services, folder)
    beside.fill(services)
    config = SourceConfig("wiki", "folder", str(folder))
    indexing.run(services, config, full=True)
    assert beside.fill(services) == 0
    assert found(services)[0] == "pay"
    (folder / "pay.md").unlink()
    indexing.run(services, config, allow_removal=True)
    beside.fill(services)
    assert vectors(services) == 2


def test_vectors_of_a_second_encoder_before_go(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    before = team(database, tmp_path, HashEmbedder("before@1", dims=32))
    ingest(before, folder)
    beside.fill(before)
    now = team(database, tmp_path, Partial(PAGES["party"]))
    assert beside.fill(now) == vectors(now) == 3
    assert found(now)[0] == "party"


def test_one_text_on_two_pages_is_encoded_once(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "same.md").write_text("# Same\n\nThe same words in May.\n")
    services = team(database, tmp_path, Partial("Same"))
    ingest(services, folder)
    assert beside.fill(services) == 4


def test_what_may_not_be_seen_stays_hidden(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    services = team(database, tmp_path, Partial(PAGES["party"]))
    indexing.run(services, SourceConfig("wiki", "folder", str(folder), audience=("C0HR",)))
    beside.fill(services)
    assert found(services) == []


def test_a_run_queues_the_encoding_only_where_there_is_a_second_encoder(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    for encoder, jobs in ((None, 0), (Partial("pay"), 1), (Partial("pay"), 1)):
        ingest(team(database, tmp_path, encoder), folder)
        with database.connection() as connection:
            waiting = {d.queue: d.waiting for d in queue.depths(connection)}
        assert waiting.get("spare", 0) == jobs


def test_no_second_encoder_has_nothing_to_do(database: Database, tmp_path: Path) -> None:
    assert beside.fill(team(database, tmp_path, None)) == 0


def worker(services: Services) -> WorkerContext:
    return WorkerContext(
        services=services,
        throttle=Throttle(),
        metrics=Metrics(services.database),
        bulk=ThreadPoolExecutor(1),
        delivery=Nowhere(),
        tell=lambda _: None,
        announce=lambda _: None,
        ready=lambda: None,
    )


def test_a_worker_encodes_what_a_run_left_to_do(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    services = team(database, tmp_path, Partial(PAGES["party"]))
    ingest(services, folder)
    assert tasks.second(worker(services)) == "done"
    assert (vectors(services), found(services)[0]) == (3, "party")
    assert tasks.second(worker(team(database, tmp_path, None))) == "none"


def test_a_worker_that_stops_leaves_the_rest_to_another(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    services = team(database, tmp_path, Partial("party"))
    ingest(team(database, tmp_path, None), folder)
    context = worker(services)
    context.throttle.stop()
    assert tasks.second(context) == "interrupted"
    with database.connection() as connection:
        assert [(d.queue, d.waiting) for d in queue.depths(connection)] == [("spare", 1)]


def test_an_answer_records_which_models_found_it(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    services = team(database, tmp_path, Partial(PAGES["party"]))
    ingest(services, folder)
    answerer = Answerer(
        database, "local", services.embedder, services.serving, rescorer=services.rescorer
    )
    versions = answerer.answer(Request(QUESTION, READER)).versions
    assert versions["second_encoder"] == "large@1" and "reranker" not in versions


def passage(name: str, score: float, vector: float | None, lexical: float | None) -> Passage:
    return Passage(
        hash(name), "wiki", name, name, "", None, f"the body of {name}", name, None, 0,
        score, vector, lexical, 0.0,
    )  # fmt: skip


TERMS = Terms((), (2.0,), 0, 1.0, 0, 0.0)


def test_cosines_are_added_and_words_count_as_before() -> None:
    rows = [passage("a", 0.9, 0.8, 1.0), passage("b", 0.6, 0.6, None), passage("c", 0.2, None, 2.0)]
    scored = added(rows, {"a": 0.1, "b": 0.5, "c": 0.3}, TERMS, 0.5)
    assert [(p.path, round(p.score, 3)) for p in scored] == [("b", 0.5), ("c", 0.5), ("a", 0.25)]
    assert [p.path for p in added(rows[:1], {"a": 0.1}, TERMS, 0.5)] == ["a"]


class Judge:
    """A reranker that likes some passages."""

    def __init__(self, likes: str) -> None:
        self.name = "judge@1"
        self.likes = likes
        self.read: list[str] = []

    def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        self.read += passages
        return [5.0 if self.likes in text else -5.0 for text in passages]


def test_a_reranker_reads_the_first_ten_and_scores_stay_in_their_range() -> None:
    rows = [passage(f"p{n}!", 1 - n / 20, 0.5, None) for n in range(12)]
    judge = Judge("p2!")
    scored = Rescorer(reranker=judge).reranked("who", rows)
    assert len(judge.read) == 10
    assert [p.path for p in scored[:3]] == ["p2!", "p0!", "p1!"]
    assert scored[10:] == rows[10:]
    scores = [p.score for p in scored[:10]]
    assert max(scores) <= rows[0].score and min(scores) >= rows[9].score
    assert Rescorer(reranker=Judge("p11!")).reranked("who", rows)[0].path == "p0!"
    assert Rescorer().reranked("who", rows) == rows
    for few in (rows[:0], rows[:1], [replace(p, score=0.5) for p in rows[:3]]):
        assert len(Rescorer(reranker=judge).reranked("who", few)) == len(few)


def settings(home: Path, **given: object) -> Settings:
    return Settings(_env_file=None, home=home, hub_offline=True, **given)  # type: ignore


def test_what_a_profile_brings_is_left_out_where_it_is_not_to_be_had(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert embedding.second(settings(tmp_path)) is None
    assert embedding.reranker(settings(tmp_path)) is None
    assert not caplog.records
    assert embedding.reranker(settings(tmp_path, models="better")) is None
    assert "left_out part=reranker" in caplog.text and "ms-marco" in caplog.text


def test_what_is_set_by_name_has_to_be_there(tmp_path: Path) -> None:
    named = settings(tmp_path, second_embedder="team/none", reranker="team/none")
    for load in (embedding.second, embedding.reranker):
        with pytest.raises(ModelError, match="team/none is not on this machine"):
            load(named)


def test_a_second_encoder_is_a_folder_or_a_name(tmp_path: Path) -> None:
    folder = tiny_bert.write(tmp_path / "tiny")
    by_folder = embedding.second(settings(tmp_path, second_embedder=str(folder)))
    hub = replace(embedding.hub(settings(tmp_path)), is_offline=False, download=Server())
    hub.folder("team/tiny")
    by_name = embedding.second(settings(tmp_path, second_embedder="team/tiny"))
    assert by_folder and by_name and by_folder.name == by_name.name


def test_the_store_tells_how_far_it_looked(
    database: Database, tmp_path: Path, folder: Path
) -> None:
    services = team(database, tmp_path, Partial("pay"))
    ingest(services, folder)
    number = embedder_id("large@1")
    with database.connection() as connection:
        first = second.lacking(connection, "local", number, 0, 2)
        assert first.last
        rest = second.lacking(connection, "local", number, first.last, 2)
        assert rest.last
        assert second.lacking(connection, "local", number, rest.last, 2) == second.Look((), None)
    assert (len(first.lacking), len(rest.lacking)) == (2, 1)
