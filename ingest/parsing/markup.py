"""Markdown as a reader of the published page sees it: without comments, template tags and HTML.

What is taken out is proven to be markup by the tree of a Markdown parser; code is never touched, and
what is not known stays. Knows nothing about front matter or files.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from markdown_it.token import Token

from ingest.parsing import commonmark, embedded_html, inline
from ingest.parsing.inline import Edit

DEEPEST_NOTES = 4  # notes within notes

_NOTE = re.compile(
    r"(?:!!!|\?\?\?\+?|===\+?!?)[ ]+(?:([\w-]+(?: [\w-]+)*)[ ]*)?(?:\"([^\"]*)\")?\s*\Z"
)
_COLONS = re.compile(r":{3,}[ ]*(?:\{?\.?([\w-]+)\}?)?(?:\[([^\]]*)\])?[ ]*(.*)\Z")
_IMPORT = re.compile(
    r"import\s.*['\"][^'\"]+['\"];?\s*\Z|export\s+(?:const|default|let|function)\s"
)
_CONTENTS = {"[[_toc_]]", "[toc]", "[[toc]]", "{:toc}", "${toc}", "{{toc}}", "[[__toc__]]"}
_TRIGGERS = ("<", "{%", "{{", "{#", "{:", "{.", "][", "]:", ":::", "!!!", "???", "===", "[[", "[T",
             "[t", "${", "import ", "export ")  # fmt: skip


def tidy(body: str, depth: int = 0) -> str:
    """Take out of Markdown what its readers do not see, and write HTML in it as Markdown."""
    if not any(trigger in body for trigger in _TRIGGERS):
        return body
    tokens, references = commonmark.blocks(body)
    page = _Page(body, references)
    if depth < DEEPEST_NOTES and (plain := page.without_notes(tokens)) is not None:
        return tidy(plain, depth + 1)
    return _applied(body, inline.meant(list(page.edits(tokens))))


class _Page:
    """A text with the places where its lines begin."""

    def __init__(self, body: str, references: dict[str, str]) -> None:
        self.body = body
        self.lines = body.split("\n")
        self.references = references
        self.has_colons = sum(line.strip().startswith(":::") for line in self.lines) > 1
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line) + 1)
        self._taken: dict[int, int] = {}

    def without_notes(self, tokens: Sequence[Token]) -> str | None:
        """Give the text with MkDocs' notes and tabs (`!!! note`) not indented; None without any."""
        lines, last, found = list[str](), 0, False
        for token in tokens:
            start = token.map[0] if token.map else -1
            if token.type != "paragraph_open" or token.level or start < last:
                continue
            note = _NOTE.match(self.lines[start])
            end = self._note_end(start + 1)
            if not note or end == start + 1:
                continue
            title = note.group(2) or (note.group(1) or "").split(" ")[0].capitalize()
            lines += [*self.lines[last:start], f"**{title}**" if title else "", ""]
            lines += [line[4:] for line in self.lines[start + 1 : end]]
            last, found = end, True
        return "\n".join([*lines, *self.lines[last:]]) if found else None

    def _note_end(self, line: int) -> int:
        end = line
        while line < len(self.lines):
            if self.lines[line].startswith("    "):
                end = line + 1
            elif self.lines[line].strip():
                break
            line += 1
        return end

    def edits(self, tokens: Sequence[Token]) -> Iterator[Edit]:
        """Give what reads otherwise, in order."""
        until = 0
        for index, token in enumerate(tokens):
            if token.map is None or token.map[0] < until:
                continue
            if token.type == "html_block":
                until = self._html_end(tokens, index)
                yield from self._html(token.map[0], until)
            elif token.type == "inline":
                heading = tokens[index - 1].type == "heading_open"
                yield from self._within(token, heading)

    def _html_end(self, tokens: Sequence[Token], index: int) -> int:
        """Give the line after a block of HTML; a table goes on to its end over blank lines."""
        token = tokens[index]
        assert token.map
        end = token.map[1]
        low = token.content.lower()
        opened = low.count("<table") - low.count("</table")
        if token.level or opened <= 0 or low.lstrip().startswith("<!--"):
            return end
        for line in range(end, len(self.lines)):
            low = self.lines[line].lower()
            opened += low.count("<table") - low.count("</table")
            if opened <= 0:
                return line + 1
        return end

    def _html(self, start: int, end: int) -> Iterator[Edit]:
        while end > start and not self.lines[end - 1].strip():
            end -= 1
        first = self.lines[start]
        indent = first[: first.find("<")] if "<" in first else ""
        html = "\n".join(line.removeprefix(indent) for line in self.lines[start:end])
        text = html
        while text.lstrip().startswith("<!--"):
            _, closed, rest = text.partition("-->")
            if not closed:
                break
            text = rest
        if text.strip():
            text = embedded_html.markdown(text) if "<!--" not in text[:4] else text
        rest_indent = re.sub(r"[^>\s]", " ", indent)
        shown = f"\n{rest_indent}".join(text.strip("\n").split("\n")) if text.strip() else ""
        before = "\n" if start and self.lines[start - 1].strip() and not indent else ""
        after = "\n" if end < len(self.lines) and self.lines[end].strip() and not indent else ""
        yield Edit(
            self._starts[start] + len(indent), self._starts[end] - 1,
            f"{before}{shown}{after}" if shown else "", "html",
        )  # fmt: skip

    def _within(self, token: Token, is_heading: bool) -> Iterator[Edit]:
        content = token.content
        assert token.map
        if token.level == 1 and content.lower() in _CONTENTS:
            yield Edit(self._starts[token.map[0]], self._starts[token.map[1]] - 1, "", "contents")
            return
        yield from self._shapes(token)
        if not any(trigger in content for trigger in ("<", "{", "][", "[")):
            return
        places = self._places(token)
        for edit in inline.edits_of(content, self.references, is_heading):
            start, end = places(edit.start), places(edit.end)
            if start is not None and end is not None:
                yield replace(edit, start=start, end=end)

    def _shapes(self, token: Token) -> Iterator[Edit]:
        """Give the lines of a paragraph that are imports or begin and end notes (`:::`)."""
        assert token.map
        lines = token.content.split("\n")
        if token.level == 1 and all(map(_IMPORT.match, lines)):
            yield Edit(self._starts[token.map[0]], self._starts[token.map[1]] - 1, "", "import")
            return
        for number, line in enumerate(lines if self.has_colons else (), token.map[0]):
            if found := _COLONS.match(line):
                name, title, rest = (part or "" for part in found.groups())
                shown = title or rest.strip() or name.capitalize()
                place = self.body.find(line, self._starts[number])
                text = f"\n**{shown}**\n" if shown else "\n"
                yield Edit(place, place + len(line), text, "note")

    def _places(self, token: Token) -> "_Places":
        """Find where in the text the content of a token stands, line by line."""
        assert token.map
        lines, starts = token.content.split("\n"), list[int | None]()
        for number, line in enumerate(lines, token.map[0]):
            if number >= len(self.lines):
                starts.append(None)
                continue
            column = self.lines[number].find(line, self._taken.get(number, 0))
            starts.append(self._starts[number] + column if column >= 0 else None)
            if column >= 0:
                self._taken[number] = column + len(line)
        return _Places(lines, starts)


class _Places:
    """From a place in a token's content to the place in the text; None where lines differ."""

    def __init__(self, lines: Sequence[str], starts: Sequence[int | None]) -> None:
        self._lines = lines
        self._starts = starts
        self._line = 0
        self._before = 0

    def __call__(self, place: int) -> int | None:
        if place < self._before:
            self._line = self._before = 0
        while place > self._before + len(self._lines[self._line]):
            self._before += len(self._lines[self._line]) + 1
            self._line += 1
        start = self._starts[self._line]
        return None if start is None else start + place - self._before


def _applied(body: str, edits: Sequence[Edit]) -> str:
    parts, last = list[str](), 0
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if edit.start < last:
            continue
        text = edit.text
        if text == "\n" and edit.kind == "tag":
            text = _break(body, edit)
        parts += [body[last : edit.start], text]
        last = edit.end
    return "".join([*parts, body[last:]])


def _break(body: str, edit: Edit) -> str:
    """Give what a line break is in this line: a new line, but not within tables and headings."""
    start = body.rfind("\n", 0, edit.start) + 1
    line = body[start : edit.start].lstrip(" >")
    is_one_line = line.startswith(("|", "#")) or "|" in line
    ends_line = body[edit.end : edit.end + 1] in ("\n", "")
    return " " if is_one_line else "" if ends_line else "\n"
