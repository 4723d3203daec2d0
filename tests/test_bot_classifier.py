"""Which classifier serves: new versions swapped in beside, damaged ones left alone."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from bot.answering import classifier
from bot.answering.classifier import Classify, ServingClassifier
from bot.intents import Intent, Intents
from models.shelf import ShelfError
from store.records import ModelVersion
from tests.fakes import HashEmbedder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE_SECONDS = 10.0


def version(path: str) -> ModelVersion:
    return ModelVersion(uuid4(), "intents", path, {}, {}, NOW, NOW, True)


class Machine:
    """A shelf by hand: what serves, what served before, what is damaged, what loads slowly."""

    def __init__(self) -> None:
        self.serving: ModelVersion | None = None
        self.earlier: list[ModelVersion] = []
        self.damaged: set[str] = set()
        self.may_load = threading.Event()
        self.may_load.set()
        self.loads: list[str] = []
        self.time = 0.0

    def load(self, wanted: ModelVersion) -> Classify:
        self.may_load.wait(DEADLINE_SECONDS)
        self.loads.append(wanted.path or "")
        if wanted.path in self.damaged:
            raise ShelfError(f"{wanted.path}/model.safetensors is truncated. Promote another.")
        return never

    def served(self) -> ServingClassifier:
        return ServingClassifier(
            lambda: self.serving, lambda: self.earlier, self.load, lambda: never, lambda: self.time
        )


def never(text: str, vector: object) -> object:
    raise AssertionError("nothing is classified here")


@pytest.fixture
def machine() -> Machine:
    return Machine()


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; an assertion error when it does not in time."""
    end = threading.Event()
    for _ in range(int(DEADLINE_SECONDS * 100)):
        if holds():
            return
        end.wait(0.01)
    raise AssertionError("it did not come to hold in time")


def test_before_anything_is_trained_the_untrained_one_serves(machine: Machine) -> None:
    assert machine.served().now().version_id == ""


def test_a_promoted_version_serves_after_the_old_one_without_a_gap(machine: Machine) -> None:
    machine.serving = old = version("old")
    served = machine.served()
    assert served.now().version_id == str(old.version_id)
    machine.may_load.clear()
    machine.serving = new = version("new")
    assert served.now().version_id == str(old.version_id)
    machine.may_load.set()
    until(lambda: served.now().version_id == str(new.version_id))
    assert machine.loads == ["old", "new"]


def test_a_damaged_version_leaves_the_old_one_serving_and_says_so_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.serving = old = version("old")
    served = machine.served()
    served.now()
    machine.serving, machine.damaged = version("new"), {"new"}
    served.now()
    until(lambda: "new/model.safetensors is truncated" in caplog.text)
    assert [served.now().version_id for _ in range(3)] == [str(old.version_id)] * 3
    assert machine.loads == ["old", "new"]


def test_a_start_with_a_damaged_version_goes_back_to_the_one_before(machine: Machine) -> None:
    machine.serving, machine.damaged = version("new"), {"new", "older"}
    machine.earlier = [version("older"), version("oldest")]
    assert machine.served().now().version_id == str(machine.earlier[1].version_id)


def test_a_start_with_nothing_whole_serves_untrained(machine: Machine) -> None:
    machine.serving, machine.damaged = version("new"), {"new"}
    assert machine.served().now().version_id == ""


def test_a_rollback_to_nothing_serves_untrained_again(machine: Machine) -> None:
    machine.serving = version("old")
    served = machine.served()
    served.now()
    machine.serving = None
    served.now()
    until(lambda: served.now().version_id == "")


def test_a_promotion_while_another_loads_wins(machine: Machine) -> None:
    machine.serving = version("old")
    served = machine.served()
    served.now()
    machine.may_load.clear()
    machine.serving = version("second")
    served.now()
    machine.serving = third = version("third")
    served.now()
    machine.may_load.set()
    until(lambda: len(machine.loads) == 3)
    until(lambda: served.now().version_id == str(third.version_id))


def test_untrained_only_small_talk_worded_like_an_example_is_recognised() -> None:
    embedder = HashEmbedder()
    intents = Intents.of(
        (
            Intent("greeting", "", "reply", ("good morning everyone",), reply="Hello!"),
            Intent("access", "", "route", ("please give me access",), reply="Ask IT."),
        )
    )
    classify = classifier.untrained(intents, embedder)  # type: ignore[arg-type]

    def found(text: str) -> str | None:
        return classify(text, lambda: np.asarray(embedder.encode([text])[0])).intent

    assert found("Good morning everyone") == "greeting"
    assert found("please give me access") is None
    assert found("how many days off do i get") is None


def test_untrained_without_examples_recognises_nothing() -> None:
    embedder = HashEmbedder()
    classify = classifier.untrained(Intents(), embedder)  # type: ignore[arg-type]
    assert classify("hi", lambda: embedder.encode(["hi"])[0]).intent is None


def test_models_lie_under_home() -> None:
    assert classifier.root(Path("/srv")) == Path("/srv/models/intents")


def serves_in_time(machine: Machine, served: ServingClassifier, wanted: str) -> None:
    """Let time pass, half a minute at a look, until a version serves."""

    def passes() -> bool:
        machine.time += 30.0
        return served.now().version_id == wanted

    until(passes)


def test_a_version_that_failed_to_load_is_tried_again_after_a_while(machine: Machine) -> None:
    machine.serving = version("old")
    served = machine.served()
    served.now()
    machine.serving, machine.damaged = new, _ = version("new"), {"new"}
    served.now()
    until(lambda: len(machine.loads) == 2)
    machine.damaged = set()
    serves_in_time(machine, served, str(new.version_id))


def test_a_version_that_was_away_at_the_start_serves_when_it_is_back(machine: Machine) -> None:
    machine.serving, machine.damaged = new, _ = version("new"), {"new"}
    served = machine.served()
    assert served.now().version_id == ""
    machine.damaged = set()
    serves_in_time(machine, served, str(new.version_id))


def test_whatever_keeps_a_version_from_loading_it_is_tried_again(machine: Machine) -> None:
    machine.serving = version("old")
    is_away = True

    def load(wanted: ModelVersion) -> Classify:
        if is_away and wanted.path == "new":
            raise OSError("stale file handle")
        return machine.load(wanted)

    served = ServingClassifier(
        lambda: machine.serving, list, load, lambda: never, lambda: machine.time
    )
    served.now()
    machine.serving = new = version("new")
    served.now()
    is_away = False
    serves_in_time(machine, served, str(new.version_id))


def test_files_that_are_not_on_this_machine_are_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ShelfError, match=r"not on this machine.*share the folder"):
        classifier.verify(tmp_path / "models" / "intents" / "20260101-aa")
