"""Jupyter notebooks to Markdown: text, code, and what the code printed."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ingest.entries import Unreadable
from ingest.parsing import titles, webpage
from ingest.parsing.markup import tidy
from ingest.parsing.office import counted
from ingest.parsing.text import Parsed, decode

MOST_OUTPUT = 20_000  # characters of one output
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_FENCE = re.compile(r"^[ \t]*(`{3,})", re.MULTILINE)

Values = Mapping[str, object]


def read(data: bytes) -> Parsed:
    """Read an .ipynb file, also of the old version with worksheets."""
    book = json.loads(decode(data))
    if not isinstance(book, dict):
        raise Unreadable("It is no notebook.")
    left_out: Counter[str] = Counter()
    language = _language(book)
    cells = [
        cell for part in (book, *_values(book, "worksheets")) for cell in _values(part, "cells")
    ]
    parts = [part for cell in cells for part in _cell(cell, language, left_out)]
    body = "\n\n".join(filter(None, parts))
    said = tuple(counted(number, what) for what, number in left_out.items() if number)
    declared = _inner(book, "metadata").get("title")
    title = titles.chosen(str(declared) if declared else None, titles.beginning(body))
    return Parsed(body, title, left_out=said)


def _cell(cell: Values, language: str, left_out: Counter[str]) -> Iterator[str]:
    kind = cell.get("cell_type")
    source = _text(cell.get("source", cell.get("input"))).strip("\n")
    if not source.strip():
        source = ""
    if kind == "code":
        yield _fenced(source, language)
        for output in _values(cell, "outputs"):
            yield from _output(output, left_out)
    elif kind == "heading":
        level = cell.get("level")
        yield f"{'#' * (level if isinstance(level, int) else 1)} {source}"
    else:
        yield tidy(source) if kind == "markdown" else _fenced(source, "")
    for files in _inner(cell, "attachments").values():
        left_out["picture"] += isinstance(files, dict)


def _output(output: Values, left_out: Counter[str]) -> Iterator[str]:
    """Give one output in the form that says most: Markdown, a page, or plain text."""
    forms = {**output, **_inner(output, "data")}
    if output.get("output_type") in ("error", "pyerr"):
        yield _fenced(f"{_text(output.get('ename'))}: {_text(output.get('evalue'))}", "")
    elif "text/markdown" in forms:
        yield tidy(_text(forms["text/markdown"]))
    elif "<table" in _text(forms.get("text/html")):
        yield webpage.read(_text(forms["text/html"])).body
    elif text := _text(forms.get("text", forms.get("text/plain"))):
        if any(name.startswith("image/") or name == "png" for name in forms):
            left_out["picture"] += 1
            return
        if len(text) > MOST_OUTPUT:
            left_out["end of a long output"] += 1
        yield _fenced(_COLOUR.sub("", text[:MOST_OUTPUT]).strip("\n"), "")
    elif any(name.startswith(("image/", "application/")) for name in forms):
        left_out["picture"] += 1


def _fenced(text: str, language: str) -> str:
    """Write code, within longer marks than it holds itself."""
    longest = max((len(marks) for marks in _FENCE.findall(text)), default=2)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text}\n{marks}" if text.strip() else ""


def _language(book: Values) -> str:
    about = _inner(book, "metadata")
    name = _inner(about, "language_info").get("name") or _inner(about, "kernelspec").get("language")
    return str(name or "python")


def _text(value: object) -> str:
    """Join lines, which notebooks keep as a list or as one text."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _values(holder: object, name: str) -> Sequence[Values]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [v for v in found if isinstance(v, dict)] if isinstance(found, list) else []


def _inner(holder: Values, name: str) -> Values:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}
