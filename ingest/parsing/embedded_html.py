"""HTML that stands in Markdown, as a reader of the page sees it, in Markdown.

Knows nothing about whole web pages.
"""

import re
from collections.abc import Iterator
from typing import Any

from ingest.parsing import tables, templates

MOST_ROWS = 20_000  # rows of a table that are read

# The elements of HTML; other names in angle brackets are what people write for "put yours here".
KNOWN = {
    "a", "abbr", "address", "article", "aside", "audio", "b", "base", "bdi", "bdo", "big",
    "blockquote", "body", "br", "button", "caption", "center", "cite", "code", "col", "colgroup",
    "data", "datalist", "dd", "del", "details", "dfn", "dialog", "div", "dl", "dt", "em", "embed",
    "fieldset", "figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "head", "header", "hgroup", "hr", "html", "i", "iframe", "img", "input", "ins", "kbd",
    "label", "legend", "li", "link", "main", "map", "mark", "menu", "meta", "meter", "nav",
    "noscript", "object", "ol", "optgroup", "option", "output", "p", "param", "picture", "pre",
    "progress", "q", "rp", "rt", "ruby", "s", "samp", "script", "search", "section", "select",
    "small", "source", "span", "strike", "strong", "style", "sub", "summary", "sup", "svg",
    "table", "tbody", "td", "template", "textarea", "tfoot", "th", "thead", "time", "title", "tr",
    "track", "tt", "u", "ul", "var", "video", "wbr",
}  # fmt: skip
_HIDDEN = {"script", "style", "svg", "head", "template", "link", "meta", "base", "param", "col"}
_BLOCKS = {
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "html", "legend", "main", "nav", "ol", "p", "pre",
    "section", "summary", "table", "ul", "caption", "menu", "tr", "td", "th",
}  # fmt: skip
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "samp": "`", "tt": "`"}
_HEADINGS = {f"h{level}": "#" * level for level in range(1, 7)}
_PLAYED = {"iframe", "video", "audio", "embed", "source"}

_GAPS = re.compile(r"[ \t\r\f\v]+")
_PLACEHOLDER = re.compile(r"</?([A-Za-z][\w.:-]*)")


def markdown(html: str) -> str:
    """Give a piece of HTML as Markdown: tables, lists, links, headings, code and text."""
    from lxml import html as parser

    if "<pre" not in html.lower() and "<code" not in html.lower():
        html = templates.without(html)
    if not html.strip():
        return ""
    try:
        root = parser.fragment_fromstring(_with_placeholders(html), create_parent="div")
    except (ValueError, AssertionError):  # lxml's parser errors are ValueErrors or asserted
        return html
    lines = [_GAPS.sub(" ", line).strip() if "\x01" not in line else line for line in
             "".join(_children(root)).split("\n")]  # fmt: skip
    text = "\n".join(lines).replace("\x01", "")
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def _with_placeholders(html: str) -> str:
    """Escape names in angle brackets that are no elements and never closed: `<your-token>`."""
    closed = set(re.findall(r"</([A-Za-z][\w.:-]*)", html))
    parts, last = [], 0
    for found in _PLACEHOLDER.finditer(html):
        name = found.group(1)
        end = html.find(">", found.end(), found.end() + templates.LONGEST_TAG)
        is_element = name.lower() in KNOWN or name in closed or name[:1].isupper()
        if is_element or end < 0 or html[end - 1] == "/":
            continue
        parts += [html[last : found.start()], "&lt;"]
        last = found.start() + 1
    return "".join([*parts, html[last:]])


def _children(node: Any) -> Iterator[str]:
    yield node.text or ""
    for child in node:
        yield from _element(child)
        yield child.tail or ""


def _element(node: Any) -> Iterator[str]:
    name = node.tag if isinstance(node.tag, str) else "script"  # comments
    if name in _HIDDEN:
        return
    if name in _SPECIAL:
        yield from _SPECIAL[name](node)  # type: ignore[no-untyped-call]
    elif name in _HEADINGS:
        yield f"\n\n{_HEADINGS[name]} {_line(node)}\n\n"
    elif name in _PLAYED and node.get("src"):
        yield f"[{node.get('title') or name}]({node.get('src')})"
    elif name in _MARKS:
        text = _line(node)
        yield f"{_MARKS[name]}{text}{_MARKS[name]}" if text else ""
    else:
        title = node.get("label") or node.get("title") if name not in KNOWN else None
        gap = "\n\n" if name in _BLOCKS or name not in KNOWN else ""
        yield f"{gap}**{title}**{gap}" if title else gap
        yield from _children(node)
        yield gap


def _line(node: Any) -> str:
    return " ".join("".join(_children(node)).replace("\x01", "").split())


def _link(node: Any) -> Iterator[str]:
    text, address = _line(node), (node.get("href") or "").strip()
    yield f"[{text}]({address})" if text and address and " " not in address else text


def _picture(node: Any) -> Iterator[str]:
    text, address = node.get("alt") or node.get("title") or "", (node.get("src") or "").strip()
    yield f"![{' '.join(text.split())}]({address.replace(' ', '%20')})" if text.strip() else ""


def _code(node: Any) -> Iterator[str]:
    text = node.text_content().strip("\n")
    fence = "```" if "```" not in text else "~~~~"
    lines = "\n".join(f"\x01{line}" for line in text.split("\n"))
    yield f"\n\n{fence}\n{lines}\n{fence}\n\n"


def _list(node: Any, depth: int = 0) -> Iterator[str]:
    is_numbered = node.tag == "ol"
    yield "\n" if depth else "\n\n"
    for number, item in enumerate((c for c in node if isinstance(c.tag, str)), 1):
        if item.tag in ("ul", "ol"):
            yield from _list(item, depth + 1)
            continue
        inner = [child for child in item if child.tag in ("ul", "ol")]
        for child in inner:
            item.remove(child)
        sign = f"{number}." if is_numbered else "-"
        text = _line(item)
        # Marked as it is, lest the indent is taken for a gap.
        yield f"\x01{'   ' * depth}{sign} {text}\n" if text else ""
        for child in inner:
            yield from _list(child, depth + 1)
    yield "" if depth else "\n"


def _summary(node: Any) -> Iterator[str]:
    text = _line(node)
    yield f"\n\n**{text}**\n\n" if text and not text.startswith("#") else f"\n\n{text}\n\n"


def _term(node: Any) -> Iterator[str]:
    yield f"\n\n**{_line(node)}**\n"


def _meaning(node: Any) -> Iterator[str]:
    yield f"\n: {_line(node)}\n"


def _tick(node: Any) -> Iterator[str]:
    is_box = node.get("type") == "checkbox"
    yield ("[x] " if node.get("checked") is not None else "[ ] ") if is_box else ""


def _table(node: Any) -> Iterator[str]:
    rows, headers = list[list[tables.Cell]](), 0
    for row in node.iter("tr"):
        if next(row.iterancestors("table")) is not node:  # of a table within a cell
            continue
        cells = [cell for cell in row if cell.tag in ("td", "th")]
        is_header = bool(cells) and all(cell.tag == "th" for cell in cells)
        headers += is_header and headers == len(rows)
        rows.append(
            [tables.Cell(_line(c), _span(c, "rowspan"), _span(c, "colspan")) for c in cells]
        )
    for caption in node.iter("caption"):
        yield f"\n\n{_line(caption)}"
    yield f"\n\n{tables.titled(tables.resolved(rows[:MOST_ROWS]), headers)}\n\n"


def _span(cell: Any, name: str) -> int:
    value = str(cell.get(name) or "1").strip()
    return max(1, min(int(value), MOST_ROWS)) if value.isdecimal() and len(value) < 6 else 1


_SPECIAL = {
    "a": _link, "img": _picture, "pre": _code, "ul": _list, "ol": _list, "table": _table,
    "summary": _summary, "dt": _term, "dd": _meaning, "input": _tick,
    "br": lambda node: iter(("\n",)), "hr": lambda node: iter(("\n\n",)),
}  # fmt: skip
