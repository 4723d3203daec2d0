"""The promises of our own handbook and questions: exact quotes, enough rows, fresh pages newer.

Knows nothing about retrieval or the database.
"""

import collections
import datetime
import json
import pathlib
from typing import Any

EVALS = pathlib.Path(__file__).parent.parent / "evals"
HANDBOOK = EVALS / "handbook"


def rows_of(name: str) -> list[dict[str, Any]]:
    lines = (EVALS / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def parts_of(path: str) -> tuple[dict[str, str], str]:
    """Split a page into its front matter and its body."""
    _, front, body = (HANDBOOK / path).read_text(encoding="utf-8").split("---\n", 2)
    return dict(line.split(": ", 1) for line in front.splitlines()), body


def test_every_page_has_a_title_and_a_date() -> None:
    pages = sorted(HANDBOOK.rglob("*.md"))
    assert len(pages) >= 28
    for page in pages:
        front, body = parts_of(str(page.relative_to(HANDBOOK)))
        assert front["title"]
        assert datetime.date.fromisoformat(front["updated"])
        assert body.lstrip().startswith("# ")


def test_every_quote_stands_on_exactly_one_line_of_its_page() -> None:
    for row in rows_of("questions.jsonl"):
        if row["answerable"]:
            lines = parts_of(row["path"])[1].splitlines()
            assert sum(row["quote"] in line for line in lines) == 1, row["id"]
            assert 20 <= len(row["quote"]) <= 200, row["id"]
        else:
            assert row["path"] is None and row["quote"] is None, row["id"]


def test_a_table_question_is_answered_by_a_table_row() -> None:
    for row in rows_of("questions.jsonl"):
        if row["kind"] == "table":
            lines = parts_of(row["path"])[1].splitlines()
            assert any(row["quote"] in line for line in lines if line.startswith("|")), row["id"]


def test_there_are_enough_questions_of_each_kind() -> None:
    rows = rows_of("questions.jsonl")
    kinds = collections.Counter(row["kind"] for row in rows)
    assert sum(row["answerable"] for row in rows) >= 110
    assert kinds["unanswerable"] + kinds["near_miss"] >= 40
    assert kinds["table"] >= 12
    assert kinds["fresh"] >= 12


def test_no_id_and_no_question_stands_twice() -> None:
    rows = rows_of("questions.jsonl")
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({row["question"].casefold() for row in rows}) == len(rows)


def test_a_fresh_page_is_newer_than_the_stale_one_and_says_something_else() -> None:
    fresh = [row for row in rows_of("questions.jsonl") if row["kind"] == "fresh"]
    assert len({row["stale_path"] for row in fresh}) >= 4
    for row in fresh:
        new, _ = parts_of(row["path"])
        old, old_body = parts_of(row["stale_path"])
        assert new["updated"] > old["updated"], row["id"]
        assert row["quote"] not in old_body, row["id"]
