"""Scoring follow-ups: alone, with their history, and as an LLM rewrites them."""

import json
from pathlib import Path

import pytest

from bot.scorecards import followups
from bot.services import Services
from bot.settings import Settings
from store.database import Database
from tests import fake_llm
from tests.fake_llm import Act, says
from tests.fakes import HashEmbedder

PAGES = {
    "leave": "Full-time staff get 28 days of leave every year.",
    "parts": "Part-timers get a share of the leave of their colleagues.",
    "pay": "Pay day is the last working day of the month.",
    "desk": "The service desk replaces broken laptops.",
}


def task(question: str, page: str, *said: str, collection: str = "govt") -> dict[str, object]:
    return {
        "question": question, "history": [{"speaker": "user", "text": each} for each in said],
        "relevant": [page], "collection": collection,
        "multi_turn": ["Follow-up"] if said else ["N/A"],
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    filler = {f"filler{n}": f"And for them, garden {n}?" for n in range(12)}
    pages = [{"_id": key, "title": key, "text": text} for key, text in (PAGES | filler).items()]
    tasks = [
        task("and for them?", "parts", "how much leave do part-timers get?"),
        task("when is pay day in a month?", "pay", "hello there", collection="clapnq"),
        task("who replaces broken laptops?", "desk", collection="clapnq"),
    ]
    for name, rows in (("corpus", pages), ("tasks", tasks)):
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return tmp_path


def score(
    database: Database, folder: Path, act: Act | None = None, **given: object
) -> followups.Scorecard:
    plain = Settings(_env_file=None, home=folder, database_url=database.url)  # type: ignore[call-arg]
    with fake_llm.fake_llm(act or fake_llm.fails(500)) as fake:
        told = {"llm_url": fake.url, "llm_model": "small"} if act else {}
        services = Services(
            plain.model_copy(update=told | given),
            database,
            None,
            embedder=HashEmbedder(),  # type: ignore[arg-type]
        )
        return followups.score(services, folder, lambda *_: None)


def test_a_turn_that_leans_is_found_with_its_history_and_others_as_before(
    database: Database, folder: Path
) -> None:
    card = score(database, folder)
    assert (card.chosen_leaning.turns, card.chosen_leaning.alone) == (1, 0.0)
    assert card.chosen_leaning.with_history == 1.0
    assert card.held_out_leaning.turns == 0
    assert card.held_out_all.alone == card.held_out_all.with_history == 1.0
    assert card.unrelated.turns == 1
    assert card.llm is card.chosen_leaning.rewritten is None


@pytest.mark.parametrize(
    ("text", "found", "dropped"),
    [
        ("How much pay for part-timers, and them?", 1.0, {}),
        ("What is the weather like?", 1.0, {"unrelated": 1}),
    ],
)
def test_with_an_llm_its_rewritings_are_compared_with_the_rule(
    database: Database, folder: Path, text: str, found: float, dropped: dict[str, int]
) -> None:
    card = score(database, folder, says(json.dumps({"text": text})))
    assert card.chosen_leaning.rewritten == found
    assert card.llm and (card.llm.turns, card.llm.dropped) == (1, dropped)
    assert card.llm.texts == (() if dropped else (("and for them?", text),))
    assert card.held_out_all.rewritten is None


def test_a_measurement_keeps_to_the_channels_too(database: Database, folder: Path) -> None:
    said = says(json.dumps({"text": "How much leave do part-timers get?"}))
    assert score(database, folder, said, llm_channels=("C1",)).llm is None
