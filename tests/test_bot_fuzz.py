"""Whatever people write or documents say, answering it takes time in proportion to its length."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.answering import asking, history, sentences
from bot.slack import markup, rich_text
from bot.text import missing, visible
from store.index import codes
from store.redaction import escaped, redacted
from store.values import searchable, storable
from tests.test_ingest_fuzz import MONSTERS, MOST_GROWTH, PARTS, growth

READERS: dict[str, Callable[[str], object]] = {
    "mrkdwn": markup.mrkdwn,
    "reply": markup.reply,
    "literal": markup.literal,
    "link": markup.link,
    "spoken": lambda text: markup.spoken(text, "U0BOT"),
    "kept": lambda text: markup.kept(text, str),
    "linked": lambda text: list(markup.linked(text)),
    "kept mrkdwn": markup.kept_mrkdwn,
    "elements": lambda text: rich_text.elements(text, ["a"], links=True),
    "plain": rich_text.plain,
    "units": lambda text: sentences.units(text[:2_000]),  # a passage is no longer
    "asked": lambda text: asking.read(text, 3_000),
    "two": asking.two,
    "leaning": lambda text: history.leans(text, (text,)),
    "telling": history.telling,
    "codes": codes.forms,
    "pairs": codes.pairs,
    "lexemes": codes.lexemes,
    "expanded": lambda text: codes.expanded(text, (), text),
    "acronyms": codes.acronyms,
    "parted": codes.parted,
    "visible": visible,
    "missing": lambda text: missing([text]),
    "escaped": escaped,
    "redacted": redacted,
    "storable": storable,
    "searchable": searchable,
}
SAID = [
    *PARTS,
    "<@U1>",
    "<#C1|a>",
    "<!here>",
    "<https://x.example|",
    "*a",
    "b*",
    "~",
    "ERR-42 ",
    "? ",
    "@here ",
]
MARKS = {
    part: (lambda n, part=part: part * (n // len(part)))
    for part in ("*_", "*a ", "_a*", "`*", "<@", "&lt;")
}


@pytest.mark.parametrize("name", READERS)
@settings(
    max_examples=40, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(parts=st.lists(st.sampled_from(SAID), max_size=40))
def test_whatever_is_said_is_read(name: str, parts: list[str]) -> None:
    READERS[name]("".join(parts))


@pytest.mark.parametrize("name", READERS)
def test_time_grows_with_length_alone(name: str) -> None:
    found = {
        monster: growth(READERS[name], make) for monster, make in {**MONSTERS, **MARKS}.items()
    }
    assert {k: round(v, 2) for k, v in found.items() if v > MOST_GROWTH} == {}
