"""Models by name: downloaded once, pinned, checked, and refused in one line."""

import json
from pathlib import Path

import pytest

from models import embedder
from models.files import ModelError
from models.hub import PIN, Hub
from tests import tiny_bert


class Server:
    """A hub with one model, which changes with every revision."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, name: str, revision: str | None, out: Path) -> str:
        self.asked.append((name, revision))
        if name != "team/tiny":
            raise OSError(f"404: no {name}\nsee the manual")
        tiny_bert.write(out)
        (out / "notes.txt").write_text(revision or "newest")
        return revision or "c0ffee"


def test_a_model_is_downloaded_once_and_stays_as_it_was(tmp_path: Path) -> None:
    server = Server()
    hub = Hub(tmp_path, False, server)
    first = embedder.load("team/tiny", hub=hub)
    again = embedder.load("team/tiny", hub=Hub(tmp_path, True))
    assert server.asked == [("team/tiny", None)]
    assert first.name == again.name and first.name.startswith("tiny@")
    pinned = json.loads((first.folder / PIN).read_text())
    assert (pinned["name"], pinned["revision"]) == ("team/tiny", "c0ffee")
    assert pinned["sha256"].keys() >= {"model.safetensors", "tokenizer.json", "config.json"}


def test_a_revision_that_is_named_is_the_one_that_is_asked_for(tmp_path: Path) -> None:
    server = Server()
    hub = Hub(tmp_path, False, server)
    assert (hub.folder("team/tiny@v2") / "notes.txt").read_text() == "v2"
    assert (hub.folder("team/tiny") / "notes.txt").read_text() == "newest"
    assert server.asked == [("team/tiny", "v2"), ("team/tiny", None)]


def test_a_file_that_changed_since_is_refused_with_the_cure(tmp_path: Path) -> None:
    folder = Hub(tmp_path, False, Server()).folder("team/tiny")
    (folder / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"config.json is missing or damaged. Delete .*team--tiny"):
        Hub(tmp_path, True).folder("team/tiny")
    (folder / PIN).write_text("[")
    with pytest.raises(ModelError, match=r"pinned.json cannot be read"):
        Hub(tmp_path, True).folder("team/tiny")


def test_offline_one_line_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"team/tiny is not on this machine.*HF_HUB_OFFLINE"
    ) as told:
        Hub(tmp_path / "hub", True).folder("team/tiny")
    assert "\n" not in str(told.value)
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize("name", ["team/other", "other", "team/other@v1"])
def test_what_the_hub_does_not_have_is_one_line_and_leaves_nothing(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(
        ModelError, match=r"could not be downloaded.*404: no .*name the folder"
    ) as told:
        Hub(tmp_path, False, Server()).folder(name)
    assert "\n" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


@pytest.mark.parametrize(
    "name", ["../../no-such", "/no/such/folder", "a/b/c", "team/..", "", "team/ti ny"]
)
def test_what_is_no_name_is_not_asked_for(tmp_path: Path, name: str) -> None:
    server = Server()
    if not name:
        name = " "
    with pytest.raises(ModelError, match="no name of a model hub"):
        Hub(tmp_path, False, server).folder(name)
    assert server.asked == []


def test_a_model_without_weights_in_safetensors_is_not_kept(tmp_path: Path) -> None:
    def pickles(name: str, revision: str | None, out: Path) -> str:
        (out / "config.json").write_text("{}")
        return "c0ffee"

    with pytest.raises(ModelError, match="safetensors"):
        Hub(tmp_path, False, pickles).folder("team/pickled")
    assert not (tmp_path / "team--pickled").exists()
