"""Asks an OpenAI-compatible endpoint for one completion, within a fixed time whatever its server does.

Knows nothing about quotes. Whatever goes wrong is a Silent with a word for the reason: neither the key nor anything
that the server said stands in it.
"""

import asyncio
import email.utils
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ValidationError

PATH = "/chat/completions"

MAX_BYTES = 200_000
"""Of a reply; a long answer is about 4,000."""

MAX_TOKENS = 500
"""That the LLM may write: six sentences as JSON take about 300."""

FAILURES = 3
REST_SECONDS = 30.0
"""After so many failures in a row nobody is made to wait for so long."""

LONGEST_REST_SECONDS = 300.0
"""However long a server asks to be left alone."""

Json = Mapping[str, object]


class Silent(Exception):
    """The LLM said nothing that can be used; the message is a word for why."""


class _Part(BaseModel):
    text: str | None = None


class _Message(BaseModel):
    content: str | list[_Part] | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: list[_Choice]


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    retry_after: str | None
    body: bytes


class Llm:
    """One endpoint and one model; shared by threads.

    The address is an admin's setting, so it may lie on this machine. Redirects are not followed, and proxies of the
    environment are not used: what is sent goes to that address and nowhere else.
    """

    def __init__(
        self,
        url: str,
        model: str,
        key: str | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`url` is the API's base, such as http://localhost:11434/v1, or the whole address of PATH."""
        url = url.rstrip("/")
        self.url = url if url.endswith(PATH) else url + PATH
        self.model = model
        self._headers = {
            # What is packed small may unpack huge, so it is asked for unpacked.
            "Accept-Encoding": "identity",
            **({"Authorization": f"Bearer {key}"} if key else {}),
        }
        self._tls: ssl.SSLContext | bool = (
            httpx.create_ssl_context() if url.startswith("https") else False
        )
        self._clock = clock
        self._lock = threading.Lock()
        self._takes_schema = True
        self._failures = 0
        self._rests_until = 0.0

    def say(self, system: str, user: str, schema: Json, *, seconds: float) -> str:
        """Give what the LLM writes within `seconds`, meant to be JSON of that `schema`; raises Silent."""
        if self._clock() < self._rests_until:
            raise Silent("resting")
        messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
        outcome = Future[str]()
        # A name server can hold a thread for longer than any time-out of a socket: nobody waits for the thread.
        threading.Thread(
            target=self._run, args=(outcome, messages, schema, seconds), daemon=True, name="llm"
        ).start()
        try:
            said = outcome.result(seconds)
        except TimeoutError:
            self._failed()
            raise Silent("timeout") from None
        with self._lock:
            self._failures = 0
        return said

    def _run(
        self,
        outcome: "Future[str]",
        messages: Sequence[Json],
        schema: Json,
        seconds: float,
    ) -> None:
        try:
            # The limit is on all of it: a server that sends a byte now and then never tires a socket's time-out.
            asked = asyncio.wait_for(self._ask(messages, schema), seconds)
            outcome.set_result(asyncio.run(asked))
        except Silent as silent:
            outcome.set_exception(silent)
        except TimeoutError:
            outcome.set_exception(TimeoutError())
        except httpx.HTTPError:
            self._failed()
            outcome.set_exception(Silent("unreachable"))
        except Exception as error:  # noqa: BLE001 - told by its kind alone: its text may hold the key
            self._failed()
            outcome.set_exception(Silent(type(error).__name__))

    async def _ask(self, messages: Sequence[Json], schema: Json) -> str:
        bare: dict[str, object] = {"model": self.model, "messages": messages}
        form = {"type": "json_schema", "json_schema": {"name": "reply", "schema": schema}}
        full = {**bare, "temperature": 0, "max_tokens": MAX_TOKENS, "response_format": form}
        async with httpx.AsyncClient(
            headers=self._headers, timeout=None, trust_env=False, verify=self._tls
        ) as http:
            reply = await self._post(http, full if self._takes_schema else bare)
            if reply.status == 400 and self._takes_schema:
                # Servers differ in which of these they know; the reply is checked in any case.
                reply = await self._post(http, bare)
                self._takes_schema = reply.status != 200
        return self._read(reply)

    async def _post(self, http: httpx.AsyncClient, body: Json) -> _Reply:
        async with http.stream("POST", self.url, json=body) as response:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise Silent("packed")
            found = bytearray()
            async for part in response.aiter_raw():
                found += part
                if len(found) > MAX_BYTES:
                    raise Silent("too_long")
            return _Reply(response.status_code, response.headers.get("Retry-After"), bytes(found))

    def _read(self, reply: _Reply) -> str:
        if reply.status == 429:
            self._rest(_seconds(reply.retry_after))
        elif reply.status >= 500:
            self._failed()
        if reply.status != 200:
            raise Silent(f"http_{reply.status}")
        try:
            completion = _Completion.model_validate_json(reply.body)
        except ValidationError:
            raise Silent("not_json") from None
        if not completion.choices:
            raise Silent("empty")
        message = completion.choices[0].message
        if message.refusal:
            raise Silent("refused")
        content = message.content
        if isinstance(content, list):
            content = "".join(part.text or "" for part in content)
        if not content or not content.strip():
            raise Silent("empty")
        return content

    def _failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures < FAILURES:
                return
            self._failures = 0
        self._rest(REST_SECONDS)

    def _rest(self, seconds: float) -> None:
        self._rests_until = self._clock() + min(seconds, LONGEST_REST_SECONDS)


def _seconds(retry_after: str | None) -> float:
    """Read a Retry-After: seconds or a date; REST_SECONDS where there is none that can be read."""
    text = (retry_after or "").strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return REST_SECONDS
