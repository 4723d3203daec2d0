"""Parsers of strangers' text raise nothing of their own, and take time in proportion to its length.

The one timed test: processor time at 1, 2 and 4 times a length, with a generous bound on its growth.
"""

import math
import re
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.entries import Unreadable
from ingest.parsing import (
    commonmark,
    embedded_html,
    encodings,
    frontmatter,
    inline,
    markup,
    records,
    restructured,
    templates,
    text,
    weblinks,
    webpage,
)  # fmt: skip
from ingest.parsing.text import Parsed
from ingest.splitting import chunks, cuts, naming, sections, sizes

MOST_GROWTH = 1.6  # exponent of length; 2 would be quadratic
QUICK_SECONDS = 0.05  # below which a time says nothing
LENGTH = 1_000  # characters of the shortest text

PARTS = [
    "a", " ", "\n", "\n\n", "\t", "    ", "#", "# ", "- ", "> ", "1. ", "`", "```", "~~~\n", "[", "]",
    "(", ")", "](", "[a]: b\n", "[^1]: ", "[^1]", "<", ">", "<a ", "<a href='x'>", "</a>", "<!--",
    "-->", "<table>", "<tr><td>", "</table>\n", "<div>\n", "{{", "}}", "{%", "%}", "{% comment %}",
    "{% raw %}", "{{<", "{#", "{: ", "|", "| a | b |\n|---|---|\n", "---\n", "+++\n", "a: b\n", "***",
    "_", "!!! note\n", ":::note\n", ":::\n", "===", "\\", "&", "import a from 'b'\n", "{", "}", ",",
    '"', "'", ":", ".. note:: a\n", "   ", "=====\n", ":a:`", "\f", "\ufeff", "\u00ad", "é", "\ud800",
    "<pre>", "<details>", "</", "=", "- - ", "2024-01-01 ", "*", "![", "a" * 20, "<?", "<![CDATA[",
]  # fmt: skip


def _markdown(source: str) -> object:
    parsed = text.markdown(source.encode("utf-8", "replace"))
    return list(sections.sections(parsed, naming.title_of(parsed, "a.md")))


def _plain(source: str) -> object:
    return list(sections.sections(Parsed(source, is_plain=True), "T"))


PARSERS: dict[str, Callable[[str], object]] = {
    "markdown": _markdown,
    "plain": _plain,
    "front": frontmatter.part,
    "fields": lambda source: frontmatter.part(f"---\n{source}\n---\n"),
    "html": embedded_html.markdown,
    "page": lambda source: webpage.read(source).body,
    "links": lambda source: weblinks.page(
        source.encode("utf-8", "replace"), "https://docs.example/"
    ),
    "sitemap": lambda source: weblinks.sitemap(
        source.encode("utf-8", "replace"), "https://x.example/"
    ),
    "rst": lambda source: restructured.read(source.encode("utf-8", "replace")),
    "json": lambda source: records.read_json(source.encode("utf-8", "replace")),
    "xml": lambda source: records.read_xml(source.encode("utf-8", "replace")),
    "yaml": lambda source: records.read_yaml(source.encode("utf-8", "replace")),
    "bytes": lambda source: encodings.decode(source.encode("utf-16-le", "surrogatepass")[1:]),
}


@pytest.mark.parametrize("name", PARSERS)
@settings(
    max_examples=60, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(parts=st.lists(st.sampled_from(PARTS), max_size=40))
def test_whatever_is_written_is_read(name: str, parts: list[str]) -> None:
    try:
        PARSERS[name]("".join(parts))
    except Unreadable:
        pass


def growth(run: Callable[[str], object], make: Callable[[int], str]) -> float:
    """Give the exponent of length that processor time grows by; 0 for what is always quick."""
    times = []
    for times_longer in (1, 2, 4):
        source = make(LENGTH * times_longer)
        start = time.process_time()
        try:
            run(source)
        except Unreadable:
            pass
        times.append(time.process_time() - start)
    return math.log2(times[2] / max(times[0], 1e-4)) / 2 if times[2] > QUICK_SECONDS else 0.0


def repeated(part: str) -> Callable[[int], str]:
    return lambda length: part * (length // len(part))


MONSTERS: dict[str, Callable[[int], str]] = {
    **{part: repeated(part) for part in PARTS},
    "spaces in a heading": lambda length: f"# a{' ' * length}b",
    "spaces at an end": lambda length: f"a{' ' * length}",
    "one after another": repeated("".join(PARTS)),
}


@pytest.mark.parametrize("name", PARSERS)
def test_time_grows_with_length_alone(name: str) -> None:
    found = {monster: growth(PARSERS[name], make) for monster, make in MONSTERS.items()}
    assert {k: round(v, 2) for k, v in found.items() if v > MOST_GROWTH} == {}


@pytest.mark.parametrize("part", ["{{", "{%", "`", "<a ", "<!--", "[", "# a" + " " * 4_000 + "b\n"])
def test_long_attacks_on_markdown_take_time_in_proportion(part: str) -> None:
    assert growth(_markdown, lambda length: part * (10 * length // len(part))) <= MOST_GROWTH


# Expressions that are looked for everywhere; the others are only tried where something begins.
SEARCHED = {
    "_CONTROL", "_WORD", "_SHOWN", "_ARGUMENT", "_GAPS", "_PLACEHOLDER", "_ATTRIBUTE", "_LINK",
    "_MARKS", "_CALL", "_BAR", "_ROLE", "_NOT_IN_SLUG",
}  # fmt: skip


def _patterns() -> dict[str, re.Pattern[str]]:
    modules = [
        embedded_html, encodings, frontmatter, inline, markup, records, restructured, templates,
        commonmark, chunks, cuts, naming, sections, sizes,
    ]  # fmt: skip
    return {
        f"{module.__name__}.{name}": value
        for module in modules
        for name, value in vars(module).items()
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
    }


def _searching(pattern: re.Pattern[str], name: str) -> Callable[[str], object]:
    if name.rpartition(".")[2] in SEARCHED:
        return lambda source: list(pattern.finditer(source))
    return pattern.match


def test_no_expression_takes_more_time_than_its_text_is_long() -> None:
    found = {
        f"{name} {monster!r}": growth(_searching(pattern, name), make)
        for name, pattern in _patterns().items()
        for monster, make in MONSTERS.items()
    }
    assert {k: round(v, 2) for k, v in found.items() if v > MOST_GROWTH} == {}
