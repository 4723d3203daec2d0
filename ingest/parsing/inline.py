"""What stands within a paragraph and reads otherwise: remarks, tags, template tags, links by label.

A Markdown parser finds it, with rules of its own for what CommonMark does not know. Knows nothing
about where a paragraph stands.
"""

import re
from dataclasses import dataclass, replace
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

from ingest.parsing import embedded_html, templates

LONGEST_TAG = templates.LONGEST_TAG
LONGEST_LABEL = 1_000  # characters of a link's label (CommonMark allows 999)

_TAG = re.compile(
    r"<(/?)([A-Za-z][\w.:-]*)((?:\s+[A-Za-z_:@][\w.:-]*(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|\{[^{}]*\}"
    r"|[^\s\"'=<>`{}]+))?)*+)\s*+/?>"
)
_ATTRIBUTE = re.compile(
    r"""(?<![\w.:-])([A-Za-z_:][\w.:-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))"""
)
_CODE = {"code", "kbd", "pre", "samp", "tt"}
_APART = {"td", "th", "tr", "li", "dt", "dd", "p", "div", "caption", "option", "summary"}
"""Tags that part words from one another, also where a table or a list stands within a line."""
_MARKS = {"strong": "**", "b": "**", "code": "`", "samp": "`", "tt": "`"}


@dataclass(frozen=True, slots=True)
class Edit:
    """Something of the text from `start` to `end` that reads otherwise. `kind` is what it was."""

    start: int
    end: int
    text: str
    kind: str
    name: str = ""


def edits_of(content: str, references: dict[str, str], is_heading: bool) -> list[Edit]:
    found: list[Edit] = []
    environment = {"edits": found, "links": references, "is_heading": is_heading}
    _inline_parser().inline.parse(content, _inline_parser(), environment, [])
    return found


@cache
def _inline_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark")
    parser.inline.ruler.at("html_inline", _html_rule)
    parser.inline.ruler.before("html_inline", "template", _template_rule)
    parser.inline.ruler.before("template", "label", _label_rule)
    parser.inline.ruler.enableOnly(
        ["text", "escape", "backticks", "autolink", "label", "template", "html_inline"]
    )
    parser.inline.ruler2.enableOnly([])
    return parser


def _note(state: StateInline, edit: Edit) -> bool:
    state.env["edits"].append(edit)
    state.pos = edit.end
    return True


def _template_rule(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "{" or not (tag := templates.tag_at(state.src, state.pos)):
        return False
    if tag.name == "attributes" and state.env["is_heading"]:  # a heading's anchor
        return False
    start = tag.start
    if tag.name == "attributes" and start and state.src[start - 1] == " ":
        start -= 1
    return _note(state, Edit(start, tag.end, tag.shown, "template", tag.name))


def _html_rule(state: StateInline, silent: bool) -> bool:
    source, start = state.src, state.pos
    if source[start] != "<":
        return False
    if source.startswith("<!--", start):
        end = -1 if state.env.get("no_end") else source.find("-->", start + 4)
        state.env["no_end"] = end < 0
        return end >= 0 and _note(state, Edit(start, end + 3, "", "remark"))
    tag = _TAG.match(source, start, start + LONGEST_TAG)
    if not tag:
        return False
    name, is_end = tag.group(2), "/" if tag.group(1) else ""
    is_component = name[:1].isupper() and (is_end or tag.group(3) or tag.group().endswith("/>"))
    if name.lower() not in embedded_html.KNOWN and not is_component:
        return False
    return _note(state, Edit(start, tag.end(), _shown(tag), "tag", is_end + name.lower()))


def _shown(tag: re.Match[str]) -> str:
    name = tag.group(2).lower()
    if name in ("br", "hr"):
        return "\n"
    if name in _APART:
        return " "
    values: dict[str, str] = {
        key.lower(): a or b or c for key, a, b, c in _ATTRIBUTE.findall(tag.group(3))
    }
    if name == "img":
        alt = values.get("alt") or values.get("title") or ""
        return f"![{alt}]({values.get('src', '').replace(' ', '%20')})" if alt else ""
    if name == "a":
        return values.get("href", "")
    if name == "input" and values.get("type") == "checkbox":
        return "[x] " if "checked" in tag.group(3) else "[ ] "
    return _MARKS.get(name, "")


def _label_rule(state: StateInline, silent: bool) -> bool:
    """Give a link by label its address: `[text][label]`, `[label][]`, `[label]`."""
    source, start, links = state.src, state.pos, state.env["links"]
    if source[start] != "[" or not links or source.startswith("[^", start):
        return False
    end = source.find("]", start + 1, start + LONGEST_LABEL)
    if end < 0 or "[" in source[start + 1 : end]:
        return False
    is_second = start > 0 and source[start - 1] == "]"
    label, after = source[start + 1 : end], source[end + 1 : end + 2]
    if not is_second and after in ("(", "[", ":") and not source.startswith("[]", end + 1):
        return False
    if not is_second and source.startswith("[]", end + 1):
        end += 2
    address = links.get(" ".join(label.split()).upper())
    if address is None:
        return False
    shown = f"({address})" if is_second else f"[{label}]({address})"
    return _note(state, Edit(start, end + 1, shown, "label"))


def meant(edits: list[Edit]) -> list[Edit]:
    """Leave out what pairs decide: tags between raw and endraw, or in code, or without a partner."""
    kept: list[Edit] = []
    opened: dict[str, list[int]] = {}
    literal = hidden = -1
    for edit in edits:
        if literal >= 0 and edit.kind == "template" and edit.name not in ("endraw", "endverbatim"):
            continue
        kept.append(edit)
        place = len(kept) - 1
        if edit.kind == "template":
            if edit.name in ("raw", "verbatim"):
                literal = place
            elif edit.name in ("endraw", "endverbatim"):
                literal = -1
            elif edit.name == "comment":
                hidden = place
            elif edit.name == "endcomment" and hidden >= 0:
                kept[hidden:] = [Edit(kept[hidden].start, edit.end, "", "hidden")]
                hidden = -1
                opened = {}
        elif edit.kind == "tag":
            _pair(kept, opened, place)
    return [edit for edit in kept if edit.kind != "lone"]


def _pair(kept: list[Edit], opened: dict[str, list[int]], place: int) -> None:
    """Take a tag's partner into account: a link needs both, code keeps what stands between them."""
    edit = kept[place]
    name = edit.name.removeprefix("/")
    if not edit.name.startswith("/"):
        opened.setdefault(name, []).append(place)
        if name == "a":
            kept[place] = replace(edit, text="") if edit.text else edit
            kept[place] = replace(kept[place], name=f"a {edit.text}")
        return
    if not opened.get(name):
        kept[place] = replace(edit, text="")
        return
    start = opened[name].pop()
    if name == "a" and (address := kept[start].name.removeprefix("a ").strip()):
        kept[start] = replace(kept[start], text="[")
        kept[place] = replace(edit, text=f"]({address})")
    if name in _CODE:
        for between in range(start + 1, place):
            if kept[between].kind == "template":
                kept[between] = replace(kept[between], kind="lone")
