"""What an answer looks like in Slack: blocks, and the text that stands in for them. Pure.

Knows nothing about posting. Quotes go into rich_text, whose texts Slack shows as they stand: there is
nothing in it to escape from. Limits after docs.slack.dev/reference/block-kit.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Literal
from uuid import UUID

from bot.answering import absence, faq, showing
from bot.intents import Intent
from bot.slack import rich_text
from bot.slack.markup import host, kept_mrkdwn, link, literal, mrkdwn, reply
from bot.text import age, missing, shorten, visible
from store.feedback.faqs import Faq
from store.records import Answer, Citation, Reason, Shown, Status

Block = dict[str, object]
Controls = Literal["feedback", "buttons", "none"]

TEXT_CHARS = 3900
SECTION_CHARS = 2900
QUOTE_CHARS = 2000
TITLE_CHARS = 150
FOLDED_BLOCKS = 10
"""In one container, whose title takes TITLE_CHARS (docs.slack.dev, container block)."""

QUOTED_CHARS = 11_000
"""Slack cuts a text above 4,000, refuses a section above 3,000 and blocks of more than about 13,000 together."""

QUESTION_CHARS = 400
LABEL_CHARS = 75
MENU_OPTIONS = 100
"""Of a button or an option, and of the options of one menu."""

DISCLAIMER = "Automated answer, quoted from your documents; it may be inaccurate."
PHRASED = (
    "Automated answer: a language model phrased the first lines from the numbered sources, which are quoted below"
    " them; it may be inaccurate."
)
UNSURE = "I am not sure that this answers it, so please check the page:"
NOT_FOUND = "I did not find the answer to this in the documents."
HUMAN = "I need a human"
NEAREST = "The nearest pages, in case one of them helps:"

REASONS: Mapping[Reason, str] = {
    "wrong_document": "Wrong document",
    "outdated": "Outdated",
    "wrong_topic": "Wrong topic",
    "silent": "Should have stayed silent",
    "not_found": "Should have said “not found”",
    "other": "Other…",
}
"""What the button of each reason for a thumbs-down says."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is posted: `text` is for notifications and for where blocks cannot be shown."""

    text: str
    blocks: tuple[Block, ...] = ()


def message(
    answer: Answer,
    now: datetime,
    *,
    notes: Sequence[str] = (),
    controls: Controls = "feedback",
    choices: Sequence[Intent] = (),
    folded: bool = False,
    human: bool = False,
) -> Message:
    """Render an answer; `notes` are added below it in small print, and a button for each choice.

    `folded` puts what is not read at once, further passages and sources, into a container that is closed.
    `human` adds a button that calls a person.
    """
    is_quoted = answer.status in ("answered", "unsure")
    if is_quoted:
        text, body = _quoted(answer, now, folded)
    else:
        text, body = _BODIES.get(answer.status, _failed)(answer, now)
    told = PHRASED if showing.phrased(answer) else DISCLAIMER
    small = [*([told] if is_quoted else []), *notes]
    blocks = [*body, *([_context(" ".join(small))] if small else [])]
    if choices:
        blocks.append(_choices(answer.answer_id, choices))
    elif answer.status in ("answered", "unsure", "not_found", "routed"):
        blocks += _feedback(answer.answer_id, controls)
        if human and answer.status != "routed":
            blocks.append(_human(answer.answer_id))
    return Message(shorten(text, TEXT_CHARS), tuple(blocks))


def reasons(answer_id: UUID) -> Message:
    """Ask the one who voted an answer down why, with a button for each reason."""
    text = "Thanks for telling me. What was wrong with it?"
    buttons = [_button(label, f"reason:{key}", str(answer_id)) for key, label in REASONS.items()]
    return Message(text, (_section(text), {"type": "actions", "elements": buttons}))


def topics(answer_id: UUID, intents: Sequence[Intent]) -> Message:
    """Ask what the message was about, with a list to pick from."""
    text = "Thanks, noted. What was it about?"
    options = [
        {
            "text": _label(shorten(each.label, LABEL_CHARS)),
            "value": named(answer_id, each.name),
        }
        for each in intents[:MENU_OPTIONS]
    ]
    menu: Block = {"type": "static_select", "action_id": "topic", "options": options}
    menu["placeholder"] = _label("Pick a topic")
    return Message(text, (_section(text), {"type": "actions", "elements": [menu]}))


def section(text: str) -> Block:
    """Give a text as a block of its own."""
    return _section(mrkdwn(text))


def verbatim(text: str) -> Block:
    """Give what is mrkdwn already, with nothing of documents or people left to escape, as a block of its own."""
    return _section(text)


def button(label: str, action_id: str, value: str) -> Block:
    """Give a button of an `actions` block."""
    return _button(label, action_id, value)


def candidate(one: Faq) -> Message:
    """Show a kept reply to an admin, with a button to approve and one to reject it."""
    state = "No longer served: its document changed, or it was disliked. " if one.flagged_at else ""
    asked, said = shorten(one.question, QUESTION_CHARS), shorten(one.body, QUESTION_CHARS)
    text = f"{state}{one.author_name or one.author} answered “{asked}”: {said}"
    where = f" <{_address(one.permalink)}|Open>" if one.permalink else ""
    buttons = [
        _button("Approve", "reply:approve", str(one.faq_id)),
        _button("Reject", "reply:reject", str(one.faq_id)),
    ]
    shown = _section(_fitting(kept_mrkdwn, text, SECTION_CHARS - len(where)) + where)
    return Message(kept_mrkdwn(text), (shown, {"type": "actions", "elements": buttons}))


def named(answer_id: UUID, intent: str) -> str:
    """Write an answer and an intent as the value of a button; Slack takes 75 characters in a menu."""
    return f"{answer_id.hex}:{intent}"


def reason_view(answer_id: UUID) -> Block:
    """The modal that takes a reason in the voter's own words."""
    entry: Block = {"type": "plain_text_input", "action_id": "detail", "max_length": 500}
    return {
        "type": "modal",
        "callback_id": "reason_other",
        "private_metadata": str(answer_id),
        "title": _label("What was wrong?"),
        "submit": _label("Send"),
        "close": _label("Cancel"),
        "blocks": [
            {
                "type": "input",
                "block_id": "reason",
                "label": _label("In a few words"),
                "element": entry | {"multiline": True},
            }
        ],
    }


def _quoted(answer: Answer, now: datetime, folded: bool) -> tuple[str, list[Block]]:
    """What an LLM phrased, where it did; then one unit, its passage, the others under their titles, and where
    they stand."""
    seen, written = showing.of(answer), showing.phrased(answer)
    best = answer.body or (seen[0].text if seen else "")
    said = [UNSURE] if answer.status == "unsure" else [mrkdwn(written)] if written else []
    text = "\n".join([*said, *_quoted_text(best), *_listed_text(answer.citations, now)])
    blocks = [_rich([_line([_plain(written)])])] if written else [_section(each) for each in said]
    listed = _listed("Sources", answer.citations, now, is_numbered=bool(written))
    drawn = _seen(seen, answer.citations, QUOTED_CHARS - _size([*blocks, *listed]))
    own = [block for block, each in drawn if _is_own(each, seen)]
    further = [block for block, each in drawn if not _is_own(each, seen)]
    blocks += own or [_rich([_line([_plain(shorten(best, QUOTE_CHARS))])])]
    # That a document was read in part is not folded away.
    if folded and not any(cited.left_out for cited in answer.citations[:3]):
        return text, [*blocks, *_folded([*further, *listed], answer.citations, now)]
    return text, [*blocks, *further, *listed]


def _is_own(each: Shown, seen: Sequence[Shown]) -> bool:
    """Whether it is the unit itself, or of the passage that the unit stands in."""
    return (each.path, each.heading) == (seen[0].path, seen[0].heading)


def _folded(blocks: Sequence[Block], citations: Sequence[Citation], now: datetime) -> list[Block]:
    """Put blocks into a closed container whose title says where the answer stands."""
    if not citations or not 0 < len(blocks) <= FOLDED_BLOCKS:
        return list(blocks)
    first, more = citations[0], len(citations[:3]) - 1
    when = f", {age(first.updated_at, now)}" if first.updated_at else ""
    rest = f"{when}{f' and {more} more' if more else ''}"
    name = shorten(literal(_name(first)), TITLE_CHARS - len(rest) - len("Source: "))
    title: Block = {"type": "plain_text", "text": f"Source: {name}{rest}", "emoji": False}
    return [
        {
            "type": "container",
            "title": title,
            "child_blocks": list(blocks),
            "is_collapsible": True,
            "default_collapsed": True,
        }
    ]


def _seen(
    seen: Sequence[Shown], citations: Sequence[Citation], room: int
) -> list[tuple[Block, Shown]]:
    """Draw what is seen; what does not fit into `room` characters of JSON is left out, last first."""
    is_kept = any(cited.source == faq.SOURCE for cited in citations[:1])
    drawn = [(_rich(rich_text.elements(e.text, e.marked, links=is_kept)), e) for e in seen[:1]]
    for before, each in pairwise(seen):
        quoted = rich_text.elements(_with_gaps(each, citations), each.marked)
        drawn.append((_rich([*_over(before, each, citations), *quoted]), each))
    drawn = [(block, each) for block, each in drawn if block["elements"]]
    while len(drawn) > 1 and _size([block for block, _ in drawn]) > room:
        drawn.pop()
    return drawn


def _size(blocks: Sequence[Block]) -> int:
    return len(json.dumps(blocks, ensure_ascii=False))


def _with_gaps(seen: Shown, citations: Sequence[Citation]) -> str:
    """Show by an ellipsis where a passage goes on."""
    cited = _cited(seen, citations)
    if cited is None or seen.text.strip() not in cited.quote:
        return seen.text
    quote, text = cited.quote.strip(), seen.text.strip()
    before = "" if quote.startswith(text) else "… "
    return f"{before}{text}{'' if quote.endswith(text) else ' …'}"


def _over(before: Shown, seen: Shown, citations: Sequence[Citation]) -> list[Block]:
    """Name a further passage: a page by its title, another section of the same page by its heading."""
    if (before.path, before.heading) == (seen.path, seen.heading):
        return []
    cited = _cited(seen, citations)
    heading = shorten(_one_line(seen.heading), TITLE_CHARS)
    name = heading if before.path == seen.path and heading else _name(cited) if cited else ""
    head: Block = {"type": "text", "text": literal(name), "style": {"italic": True}}
    return [_line([head])] if name else []


def _cited(seen: Shown, citations: Sequence[Citation]) -> Citation | None:
    place = (seen.path, seen.heading)
    same = [cited for cited in citations if (cited.path, cited.heading) == place]
    return next((c for c in same if seen.text.strip() in c.quote), same[0] if same else None)


def _not_found(answer: Answer, now: datetime) -> tuple[str, list[Block]]:
    hints = answer.hints[:3]
    said = absence.told(answer.signals, NOT_FOUND)
    lines = [said, *([NEAREST, *_listed_text(hints, now)] if hints else [])]
    return "\n".join(lines), [_section(mrkdwn(said)), *_listed(NEAREST, hints, now)]


def _said(answer: Answer, now: datetime) -> tuple[str, list[Block]]:
    text = _fitting(reply, answer.body or "…", SECTION_CHARS)
    return text, [_section(text)]


def _failed(answer: Answer, now: datetime) -> tuple[str, list[Block]]:
    text = (
        f"Something went wrong, id {answer.answer_id}. An admin can look it up; please ask again."
    )
    return text, [_section(text)]


_BODIES: dict[Status, Callable[[Answer, datetime], tuple[str, list[Block]]]] = {
    "not_found": _not_found,
    "routed": _said,
    "smalltalk": _said,
}


def _quoted_text(best: str) -> list[str]:
    lines = _fitting(mrkdwn, rich_text.plain(best), QUOTE_CHARS).split("\n")
    return [f"> {line}" for line in lines if line.strip()]


def _fitting(escape: Callable[[str], str], text: str, limit: int) -> str:
    """Escape a text into so many characters; an escape takes at most six for one."""
    escaped = escape(text)
    return escaped if len(escaped) <= limit else escape(shorten(text, limit // 6))


def _listed_text(citations: Sequence[Citation], now: datetime) -> list[str]:
    lines = []
    for cited in citations[:3]:
        url = link(cited.url)
        where = f" <{_address(url)}>" if url and len(url) <= 300 else ""
        lines.append(f"• {mrkdwn(_name(cited))}{where}{mrkdwn(_facts(cited, now))}")
    return lines


def _address(url: str) -> str:
    return url.replace("&", "&amp;").replace("|", "%7C")


def _listed(
    title: str, citations: Sequence[Citation], now: datetime, *, is_numbered: bool = False
) -> list[Block]:
    if not citations:
        return []
    items = [_line(_source(cited, now)) for cited in citations[:3]]
    head: Block = {"type": "text", "text": title, "style": {"bold": True}}
    style = "ordered" if is_numbered else "bullet"
    return [_rich([_line([head]), {"type": "rich_text_list", "style": style, "elements": items}])]


def _source(cited: Citation, now: datetime) -> list[Block]:
    url, name = link(cited.url), literal(_name(cited))
    if url is None:
        return [_plain(name + _facts(cited, now))]
    linked: Block = {"type": "link", "url": url, "text": name}
    return [linked, _plain(f" ({host(url)}){_facts(cited, now)}")]


def _name(cited: Citation) -> str:
    """Title and the end of the heading path, on one line."""
    title = shorten(_one_line(cited.title) or _one_line(cited.path) or "Untitled", TITLE_CHARS)
    heading = shorten(_one_line(cited.heading), TITLE_CHARS)
    return f"{title} > {heading}" if heading and heading != title else title


def _facts(cited: Citation, now: datetime) -> str:
    where = "" if link(cited.url) else f" ({shorten(_one_line(cited.path), TITLE_CHARS)})"
    when = f", {age(cited.updated_at, now)}" if cited.updated_at else ""
    return where + when + (f"\n{missing(cited.left_out)}" if cited.left_out else "")


def _one_line(text: str) -> str:
    return " ".join(visible(text).split())


def _feedback(answer_id: UUID, controls: Controls) -> list[Block]:
    up, down = f"up:{answer_id}", f"down:{answer_id}"
    if controls == "buttons":
        both = [
            _button("👍 Helpful", "feedback_up", up),
            _button("👎 Not it", "feedback_down", down),
        ]
        return [{"type": "actions", "elements": both}]
    if controls == "none":
        return []
    element: Block = {
        "type": "feedback_buttons",
        "action_id": "feedback",
        "positive_button": {"text": _label("Helpful"), "value": up},
        "negative_button": {"text": _label("Not it"), "value": down},
    }
    return [{"type": "context_actions", "elements": [element]}]


def _human(answer_id: UUID) -> Block:
    return {"type": "actions", "elements": [_button(HUMAN, "human", str(answer_id))]}


def _choices(answer_id: UUID, choices: Sequence[Intent]) -> Block:
    buttons = [
        _button(shorten(each.label, LABEL_CHARS), f"choice:{n}", named(answer_id, each.name))
        for n, each in enumerate(choices)
    ]
    return {"type": "actions", "elements": buttons}


def _rich(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _line(elements: Sequence[Block]) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def _plain(text: str) -> Block:
    return {"type": "text", "text": literal(text) or " "}


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "plain_text", "text": text, "emoji": False}]}


def _button(label: str, action_id: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": _label(label), "value": value}


def _label(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": True}
