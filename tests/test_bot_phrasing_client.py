"""Asking an LLM over real HTTP: what can be used, and every way in which a server can fail."""

import email.utils
import gzip
import io
import json
import logging
import time

import pytest

from bot.log import KeyValues
from bot.phrasing import client
from bot.phrasing.client import Llm, Silent
from tests import fake_llm
from tests.fake_llm import Act, FakeLlm, completion, fails, says

KEY = "sk-do-not-tell-4711"
SCHEMA = {"type": "object"}


class Clock:
    """Time that the test lets pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def ask(fake: FakeLlm, *, seconds: float = 5.0) -> str:
    return Llm(fake.url, "small", KEY).say("rules", "asked", SCHEMA, seconds=seconds)


def reason(fake: FakeLlm, *, seconds: float = 5.0) -> str:
    with pytest.raises(Silent) as silent:
        ask(fake, seconds=seconds)
    assert KEY not in repr(silent.value)
    return str(silent.value)


def test_one_post_with_model_key_and_schema() -> None:
    with fake_llm.fake_llm(says("fine")) as fake:
        assert ask(fake) == "fine"
    asked = fake.asked[0]
    assert fake.paths == ["/v1/chat/completions"]
    assert asked["model"] == "small" and asked["temperature"] == 0
    assert asked["messages"] == [
        {"role": "system", "content": "rules"},
        {"role": "user", "content": "asked"},
    ]
    assert "json_schema" in fake.sent()
    assert fake.headers[0]["authorization"] == f"Bearer {KEY}"


def test_the_whole_address_does_as_well() -> None:
    with fake_llm.fake_llm(says("fine")) as fake:
        llm = Llm(f"{fake.url}/chat/completions/", "small")
        assert llm.say("", "", SCHEMA, seconds=5) == "fine"
    assert fake.paths == ["/v1/chat/completions"]
    assert "authorization" not in fake.headers[0]


def test_content_in_parts_is_put_together() -> None:
    parts = [{"type": "text", "text": "fi"}, {"type": "image"}, {"type": "text", "text": "ne"}]
    with fake_llm.fake_llm(says(parts)) as fake:
        assert ask(fake) == "fine"


def test_a_server_that_knows_no_schema_is_asked_once_more_without_and_that_is_remembered() -> None:
    with fake_llm.fake_llm(fails(400), says("fine")) as fake:
        llm = Llm(fake.url, "small")
        assert [llm.say("", "", SCHEMA, seconds=5) for _ in range(2)] == ["fine", "fine"]
    assert ["response_format" in asked for asked in fake.asked] == [True, False, False]


def test_a_bad_request_is_not_repeated_for_ever() -> None:
    with fake_llm.fake_llm(fails(400)) as fake:
        assert reason(fake) == "http_400"
        assert len(fake.asked) == 2


@pytest.mark.parametrize(
    ("act", "why"),
    [
        (fails(401, KEY.encode()), "http_401"),
        (fails(404, b"<html>"), "http_404"),
        (fails(422), "http_422"),
        (fails(500, b"boom"), "http_500"),
        (fails(503), "http_503"),
        (fails(429, Retry_After="7"), "http_429"),
        (fails(302, Location="http://127.0.0.1:9/elsewhere"), "http_302"),
        (fails(307, Location="/v2/chat/completions"), "http_307"),
        (fails(204, b""), "http_204"),
        (fails(200, b""), "not_json"),
        (fails(200, b"<html>not an API</html>"), "not_json"),
        (fails(200, b'{"choices": [{"mess'), "not_json"),
        (fails(200, b'{"choices": "none"}'), "not_json"),
        (fails(200, b'{"choices": []}'), "empty"),
        (fails(200, b'{"error": {"message": "no"}}'), "not_json"),
        (fails(200, b"[" * 100_000), "not_json"),
        (fails(200, b"\xff\xfe\x00"), "not_json"),
        (fails(200, gzip.compress(completion("fine")), Content_Encoding="gzip"), "packed"),
        (fails(200, gzip.compress(b" " * 30_000_000), Content_Encoding="gzip"), "packed"),
        (fails(200, b" " * (client.MAX_BYTES + 1)), "too_long"),
        (says(None), "empty"),
        (says(""), "empty"),
        (says(" \n"), "empty"),
        (says([]), "empty"),
        (says(None, tool_calls=[{"id": "1", "function": {"name": "post"}}]), "empty"),
        (says(None, refusal="I cannot help with that."), "refused"),
        (fake_llm.hangs, "timeout"),
        (fake_llm.drips, "timeout"),
        (fake_llm.drips_body, "timeout"),
        (fake_llm.floods, "too_long"),
        (fake_llm.breaks_off, "unreachable"),
    ],
)  # fmt: skip
def test_whatever_the_server_does_there_is_one_word_for_it_in_time(act: Act, why: str) -> None:
    with fake_llm.fake_llm(act) as fake:
        # Without a limit on the whole, the ones that never end would end no test.
        assert reason(fake, seconds=0.3 if why == "timeout" else 5.0) == why


def test_nobody_listens() -> None:
    with fake_llm.fake_llm(says("fine")) as fake:
        pass
    assert reason(fake) == "unreachable"


def test_it_goes_nowhere_else_by_way_of_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with fake_llm.fake_llm(says("fine")) as fake:
        assert ask(fake) == "fine"


def test_a_server_that_wants_to_be_left_alone_is_left_alone() -> None:
    clock = Clock()
    with fake_llm.fake_llm(fails(429, Retry_After="7"), says("fine")) as fake:
        llm = Llm(fake.url, "small", clock=clock)
        assert _word(llm) == "http_429"
        clock.now = 6.9
        assert _word(llm) == "resting"
        assert len(fake.asked) == 1
        clock.now = 7.1
        assert _word(llm) == "fine"


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        ("99999999", 300, 300),
        ("9" * 400, 300, 300),
        ("soon", 30, 30),
        ("-5", 30, 30),
        ("in 100 s", 80, 100),
        (email.utils.formatdate(0), 0, 0),
    ],
)
def test_a_wish_to_be_left_alone_is_bounded(header: str, low: float, high: float) -> None:
    if (
        header == "in 100 s"
    ):  # a date; made here, since names of tests must be the same in every process
        header = email.utils.formatdate(time.time() + 100)
    clock = Clock()
    with fake_llm.fake_llm(fails(429, Retry_After=header), says("fine")) as fake:
        llm = Llm(fake.url, "small", clock=clock)
        _word(llm)
        if low:
            clock.now = low - 0.1
            assert _word(llm) == "resting"
        clock.now = high + 0.1
        assert _word(llm) == "fine"


def test_after_three_failures_in_a_row_nobody_waits_for_a_while() -> None:
    clock = Clock()
    with fake_llm.fake_llm(*[fails(500)] * 3, says("fine")) as fake:
        llm = Llm(fake.url, "small", clock=clock)
        assert [_word(llm) for _ in range(4)] == ["http_500"] * 3 + ["resting"]
        clock.now = client.REST_SECONDS + 1
        assert _word(llm) == "fine"


def test_failures_with_successes_between_them_do_not_add_up() -> None:
    with fake_llm.fake_llm(fails(500), fails(500), says("fine"), fails(500), says("fine")) as fake:
        llm = Llm(fake.url, "small")
        said = [_word(llm) for _ in range(5)]
    assert said == ["http_500", "http_500", "fine", "http_500", "fine"]


def test_neither_key_nor_words_of_the_server_are_logged() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(KeyValues())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        for act in (fails(401, f"bad key {KEY}".encode()), fake_llm.breaks_off, says("fine")):
            with fake_llm.fake_llm(act) as fake:
                _word(Llm(fake.url, "small", KEY))
        _word(Llm("http://127.0.0.1:9/v1", "small", f"{KEY}\r\nX: y"))
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert KEY not in stream.getvalue()


def test_a_request_is_plain_json() -> None:
    with fake_llm.fake_llm(says("fine")) as fake:
        Llm(fake.url, "small").say("", 'a "quote" <!channel> \u202e', SCHEMA, seconds=5)
    assert json.loads(fake.sent())["messages"][1]["content"] == 'a "quote" <!channel> \u202e'


def _word(llm: Llm) -> str:
    """What it says, or the word for why it says nothing."""
    try:
        return llm.say("", "", SCHEMA, seconds=5)
    except Silent as silent:
        return str(silent)
