"""Who gets into the screen, how long, and what other sites may do with it."""

from datetime import timedelta

import pytest

from bot.screen import guard
from bot.screen.parts import Unsure
from store import sessions
from store.database import Database
from tests.screen_parts import BOSS, NOW, TEAM, Slack, browser, parts_for


def test_a_link_signs_in_once_by_its_button_alone(database: Database) -> None:
    person = browser(parts_for(database, Slack()), is_signed_in=False)
    with database.connection() as connection:
        token = sessions.new_link(connection, TEAM, BOSS, NOW)
    for _ in range(3):  # as programs do that look at links in messages
        assert "Sign in" in person.text(f"sign-in?token={token}")
    assert person.client.post("/screen/sign-in", data={"token": token}).status_code == 303
    assert person.get("").status_code == 200
    again = browser(person.parts, is_signed_in=False)
    assert again.client.post("/screen/sign-in", data={"token": token}).status_code == 400
    assert again.get("").headers["Location"].endswith("/screen/sign-in")


def test_a_link_is_good_for_five_minutes_and_in_its_own_workspace(database: Database) -> None:
    with database.connection() as connection:
        token = sessions.new_link(connection, TEAM, BOSS, NOW)
        other = sessions.new_link(connection, "T2", BOSS, NOW)
    late = parts_for(database, Slack(), now=lambda: NOW + timedelta(minutes=5, seconds=1))
    for given, parts in ((token, late), (other, parts_for(database, Slack())), ("", late)):
        person = browser(parts, is_signed_in=False)
        assert person.client.post("/screen/sign-in", data={"token": given}).status_code == 400
        assert person.get("").status_code == 303


def test_no_token_stands_in_the_database(database: Database) -> None:
    person = browser(parts_for(database, Slack()))
    session = person.client.get_cookie(guard.COOKIE, path="/screen/")
    assert session
    with database.connection() as connection:
        rows = connection.execute("SELECT screen_sessions::text FROM screen_sessions").fetchall()
    assert len(rows) == 1 and session.value not in rows[0][0]


def test_a_session_ends_and_signing_out_ends_it_at_once(database: Database) -> None:
    clock = [NOW]
    person = browser(parts_for(database, Slack(), now=lambda: clock[0]))
    session = person.client.get_cookie(guard.COOKIE, path="/screen/")
    assert session and session.http_only and session.same_site == "Lax"
    clock[0] += sessions.SESSION_LASTS + timedelta(seconds=1)
    assert person.get("").status_code == 303
    clock[0] = NOW
    assert person.post("sign-out").status_code == 303
    person.client.set_cookie(guard.COOKIE, session.value, path="/screen/")
    assert person.get("").status_code == 303


def test_rights_that_are_lost_in_the_middle_close_every_page(database: Database) -> None:
    slack = Slack()
    person = browser(parts_for(database, slack))
    assert person.get("").status_code == 200
    slack.admins.clear()
    assert person.get("").status_code == 403
    assert "asked" not in person.get("").text.lower()
    slack.admins.add(BOSS)
    assert person.get("").status_code == 200


def test_who_cannot_be_looked_up_is_no_admin(database: Database) -> None:
    class Away(Slack):
        def is_admin(self, person: str) -> bool:
            raise Unsure

    person = browser(parts_for(database, Away()))
    assert person.get("").status_code == 503


def test_a_form_without_its_token_does_nothing(database: Database) -> None:
    person = browser(parts_for(database, Slack()))
    other = browser(parts_for(database, Slack()))
    for token in ("", "0" * 64, other.csrf()):
        reply = person.client.post("/screen/sign-out", data={"csrf": token})
        assert reply.status_code == 400
    assert person.get("").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
def test_a_form_from_another_site_does_nothing(database: Database, origin: str) -> None:
    person = browser(parts_for(database, Slack()))
    given = {"csrf": person.csrf()}
    reply = person.client.post("/screen/sign-out", data=given, headers={"Origin": origin})
    assert reply.status_code == 400


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("localhost:3000", 303), ("127.0.0.1:3000", 303), ("[::1]:3000", 303), ("10.1.2.3", 303),
        ("threadwise.example.com", 303), ("evil.example", 421), ("127.0.0.1.evil.example", 421),
        ("localhost.evil.example:3000", 421), ("threadwise.example.com.evil.example", 421),
        ("localhost@evil.example", 421),
    ],
)  # fmt: skip
def test_only_known_names_of_this_machine_are_served(
    database: Database, host: str, code: int
) -> None:
    parts = parts_for(database, Slack(), url="https://threadwise.example.com")
    person = browser(parts, is_signed_in=False)
    reply = person.client.get("/screen/", headers={"Host": host})
    assert reply.status_code in (code, 400 if code == 421 else code)


def test_the_cookie_is_kept_to_https_where_the_address_is(database: Database) -> None:
    parts = parts_for(database, Slack(), url="https://threadwise.example.com")
    person = browser(parts, is_signed_in=False)
    with database.connection() as connection:
        token = sessions.new_link(connection, TEAM, BOSS, NOW)
    reply = person.client.post(
        "/screen/sign-in", data={"token": token}, headers={"Host": "threadwise.example.com"}
    )
    assert "Secure" in reply.headers["Set-Cookie"]


def test_every_reply_says_what_a_page_may_do(database: Database) -> None:
    person = browser(parts_for(database, Slack()))
    for path in ("", "sign-in", "nowhere", "static/screen.css"):
        headers = person.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_a_name_in_the_address_is_never_part_of_the_page(database: Database) -> None:
    person = browser(parts_for(database, Slack()))
    for path in (
        "?said=<script>alert(1)</script>",
        "<script>alert(1)</script>",
        "?from=<script>alert(1)</script>",
        'sign-in?token="><script>alert(1)</script>',
    ):
        assert "<script>alert" not in person.get(path).text


@pytest.mark.parametrize("days", ["0", "-1", "99999", "1e9", "٣", "7" * 5000, "x", ""])
def test_any_range_of_days_gives_a_page(database: Database, days: str) -> None:
    person = browser(parts_for(database, Slack()))
    assert person.get(f"?days={days}").status_code == 200
    assert person.get(f"?from={days}&to=2026-01-01").status_code == 200
    assert person.get("?from=0001-01-01&to=9999-12-31").status_code == 200
    assert person.get("?from=2026-03-01&to=2025-03-01").status_code == 200
