"""Titles: what a program fills in is none where the text says more."""

import pytest

from ingest.parsing import titles


@pytest.mark.parametrize(
    ("declared", "first", "expected"),
    [
        ("Charter of the crew", "Team", "Charter of the crew"),
        ("Microsoft Word - Document1", "Pier rules", "Pier rules"),
        ("Microsoft Word - Pier_rules_v2.doc", "Pier rules", "Pier rules"),
        ("Microsoft PowerPoint - Pier rules", None, "Pier rules"),
        ("PowerPoint Presentation", "Slips", "Slips"),
        ("PowerPoint-Präsentation", "Slips", "Slips"),
        ("Dokument3", "Slips", "Slips"),
        ("Untitled", None, None),
        ("Sheet1", None, None),
        ("pier_rules_2024-final.docx", "Pier rules", "Pier rules"),
        ("PierRules2024", None, "PierRules2024"),
        (None, "Slips", "Slips"),
        ("", None, None),
        ("ISO-9001", "Scope", "ISO-9001"),
        ("2024-05-pier-rules", "Pier rules", "Pier rules"),
        ("Document control", "Scope", "Document control"),
    ],
)
def test_a_title_that_says_nothing_gives_way(
    declared: str | None, first: str | None, expected: str | None
) -> None:
    assert titles.chosen(declared, first) == expected


def test_what_a_text_begins_with() -> None:
    assert titles.beginning("## Two\n\ntext\n\n### Three\n") == "Two"
    assert titles.beginning("## Two\n\ntext\n\n# One\n") == "One"
    assert titles.beginning("## Two\n\n## Two more\n") is None
    assert titles.beginning("text\n\n# One\n\n## Two") == "One"
    assert titles.beginning("text\n\n# One\n\n# Two") is None
    assert titles.first_line("\nRules of the pier\n\nThe pier is shut.") == "Rules of the pier"
    assert titles.first_line("The pier is shut.\n") is None
