"""`threadwise reader`: what cannot be trained or tried is one line that names it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import reader
from bot.settings import Settings
from models.files import ModelError
from models.reader.pairs import PairsError


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "own").mkdir(parents=True)
    row = {"question": "When is pay day?", "title": "Pay", "passage": "Pay day is the last Friday."}
    (tmp_path / "data" / "own" / "rows.jsonl").write_text(json.dumps(row))
    return tmp_path / "data"


def _run(data: Path, *words: str, **settings: object) -> Result:
    given = Settings(_env_file=None, home=data.parent / "home", **settings)  # type: ignore[arg-type]
    return CliRunner().invoke(reader.app, [words[0], "--data", str(data), *words[1:]], obj=given)


def test_a_set_that_is_not_trained_on_cannot_be_left_out(data: Path, tmp_path: Path) -> None:
    ended = _run(data, "train", "--out", str(tmp_path / "out"), "--without", "qamrr")
    assert ended.exit_code == 2
    assert "qamrr: not among qamr" in ended.output


def test_a_set_that_is_not_there_is_named(data: Path, tmp_path: Path) -> None:
    ended = _run(data, "train", "--out", str(tmp_path / "out"), "--only", "other")
    assert isinstance(ended.exception, PairsError)
    assert str(data / "other") in str(ended.exception)


@pytest.mark.parametrize("words", [["--most", "0"], ["--epochs", "-1"], ["--kind", "some"]])
def test_numbers_and_kinds_that_mean_nothing_are_refused(
    data: Path, tmp_path: Path, words: list[str]
) -> None:
    ended = _run(data, "train", "--out", str(tmp_path / "out"), *words)
    assert ended.exit_code == 2
    assert words[0] in ended.output


@pytest.mark.parametrize("setting", [None, "off"])
def test_without_a_reader_there_is_nothing_to_try(data: Path, setting: str | None) -> None:
    ended = _run(data, "eval", reader=setting)
    assert ended.exit_code == 2
    assert "No reader is set" in ended.output


def test_the_reader_of_the_settings_is_tried_and_its_folder_named_when_it_is_not_there(
    data: Path,
) -> None:
    ended = _run(data, "eval", reader=str(data / "nowhere/at/all"))
    assert isinstance(ended.exception, ModelError)
    assert "nowhere/at/all" in str(ended.exception)
    assert "\n" not in str(ended.exception)


def test_a_reader_that_is_not_there_is_named_before_anything_is_searched_for(
    data: Path, tmp_path: Path
) -> None:
    words = ["tune", str(data), "--reader", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    settings = Settings(_env_file=None, home=tmp_path / "home")  # type: ignore[call-arg]
    ended = CliRunner().invoke(reader.app, words, obj=settings)
    assert isinstance(ended.exception, ModelError)
    assert "\n" not in str(ended.exception) and str(tmp_path / "none") in str(ended.exception)
    assert not (tmp_path / "home").exists() and not (tmp_path / "out").exists()
