"""What an answer looks like: what is shown, what a hostile document cannot do, and Slack's limits."""

import json
import random
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bot.answering import showing
from bot.slack import markup, render, rich_text
from store.records import Answer, Citation, Shown

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ID = UUID("12345678-1234-5678-1234-567812345678")
CITED = Citation(
    "Leave policy", "hr/leave.md", "https://docs.example/leave?a=1&b=2",
    "Full-time staff get 28 days. Unused days lapse in March.", "Leave > Days", 0.9,
    NOW - timedelta(days=100), "hr", 7,
)  # fmt: skip


def answer(quoted: str = CITED.quote, best: str | None = None, **changes: Any) -> Answer:
    cited = replace(CITED, quote=quoted)
    made = Answer(ID, "?", "answered", 0.8, quoted if best is None else best, (cited,))
    return replace(made, **changes)


def walk(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a tree of blocks."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from walk(each)


def shown(message: render.Message) -> str:
    """All that the blocks show, as one text."""
    return "".join(str(e["text"]) for e in walk(message.blocks) if isinstance(e.get("text"), str))


def bold(message: render.Message) -> list[str]:
    return [e["text"] for e in walk(message.blocks) if e.get("style") == {"bold": True}]


def test_an_answer_quotes_the_passage_with_the_best_sentence_bold() -> None:
    message = render.message(answer(best="Unused days lapse in March."), NOW)
    assert "Full-time staff get 28 days. Unused days lapse in March." in shown(message)
    assert "Unused days lapse in March." in bold(message)
    assert "Full-time" not in "".join(bold(message))
    assert render.DISCLAIMER in shown(message)
    assert "> Unused days lapse in March." in message.text


def test_sources_show_title_heading_host_and_age() -> None:
    message = render.message(answer(), NOW)
    (link,) = [e for e in walk(message.blocks) if e.get("type") == "link"]
    assert link == {"type": "link", "url": CITED.url, "text": "Leave policy > Leave > Days"}
    assert " (docs.example), updated 3 months ago" in shown(message)
    assert "<https://docs.example/leave?a=1&amp;b=2>, updated 3 months ago" in message.text


def test_a_source_without_an_address_shows_its_path() -> None:
    message = render.message(answer(citations=(replace(CITED, url=None),)), NOW)
    assert "Leave policy > Leave > Days (hr/leave.md), updated" in shown(message)


def test_at_most_three_sources_are_shown() -> None:
    message = render.message(answer(citations=(CITED,) * 5), NOW)
    assert len([e for e in walk(message.blocks) if e.get("type") == "link"]) == 3


def test_a_doubt_is_named() -> None:
    message = render.message(answer(status="unsure"), NOW)
    assert "not sure" in shown(message) and "not sure" in message.text


def test_not_found_says_so_and_hints_at_pages() -> None:
    made = answer(status="not_found", body=None, citations=(), hints=(CITED,))
    message = render.message(made, NOW)
    assert render.NOT_FOUND in shown(message) and "Leave policy" in shown(message)
    assert render.DISCLAIMER not in shown(message)
    assert render.message(replace(made, hints=()), NOW).text == render.NOT_FOUND


def test_a_routed_reply_keeps_its_channel_and_links_and_pings_nobody() -> None:
    body = "Ask <#C0HELP> or see https://help.example/a?b=1&c=2. <!channel> <@U1> <https://x.example|bank>"
    message = render.message(answer(status="routed", body=body, citations=()), NOW)
    assert "<#C0HELP>" in message.text
    assert "<https://help.example/a?b=1&amp;c=2>." in message.text
    assert "<!" not in message.text and "<@" not in message.text
    assert "<https://x.example>" in message.text


def test_a_failure_gives_its_id() -> None:
    assert str(ID) in render.message(answer(status="failed"), NOW).text


@pytest.mark.parametrize(
    ("status", "has"),
    [
        ("answered", True),
        ("not_found", True),
        ("routed", True),
        ("smalltalk", False),
        ("failed", False),
    ],
)
def test_feedback_controls_carry_the_answers_id(status: str, has: bool) -> None:
    message = render.message(answer(status=status), NOW)
    values = [e["value"] for e in walk(message.blocks) if "value" in e]
    assert values == ([f"up:{ID}", f"down:{ID}"] if has else [])
    plain = render.message(answer(status=status), NOW, controls="buttons")
    assert [e["value"] for e in walk(plain.blocks) if "value" in e] == values


def test_a_table_is_lined_up_in_a_code_block_with_an_arrow_at_the_row() -> None:
    table = "| Grade | Days |\n|---|---|\n| Junior | 25 |\n| Senior | 28 |"
    message = render.message(answer(f"See:\n\n{table}\n\nEnd.", "| Senior | 28 |"), NOW)
    _, code = [e for e in walk(message.blocks) if e.get("type") == "rich_text_preformatted"]
    assert code["elements"][0]["text"] == "  Grade  | Days\n  Junior | 25\n▸ Senior | 28"


def test_a_row_is_told_with_its_columns_names_in_a_notification() -> None:
    table = "| Grade | Days | Note |\n|---|---|---|\n| Junior | 25 | |\n| Senior | 28 | x \\| y |"
    row = "| Grade | Days | Note |\n|---|---|---|\n| Senior | 28 | x \\| y |"
    message = render.message(answer(table, row), NOW)
    assert "> Grade: Senior, Days: 28, Note: x | y\n" in message.text


def test_a_wide_table_is_written_row_by_row_and_nothing_of_it_is_cut() -> None:
    long = (
        "Ask the porter for the key of the bicycle cellar, sign for it, and bring it back at night"
    )
    table = f"| What | How |\n|---|---|\n| Bicycle | {long} |\n| Car | no |"
    message = render.message(answer(table, f"| Bicycle | {long} |"), NOW)
    assert f"What: Bicycle, How: {long}" in bold(message)
    assert "What: Car, How: no" in shown(message)


def test_code_lines_are_not_cut() -> None:
    line = "make up " + "--flag " * 60 + "--last"
    assert line in shown(render.message(answer(f"Run:\n```\n{line}\n```"), NOW))


def seen(*texts: tuple[str, str, str, str]) -> tuple[Shown, ...]:
    return tuple(Shown(text, (mark,), path, heading) for text, mark, path, heading in texts)


def test_the_unit_comes_first_then_its_passage_then_other_passages_under_their_names() -> None:
    pay = replace(
        CITED, title="Pay", path="hr/pay.md", heading="When", quote="Paid on the 25th. Twice."
    )
    days = replace(CITED, heading="Leave > Unpaid", quote="Unpaid leave is agreed on.")
    made = answer(
        best="Unused days lapse in March.",
        citations=(CITED, days, pay),
        shown=seen(
            (
                "Unused days lapse in March.",
                "Unused days lapse in March.",
                CITED.path,
                CITED.heading,
            ),
            (CITED.quote, "Unused days lapse in March.", CITED.path, CITED.heading),
            (days.quote, days.quote, CITED.path, days.heading),
            ("Paid on the 25th.", "Paid on the 25th.", pay.path, "When"),
        ),
    )
    message = render.message(made, NOW)
    whole = shown(message)
    order = [
        "Unused",
        "Full-time",
        "Leave > Unpaid",
        "Unpaid leave",
        "Pay > When",
        "Paid on",
        "Sources",
    ]
    places = [whole.index(each) for each in order]
    assert places == sorted(places)
    assert "Paid on the 25th. …" in whole and "Full-time staff get 28 days." not in bold(message)
    assert "Paid" not in message.text.split("•")[0]


def test_folded_the_unit_and_its_passage_stay_open_and_nothing_is_lost() -> None:
    pay = replace(CITED, title="Pay", path="hr/pay.md", heading="When", quote="Paid on the 25th.")
    unit = "Unused days lapse in March."
    made = answer(
        best=unit,
        citations=(CITED, pay),
        shown=seen(
            (unit, unit, CITED.path, CITED.heading),
            (CITED.quote, unit, CITED.path, CITED.heading),
            (pay.quote, pay.quote, pay.path, "When"),
        ),
    )
    message = render.message(made, NOW, folded=True)
    *opened, container, _, _ = message.blocks
    assert "Unused days" in shown(render.Message("", tuple(opened)))
    assert "Full-time staff" in shown(render.Message("", tuple(opened)))
    inside = shown(render.Message("", (container,)))
    assert "Paid on the 25th." in inside and "Sources" in inside
    assert inside.startswith("Source: Leave policy > Leave > Days, updated 3 months ago and 1 more")
    assert message.text == render.message(made, NOW).text


def test_that_a_document_was_read_in_part_is_not_folded_away() -> None:
    cited = replace(CITED, left_out=("page 2 of 3 is a picture without text",))
    message = render.message(answer(citations=(cited,)), NOW, folded=True)
    assert all(block["type"] != "container" for block in message.blocks)
    assert "page 2 of 3" in shown(message)


def test_long_passages_and_addresses_stay_within_slacks_size_and_the_unit_stays() -> None:
    far = f"https://docs.example/{'a' * 1900}"
    quote = "Mind the gap. " + '"x" & <y>.\n\n' * 100
    cited = tuple(replace(CITED, quote=quote, url=far, heading=str(n)) for n in range(3))
    made = answer(quote, "Mind the gap.", citations=cited)
    made = replace(made, shown=showing.shown(cited, "Mind the gap.", [["Mind the gap."]] * 3))
    message = render.message(made, NOW)
    check(message)
    assert "Mind the gap." in bold(message)


def test_two_marks_in_one_passage_are_both_bold() -> None:
    text = "One thing. Two things. Three things."
    assert [
        (e["text"], "style" in e) for e in walk(rich_text.elements(text, ("Three things.", "One thing.")))
        if e.get("type") == "text"
    ] == [("One thing.", True), (" Two things. ", False), ("Three things.", True)]  # fmt: skip


def test_markdown_is_shown_as_its_text() -> None:
    passage = (
        "## Leave\n- **28** days, see [the form](forms/a.md)\n- `code` at [us](https://x.example/a)"
    )
    message = render.message(answer(passage, "**28** days"), NOW)
    assert "Leave\n• 28 days, see the form\n• code at us (https://x.example/a)" in shown(message)


def test_code_keeps_its_lines() -> None:
    message = render.message(answer("Run:\n```sh\nmake up  # <b>\n  **x**\n```"), NOW)
    (code,) = [e for e in walk(message.blocks) if e.get("type") == "rich_text_preformatted"]
    assert code["elements"][0]["text"] == "make up  # <b>\n  **x**"


PINGS = ["<!channel>", "<!here>", "<!everyone>", "<@U12345>", "<#C12345>", "<!subteam^S1|@all>",
         "@here", "@channel", "@everyone", "<!date^1^x|y>"]  # fmt: skip


@pytest.mark.parametrize("ping", PINGS)
@pytest.mark.parametrize("status", ["answered", "unsure", "not_found", "routed", "smalltalk"])
def test_nothing_from_a_document_pings(ping: str, status: str) -> None:
    bad = replace(CITED, quote=f"a {ping} b", title=ping, heading=ping, path=ping, url=None)
    made = answer(body=f"a {ping} b", citations=(bad,), hints=(bad,), status=status)
    message = render.message(made, NOW)
    everything = json.dumps([message.text, message.blocks], ensure_ascii=False)
    if not (status in ("routed", "smalltalk") and ping.startswith("<#")):
        assert ping not in everything
    assert {e["type"] for e in walk(message.blocks) if "type" in e}.isdisjoint(
        {"user", "broadcast", "usergroup", "channel"}
    )


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "file:///etc/passwd", "https://", "//x.example", "https://good@evil.example",
     "https://a b", "https://x.example/\u202egpj", "ftp://x.example", "http://[::1", "x" * 3000, ""],
)  # fmt: skip
def test_what_is_no_honest_web_address_is_no_link(url: str) -> None:
    message = render.message(answer(citations=(replace(CITED, url=url),)), NOW)
    assert [e for e in walk(message.blocks) if e.get("type") == "link"] == []
    assert "<" not in message.text


def test_a_link_shows_where_it_leads() -> None:
    bad = replace(CITED, title="https://bank.example/login", url="https://xn--e1awd7f.example/|x>")
    message = render.message(answer(citations=(bad,)), NOW)
    assert "(xn--e1awd7f.example)" in shown(message)
    assert "|" not in message.text
    cyrillic = replace(CITED, url="https://еріс.example/")
    assert "(xn--" in shown(render.message(answer(citations=(cyrillic,)), NOW))


def test_invisible_and_turning_signs_are_dropped() -> None:
    bad = "a\u202eb\u200bc\x00d\x1b[31me\U000e0041f\u2066g" + "z" + "\u0301" * 50
    message = render.message(answer(bad), NOW)
    assert "abcd[31mefgz\u0301\u0301\u0301" in shown(message)
    assert "\u0301" * 4 not in shown(message)


@pytest.mark.parametrize("text", ["*bold*", "_it_", "~no~", "`code`", "*_both_*", "a *b* c _d_"])
def test_signs_that_would_format_do_not(text: str) -> None:
    safe = markup.mrkdwn(text)
    assert not re.search(r"(?<!\w)([*_~`])\S.*?\1(?!\w)", safe)
    assert len(safe) == len(text)


def test_words_with_underscores_and_sums_stay_as_they_are() -> None:
    assert markup.mrkdwn("snake_case_name 2 * 3 * 4") == "snake_case_name 2 * 3 * 4"


ALPHABET = [
    "a", "Z", " ", "\n", "\n\n", "<", ">", "&", "|", "*", "_", "~", "`", "```\n", "| a | b |\n", "#",
    "- ", "[x](https://evil.example)", "<!channel>", "<@U1>", "<https://a.example|b>", "\u202e",
    "\x00", "\ud800", "é", "漢", "👩‍💻", "&lt;!here&gt;", "@here", "\\", '"', "x" * 300, "\r\n", "\t",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
def test_any_text_stays_within_slacks_limits_and_harmless(seed: int) -> None:
    rng = random.Random(seed)

    def text() -> str:
        return "".join(rng.choices(ALPHABET, k=rng.choice([0, 3, 30, 300, 3000])))

    passage = text()
    low, high = sorted(rng.randrange(len(passage) + 1) for _ in range(2))
    cited = tuple(
        replace(
            CITED,
            quote=passage,
            title=text(),
            heading=text(),
            path=text(),
            url=rng.choice([CITED.url, text()]),
        )
        for _ in range(rng.randrange(1, 5))
    )
    status = rng.choice(["answered", "unsure", "not_found", "routed", "smalltalk", "failed"])
    made = answer(
        passage,
        rng.choice([passage[low:high], text()]),
        status=status,
        citations=cited,
        hints=cited,
    )
    marks = [[text()[:99], each.quote[low : low + 99]] for each in cited]
    more = replace(made, shown=showing.shown(cited[:3], made.body or "", marks))
    for each in (made, more):
        check(render.message(each, NOW, notes=["a note"]))
        check(render.message(each, NOW, notes=["a note"], folded=True))


def check(message: render.Message) -> None:
    """What Slack asks of a message, and what nobody may smuggle into it."""
    everything = json.dumps([message.text, message.blocks], ensure_ascii=False)
    everything.encode("utf-8")
    assert 0 < len(message.text) <= 4000
    assert len(message.blocks) <= 50 and len(everything) < 13_000
    assert not re.search("<[!@]|\u202e|@here", everything)
    for entity in re.findall(r"<[^>]*>", message.text):
        assert re.fullmatch(r"<(https?://[^\s|<>]+|#C[A-Z0-9]+)>", entity)
    assert re.sub(r"<[^>]*>|&(?:amp|lt|gt);", "", message.text).count("&") == 0
    for element in walk(message.blocks):
        kind, value = element.get("type"), element.get("text")
        if kind == "text":
            assert value and "elements" not in element
        if kind == "section":
            assert 0 < len(element["text"]["text"]) <= 3000
        if kind in ("rich_text", "rich_text_section", "rich_text_quote", "rich_text_list"):
            assert element["elements"]
        if kind == "link":
            assert re.match(r"https?://[\w.-]+", element["url"]) and value
        if kind == "plain_text":
            assert 0 < len(element["text"]) <= 3000
        if kind == "container":
            assert 0 < len(element["title"]["text"]) <= 150
            assert 1 <= len(element["child_blocks"]) <= 10


def test_reasons_are_one_click_and_other_words_a_modal() -> None:
    message = render.reasons(ID)
    assert [b["action_id"] for b in walk(message.blocks) if b.get("type") == "button"] == [
        f"reason:{key}" for key in render.REASONS
    ]
    assert render.reason_view(ID)["private_metadata"] == str(ID)
