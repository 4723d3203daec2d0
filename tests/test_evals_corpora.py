"""Corpora are read in the layouts that they come in, and messages are scored by what they hold."""

import gzip
import json
import math
from pathlib import Path

import pytest

from evals import answers, beir, corpora, messages
from evals.answers import Labelled
from evals.messages import Reply

ROW = Labelled(
    "1", "?", True, "people/leave.md", "It is 28 days a year.", any_of=("28 days", "$150")
)


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("page", "text", "says"),
    [
        ("people/leave.md", "So you get **28 days**, and more.", True),
        ("x/people/leave.md", "28 days", True),
        ("people/other.md", "28 days", False),  # a short form counts on its own page only
        ("people/other.md", "Yes. It is 28 days a year.", True),
        ("people/leave.md", "128 days", False),
        ("people/leave.md", "$150", True),
        ("people/leave.md", "$1500 or $150,000 or $150.50", False),
        ("people/leave.md", "a gift of $150.", True),
    ],
)
def test_a_text_tells_the_fact_by_its_quote_or_a_short_form(
    page: str, text: str, says: bool
) -> None:
    assert answers.tells(ROW, page, text) is says


def test_nothing_tells_what_has_no_answer() -> None:
    row = Labelled("1", "?", False, None, None)
    assert not answers.tells(row, "a.md", "anything")


def test_conversations_keep_last_turns_that_stand_alone(tmp_path: Path) -> None:
    before = [{"speaker": "user", "text": "What is a quota?"}]
    tasks = [
        ("1", "how do I raise a storage quota?", before, ["p1", "p2"], "answerable"),
        ("2", "and how do I raise it?", before, ["p1"], "answerable"),
        ("3", "who sells storage in Iceland?", [], [], "unanswerable"),
        ("4", "which of them?", [], ["p1"], "underspecified"),
    ]
    names = ("id", "question", "history", "relevant", "answerability")
    write(tmp_path / "tasks.jsonl.gz", [dict(zip(names, task, strict=True)) for task in tasks])
    write(tmp_path / "corpus.jsonl.gz", [{"_id": "p1", "title": "", "text": "Ask for more."}])
    corpus = corpora.read(str(tmp_path))
    assert [(row.question_id, row.pages) for row in corpus.rows] == [("1", ("p1", "p2")), ("3", ())]
    assert answers.tells(corpus.rows[0], "p2", "whatever stands there")


def test_rows_with_a_passage_share_one_corpus(tmp_path: Path) -> None:
    rows = [
        {"question": "a", "title": "T", "passage": "One. Two.", "answerable": True,
         "selected": ["Two."]},
        {"question": "b", "title": "T", "passage": "One. Two.", "answerable": False,
         "selected": []},
    ]  # fmt: skip
    write(tmp_path / "dev.jsonl.gz", rows)  # type: ignore[arg-type]
    corpus = corpora.read(str(tmp_path))
    assert (len(corpus.pages), [row.answerable for row in corpus.rows]) == (1, [True, False])
    assert answers.tells(corpus.rows[0], corpus.pages[0].page_id, "One. Two.")
    assert not answers.tells(corpus.rows[0], corpus.pages[0].page_id, "One.")


def test_judged_pages_are_hidden_from_each_third_question(tmp_path: Path) -> None:
    write(tmp_path / "corpus.jsonl.gz", [{"_id": "p", "title": "T", "text": "text"}])
    write(tmp_path / "queries.jsonl.gz", [{"_id": f"q{n}", "text": "?"} for n in range(6)])
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\tp\t1\n" for n in range(6))
    )
    assert len(corpora.read(str(tmp_path)).hidden) == 2


@pytest.mark.parametrize("address", ["nowhere", "nowhere:questions.jsonl", "."])
def test_what_is_no_corpus_is_said_to_be_none(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(beir.DataError):
        corpora.read(address)


def test_messages_are_scored_by_what_they_hold() -> None:
    replies = [
        Reply(True, 0.9, False, 1, True, True),
        Reply(True, 0.8, False, 2, True, False),
        Reply(True, 0.6, False, None, False),
        Reply(True, 0.1, True, 4, True, True),
        Reply(False, 0.7, False, None, False),
        Reply(False, 0.2, True, None, False),
    ]
    found = messages.score(replies).measured()
    values = {name: round(measure.value, 3) for name, measure in found.items()}
    assert values["passage@1"], values["passage@3"] == (0.25, 0.5)
    assert (values["could_hold"], values["holds"], values["marked"]) == (0.75, 0.5, 0.667)
    assert (values["refused_unanswerable"], values["refused_answerable"]) == (0.5, 0.25)
    assert values["crag"] == 0.0
    assert values["coverage_at_80"] == round(2 / 6, 3)
    assert found["holds"].low <= found["holds"].value <= found["holds"].high


def test_what_cannot_be_measured_is_left_out_of_the_mean() -> None:
    some = messages.score([Reply(True, 0.9, False, 1, True, True), Reply(True, 0.1, True, 1, True)])
    none = messages.score([Reply(False, 0.9, False, None, False)])
    assert math.isnan(none.measured()["marked"].value)
    assert messages.mean([some, none])["marked"].value == 1.0


def test_few_questions_show_an_error_of_calibration_that_chance_alone_would_make() -> None:
    def card(count: int) -> dict[str, float]:
        replies = [Reply(True, 0.5, False, 1, i % 2 == 0) for i in range(count)]
        return dict(messages.score(replies).values)

    few, many = card(20), card(2000)
    assert few["ece"] == many["ece"] == 0
    assert few["ece_by_chance"] > 0.05 and 0 < many["ece_by_chance"] < 0.02
