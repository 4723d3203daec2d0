"""Training on the team's examples: when it is due, what is kept, what serves afterwards."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.answering import classifier
from bot.intents import Intents
from bot.learning import training
from bot.learning.training import TrainingTrigger
from bot.learning.training_set import TrainingSet
from bot.services import Services
from bot.settings import Settings
from models import shelf
from store import queue
from store.database import Database
from store.feedback import versions
from store.records import ModelVersion
from store.workspaces import LOCAL

FILE = """
[[intent]]
name = "question"
action = "answer"
examples = ["where is the handbook", "how many days off"]

[[intent]]
name = "greeting"
action = "reply"
reply = "Hello!"
examples = ["hi", "good morning"]
"""


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Iterator[Services]:
    (tmp_path / "intents.toml").write_text(FILE, encoding="utf-8")
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=tmp_path,
        intents=tmp_path / "intents.toml",
        database_url=database.url,
    )
    yield Services(settings, database, None)


def trained(folder: Path, serves: str = "baseline") -> Path:
    """What a training leaves behind, as far as keeping it goes."""
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_text("weights")
    (folder / "report.json").write_text(json.dumps({"serves": serves}))
    return folder


def keep(services: Services, files: int = 5) -> ModelVersion:
    intents = services.intents.now()
    out = trained(training.workplace(services.settings.home, intents))
    return training.keep(services, TrainingSet(intents), out, files=files)


def jobs(services: Services) -> int:
    with services.database.connection() as connection:
        return sum(depth.waiting for depth in queue.depths(connection) if depth.queue == "work")


def test_a_kept_training_serves_and_its_files_are_whole(services: Services) -> None:
    version = keep(services)
    with services.database.connection() as connection:
        serving = versions.serving(connection, LOCAL)["intents"]
    assert serving.version_id == version.version_id
    assert serving.report == {"serves": "baseline"}
    folder = classifier.root(services.settings.home) / (serving.path or "")
    shelf.verify(folder)
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


def test_a_first_training_is_queued_once(services: Services) -> None:
    trigger = TrainingTrigger(services)
    assert trigger.offer()
    assert not trigger.offer()
    assert not TrainingTrigger(services).offer()
    assert jobs(services) == 1


def test_examples_that_were_trained_on_are_not_trained_on_again(services: Services) -> None:
    version = keep(services)
    assert not TrainingTrigger(services).offer()
    with services.database.connection() as connection:
        versions.roll_back(connection, LOCAL, "intents", version.created_at)
    assert not TrainingTrigger(services).offer()
    assert jobs(services) == 0


def test_new_examples_are_due(services: Services) -> None:
    keep(services)
    file = services.settings.intents
    file.write_text(FILE.replace('"hi",', '"hi", "hey",'), encoding="utf-8")
    assert TrainingTrigger(Services(services.settings, services.database, None)).offer()


def test_rolled_back_examples_are_trained_on_again_after_their_rest(services: Services) -> None:
    keep(services)
    file = services.settings.intents
    file.write_text(FILE.replace('"hi",', '"hi", "hey",'), encoding="utf-8")
    fresh = Services(services.settings, services.database, None)
    edited = keep(fresh)
    with services.database.connection() as connection:
        versions.roll_back(connection, LOCAL, "intents", edited.created_at)
    intents = fresh.intents.now()
    assert not training.is_due(fresh, intents, edited.created_at + timedelta(days=1))
    assert training.is_due(fresh, intents, edited.created_at + timedelta(days=15))


def test_an_edit_that_is_undone_is_trained_on_again(services: Services) -> None:
    keep(services)
    file = services.settings.intents
    file.write_text(FILE.replace('"hi",', '"hi", "hey",'), encoding="utf-8")
    keep(Services(services.settings, services.database, None))
    file.write_text(FILE, encoding="utf-8")
    assert TrainingTrigger(Services(services.settings, services.database, None)).offer()


def test_a_version_that_an_admin_chose_goes_on_serving(services: Services) -> None:
    first = keep(services)
    file = services.settings.intents
    file.write_text(FILE.replace('"hi",', '"hi", "hey",'), encoding="utf-8")
    fresh = Services(services.settings, services.database, None)
    keep(fresh)
    with services.database.connection() as connection:
        versions.promote(connection, LOCAL, first.version_id, datetime.now(UTC))
    assert not TrainingTrigger(fresh).offer()


def test_a_new_reply_needs_no_training(services: Services) -> None:
    keep(services)
    services.settings.intents.write_text(FILE.replace("Hello!", "Good day!"), encoding="utf-8")
    assert not TrainingTrigger(Services(services.settings, services.database, None)).offer()


def test_without_intents_nothing_is_due(services: Services) -> None:
    services.settings.intents.unlink()
    assert services.intents.now() == Intents()
    assert not TrainingTrigger(services).offer()


def test_old_files_go_but_what_served_lately_stays(services: Services) -> None:
    names = []
    for number in range(4):
        text = FILE.replace('"hi",', f'"hi number {number}",')
        services.settings.intents.write_text(text, encoding="utf-8")
        fresh = Services(services.settings, services.database, None)
        names.append(keep(fresh, files=2).path)
    left = {file.name for file in classifier.root(services.settings.home).iterdir()}
    assert left == set(names[-2:])
