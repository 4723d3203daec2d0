"""Sets of questions become pairs: every layout, answers in their places, near passages that do not answer."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.reader import pairs, quality
from models.reader.pairs import Pair, PairsError
from models.reader.reader import Read
from tests.fakes import HashEmbedder

SENTENCES = [
    f"The {thing} is kept in room {number}."
    for number, thing in enumerate(["drill", "ladder", "printer", "scanner", "projector", "safe"])
]


def encode(texts: Sequence[str]) -> NDArray[np.float32]:
    return HashEmbedder().encode(texts)


def rows(folder: Path, name: str, content: Sequence[object]) -> Path:
    (folder / name).mkdir()
    with gzip.open(folder / name / "rows.jsonl.gz", "wt", encoding="utf-8") as stream:
        stream.writelines(f"{json.dumps(row)}\n" for row in content)
    return folder / name


def squad(folder: Path, name: str, articles: Sequence[tuple[str, str, str, str]]) -> Path:
    (folder / name).mkdir()
    data = [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": text,
                    "qas": [
                        {
                            "question": question,
                            "answers": [{"text": said, "answer_start": text.index(said)}],
                        }
                    ],
                }
            ],
        }
        for title, text, question, said in articles
    ]
    (folder / name / "dev.json").write_text(json.dumps({"data": data}), encoding="utf-8")
    return folder / name


def answers(pair: Pair) -> list[str]:
    return [pair.passage[slice(*span)] for span in pair.spans or ()]


def test_a_long_text_is_cut_into_passages_and_its_answer_stays_in_one(tmp_path: Path) -> None:
    text = "Nothing is said here. " * 200 + "The badge costs 12 euros. " + "More of it. " * 200
    found = pairs.read(
        squad(tmp_path, "set", [("Badges_lost", text, "What is a badge?", "12 euros")])
    )
    (pair,) = found.pairs
    assert answers(pair) == ["12 euros"]
    assert pair.heading == "Badges lost"
    assert len(pair.passage) <= pairs.LONGEST_CHARS
    assert "".join(found.passages) == text or len(found.passages) > 3


def test_a_single_sentence_is_set_among_near_ones_with_its_answer_in_place(tmp_path: Path) -> None:
    given = [
        {"question": f"Where is number {i}?", "context": text, "answer": f"room {i}",
         "answer_start": text.index("room")}
        for i, text in enumerate(SENTENCES)
    ]  # fmt: skip
    made = pairs.mixed(pairs.read(rows(tmp_path, "set", given)), encode, most=6, seed=1)
    told = [pair for pair in made if pair.is_relevant]
    assert len(told) == 6
    assert all(answers(pair)[0] == f"room {pair.question[-2]}" for pair in told)
    assert any(len(pair.passage) > 100 for pair in told)
    untold = [pair for pair in made if not pair.is_relevant]
    assert untold
    assert all(pair.spans == () for pair in untold)


def test_a_section_answers_as_a_whole_and_another_of_its_page_does_not(tmp_path: Path) -> None:
    given = [
        {"question": f"What is the {kind} of gout?", "kind": kind, "title": "Gout", "passage": f"{kind} {kind}"}
        for kind in ("cause", "cure", "course")
    ]  # fmt: skip
    made = pairs.mixed(pairs.read(rows(tmp_path, "set", given)), encode, most=9, seed=0)
    assert {pair.spans for pair in made if pair.is_relevant} == {None}
    for pair in made:
        is_own = pair.passage.split()[0] in pair.question
        assert is_own == pair.is_relevant


def test_rows_that_say_themselves_that_nothing_answers_are_believed(tmp_path: Path) -> None:
    row = {
        "question": "q",
        "title": "T",
        "passage": "One. Two.",
        "answerable": True,
        "selected": ["Two."],
    }
    given = [row, {**row, "question": "r", "answerable": False, "selected": []}]
    made = pairs.mixed(pairs.read(rows(tmp_path, "set", given)), encode, most=5, seed=0)
    assert {(pair.question, tuple(answers(pair))) for pair in made} == {("q", ("Two.",)), ("r", ())}


def test_drawing_again_gives_the_same_pairs(tmp_path: Path) -> None:
    given = [{"question": f"q{i}", "title": f"t{i}", "passage": f"words {i}"} for i in range(30)]
    read = pairs.read(rows(tmp_path, "set", given))
    first, again = (pairs.mixed(read, encode, most=10, seed=3) for _ in range(2))
    assert first == again
    assert first != pairs.mixed(read, encode, most=10, seed=4)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"data": [{}]}', '{"question": "q"}'])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_what_is_no_set_is_named(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(PairsError, match=str(tmp_path)):
        pairs.read(tmp_path)


def test_a_file_is_no_set_and_no_folder_of_sets(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text("", encoding="utf-8")
    for reading in (pairs.read, pairs.sets):
        with pytest.raises(PairsError):
            reading(file)


def test_exact_and_partial_answers_are_counted_as_squad_counts_them() -> None:
    pytest.importorskip("sacrebleu", reason="the extra [reader] is not installed")
    text = "The fee is 12 euros a year."
    start = text.index("12")
    given = [
        Pair("q", "", text, ((start, start + 8),), "set", "d"),
        Pair("q", "", text, (), "set", "d"),
    ]
    none = np.zeros(0, np.float32)
    read = [
        Read(0.9, 0.1, (start, start + 15), (), none, none),
        Read(0.2, 0.8, (0, 3), (), none, none),
    ]
    found = quality.measure(given, read)
    assert found.exact == 0
    assert found.f1 == pytest.approx(2 * 2 / (2 + 3))  # "12 euros" against "12 euros [a] year"
    assert found.rouge_l == pytest.approx(2 * 2 / (2 + 4))  # ROUGE counts the article
    assert (found.no_answer_auroc, found.relevance_auroc) == (1, 1)
    assert quality.f1("The fee!", "fee") == 1


def test_few_passages_are_encoded_however_large_a_set_of_lone_passages_is(tmp_path: Path) -> None:
    given = [
        {"question": f"What is item {i}?", "title": f"Item {i}", "passage": f"It is kept in {i}."}
        for i in range(5 * pairs.POOL)
    ]
    seen = list[str]()

    def counting(texts: Sequence[str]) -> NDArray[np.float32]:
        seen.extend(texts)
        return encode(texts)

    made = pairs.mixed(pairs.read(rows(tmp_path, "set", given)), counting, most=10, seed=0)
    assert sum(pair.is_relevant for pair in made) == sum(not p.is_relevant for p in made) == 10
    assert len(seen) <= pairs.POOL + 10
