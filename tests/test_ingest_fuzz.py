"""Parsers of strangers' text raise nothing of their own, and take time in proportion to its length.

The one timed test: processor time at 1, 2 and 4 times a length, with a generous bound on its growth.
"""

import json
import math
import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import paths
from ingest.entries import Unreadable
from ingest.parsing import (
    delimited,
    embedded_html,
    encodings,
    exports,
    formats,
    frontmatter,
    looks,
    notebook,
    number_formats,
    records,
    restructured,
    text,
    titles,
    weblinks,
    webpage,
)  # fmt: skip
from ingest.parsing.slack_messages import Writer
from ingest.parsing.text import Parsed
from ingest.sources import urls
from ingest.splitting import naming, sections

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
    "robots": lambda source: looks.look("robots", source.encode("utf-8", "replace"), ""),
    "reply": lambda source: looks.look("json", json.dumps([source] * 9).encode(), ""),
    "names": lambda source: looks.look("slack-names", source.encode("utf-8", "replace"), ""),
    "slack": lambda source: Writer({}, {}).text({"text": source, "blocks": [{"text": source}]}),
    "confluence": lambda source: exports.confluence(
        f"<div id='main-content'>{source}".encode("utf-8", "replace")
    ),
    "frame": lambda source: exports.confluence(source.encode("utf-8", "replace")),
    "notion": lambda source: exports.notion(source.encode("utf-8", "replace")),
    "table": lambda source: delimited.read_delimited(source.encode("utf-8", "replace")),
    "mail": lambda source: formats.convert("a.eml", source.encode("utf-8", "replace")),
    "mailbox": lambda source: formats.convert(
        "a.mbox", b"From a\n" + source.encode("utf-8", "replace")
    ),
    "rtf": lambda source: formats.convert("a.rtf", source.encode("utf-8", "replace")),
    "notebook": lambda source: notebook.read(
        json.dumps({"cells": [{"cell_type": "markdown", "source": source}]}).encode()
    ),
    "number": lambda source: number_formats.shown(1234.5, source),
    "titles": lambda source: titles.chosen(source, titles.beginning(source)),
    "path": paths.lenient,
    "address": lambda source: urls.normal(f"https://docs.example/{source}"),
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
