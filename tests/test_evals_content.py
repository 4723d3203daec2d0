"""The promises of our own handbook and questions: exact quotes, enough rows, fresh pages newer.

Knows nothing about retrieval or the database.
"""

import collections
import datetime
import json
import pathlib
import tomllib
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


def test_the_channel_log_defeats_the_question_mark_rule_both_ways() -> None:
    rows = rows_of("channel.jsonl")
    assert len({row["text"].casefold() for row in rows}) == len(rows) >= 200
    spoken = [row["text"] for row in rows if row["speak"]]
    silent = [row["text"] for row in rows if not row["speak"]]
    assert sum("?" not in text for text in spoken) >= len(spoken) / 4
    assert sum("?" in text for text in silent) >= len(silent) / 4


def test_the_starter_intents_have_enough_examples_and_share_none_with_the_log() -> None:
    root = EVALS.parent
    intents = tomllib.loads((root / "intents.toml").read_text(encoding="utf-8"))["intent"]
    assert len({intent["emoji"] for intent in intents}) == len(intents) >= 12
    examples: list[str] = []
    for intent in intents:
        lines = (root / intent["examples_file"]).read_text(encoding="utf-8").splitlines()
        assert len(lines) >= 40, intent["name"]
        examples += [line.casefold() for line in lines]
    assert len(set(examples)) == len(examples)
    assert not set(examples) & {row["text"].casefold() for row in rows_of("channel.jsonl")}


def test_every_fact_about_the_made_up_organisations_stands_on_its_page() -> None:
    files = sorted((EVALS / "organisations").glob("*.jsonl"))
    assert len(files) == 24
    for file in files:
        rows = rows_of(f"organisations/{file.name}")
        assert sum(not row["answerable"] for row in rows) >= len(rows) / 3
        for row in filter(lambda row: row["answerable"], rows):
            page = (file.with_suffix("") / row["path"]).read_text(encoding="utf-8")
            assert " ".join(row["quote"].split()) in " ".join(page.split()), row["id"]
            assert row["any_of"] and all(form in row["quote"] for form in row["any_of"]), row["id"]


def test_questions_to_public_handbooks_bring_short_facts_and_no_sentences_of_theirs() -> None:
    for name in ("18f", "sourcegraph"):
        rows = rows_of(f"public/{name}.jsonl")
        assert len({row["id"] for row in rows}) == len(rows) > 600
        assert all("quote" not in row and bool(row["any_of"]) == row["answerable"] for row in rows)
        assert max(len(form.split()) for row in rows for form in row["any_of"]) <= 8
