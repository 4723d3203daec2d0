"""`threadwise models compare`: a model by name beside what serves, on questions of one's own."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bot import indexing
from bot.cli import models
from bot.scorecards import comparison
from bot.services import Services
from bot.settings import Settings
from evals import answers
from evals.beir import DataError
from ingest.entries import SourceConfig
from models import files
from models.files import ModelError
from store.database import Database
from tests import tiny_bert
from tests.fakes import HashEmbedder
from tests.test_models_reranker import write as write_reranker

PAGES = {
    "leave": "You may book leave in May.",
    "pay": "Pay day is the last day.",
    "wifi": "Reset it.",
}
ROWS = [
    {"question": "when is pay day", "answerable": True, "path": "pay.md", "quote": "the last day"},
    {"question": "book leave", "answerable": True, "path": "leave.md", "quote": "leave in May"},
    {"question": "who is it", "answerable": False, "path": None, "quote": None},
]


@pytest.fixture
def team(database: Database, tmp_path: Path) -> Services:
    (tmp_path / "pages").mkdir()
    for name, text in PAGES.items():
        (tmp_path / "pages" / f"{name}.md").write_text(f"# About {name}\n\n{text}\n")
    settings = Settings(_env_file=None, home=tmp_path, hub_offline=True)  # type: ignore[call-arg]
    services = Services(settings, database, None, embedder=HashEmbedder())
    indexing.run(services, SourceConfig("wiki", "folder", str(tmp_path / "pages")))
    return services


def rows(place: Path, given: list[dict[str, object]]) -> list[answers.Labelled]:
    file = place / "questions.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in given))
    return answers.labelled(file)


def silent(what: str, done: int, total: int) -> None:
    pass


def test_an_encoder_is_tried_with_what_serves_and_alone(team: Services, tmp_path: Path) -> None:
    name = str(tiny_bert.write(tmp_path / "tiny"))
    found = comparison.compare(team, name, rows(tmp_path, ROWS), silent)
    digest = files.weights_digest(tmp_path / "tiny")[:8]
    assert [row.name for row in found.rows] == [
        "what serves", f"with tiny@{digest}", f"tiny@{digest} alone",
    ]  # fmt: skip
    assert (found.questions, found.encoded) == (2, 3)
    assert found.rows[0].page[1] == found.rows[0].fact[1] == found.rows[0].ndcg == 1.0
    for row in found.rows:
        assert row.page[5] == row.fact[5] == 1.0
        assert row.page[1] <= row.page[3] <= row.page[5]
        assert row.seconds > 0 and row.peak_mb > 0
    assert found.encoded_per_second > 0
    with team.database.connection() as connection:
        assert connection.execute("SELECT count(*) FROM second_vectors").fetchone() == (0,)


def test_a_reranker_is_tried_after_what_serves(team: Services, tmp_path: Path) -> None:
    name = str(write_reranker(tmp_path / "cross", {0: "LABEL_0"}))
    found = comparison.compare(team, name, rows(tmp_path, ROWS), silent)
    assert [row.name.partition("@")[0] for row in found.rows] == ["what serves", "then cross"]
    assert found.rows[1].page[5] == 1.0


@pytest.mark.parametrize("given", [[], ROWS[2:], [{**ROWS[0], "path": None}]])
def test_questions_that_cannot_be_scored_are_refused(
    team: Services, tmp_path: Path, given: list[dict[str, object]]
) -> None:
    with pytest.raises(DataError, match="nothing to score"):
        comparison.compare(team, "team/none", rows(tmp_path, given), silent)


def test_without_documents_it_says_so(database: Database, tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path)  # type: ignore[call-arg]
    empty = Services(settings, database, None, embedder=HashEmbedder())
    with pytest.raises(DataError, match="is anything ingested"):
        comparison.compare(empty, "team/none", rows(tmp_path, ROWS), silent)


def shell(database: Database, home: Path, *words: str) -> Result:
    settings = Settings(  # type: ignore[call-arg]
        _env_file=None, home=home, database_url=database.url, hub_offline=True
    )
    app = typer.Typer()
    models.register(app)
    return CliRunner().invoke(app, ["models", "compare", *words], obj=settings)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"who?\n", "line 1 is not JSON"),
        (b'{"question": "who"}\n', "has no 'answerable'"),
        (b'["who"]\n', "not a JSON object"),
        (b"\xff\xfe\x00", "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_questions_is_refused_at_once(
    database: Database, tmp_path: Path, content: bytes | None, told: str
) -> None:
    file = tmp_path / "questions.jsonl"
    if content is not None:
        file.write_bytes(content)
    done = shell(database, tmp_path, "team/none", "--questions", str(file))
    assert isinstance(done.exception, DataError) and told in str(done.exception)
    assert "\n" not in str(done.exception)


def test_a_model_that_is_not_there_is_one_line(team: Services, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="team/none is not on this machine"):
        comparison.compare(team, "team/none", rows(tmp_path, ROWS), silent)
