"""Several corpora are indexed and asked, and each is scored by a confidence that never saw it."""

import json
from pathlib import Path

import pytest

from bot.answering.confidence import Calibrator
from bot.scorecards import asking, corpora
from bot.scorecards.asking import Asked, Evidence
from bot.services import Services
from bot.settings import Settings
from evals import beir
from evals import corpora as reading
from evals.answers import Labelled
from evals.messages import Reply
from store.database import Database
from tests.fakes import HashEmbedder

FACTS = {
    "leave.md": "# Leave\n\nFull-time staff get 28 days of holiday a year.\n",
    "badge.md": "# Badge\n\nA lost badge costs 15 EUR at the front desk.\n",
}


@pytest.fixture
def services(database: Database, tmp_path: Path) -> Services:
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        home=tmp_path,
        database_url=database.url,
    )
    return Services(settings, database, None, embedder=HashEmbedder())  # type: ignore[arg-type]


def handbook(folder: Path, name: str) -> reading.Corpus:
    place = folder / name
    place.mkdir()
    for page, body in FACTS.items():
        (place / page).write_text(body, encoding="utf-8")
    rows = [
        {"id": "1", "question": "how many days of holiday a year?", "answerable": True,
         "path": "leave.md", "quote": "28 days of holiday a year", "any_of": ["28 days"]},
        {"id": "2", "question": "what does a lost badge cost?", "answerable": True,
         "path": "badge.md", "quote": None, "any_of": ["15 EUR"]},
        {"id": "3", "question": "who waters the office plants?", "answerable": False,
         "path": None, "quote": None},
    ]  # fmt: skip
    questions = folder / f"{name}.jsonl"
    questions.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return reading.read(f"{place}:{questions}")


def quiet(name: str, done: int, total: int) -> None:
    pass


def test_a_corpus_is_asked_alone_and_together_with_others(
    services: Services, tmp_path: Path
) -> None:
    given = [handbook(tmp_path, name) for name in ("one", "two")]
    evidence = asking.gather(services, given, quiet)
    assert list(evidence.scored) == ["one", "two", asking.TOGETHER]
    assert [asked.reply.could_hold for asked in evidence.scored["one"]] == [True, True, False]
    assert [asked.reply.is_marked for asked in evidence.scored["one"]] == [True, True, None]
    assert {asked.home for asked in evidence.scored[asking.TOGETHER]} == {"one", "two"}
    assert not any(asked.reply.could_hold for asked in evidence.further)


def test_a_hidden_page_leaves_nothing_that_holds_the_fact(
    services: Services, tmp_path: Path
) -> None:
    evidence = asking.gather(services, [handbook(tmp_path, "one")], quiet)
    hidden = [asked for asked in evidence.further if asked.row.question_id == "1"]
    assert hidden and not any(asked.row.answerable for asked in hidden)


def test_a_second_run_encodes_no_document_again(services: Services, tmp_path: Path) -> None:
    given = [handbook(tmp_path, "one")]
    asking.gather(services, given, quiet)
    embedder = services.embedder
    assert isinstance(embedder, HashEmbedder)
    embedder.encoded.clear()
    asking.gather(services, given, quiet)
    assert not any("Leave" in text for text in embedder.encoded)


def told(corpus: str, number: int, sure: float, *, right: bool) -> Asked:
    row = Labelled(f"{corpus}{number}", "?", True, f"{number}.md", "fact")
    return Asked(row, (corpus, corpus), {"unit_over": sure}, Reply(True, 0.0, False, 1, right))


def test_each_corpus_is_scored_by_a_fit_that_did_not_see_it() -> None:
    """In the odd one out sureness is turned around; a fit that had seen it would not be so wrong there."""
    honest = {
        name: [told(name, n, n / 40, right=n >= 20) for n in range(40)] for name in ("a", "b", "c")
    }
    odd = [told("odd", n, n / 40, right=n < 20) for n in range(40)]
    result = corpora.scored(Evidence({**honest, "odd": odd}, []), Calibrator.default())
    assert result.left_out["odd"].values["auroc"] < 0.1
    assert result.left_out["a"].values["auroc"] > 0.9


def test_a_calibrator_is_kept_with_what_it_was_worth_elsewhere(tmp_path: Path) -> None:
    asked = {
        name: [told(name, n, n / 40, right=n >= 20) for n in range(40)] for name in ("a", "b", "c")
    }
    result = corpora.scored(Evidence(asked, []), Calibrator.default())
    corpora.keep(result, tmp_path / "kept.json")
    kept = json.loads((tmp_path / "kept.json").read_text(encoding="utf-8"))
    assert kept["fitted_on"] == ["a", "b", "c"]
    assert kept["left_out"]["a"]["auroc"] > 0.9
    assert Calibrator.of(kept).probability({"unit_over": 0.9}) > 0.5


def test_two_corpora_are_too_few_to_leave_one_out(tmp_path: Path) -> None:
    asked = {"a": [told("a", 1, 0.5, right=True)], "b": [told("b", 1, 0.5, right=False)]}
    result = corpora.scored(Evidence(asked, []), Calibrator.default())
    assert not result.left_out
    with pytest.raises(beir.DataError, match="three corpora"):
        corpora.keep(result, tmp_path / "kept.json")


def test_lone_passages_are_reported_on_and_not_fitted_to() -> None:
    """Sureness is turned around in them; had they been fitted to, the handbooks would be worse for it."""
    honest = {
        name: [told(name, n, n / 40, right=n >= 20) for n in range(40)] for name in ("a", "b", "c")
    }
    lone = [told("lone", n, n / 40, right=n < 20) for n in range(40)] * 9
    given = Evidence({**honest, "lone": lone}, [], frozenset(["lone"]))
    result = corpora.scored(given, Calibrator.default())
    assert result.fitted_on == {"a", "b", "c"}
    assert result.left_out["a"].values["auroc"] > 0.9
    assert result.left_out["lone"].values["auroc"] < 0.1
