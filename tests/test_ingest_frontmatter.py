"""Front matter: its fields can be found and shown, however it is written."""

from datetime import UTC, datetime

import pytest

from ingest.parsing.frontmatter import parse_date, part


def facts(text: str) -> list[str]:
    return part(text)[0].lines().split("\n")


def test_fields_are_told_and_what_is_for_programs_is_not() -> None:
    text = (
        "---\ntitle: Ice\nowner: Team Glacier\ntags: [rink, ice]\nlayout: page\ndraft: true\n"
        "contact:\n  name: Ann\n  phone: 01067\nopens: 10:15\nid: 7\nsidebar_position: 3\n---\nbody"
    )
    assert facts(text) == [
        "Owner: Team Glacier", "Tags: rink, ice", "Contact: name: Ann, phone: 01067", "Opens: 10:15",
    ]  # fmt: skip
    assert part(text)[1] == "body"


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: Rink: hours\nowner: Ann\nupdated: 2025-02-11\n---\nbody",
        "\n\n---\ntitle: 'Rink: hours'\nowner: Ann\nupdated: 2025-02-11\n---\nbody",
        "\ufeff---\ntitle: 'Rink: hours'\nowner: Ann\nupdated: 2025-02-11\n---\nbody",
        "<!-- made by hand -->\n---\ntitle: 'Rink: hours'\nowner: Ann\nupdated: 2025-02-11\n---\nbody",
        "---\ntitle: 'Rink: hours'\n\towner: Ann\nupdated: 11 February 2025\n---\nbody",
        '+++\ntitle = "Rink: hours"\nowner = "Ann"\nupdated = 2025-02-11\n+++\nbody',
        '+++\ntitle = "Rink: hours"\nowner = Ann\nupdated = 2025-02-11\n+++\nbody',
        '{"title": "Rink: hours",\n "owner": "Ann", "updated": "2025-02-11"}\nbody',
        "---\ntitle: 'Rink: hours'\nowner: &a Ann\nby: *a\nupdated: 2025-02-11\n...\nbody",
    ],
)
def test_it_is_read_however_it_is_written(text: str) -> None:
    front, body = part(text)
    assert (front.title, front.updated_at) == ("Rink: hours", datetime(2025, 2, 11, tzinfo=UTC))
    assert "Ann" in front.lines() and body == "body"


@pytest.mark.parametrize(
    "text",
    ["---\nhello there\n---\nbody", "---\n\n---\nx", "---\nno end: here\n", "{a}\n", "{}\n", ""],
)
def test_what_is_no_front_matter_stays(text: str) -> None:
    assert part(text)[1] == text


def test_a_date_that_no_page_can_have_is_left_out_and_named() -> None:
    for odd in ("9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "soon"):
        front, _ = part(f"---\nupdated: '{odd}'\nowner: Ann\n---\n")
        assert front.updated_at is None and "updated" in front.left_out[0]
        assert parse_date(odd) is None


@pytest.mark.parametrize(
    "block",
    ["a: " + "[" * 30_000, "a: " + "{" * 30_000, "- " * 30_000, "? " * 30_000, "a: &b [*b, *b]"],
)
def test_monstrous_blocks_are_read_line_by_line(block: str) -> None:
    front, body = part(f"---\nowner: Ann\n{block}\n---\nbody")
    assert "Owner: Ann" in front.lines() and body == "body"
