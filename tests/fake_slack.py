"""Slack, played by a local server: its Web API, response_urls, and deliveries over HTTP or a socket.

Knows nothing about the bot. Used by the tests and by `make bench`; needs no package.
"""

import hashlib
import hmac
import http.client
import itertools
import json
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from tests.fake_slack_server import Handler, Link, Server, gone_is_fine

TEAM = "T1"
BOT_USER = "UBOT"
BOT_ID = "BBOT"
ACK_SECONDS = 3.0


@dataclass(frozen=True)
class Call:
    """One call of the Web API, or of a response_url (method "response_url")."""

    method: str
    params: dict[str, Any]
    at: float


@dataclass(frozen=True)
class Ack:
    """How a delivery was answered; `status` is 0 when it was not within the time."""

    status: int
    body: str
    seconds: float

    @property
    def ok(self) -> bool:
        return self.status == 200


@dataclass
class Fault:
    """A reply to give instead; `happens` lets the call take effect all the same."""

    status: int = 200
    error: str = "internal_error"
    retry_after: int | None = None
    happens: bool = False


class FakeSlack:
    """A Slack of one workspace. Use it as a context manager; `api_url` is what SLACK_API_URL takes."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.messages: list[dict[str, Any]] = []
        self.people: dict[str, dict[str, Any]] = {}
        self.private: set[str] = set()
        self.id_token = ""
        self.identity: dict[str, str] = {}
        self.channels: dict[str, dict[str, Any]] = {}
        self.listed: list[str] | None = None
        self.unknown_blocks: set[str] = set()
        self.unknown_methods: set[str] = set()
        self.changed = threading.Condition()
        self.target: tuple[str, int] | None = None
        self.pause: threading.Barrier | None = None
        self.away: Iterator[Fault | None] = itertools.repeat(None)
        self.secret = "shh"
        self._faults: dict[str, deque[Fault]] = defaultdict(deque)
        self._links: list[Link] = []
        self._acks: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self._last_ts = 0
        fake = self

        class Mine(Handler):
            slack = fake

        self._server = Server(("127.0.0.1", 0), Mine)
        self.port = self._server.server_address[1]
        self.api_url = f"http://127.0.0.1:{self.port}/api/"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.cut()
        self._server.shutdown()
        self._server.server_close()

    # What happened.

    def called(self, method: str) -> list[Call]:
        """The calls of a method, in their order."""
        with self.changed:
            return [call for call in self.calls if call.method == method]

    def wait_for(self, ready: Any, seconds: float = 10.0) -> None:
        """Wait until `ready()` holds; an AssertionError tells what was called instead."""
        with self.changed:
            if not self.changed.wait_for(ready, seconds):
                seen = [f"{call.method} {call.params}"[:300] for call in self.calls[-10:]]
                raise AssertionError("Slack waited in vain; last calls:\n" + "\n".join(seen))

    def wait_called(self, method: str, count: int = 1, seconds: float = 10.0) -> list[Call]:
        """Wait until a method was called so often; give the calls."""
        self.wait_for(lambda: sum(c.method == method for c in self.calls) >= count, seconds)
        return self.called(method)

    # What shall go wrong.

    def fail(self, method: str, *faults: Fault) -> None:
        """Let the next calls of a method be answered with these faults, one each."""
        self._faults[method].extend(faults)

    def cut(self) -> None:
        """Cut all sockets hard, as a network does."""
        for link in self._links:
            link.cut()
        self._links.clear()

    # Deliveries.

    @property
    def is_linked(self) -> bool:
        """Whether a socket is open."""
        return bool(self._links)

    def now(self) -> str:
        """A message ts: the time now, never the same twice."""
        with self.changed:
            self._last_ts = max(self._last_ts + 1, int(time.time() * 1_000_000))
            return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06}"

    def event(
        self, event: dict[str, Any], *, event_id: str | None = None, retry: int = 0, **outer: Any
    ) -> Ack:
        """Deliver an event once; `outer` are fields around it."""
        number = event_id or f"Ev{next(self._numbers)}"
        payload = {
            "type": "event_callback", "team_id": TEAM, "api_app_id": "A1", "event_id": number,
            "event_time": int(time.time()), "event": event, **outer,
        }  # fmt: skip
        return self._deliver("events_api", payload, json.dumps(payload), retry)

    def until_acked(
        self, event: dict[str, Any], pauses: tuple[float, ...] = (0.1, 0.2, 0.4)
    ) -> Ack:
        """Deliver an event and, while it is not acknowledged, again after these seconds."""
        event_id = f"Ev{next(self._numbers)}"
        ack = self.event(event, event_id=event_id)
        for retry, pause in enumerate(pauses, 1):
            if ack.ok:
                break
            time.sleep(pause)
            ack = self.event(event, event_id=event_id, retry=retry)
        return ack

    def say(
        self, text: str, *, channel: str = "C1", user: str = "U1", **more: Any
    ) -> dict[str, Any]:
        """Make a message event (not delivered yet)."""
        kind = "im" if channel.startswith("D") else "channel"
        event = {
            "type": "message", "channel": channel, "channel_type": kind, "user": user,
            "text": text, "ts": self.now(), "team": TEAM,
        }  # fmt: skip
        return event | more

    def command(
        self, name: str, text: str = "", *, user: str = "U1", channel: str = "C1", **more: Any
    ) -> Ack:
        """Type a slash command."""
        number = next(self._numbers)
        payload = {
            "command": name, "text": text, "user_id": user, "user_name": user.lower(),
            "channel_id": channel, "channel_name": channel.lower(), "team_id": TEAM,
            "team_domain": "team", "api_app_id": "A1", "trigger_id": f"{number}.{number}.abc",
            "response_url": self.response_url(number), "token": "x", **more,
        }  # fmt: skip
        return self._deliver("slash_commands", payload, urlencode(payload))

    def action(self, action: dict[str, Any], *, user: str = "U1", channel: str = "C1") -> Ack:
        """Click a button."""
        number = next(self._numbers)
        payload = {
            "type": "block_actions", "team": {"id": TEAM}, "user": {"id": user}, "api_app_id": "A1",
            "channel": {"id": channel}, "trigger_id": f"{number}.{number}.abc",
            "response_url": self.response_url(number), "token": "x",
            "container": {"type": "message", "channel_id": channel},
            "actions": [{"action_ts": self.now(), "block_id": "b", **action}],
        }  # fmt: skip
        return self._deliver("interactive", payload, urlencode({"payload": json.dumps(payload)}))

    def shortcut(self, name: str, message: dict[str, Any], *, user: str = "U1") -> Ack:
        """Use a shortcut on a message."""
        number = next(self._numbers)
        payload = {
            "type": "message_action", "callback_id": name, "team": {"id": TEAM}, "token": "x",
            "user": {"id": user}, "channel": {"id": message["channel"]}, "message": message,
            "response_url": self.response_url(number), "trigger_id": f"{number}.{number}.abc",
            "action_ts": self.now(),
        }  # fmt: skip
        return self._deliver("interactive", payload, urlencode({"payload": json.dumps(payload)}))

    def submit(self, view: dict[str, Any], values: dict[str, Any], *, user: str = "U1") -> Ack:
        """Send a modal off."""
        payload = {
            "type": "view_submission", "team": {"id": TEAM}, "user": {"id": user}, "token": "x",
            "api_app_id": "A1", "view": {"id": "V1", **view, "state": {"values": values}},
        }  # fmt: skip
        return self._deliver("interactive", payload, urlencode({"payload": json.dumps(payload)}))

    def react(
        self, name: str, ts: str, *, channel: str = "C1", user: str = "U1", added: bool = True
    ) -> Ack:
        """Add a reaction to a message, or take it away."""
        return self.event(
            {
                "type": "reaction_added" if added else "reaction_removed",
                "user": user,
                "reaction": name,
                "item": {"type": "message", "channel": channel, "ts": ts},
                "item_user": BOT_USER,
                "event_ts": self.now(),
            }
        )

    def response_url(self, number: int) -> str:
        """Make a response_url."""
        return f"http://127.0.0.1:{self.port}/response/{number}"

    def _deliver(self, kind: str, payload: dict[str, Any], body: str, retry: int = 0) -> Ack:
        started = time.perf_counter()
        if self.target:
            status, text = self._over_http(kind, body, retry)
        else:
            status, text = self._over_socket(kind, payload, retry)
        return Ack(status, text, time.perf_counter() - started)

    def _over_http(self, kind: str, body: str, retry: int) -> tuple[int, str]:
        assert self.target
        is_json = kind == "events_api"
        stamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json" if is_json else "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": sign(self.secret, stamp, body),
        }
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": "http_timeout"}
        connection = http.client.HTTPConnection(*self.target, timeout=ACK_SECONDS)
        try:
            connection.request("POST", "/slack/events", body.encode(), headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def _over_socket(self, kind: str, payload: dict[str, Any], retry: int) -> tuple[int, str]:
        envelope_id = f"E{next(self._numbers)}"
        envelope: dict[str, Any] = {
            "type": kind, "envelope_id": envelope_id, "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }  # fmt: skip
        if kind == "events_api":
            envelope |= {"retry_attempt": retry, "retry_reason": "timeout" if retry else ""}
        with gone_is_fine():
            self._links[-1].send(json.dumps(envelope).encode())
        with self.changed:
            self.changed.wait_for(lambda: envelope_id in self._acks, ACK_SECONDS)
            answer = self._acks.pop(envelope_id, None)
        return (0, "") if answer is None else (200, answer)

    # What the server calls.

    def reply(self, method: str, params: dict[str, Any]) -> tuple[int, dict[str, str], Any]:
        """Answer one call of the Web API: status, headers, body."""
        if self.pause and method == "chat.postMessage":
            self.pause.wait(10)
        with self.changed:
            self.calls.append(Call(method, params, time.time()))
            fault = self._faults[method].popleft() if self._faults[method] else next(self.away)
            self.changed.notify_all()
        if method in self.unknown_methods:
            fault = Fault(error="unknown_method")
        if fault is None and (wrong := self._wrong_blocks(params)):
            is_hook = method == "response_url"
            fault = Fault(
                400 if is_hook else 200, "invalid_blocks: " + wrong if is_hook else "invalid_blocks"
            )
        if fault is None or fault.happens:
            body = self._done(method, params)
        if fault is None:
            return 200, {}, body
        headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
        wrong: dict[str, Any] = {"ok": False, "error": fault.error}
        if fault.error == "missing_scope":
            wrong |= {"needed": "chat:write", "provided": "commands"}
        return fault.status, headers, wrong

    def _wrong_blocks(self, params: dict[str, Any]) -> str:
        """Say what Slack would refuse in a message's or a view's blocks; nothing where all is well."""
        blocks = params.get("blocks") or (params.get("view") or {}).get("blocks") or []
        for block in blocks:
            children = block.get("child_blocks", [])
            if (
                unknown := {block["type"], *(each["type"] for each in children)}
                & self.unknown_blocks
            ):
                return f"unknown {unknown}"
            if block["type"] == "container" and not (
                1 <= len(children) <= 10 and 0 < len(block["title"]["text"]) <= 150
            ):
                return "container"
        return "" if len(blocks) <= (100 if "view" in params else 50) else "too many"

    def _done(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        known: dict[str, Any] = {
            "auth.test": lambda: {
                "team_id": TEAM, "team": "Team", "user_id": BOT_USER, "bot_id": BOT_ID,
                "user": "threadwise", "url": "https://team.slack.example/",
            },
            "apps.connections.open": lambda: {"url": f"ws://127.0.0.1:{self.port}/link?ticket=1"},
            "users.info": lambda: {"user": self._person(str(params.get("user")))},
            "chat.postMessage": lambda: self._post(params),
            "chat.postEphemeral": lambda: {"message_ts": self.now()},
            "chat.getPermalink": lambda: {
                "permalink": f"https://team.slack.example/{params.get('message_ts')}"
            },
            "conversations.replies": lambda: self._replies(params),
            "conversations.history": lambda: self._history(params),
            "conversations.info": lambda: {"channel": self._channel(str(params.get("channel")))},
            "conversations.list": lambda: (
                {} if self.listed is None else {"channels": [self._channel(c) for c in self.listed]}
            ),
            "openid.connect.token": lambda: {"access_token": "xoxp-1", "id_token": self.id_token},
            "openid.connect.userInfo": lambda: dict(self.identity),
            "conversations.open": lambda: {"channel": {"id": f"D{params.get('users')}"}},
        }  # fmt: skip
        return {"ok": True} | known.get(method, dict)()

    def _person(self, person: str) -> dict[str, Any]:
        """A full member, but for what `people` says; a value of None is a field that is missing."""
        member = {
            "id": person, "team_id": TEAM, "is_bot": False, "deleted": False, "is_admin": False,
            "is_restricted": False, "is_ultra_restricted": False,
        }  # fmt: skip
        return _given(member | self.people.get(person, {}))

    def _channel(self, channel: str) -> dict[str, Any]:
        """A channel of this workspace alone, but for what `private` and `channels` say."""
        ours = {
            "id": channel, "is_private": channel in self.private, "is_shared": False,
            "is_ext_shared": False, "is_org_shared": False, "pending_shared": [], "is_mpim": False,
        }  # fmt: skip
        return _given(ours | self.channels.get(channel, {}))

    def _post(self, params: dict[str, Any]) -> dict[str, Any]:
        key = params.get("client_msg_id")
        for message in self.messages if key else ():
            if message.get("client_msg_id") == key:  # Slack knows a message that it has
                return {"ts": message["ts"], "channel": params.get("channel"), "message": message}
        message = {**params, "ts": self.now(), "user": BOT_USER, "bot_id": BOT_ID}
        with self.changed:
            self.messages.append(message)
            self.changed.notify_all()
        return {"ts": message["ts"], "channel": params.get("channel"), "message": message}

    def _replies(self, params: dict[str, Any]) -> dict[str, Any]:
        """Two messages a page, so that paging is always needed."""
        with self.changed:
            found = [
                {key: value for key, value in message.items()
                 if key != "metadata" or params.get("include_all_metadata") in ("1", True, "true")}
                for message in self.messages
                if message.get("channel") == params.get("channel")
                and params.get("ts") in (message.get("thread_ts"), message["ts"])
                and message["ts"] >= str(params.get("oldest", "0"))
            ]  # fmt: skip
        start = int(params.get("cursor") or 0)
        more = str(start + 2) if start + 2 < len(found) else ""
        page = found[start : start + 2]
        return {
            "messages": page,
            "has_more": bool(more),
            "response_metadata": {"next_cursor": more},
        }

    def _history(self, params: dict[str, Any]) -> dict[str, Any]:
        """A channel's own messages, the newest first."""
        with self.changed:
            found = [
                message for message in reversed(self.messages)
                if message.get("channel") == params.get("channel") and not message.get("thread_ts")
                and message["ts"] >= str(params.get("oldest", "0"))
            ]  # fmt: skip
        return {"messages": found, "response_metadata": {"next_cursor": ""}}

    def linked(self, link: Link) -> None:
        """Talk over an open socket until it ends."""
        link.send(json.dumps({"type": "hello", "num_connections": 1}).encode())
        with self.changed:
            self._links.append(link)
            self.changed.notify_all()
        for text in link.messages():
            self._acked(json.loads(text))
        with self.changed:
            self._links = [each for each in self._links if each is not link]
            self.changed.notify_all()

    def _acked(self, answer: dict[str, Any]) -> None:
        payload = answer.get("payload")
        with self.changed:
            self._acks[answer["envelope_id"]] = json.dumps(payload) if payload else ""
            self.changed.notify_all()


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def sign(secret: str, stamp: str, body: str) -> str:
    """Sign a request as Slack does."""
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256)
    return "v0=" + digest.hexdigest()
