"""Questions with known facts become examples for a reader: what a search finds for them, right or not."""

import json
from pathlib import Path

import pytest

from bot.scorecards import examples
from bot.services import Services
from bot.settings import Settings
from evals import corpora
from store.database import Database
from tests.fakes import HashEmbedder

PAGES = {
    "badge.md": "# Badges\n\nA lost badge costs 15 EUR at the front desk.\n",
    "desk.md": "# Front desk\n\nThe front desk is open until six and prints a badge.\n",
}
ROWS = [
    {"id": "1", "question": "what does a lost badge cost?", "answerable": True,
     "path": "badge.md", "any_of": ["15 eur"], "quote": "A lost badge costs 15 EUR"},
    {"id": "2", "question": "who prints a badge at night?", "answerable": False,
     "path": "desk.md", "quote": ""},
]  # fmt: skip


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    settings = Settings(_env_file=None, home=tmp_path, database_url=database.url)  # type: ignore[call-arg]
    return Services(settings, database, None, embedder=HashEmbedder())  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "corpora"
    (place / "firm").mkdir(parents=True)
    for page, body in PAGES.items():
        (place / "firm" / page).write_text(body)
    (place / "firm.jsonl").write_text("\n".join(json.dumps(row) for row in ROWS))
    (place / "notes.jsonl").write_text("of no folder")
    return place


def test_the_passage_with_the_fact_is_right_and_the_others_that_were_found_are_not(
    services: Services, folder: Path
) -> None:
    found = examples.pairs(services, corpora.read_all(str(folder)), lambda *_: None)
    right = [pair for pair in found if pair.is_relevant]
    assert [pair.document for pair in right] == ["badge.md"]
    assert right[0].spans is not None
    start, end = right[0].spans[0]
    assert right[0].passage[start:end] == "15 EUR"
    wrong = {(pair.question, pair.document) for pair in found if not pair.is_relevant}
    assert ("what does a lost badge cost?", "desk.md") in wrong
    assert {name for question, name in wrong if "night" in question} == {"badge.md", "desk.md"}
    assert {pair.from_set for pair in found} == {"firm"}


def test_a_folder_of_corpora_is_read_whole(folder: Path) -> None:
    assert [corpus.name for corpus in corpora.read_all(str(folder))] == ["firm"]
    address = f"{folder / 'firm'}:{folder / 'firm.jsonl'}"
    assert corpora.read_all(address) == corpora.read_all(str(folder))
