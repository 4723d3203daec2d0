"""The web server before a signature is known: large, lying, slow, repeated and forged requests."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.processes import web
from bot.slack.app import Bot
from store.database import Database
from tests.fake_slack import FakeSlack, sign
from tests.slack_parts import FakeServices, waiting

EVENT = {
    "type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event_id": "Ev1",
    "event": {"type": "app_mention", "channel": "C1", "user": "U1", "text": "<@UBOT> days off?",
              "ts": "1700000000.000100", "team": "T1"},
}  # fmt: skip


def sent(port: int, *parts: bytes) -> bytes:
    """Send a request in parts, as far as the server takes it; give what it answers."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=10)) as link:
        answer = b""
        try:
            for part in parts:
                link.sendall(part)
            link.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it had enough
        try:
            while more := link.recv(65536):
                answer += more
        except OSError:
            pass
        return answer


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def delivery(secret: str, *, retry: bool = False, stamp: int | None = None) -> bytes:
    """A delivery of Slack's, as it goes over the wire."""
    body, when = json.dumps(EVENT), str(int(time.time()) if stamp is None else stamp)
    head = (
        "POST /slack/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nX-Slack-Request-Timestamp: {when}\r\n"
        f"X-Slack-Signature: {sign(secret, when, body)}\r\n"
    )
    return (head + ("X-Slack-Retry-Num: 1\r\n" if retry else "") + "\r\n" + body).encode()


def port(fake: FakeSlack) -> int:
    assert fake.target
    return fake.target[1]


HEAD = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(
    bot: Bot, fake: FakeSlack
) -> None:
    assert status(sent(port(fake), HEAD + b"Content-Length: 300000000\r\n\r\n")) == 413


def test_a_body_in_chunks_is_refused_as_soon_as_it_is_too_large(bot: Bot, fake: FakeSlack) -> None:
    chunk = b"fffff\r\n" + b"x" * 0xFFFFF + b"\r\n"
    answer = sent(port(fake), HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 20)
    assert status(answer) in (413, 0)  # 0: it closed while we were sending


@pytest.mark.parametrize(
    "lie",
    [
        b"Content-Length: -5\r\n\r\nhello",
        b"Content-Length: 5\r\nContent-Length: 300000000\r\n\r\nhello",
        b"Content-Length: 5e9\r\n\r\nhello",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
        b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"Content-Length: 900000\r\n\r\nshort",
    ],
)
def test_a_lie_about_the_length_reaches_nobody(
    bot: Bot, fake: FakeSlack, services: FakeServices, lie: bytes
) -> None:
    assert status(sent(port(fake), HEAD + lie)) in (0, 400, 401, 413, 431)
    assert waiting(services.database) == []


def test_a_delivery_is_accepted_once_within_its_five_minutes(
    bot: Bot, fake: FakeSlack, services: FakeServices
) -> None:
    first = delivery(fake.secret)
    assert status(sent(port(fake), first)) == 200
    assert status(sent(port(fake), first)) == 401
    assert len(waiting(services.database)) == 1


def test_what_slack_itself_repeats_in_the_same_second_is_acknowledged_and_not_done_again(
    bot: Bot, fake: FakeSlack, services: FakeServices
) -> None:
    now = int(time.time())
    assert status(sent(port(fake), delivery(fake.secret, stamp=now))) == 200
    assert status(sent(port(fake), delivery(fake.secret, stamp=now, retry=True))) == 200
    assert len(waiting(services.database)) == 1


def test_a_delivery_that_was_not_acknowledged_may_come_again(
    bot: Bot, fake: FakeSlack, services: FakeServices
) -> None:
    again = delivery(fake.secret)
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE questions RENAME TO elsewhere")
    assert status(sent(port(fake), again)) >= 400
    with services.database.connection() as connection:
        connection.execute("ALTER TABLE elsewhere RENAME TO questions")
    assert status(sent(port(fake), again)) == 200
    assert len(waiting(services.database)) == 1


@pytest.mark.parametrize("seconds", [-301, -3600, 3600])
def test_a_stale_delivery_or_one_from_the_future_is_refused(
    bot: Bot, fake: FakeSlack, services: FakeServices, seconds: int
) -> None:
    late = delivery(fake.secret, stamp=int(time.time()) + seconds)
    assert status(sent(port(fake), late)) == 401
    assert waiting(services.database) == []


def test_wrong_signatures_leave_nothing_behind(
    bot: Bot, fake: FakeSlack, database: Database
) -> None:
    for secret in ("guessed", "", "again"):
        assert status(sent(port(fake), delivery(secret))) == 401
    with database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM accepted_signatures").fetchone()
    assert row == (0,)


@pytest.fixture
def website() -> Iterator[web.Server]:
    pages = web.health(lambda: None, lambda: b"")
    running = web.Server(web.site(pages), "127.0.0.1", 0, slow=0.5, crowded=0.2)
    yield running
    running.close()


def test_half_sent_requests_do_not_hold_up_whole_ones(website: web.Server) -> None:
    halves = [
        socket.create_connection(("127.0.0.1", website.port), timeout=10)
        for _ in range(web.CONNECTIONS + 10)
    ]
    for number, half in enumerate(halves):
        if number % 2:
            half.sendall(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
    assert status(sent(website.port, b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")) == 200
    for half in halves:
        half.close()


def test_a_request_that_trickles_is_cut_off(website: web.Server) -> None:
    with closing(socket.create_connection(("127.0.0.1", website.port), timeout=10)) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        deadline = time.monotonic() + 10
        with pytest.raises(OSError, match=r"."):
            while time.monotonic() < deadline:
                slow.sendall(b"X: y\r\n")
                time.sleep(0.05)


def test_a_connection_is_used_again_and_again(website: web.Server) -> None:
    with closing(socket.create_connection(("127.0.0.1", website.port), timeout=10)) as link:
        for _ in range(3):
            link.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while b'"ok"}' not in answer:
                answer += link.recv(65536)
            assert status(answer) == 200
