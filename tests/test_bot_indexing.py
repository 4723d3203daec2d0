"""What people judged and kept outlives a change of encoder, and counts once the new one serves."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest
from numpy.typing import NDArray

from bot import indexing
from bot.answering import agreement
from bot.services import Services
from bot.settings import Settings
from ingest.entries import SourceConfig
from store import answers, questions
from store.database import Database
from store.feedback import faqs, memory, votes
from store.feedback.faqs import Reply
from store.index import embedders, search
from store.index import sources as stored
from store.records import EVERYONE, Answer, Ask, Viewer, Vote
from tests.fakes import HashEmbedder

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
READER = Viewer((EVERYONE,))
JUDGED, KEPT = "when may I take leave", "who plans the summer party"
PAGES = {"leave": "You may take leave in May.", "pay": "Pay day is the last day."}


@pytest.fixture
def pages(tmp_path: Path) -> list[SourceConfig]:
    for name, text in PAGES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "page.md").write_text(f"# About {name}\n\n{text}\n")
    return [SourceConfig(name, "folder", str(tmp_path / name)) for name in PAGES]


@pytest.fixture
def before(database: Database, tmp_path: Path, pages: list[SourceConfig]) -> Services:
    """A team that indexed by the encoder before, liked one answer and kept one reply."""
    services = by(HashEmbedder("old@1"), database, tmp_path)
    for page in pages:
        indexing.run(services, page)
    liked = answered(services, JUDGED, "1")
    answered(services, KEPT, "2")
    workspace = services.workspace
    reply = Reply("C1", "2", "2-reply", "U7", "Ana", "Ask Ana.", None, True)
    with database.connection() as connection:
        votes.cast(connection, workspace, Vote(liked, "U1", 1, "button"), NOW)
        kept = faqs.keep(connection, workspace, reply, NOW)
        assert kept
        faqs.decide(connection, workspace, kept.faq_id, "ADMIN", NOW, approve=True)
    return services


def by(encoder: HashEmbedder, database: Database, home: Path) -> Services:
    settings = Settings(_env_file=None, home=home)  # type: ignore[call-arg]
    return Services(settings, database, None, embedder=encoder)


def answered(services: Services, question: str, ts: str) -> UUID:
    """Keep what was found for a question."""
    encoder, workspace = services.embedder, services.workspace
    vector = encoder.encode([question])[0].tolist()
    number = embedders.embedder_id(encoder.name)
    ask = Ask(workspace, "C1", ts, "U1", question, "mention", False)
    with services.database.connection() as connection:
        plan = search.prepare(connection, workspace, question, READER)
        found = search.passages(connection, workspace, plan, vector, weight=0.5, limit=1)
        question_id = questions.claim(connection, ask, NOW)
        assert question_id
        answer = Answer(uuid4(), question, "answered", 0.9, "so", passages=tuple(found))
        return answers.record(
            connection, workspace, question_id, answer, vector, number, NOW
        ).answer_id


def remembered(services: Services) -> list[str]:
    """The pages that memory gives for the judged question."""
    vector = services.embedder.encode([JUDGED])[0].tolist()
    with services.database.reading() as connection:
        scope = search.prepare(connection, services.workspace, JUDGED, READER).scope
        assert scope
        found = memory.near(connection, services.workspace, scope, vector, 0.9)
    return [one.passage.source for one in found]


def verified(services: Services) -> str | None:
    """The kept reply that is served for its question."""
    vector = services.embedder.encode([KEPT])[0].tolist()
    number = embedders.embedder_id(services.embedder.name)
    with services.database.reading() as connection:
        found = faqs.near(connection, services.workspace, number, vector, READER, agreement.NEAR)
    return found[0][0].body if found else None


def test_memory_and_kept_replies_count_again_once_the_new_encoder_serves(
    before: Services, database: Database, tmp_path: Path, pages: list[SourceConfig]
) -> None:
    assert (remembered(before), verified(before)) == (["leave"], "Ask Ana.")
    after = by(HashEmbedder("new@1", dims=192), database, tmp_path)
    indexing.run(after, pages[0])
    assert (remembered(before), verified(before)) == (["leave"], "Ask Ana.")
    indexing.run(after, pages[1])
    assert (remembered(after), verified(after)) == (["leave"], "Ask Ana.")


def test_a_kill_before_the_renewal_loses_nothing(
    before: Services, database: Database, tmp_path: Path, pages: list[SourceConfig]
) -> None:
    after = by(HashEmbedder("new@1", dims=192), database, tmp_path)
    indexing.run(after, pages[0])
    with pytest.raises(Killed):
        dying = Dying("new@1", dims=192)
        indexing.run(after, pages[1], encode=dying.encode, encode_questions=dying.encode)
    with database.connection() as connection:
        assert memory.prune(connection, after.workspace) == 0
        assert faqs.flag_changed(connection, after.workspace, NOW) == []
    assert (remembered(after), verified(after)) == ([], None)
    assert indexing.renew(after, after.embedder.encode) == 2
    assert (remembered(after), verified(after)) == (["leave"], "Ask Ana.")
    assert indexing.renew(after, after.embedder.encode) == 0


class Killed(BaseException):
    """The process ends."""


class Dying(HashEmbedder):
    """Encodes documents, and dies at the first question that people judged."""

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if JUDGED in texts:
            raise Killed
        return super().encode(texts)


def test_a_narrower_audience_reaches_what_cannot_be_fetched_again(
    before: Services, pages: list[SourceConfig], tmp_path: Path
) -> None:
    """Too large now, or gone with the whole folder: what is stored is closed all the same."""
    leave, pay = (replace(page, audience=("C0HR",)) for page in pages)
    (tmp_path / "leave" / "page.md").write_text("# About leave\n\nYou may take leave in June.\n")
    assert indexing.run(before, replace(leave, max_mb=0.00001)).failed == 1
    (tmp_path / "pay").rename(tmp_path / "away")
    assert indexing.run(before, pay).state == "failed"
    assert paths(before, READER) == [] and len(paths(before, Viewer(("C0HR",)))) == 2


def test_a_source_without_schedule_follows_the_settings_when_they_are_taken_up(
    before: Services, pages: list[SourceConfig], tmp_path: Path
) -> None:
    before = machine(before, file=tmp_path / "sources.toml")
    indexing.register(before, [replace(pages[0], schedule=None, audience=()), pages[1]])
    assert paths(before, READER) == ["page.md"]
    indexing.register(before, pages[:1])
    assert len(paths(before, READER)) == 1
    indexing.register(before, [])
    assert paths(before, READER) == []


def test_a_run_follows_settings_that_change_meanwhile(tmp_path: Path) -> None:
    file, now = tmp_path / "sources.toml", [0.0]
    file.write_text('[[source]]\nname = "hr"\naddress = "hr"\n')
    settings = Settings(_env_file=None, home=tmp_path, sources=file)  # type: ignore[call-arg]
    current = indexing.CurrentAudience(settings, indexing.sources(settings)[0], lambda: now[0])
    assert current("a.md") == (EVERYONE,)
    file.write_text(file.read_text() + "audience = []\n")
    now[0] += indexing.REREAD_SECONDS
    assert current("a.md") == ()
    file.write_text("[[source")  # a slip: what was said last still counts
    now[0] += indexing.REREAD_SECONDS
    assert current("a.md") == ()


def paths(services: Services, viewer: Viewer) -> list[str]:
    """What such a reader can find at all."""
    with services.database.connection() as connection:
        plan = search.prepare(connection, services.workspace, "leave pay", viewer)
        vector = services.embedder.encode(["leave pay"])[0].tolist()
        found = search.passages(connection, services.workspace, plan, vector, weight=0.5)
    return [passage.path for passage in found]


def test_a_source_that_is_away_does_not_keep_the_others_from_the_new_encoder(
    before: Services, database: Database, tmp_path: Path, pages: list[SourceConfig]
) -> None:
    after = by(HashEmbedder("new@1", dims=192), database, tmp_path)
    (tmp_path / "pay").rename(tmp_path / "away")
    assert indexing.run(after, pages[0]).state == "done"
    for _ in range(2):
        assert indexing.run(after, pages[1]).state == "failed"
        assert (serving(after), len(paths(before, READER))) == ("old@1", 2)
    assert indexing.run(after, pages[1]).state == "failed"
    assert (serving(after), len(paths(after, READER))) == ("new@1", 2)
    assert (remembered(after), verified(after)) == (["leave"], "Ask Ana.")
    assert indexing.run(after, pages[1]).state == "failed" and len(paths(after, READER)) == 2
    (tmp_path / "away").rename(tmp_path / "pay")
    back = indexing.run(after, pages[1])
    assert (back.state, back.changed, back.removed) == ("done", 1, 0)
    assert indexing.run(after, pages[1]).unchanged == 1


def test_what_is_taken_over_keeps_its_audience(
    before: Services, database: Database, tmp_path: Path, pages: list[SourceConfig]
) -> None:
    closed = replace(pages[1], audience=("C0HR",))
    assert indexing.run(before, closed).state == "done"
    after = by(HashEmbedder("new@1", dims=192), database, tmp_path)
    (tmp_path / "pay").rename(tmp_path / "away")
    indexing.run(after, pages[0])
    for _ in range(3):
        indexing.run(after, closed)
    assert (serving(after), len(paths(after, READER))) == ("new@1", 1)
    assert len(paths(after, Viewer((EVERYONE, "C0HR")))) == 2


def serving(services: Services) -> str | None:
    with services.database.connection() as connection:
        return embedders.serving(connection, services.workspace)


def machine(services: Services, **settings: object) -> Services:
    """Another machine with the same database; `file` is its sources' file."""
    given = Settings(  # type: ignore[call-arg]
        _env_file=None, home=services.settings.home / "other", sources=settings.get("file")
    )
    return Services(given, services.database, None, embedder=services.embedder)


@pytest.fixture
def alone(database: Database, tmp_path: Path) -> Services:
    """A machine without a sources' file."""
    return by(HashEmbedder(), database, tmp_path / "home")


def served(services: Services) -> list[str]:
    with services.database.connection() as connection:
        return [status.name for status in stored.statuses(connection, services.workspace)]


def names(services: Services) -> list[str]:
    return [config.name for config in indexing.known(services)]


def test_what_one_machine_adds_all_know_and_none_retires(
    alone: Services, pages: list[SourceConfig], tmp_path: Path
) -> None:
    assert names(alone) == ["handbook"]
    indexing.register(alone, indexing.known(alone))
    indexing.add(alone, pages[0].address)
    other = machine(alone)
    indexing.register(other, indexing.known(other))
    assert names(alone) == names(other) == served(other) == ["leave"]
    file = tmp_path / "sources.toml"
    file.write_text(f'[[source]]\nname = "pay"\naddress = "{pages[1].address}"\n')
    filed = machine(alone, file=file)
    indexing.register(filed, indexing.known(filed))
    indexing.register(other, indexing.known(other))
    assert names(filed) == ["pay", "leave"] and served(filed) == ["leave", "pay"]
    file.write_text(file.read_text().replace('"pay"', '"money"'))
    indexing.register(filed, indexing.known(filed))
    assert served(filed) == ["leave", "money"]


def test_where_another_machine_has_a_file_the_example_is_not_read(
    alone: Services, pages: list[SourceConfig], tmp_path: Path
) -> None:
    file = tmp_path / "sources.toml"
    file.write_text(f'[[source]]\nname = "pay"\naddress = "{pages[1].address}"\n')
    filed = machine(alone, file=file)
    indexing.register(filed, indexing.known(filed))
    indexing.register(alone, indexing.known(alone))
    assert (names(alone), served(alone)) == ([], ["pay"])


def test_what_was_added_by_hand_is_removed_by_hand(
    alone: Services, pages: list[SourceConfig]
) -> None:
    indexing.register(alone, indexing.known(alone))
    indexing.add(alone, pages[0].address)
    indexing.add(alone, pages[0].address)
    (chosen,) = indexing.chosen(alone, [pages[1].address])
    assert indexing.run(alone, chosen).state == "done"
    indexing.register(alone, indexing.known(alone))
    assert names(alone) == ["leave", "pay"]
    indexing.remove(alone, "pay")
    assert served(alone) == ["leave"] and paths(alone, READER) == []
    with pytest.raises(indexing.UnknownSource, match="sources' file"):
        indexing.remove(alone, "pay")
    assert indexing.add(alone, pages[1].address).name == "pay"
    with pytest.raises(indexing.UnknownSource, match="neither a source"):
        indexing.chosen(alone, ["/nowhere/at/all"])


def test_what_an_earlier_version_kept_in_a_file_is_taken_over(
    alone: Services, pages: list[SourceConfig]
) -> None:
    home = alone.settings.home
    home.mkdir()
    (home / "docs.txt").write_text("".join(f"{page.address}\n" for page in pages))
    assert names(alone) == names(machine(alone)) == ["leave", "pay"]
    assert not (home / "docs.txt").exists()
