"""The text of a web page as Markdown: one walk over its elements, however deep they are nested.

Knows nothing about what of a page is content: it is told what to pass over.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ingest.parsing import tables
from ingest.parsing.web_clutter import is_line_number, is_permalink, names_of

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
IN_FRAGMENTS = "!$&'()*+,;=:@/?"  # what may follow # as it is, beside letters (RFC 3986, 3.5)
DEEPEST = 60  # elements that gather, one in another; what is deeper is text of the last
DEEPEST_LIST = 8  # lists within lists that are indented; deeper ones stay at that depth
LONGEST_LINK = 2_000  # characters of an address
LONG_CELL = 1_500  # characters: a table with longer cells only arranges the page

_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details",
    "dialog", "dir", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form",
    "header", "hgroup", "hr", "html", "legend", "li", "main", "menu", "nav", "ol", "p", "pre",
    "search", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul",
    "option", "listing", "xmp", "plaintext", *HEADINGS,
}  # fmt: skip
_ROWS = {"tr": "table", "td": "tr", "th": "tr", "caption": "table"}  # and what they stand in
_INNER = {"li", "blockquote", "dd", "dt", "summary", "caption"}
_LISTS = {"ul", "ol", "menu", "dir"}
_VERBATIM = {"pre", "listing", "xmp"}
_FRAMES = {*_ROWS, *_INNER, *_LISTS, *_VERBATIM, *HEADINGS, "table"}
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "del": "~~", "s": "~~", "strike": "~~"}
_CODE = {"code", "kbd", "samp", "tt"}
_POWERS = str.maketrans("0123456789+-−()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿ")
_SPACE = re.compile(r"[ \t\r\n\f]+")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_SIGN = re.compile(r"^(?=#{1,6}[ \t]|```|~~~|={3,}[ \t]*$|-{3,}[ \t]*$)", re.MULTILINE)
_ITEM = re.compile(r"(?:(?<![ \t])[ \t]+)?(?:-|\d{1,9}\.)[ \t]+")
_LIST_BELOW = re.compile(r"\n\n(?=(?:-|\d+\.) )")
_LINE_START = re.compile(r"\n(?=[^\n])")
_AT_LINES = re.compile(r"^", re.MULTILINE)
_ARRANGED = re.compile(r"#{1,6} |```")  # in a table that only arranges the page
_CODE_TABLE = re.compile(r"highlight(?:table)?|hljs-ln|js-file-line|code-?(?:table|block)|rouge")
_LANGUAGE = re.compile(r"(?:^|[\s_-])(?:lang(?:uage)?|highlight(?:-source)?|brush:)[-: ]([\w+#-]+)")
_LINE = re.compile(r"(?:^|\s)(?:line|code-?line|view-line|token-line|cl|react-code-text)(?:\s|$)")
_FENCE = re.compile(r"`{3,}")
_TICKS = re.compile(r"`+")

PassOver = Callable[[Any], bool]


@dataclass(slots=True)
class Text:
    """A page's Markdown, the headings that a link can lead to, and what could not be read."""

    body: str
    named: tuple[tuple[str, str], ...]
    left_out: dict[str, int]


@dataclass(slots=True, eq=False)
class _Frame:
    """What is gathered for one element: finished blocks, and the line that is written; of a row
    its cells and which of them are headers, of a table its rows, of a list the next number."""

    element: Any
    tag: str
    blocks: list[str] = field(default_factory=list)
    inline: list[str] = field(default_factory=list)
    rows: "list[_Frame]" = field(default_factory=list)
    cells: list[tables.Cell] = field(default_factory=list)
    heads: list[bool] = field(default_factory=list)
    is_layout: bool = False
    number: int = 1
    term: str = ""


@dataclass(slots=True)
class _Mark:
    """An element within a line that gets marks around its text: where that text began."""

    frame: _Frame
    blocks: int
    start: int


def text_of(root: Any, pass_over: PassOver) -> Text:
    """Give the Markdown of an element and all in it but what is passed over."""
    from lxml import etree

    walk = _Walk(root)
    events = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    skipped: Any = None
    for event, element in events:
        if event == "start":
            if element is not root and (walk.is_for_eyes(element) or pass_over(element)):
                walk.note(element)
                events.skip_subtree()
                skipped = element
                continue
            walk.start(element)
            continue
        if event == "end" and element is not skipped:
            walk.end(element)
        if element is not root:
            walk.text(element.tail)
    return walk.result()


class _Walk:
    def __init__(self, root: Any) -> None:
        self.frames = [_Frame(None, "root")]
        self.inner = 0  # elements around here in which a heading is no heading of the page
        self.lists = 0
        self.verbatim = 0
        self.in_code = 0
        self.open: dict[str, list[Any]] = {}
        self.marks: dict[Any, _Mark] = {}
        self.named: list[tuple[str, str]] = []
        self.left_out: dict[str, int] = {}
        self.tabs = _tabs(root)
        self.labels = dict(self.tabs.values())

    def result(self) -> Text:
        self._flush()
        body = "\n\n".join(filter(None, self.frames[0].blocks))
        return Text(body, tuple(self.named), self.left_out)

    def is_for_eyes(self, element: Any) -> bool:
        """Tell whether an element only helps the eye: a line's number, a tab of a labelled panel."""
        is_code = self.verbatim or element.tag == "td"
        return element in self.tabs or bool(is_code and is_line_number(element))

    def note(self, element: Any) -> None:
        """Note a passed over element that a visitor would see something in."""
        source = str(element.get("src") or "")
        if element.tag == "iframe" and source and element.get("width") not in ("0", "1"):
            self.left_out["embedded page"] = self.left_out.get("embedded page", 0) + 1
        elif element.tag in ("video", "audio"):
            self.left_out[element.tag] = self.left_out.get(element.tag, 0) + 1

    def start(self, element: Any) -> None:
        tag = element.tag
        frame = self.frames[-1]
        if self.verbatim:
            self._start_in_code(element, tag)
        elif tag == "br":
            self._add("\n")
        elif tag in _BLOCKS or tag in _FRAMES:
            self._start_block(element, tag)
        elif tag == "img":
            self._picture(element)
        elif tag == "a" or tag in _MARKS or tag in _CODE or tag in ("sup", "q"):
            kind = "code" if tag in _CODE else _MARKS.get(tag, tag)
            self.open.setdefault(kind, []).append(element)
            self.in_code += kind == "code"
            self.marks[element] = _Mark(frame, len(frame.blocks), len(frame.inline))
        elif element.get("type") == "checkbox":
            self._add("[x] " if element.get("checked") is not None else "[ ] ")
        self.text(element.text)

    def _start_block(self, element: Any, tag: str) -> None:
        self._flush()
        around = self.frames[-1]
        if label := self.labels.get(element):
            around.blocks.append(f"**{_marked(label)}**")
        is_stray = tag in _ROWS and around.tag != _ROWS[tag]
        if tag not in _FRAMES or is_stray or len(self.frames) > DEEPEST:
            return
        frame = _Frame(element, tag, number=_count(element, "start") if tag == "ol" else 1)
        frame.is_layout = element.get("role") in ("presentation", "none")
        if tag == "dd":
            frame.term, around.term = around.term, ""
        self.verbatim += tag in _VERBATIM or _shows_code(element)
        self.lists += tag in _LISTS
        self.inner += tag in _INNER
        self.frames.append(frame)

    def _start_in_code(self, element: Any, tag: str) -> None:
        self.verbatim += tag in _VERBATIM
        line = self.frames[-1].inline
        if tag == "br" or tag in _BLOCKS and line and not line[-1].endswith("\n"):
            line.append("\n")

    def text(self, text: str | None) -> None:
        """Add text that stands in the page."""
        if not text:
            return
        if self.verbatim:
            self.frames[-1].inline.append(text)
        elif self.frames[-1].tag in ("table", "tr") and text.isspace():
            return
        else:
            text = _SPACE.sub(" ", text)
            self._add(text if self.in_code else _marked(text))

    def _add(self, text: str) -> None:
        line = self.frames[-1].inline
        if text == " " and (not line or line[-1].endswith((" ", "\n"))):
            return
        line.append(text)

    def end(self, element: Any) -> None:
        tag = element.tag
        if self.verbatim:
            self._end_in_code(element, tag)
        elif element in self.marks:
            self._end_mark(element, tag)
        elif self.frames[-1].element is element:
            self._close(element)
        elif tag in _BLOCKS:
            self._flush()
            if tag == "dl" and (term := self.frames[-1].term):  # that nothing is said about
                self.frames[-1].blocks.append(term)
                self.frames[-1].term = ""

    def _end_in_code(self, element: Any, tag: str) -> None:
        line = self.frames[-1].inline
        self.verbatim -= tag in _VERBATIM or (tag == "table" and self.frames[-1].element is element)
        if self.frames[-1].element is element:
            self._close(element)
        elif tag in _BLOCKS or _LINE.search(str(element.get("class") or "")):
            is_ended = bool(line) and line[-1].endswith("\n")
            if not is_ended and not (element.tail or "").startswith(("\n", "\r")):
                line.append("\n")

    def _end_mark(self, element: Any, tag: str) -> None:
        mark = self.marks.pop(element)
        kind = "code" if tag in _CODE else _MARKS.get(tag, tag)
        self.open[kind].pop()
        self.in_code -= kind == "code"
        if mark.frame is not self.frames[-1] or mark.blocks != len(mark.frame.blocks):
            return  # blocks began in it: they stand for themselves
        if self.open[kind] and kind != "a":
            return  # the outer one of its kind gets the marks
        line = mark.frame.inline
        text = "".join(line[mark.start :])
        del line[mark.start :]
        bare = text.strip()
        if not bare:
            line.append(text)
            return
        before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        if kind == "code" and "\n" in bare:
            self._flush()
            self.frames[-1].blocks.append(_fenced(bare, ""))
            return
        line.append(before + self._wrapped(element, kind, bare, line) + after)

    def _wrapped(self, element: Any, kind: str, bare: str, line: list[str]) -> str:
        if kind == "code":
            longest = max((len(t) for t in _TICKS.findall(bare)), default=0)
            ticks = "`" * (longest + 1)
            gap = " " if bare[0] == "`" or bare[-1] == "`" else ""
            return f"{ticks}{gap}{bare}{gap}{ticks}"
        if kind == "a":
            return self._link(element, bare)
        if kind == "sup":
            return _raised(bare, line)
        if kind == "q":
            return f"“{bare}”"
        # In a heading or a label all is strong already.
        is_plain = self.frames[-1].tag in (*HEADINGS, "dt", "summary", "th") or self.in_code
        return bare if is_plain else f"{kind}{bare}{kind}"

    def _link(self, element: Any, bare: str) -> str:
        target = _SPACE.sub("", str(element.get("href") or ""))
        is_sign = not any(map(str.isalnum, bare))
        if is_sign and (is_permalink(element) or target.startswith("#")):
            return ""
        if target.startswith("#"):
            return bare
        scheme = target.partition(":")[0].lower()
        is_address = ":" not in target or scheme in ("http", "https", "mailto", "tel", "ftp")
        is_address = is_address or "/" in scheme or "?" in scheme
        if not target or not is_address or len(target) > LONGEST_LINK or self.in_code:
            return bare
        if self.frames[-1].tag in HEADINGS or "](" in bare:
            return bare
        return f"[{bare}]({target.replace('(', '%28').replace(')', '%29')})"

    def _picture(self, element: Any) -> None:
        words = _words(str(element.get("alt") or ""))
        source = _SPACE.sub("", str(element.get("src") or ""))
        if not words or element.get("width") in ("0", "1"):
            return
        if not source or source.lower().startswith("data:") or len(source) > LONGEST_LINK:
            source = ""
        if self.frames[-1].tag in HEADINGS or self.open.get("a") or not source:
            self._add(_marked(words))
            return
        words = words.replace("[", "(").replace("]", ")")
        self._add(f"![{words}]({source.replace('(', '%28').replace(')', '%29')})")

    def _flush(self) -> None:
        """End the line that is written, as a block of its own."""
        frame = self.frames[-1]
        if not frame.inline:
            return
        text = "".join(frame.inline)
        frame.inline = []
        lines = [line.strip(" ") for line in text.split("\n")]
        text = re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip("\n ")
        if text:
            text = _SIGN.sub(r"\\", text)
            if frame.term:
                text, frame.term = f"{frame.term} {text}", ""
            frame.blocks.append(text)

    def _close(self, element: Any) -> None:
        """End an element that gathers: hand what it holds to the one around it."""
        code = "".join(self.frames[-1].inline) if _is_verbatim(self.frames[-1]) else None
        if code is None:
            self._flush()
        frame = self.frames.pop()
        into = self.frames[-1]
        tag = frame.tag
        self.inner -= tag in _INNER
        if code is not None:
            into.blocks += [*frame.blocks, *filter(None, [_fenced(code, _language(element))])]
        elif tag in HEADINGS:
            self._heading(element, frame, into)
        elif tag in _LISTS:
            self.lists -= 1
            into.blocks += filter(None, ["\n".join(frame.blocks)])
        elif tag == "li":
            self._item(element, frame, into)
        elif tag == "blockquote":
            into.blocks += filter(None, [_AT_LINES.sub("> ", "\n\n".join(frame.blocks))])
        elif tag in ("dt", "summary", "caption"):
            _label(frame, into)
        elif tag == "dd":
            into.blocks += [*filter(None, [frame.term]), *frame.blocks]
        elif tag in ("td", "th"):
            _cell(element, frame, into)
        elif tag == "tr":
            into.rows.append(frame)
        elif tag == "table":
            _table(frame, into)

    def _heading(self, element: Any, frame: _Frame, into: _Frame) -> None:
        text = _words(" ".join(frame.blocks)).lstrip("\\")
        if not text:
            return
        if anchor := _anchor(element):
            self.named.append((text, quote(anchor, safe=IN_FRAGMENTS)))
        marks = f"{'#' * int(frame.tag[1])} {text}"
        is_label = into.tag in ("dt", "summary", "caption", "th")
        into.blocks.append(text if is_label else f"**{text}**" if self.inner else marks)

    def _item(self, element: Any, frame: _Frame, into: _Frame) -> None:
        # Lists within an item belong to the line before them.
        text = _LIST_BELOW.sub("\n", "\n\n".join(frame.blocks))
        if not text:
            return
        mark = "- "
        if into.tag == "ol":
            number = _count(element, "value") if element.get("value") else into.number
            mark, into.number = f"{number}. ", number + 1
        if self.lists <= DEEPEST_LIST:
            text = _LINE_START.sub("\n" + " " * len(mark), text)
        into.blocks.append(mark + text)


def _label(frame: _Frame, into: _Frame) -> None:
    """Take a title: of a definition, of what can be unfolded, of a table."""
    text = _words(" ".join(frame.blocks))
    if not text:
        return
    if frame.tag == "dt":
        before = into.term.removesuffix(":**").removeprefix("**")
        into.term = f"**{before + ', ' if before else ''}{text.removesuffix(':')}:**"
    else:
        into.blocks.append(f"**{text}**" if frame.tag == "summary" else text)


def _cell(element: Any, frame: _Frame, row: _Frame) -> None:
    text = "; ".join(filter(None, map(_in_one_line, frame.blocks)))
    row.cells.append(tables.Cell(text, _count(element, "rowspan"), _count(element, "colspan")))
    row.heads.append(frame.tag == "th")
    row.is_layout |= any(_ARRANGED.match(b) or len(b) > LONG_CELL for b in frame.blocks)
    row.blocks += frame.blocks


def _table(table: _Frame, into: _Frame) -> None:
    rows = [row for row in table.rows if row.cells]
    is_inner = into.tag in ("td", "th")
    is_layout = table.is_layout or any(row.is_layout for row in rows)
    is_layout |= len(rows) < 2 or max(len(row.cells) for row in rows) < 2
    into.blocks += table.blocks
    if is_layout and not is_inner:
        into.blocks += [block for row in rows for block in row.blocks]
        return
    header_rows = next((n for n, row in enumerate(rows) if not _is_header(row)), 1)
    grid = tables.resolved(row.cells for row in rows)
    if is_inner:
        into.blocks += filter(None, [tables.flat(grid)])
    elif not header_rows and all(row.heads == [True, False] for row in rows):
        into.blocks.append("\n".join(f"- {row.cells[0].text}: {row.cells[1].text}" for row in rows))
    else:
        into.blocks.append(tables.titled(grid, header_rows).strip())


def _is_header(row: _Frame) -> bool:
    parent = row.element.getparent()
    return (parent is not None and parent.tag == "thead") or (all(row.heads) and len(row.heads) > 1)


def _tabs(root: Any) -> dict[Any, tuple[Any, str]]:
    """Give a page's tabs with the panel that each shows, and what stands on the tab."""
    panels = {e.get("id"): e for e in root.iter() if e.get("role") == "tabpanel" and e.get("id")}
    found: dict[Any, tuple[Any, str]] = {}
    for tab in root.iter("a", "button", "li", "div", "span", "label") if panels else ():
        target = tab.get("aria-controls") or str(tab.get("href") or "").removeprefix("#")
        if tab.get("role") == "tab" and target in panels:
            found[tab] = panels[target], _words("".join(tab.itertext()))
    return {tab: (panel, label) for tab, (panel, label) in found.items() if label}


def _anchor(heading: Any) -> str | None:
    """Give the id of a heading, of something in it, or of the section that it opens."""
    for element in heading.iter():
        if name := element.get("id") or (element.tag == "a" and element.get("name")):
            return str(name)
    section = heading.getparent()
    is_first = section is not None and next(section.iter(*HEADINGS)) is heading
    is_section = is_first and section.tag in ("section", "div")
    return str(section.get("id") or "") or None if is_section else None


def _shows_code(element: Any) -> bool:
    """Tell whether a table only shows lines of code, with or without their numbers."""
    if element.tag != "table" or not _CODE_TABLE.search(names_of(element)):
        return False
    return next(element.iter("pre"), None) is None


def _is_verbatim(frame: _Frame) -> bool:
    return frame.tag in _VERBATIM or (frame.tag == "table" and _shows_code(frame.element))


def _in_one_line(block: str) -> str:
    lines = block.split("\n")
    if _ITEM.match(block):
        return "; ".join(filter(None, (_ITEM.sub("", line).strip() for line in lines)))
    return " ".join(block.split())


def _raised(text: str, line: list[str]) -> str:
    """Write what is raised so that 10 to the power of 3 does not read as 103."""
    before = line[-1][-1:] if line else ""
    raised = text.translate(_POWERS)
    if before.isalnum() and all(sign in "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿ" for sign in raised):
        return raised
    is_power = before.isdigit() and text[:1].isalnum() and text not in ("st", "nd", "rd", "th")
    return f"^{text}" if is_power else text


def _language(element: Any) -> str:
    """Give the language that a block of code says it is in."""
    inner = next(iter(element.iter("code")), element)
    parent = element.getparent()
    for e in (inner, element, parent):
        found = _LANGUAGE.search(str(e.get("class") or "")) if e is not None else None
        if found:
            return str(found.group(1))
    return ""


def _fenced(code: str, language: str) -> str:
    lines = code.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    while lines and not lines[0].strip():
        lines.pop(0)
    text = "\n".join(line.rstrip() for line in lines).rstrip()
    longest = max((len(marks) for marks in _FENCE.findall(text)), default=2)
    marks = "`" * max(3, longest + 1)
    return f"{marks}{language}\n{text}\n{marks}" if text else ""


def _count(element: Any, name: str) -> int:
    value = str(element.get(name) or "1").strip()
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 5 else 1


def _marked(text: str) -> str:
    return _TAG.sub(r"\\<", text)


def _words(text: str) -> str:
    return " ".join(text.split())
