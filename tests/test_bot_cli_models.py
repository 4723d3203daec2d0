"""The commands about intents and versions, as a person types them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner, Result

from bot.cli import intents, models
from bot.scorecards.intents import read, without_leaks
from bot.settings import Settings
from evals.beir import DataError
from models.intents.examples import Example
from models.shelf import Shelf, ShelfError
from store.database import Database
from store.feedback import versions

NOW = datetime(2026, 3, 1, tzinfo=UTC)
SCORES = {"accuracy": 0.9, "macro_f1": 0.8, "intents": {"greeting": {"f1": 0.75}}}
REPORT = {"serves": "bert", "rows": 12, "bert": SCORES, "baseline": SCORES}
FILE = """
[[intent]]
name = "greeting"
action = "reply"
reply = "Hello!"
examples = ["hi", "good [bold]morning"]
"""


class Shell:
    """The application with settings of the test's own."""

    def __init__(self, database: Database, home: Path) -> None:
        (home / "intents.toml").write_text(FILE, encoding="utf-8")
        self.database = database
        self.settings = Settings(
            _env_file=None,  # type: ignore[call-arg]
            home=home,
            intents=home / "intents.toml",
            database_url=database.url,
        )
        self._app = typer.Typer()
        self._app.add_typer(intents.app, name="intents")
        models.register(self._app)

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(self._app, words, obj=self.settings)

    def add(self, *, promoted: bool = True, path: str | None = None) -> UUID:
        with self.database.connection() as connection:
            version_id = versions.add(
                connection, "local", "intents", datetime.now(UTC), report=REPORT, path=path
            )
            if promoted:
                versions.promote(connection, "local", version_id, datetime.now(UTC))
        return version_id

    def serving(self) -> UUID | None:
        with self.database.connection() as connection:
            found = versions.serving(connection, "local").get("intents")
        return found.version_id if found else None


@pytest.fixture
def shell(database: Database, tmp_path: Path) -> Shell:
    return Shell(database, tmp_path)


def test_intents_are_listed_with_the_scores_of_what_serves(shell: Shell) -> None:
    assert json.loads(shell.run("intents", "list", "--json").stdout)[0]["scores"] is None
    shell.add()
    (row,) = json.loads(shell.run("intents", "list", "--json").stdout)
    assert (row["name"], row["examples"], row["scores"]) == ("greeting", 2, {"f1": 0.75})
    assert "0.750" in shell.run("intents", "list").stdout


def test_versions_are_listed_newest_first(shell: Shell) -> None:
    first, second = shell.add(), shell.add(promoted=False)
    rows = json.loads(shell.run("models", "--json").stdout)
    assert [row["id"] for row in rows] == [str(second), str(first)]
    assert [row["serving"] for row in rows] == [False, True]
    assert "bert, accuracy 0.900, macro-F1 0.800" in shell.run("models").stdout


def test_a_version_is_promoted_by_the_beginning_of_its_id_and_rolled_back(shell: Shell) -> None:
    first, second = shell.add(), shell.add(promoted=False)
    assert shell.run("models", "promote", str(second)[:8]).exit_code == 0
    assert shell.serving() == second
    assert f"version {str(first)[:8]} serves again" in shell.run("models", "rollback").stderr
    assert shell.serving() == first
    assert "the built-in default serves again" in shell.run("models", "rollback", "intents").stderr
    assert shell.serving() is None


def test_an_unknown_version_is_refused(shell: Shell) -> None:
    assert isinstance(shell.run("models", "promote", "ffff").exception, models.UnknownVersion)
    assert isinstance(shell.run("models", "rollback").exception, models.UnknownVersion)


def test_a_damaged_version_is_not_promoted(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "model.safetensors").write_text("weights")
    version = Shelf(tmp_path / "models" / "intents").put("v1", tmp_path / "new")
    whole = shell.add(promoted=False, path="v1")
    assert shell.run("models", "promote", str(whole)).exit_code == 0
    (version.folder / "model.safetensors").write_text("wei")
    shell.run("models", "rollback")
    assert isinstance(shell.run("models", "promote", str(whole)).exception, ShelfError)
    assert shell.serving() is None


def test_rows_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    for content, said in (
        ('{"text": "hi", "intent": "greeting"}\n{"text": "hi"}\n', "row 2"),
        ("", "no rows"),
        ("hi\n", "line 1 is not JSON"),
    ):
        file.write_text(content)
        with pytest.raises(DataError, match=said):
            read(file)


def test_training_rows_that_a_test_row_repeats_are_left_out() -> None:
    rows = [Example("Reset my password!", "it"), Example("book a room", "office")]
    tests = [Example("reset my  password", "it")]
    assert without_leaks(rows, tests) == rows[1:]


@pytest.mark.parametrize("seeds", ["", "a", "0,,1"])
def test_seeds_are_numbers(shell: Shell, tmp_path: Path, seeds: str) -> None:
    result = shell.run("intents", "eval", "--train", "a", "--test", "b", "--seeds", seeds)
    assert result.exit_code == 2
