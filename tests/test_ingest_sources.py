"""The sources' file: read as written, refused with the line and the cure."""

from pathlib import Path

import pytest

from ingest import config
from ingest.config import ConfigError
from ingest.entries import SourceConfig, matches
from store.records import EVERYONE

GOOD = """
[[source]]
name = "wiki"
address = "docs"
link = "https://wiki.example.com/{stem}"
include = ["**/*.md"]
audience = ["C2", "C1"]
max_removed = 9
[[source.rule]]
paths = ["hr/**"]
audience = ["U1"]

[[source]]
name = "second"
kind = "folder"
address = "${WHERE}"
schedule = "off"
"""


def load(tmp_path: Path, text: str, **environ: str) -> list[SourceConfig]:
    file = tmp_path / "sources.toml"
    file.write_text(text)
    return config.load(file, environ=environ)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    first, second = load(tmp_path, GOOD, WHERE="/data")
    assert (first.name, first.address) == ("wiki", str(tmp_path / "docs"))
    assert (first.max_removed, first.max_mb, first.schedule) == (9, 50, "*/30 * * * *")
    assert (first.audience, first.audience_of("hr/pay.md")) == (("C1", "C2"), ("U1",))
    assert (first.wants("a/b.md"), first.wants("a/b.pdf")) == (True, False)
    assert (second.address, second.schedule, second.audience) == ("/data", None, (EVERYONE,))


@pytest.mark.parametrize(
    ("bad", "line", "cure"),
    [
        ('[[source]]\nname = "a"\nadress = "b"', 3, "'adress' is not known. Did you mean address?"),
        ('[[source]]\nname = "A b"\naddress = "b"', 2, "small letters"),
        ('[[source]]\nname = "a"', 1, "needs an address"),
        ('[[source]]\nname = "a"\naddress = "b"\nkind = "wiki"', 4, "not one of folder"),
        ('[[source]]\nname = "a"\naddress = "b"\nmax_mb = "10"', 4, "not of the right type"),
        ('[[source]]\nname = "a"\naddress = "b"\ninclude = "*.md"', 4, '["hr/**"]'),
        ('[[source]]\nname = "a"\naddress = "${GONE}"', 3, "GONE is not set"),
        (
            '[[source]]\nname = "a"\naddress = "b"\n[[source]]\nname = "a"\naddress = "c"',
            5,
            "twice",
        ),
        ('[[source]]\nname = "a"\naddress = "b"\n[[source.rule]]\npaths = ["x"]', 4, "a rule has"),
        ('name = "a"', 1, "[[source]]"),
    ],
)
def test_an_error_names_the_line_and_the_cure(
    tmp_path: Path, bad: str, line: int, cure: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, bad)
    assert f"sources.toml, line {line}: " in str(error.value) and cure in str(error.value)


HEAD = '[[source]]\nname = "a"\naddress = "b"\n'
RULE = "[[source.rule]]\n"


@pytest.mark.parametrize(
    ("bad", "line", "cure"),
    [
        ('audience = "C0HR"', 4, "is not a list"),
        ("audience = 7", 4, "is not a list"),
        ('audience = {C0HR = true}', 4, "is not a list"),
        ('audience = ["#hr"]', 4, "not the id"),
        ('audience = ["c0hr"]', 4, "not the id"),
        ('audience = ["C0HR "]', 4, "not the id"),
        ('audience = [""]', 4, "not the id"),
        ('audience = [["C0HR"]]', 4, "not the id"),
        ("audience = [true]", 4, "not the id"),
        ('audiences = ["C0HR"]', 4, "Did you mean audience?"),
        ('Audience = ["C0HR"]', 4, "Did you mean audience?"),
        (RULE + 'paths = ["hr/**"]\naudience = "C0HR"', 6, "is not a list"),
        (RULE + 'paths = ["hr/**"]\naudiance = ["C0HR"]', 6, "did you mean audience?"),
        (RULE + 'paths = ["hr/**"]', 4, "audience is missing"),
        (RULE + 'audience = ["C0HR"]', 4, "paths is missing"),
        (RULE + 'audience = ["C0HR"]\npaths = []', 6, "names no path"),
        (RULE + 'audience = ["C0HR"]\npaths = "hr/**"', 6, "names no path"),
        (RULE + 'audience = ["C0HR"]\npaths = ["/hr/**"]', 6, "matches no document"),
        (RULE + 'audience = ["C0HR"]\npaths = ["hr\\\\**"]', 6, "matches no document"),
        (RULE + 'audience = ["C0HR"]\npaths = ["x", 1]', 6, "is not a path"),
        (RULE + 'paths = ["x"]\naudience = ["C1"]\n' + RULE + 'paths = ["y"]\naudience = "C2"',
         9, "is not a list"),
        ('audience = ["C1"]\n' + RULE + 'paths = ["x"]\naudience = "C2"', 7, "is not a list"),
        ('[source.rule]\npaths = ["x"]\naudience = ["C1"]', 4, "two brackets"),
        ('[[source.rules]]\npaths = ["x"]\naudience = ["C1"]', 4, "Did you mean rule?"),
        ('rule = ["hr/**"]', 4, "a rule has"),
        ('exclude = "drafts/**"', 4, "names no path"),
        ('exclude = ["./drafts/**"]', 4, "matches no document"),
        ("include = []", 4, "names no path"),
    ],
)  # fmt: skip
def test_a_guard_that_cannot_be_read_keeps_the_source_from_being_read(
    tmp_path: Path, bad: str, line: int, cure: str
) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, HEAD + bad)
    assert f"sources.toml, line {line}: " in str(error.value) and cure in str(error.value)


def test_an_empty_audience_is_nobody(tmp_path: Path) -> None:
    (closed,) = load(tmp_path, HEAD + "audience = []")
    assert closed.audience_of("a.md") == ()
    (part,) = load(tmp_path, HEAD + RULE + 'paths = ["hr/**"]\naudience = []')
    assert (part.audience_of("hr/a.md"), part.audience_of("b.md")) == ((), (EVERYONE,))


def test_an_id_may_come_from_the_environment(tmp_path: Path) -> None:
    (only,) = load(tmp_path, HEAD + 'audience = ["${HR}"]', HR="C0HR")
    assert only.audience == ("C0HR",)
    with pytest.raises(ConfigError, match="HR is not set"):
        load(tmp_path, HEAD + 'audience = ["${HR}"]')


def test_bad_toml_and_missing_files_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="line 1"):
        load(tmp_path, "[[source]\n")
    with pytest.raises(ConfigError, match="sources.toml.example"):
        config.load(tmp_path / "none.toml")


def test_with_nothing_configured_the_example_handbook_is_read() -> None:
    only = config.example()
    assert (only.name, only.kind) == ("handbook", "folder") and Path(only.address).is_dir()


def test_the_example_file_is_right(tmp_path: Path) -> None:
    example = Path(config.__file__).parent.parent / "sources.toml.example"
    assert load(tmp_path, example.read_text())[0].name == "handbook"


def test_folders_given_by_hand_become_sources(tmp_path: Path) -> None:
    first = config.of_address(str(tmp_path / "My Docs"))
    second = config.of_address(str(tmp_path / "x/my-docs"), {first.name})
    assert (first.name, second.name) == ("my-docs", "my-docs-2")
    assert first.address == str(tmp_path / "My Docs")


@pytest.mark.parametrize(("path", "pattern", "is_match"), [
    ("a/b.md", "*.md", True), ("b.md", "**/*.md", True), ("a/b/c.md", "a/**", True),
    ("a/b.md", "a", True), ("a/b.md", "a/", True), ("ab/b.md", "a", False),
    ("a/draft-1.md", "draft-*", True), ("a/b.md", "b", False), ("LICENSE", "LICENSE", True),
])  # fmt: skip
def test_patterns(path: str, pattern: str, is_match: bool) -> None:
    assert matches(path, pattern) is is_match
