"""The shelf of versions: whole or not there, damage named, old ones removed."""

from pathlib import Path

import pytest

from models.shelf import MANIFEST, Shelf, ShelfError


def trained(folder: Path, content: str = "weights") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_text(content)
    (folder / "report.json").write_text("{}")
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "shelf")


def test_a_version_comes_back_as_it_was_put(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("20260101", trained(tmp_path / "new", "abc"))
    assert (shelf.get("20260101").folder / "model.safetensors").read_text() == "abc"


def test_an_empty_shelf_has_no_newest(shelf: Shelf) -> None:
    assert shelf.versions() == []
    assert shelf.newest() is None


@pytest.mark.parametrize("damage", ["truncated", "removed", "manifest"])
def test_a_damaged_file_is_named(shelf: Shelf, tmp_path: Path, damage: str) -> None:
    folder = shelf.put("v1", trained(tmp_path / "new")).folder
    name = MANIFEST if damage == "manifest" else "model.safetensors"
    if damage == "removed":
        (folder / name).unlink()
    else:
        (folder / name).write_text("{wei")
    with pytest.raises(ShelfError, match=name):
        shelf.get("v1")


def test_the_newest_whole_version_is_found_past_a_damaged_one(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("v1", trained(tmp_path / "new"))
    (shelf.put("v2", trained(tmp_path / "new")).folder / "model.safetensors").write_text("")
    newest = shelf.newest()
    assert newest is not None and newest.name == "v1"


def test_a_half_written_version_is_not_listed(shelf: Shelf, tmp_path: Path) -> None:
    trained(tmp_path / "shelf" / "v1")
    assert shelf.versions() == []


def test_a_name_is_used_once(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put("v1", trained(tmp_path / "new", "first"))
    with pytest.raises(ShelfError, match="exists already"):
        shelf.put("v1", trained(tmp_path / "new", "second"))
    assert (shelf.get("v1").folder / "model.safetensors").read_text() == "first"
    assert [file.name for file in (tmp_path / "shelf").iterdir()] == ["v1"]


def test_a_name_stays_on_the_shelf(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("../v1", "", ".hidden", "a/b"):
        with pytest.raises(ShelfError, match="cannot name"):
            shelf.put(name, trained(tmp_path / "new"))


def test_pruning_keeps_the_youngest_and_what_serves(shelf: Shelf, tmp_path: Path) -> None:
    for name in ("v1", "v2", "v3", "v4"):
        shelf.put(name, trained(tmp_path / "new"))
    assert shelf.prune(2, serving={"v1"}) == ["v2"]
    assert [version.name for version in shelf.versions()] == ["v1", "v3", "v4"]
    assert shelf.prune(2, serving={"v1"}) == []
