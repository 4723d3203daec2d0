"""Asks web APIs, patiently: waits when told to, tries again when a server stumbles.

Knows nothing about any one API.
"""

import time
from collections.abc import Callable, Mapping

import httpx

from ingest.entries import Look, SourceError, Unreadable
from ingest.parsing import looks

TRIES = 5
TIMEOUT_SECONDS = 30
LONGEST_WAIT_SECONDS = 300
MOST_BYTES = 200_000_000  # of one reply
AGENT = "Threadwise/0.1 (document reader)"

Json = dict[str, object]

_OF_TRANSFER = {"content-encoding", "content-length", "transfer-encoding"}


class Client:
    """One API. `renew` gives fresh headers when the token has expired, if that can be done.

    `look` reads what comes back: Source.looked.
    """

    def __init__(
        self,
        base: str,
        *,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        renew: Callable[[], Mapping[str, str]] | None = None,
        wait: Callable[[float], None] = time.sleep,
        look: Look = looks.look,
    ) -> None:
        self.base = base.rstrip("/")
        self._http = httpx.Client(
            headers={"User-Agent": AGENT, **(headers or {})},
            auth=auth,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=True,
        )
        self._renew = renew
        self._wait = wait
        self._look = look

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **params: str | int) -> Json:
        """Give a JSON object; see `fetch` for what is raised."""
        return self._object(self.fetch("GET", path, params=params))

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        """Send a JSON object and give the one that comes back."""
        return self._object(self.fetch("POST", path, body=body))

    def fetch(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> httpx.Response:
        """Ask, up to five times; raises SourceError, or Unreadable when the thing is gone."""
        url = path if path.startswith("http") else f"{self.base}/{path.lstrip('/')}"
        said = ""
        for attempt in range(TRIES):
            try:
                response = self._ask(method, url, params, body)
            except httpx.TransportError as error:
                said = f"it does not answer ({type(error).__name__})"
                self._wait(2**attempt)
                continue
            if response.status_code == 401 and self._renew and not attempt:
                self._http.headers.update(self._renew())
            elif response.status_code == 429 or response.status_code >= 500:
                said = f"it answers {response.status_code}"
                self._wait(_seconds(response, 2**attempt))
            else:
                return _checked(response, self.base)
        raise SourceError(f"{self.base}: {said} after {TRIES} tries. The next run tries again.")

    def _ask(
        self,
        method: str,
        url: str,
        params: Mapping[str, str | int] | None,
        body: Mapping[str, object] | None,
    ) -> httpx.Response:
        """Read a reply, but not more of it than is allowed."""
        with self._http.stream(method, url, params=params or None, json=body) as stream:
            parts, size = [], 0
            for part in stream.iter_bytes():
                size += len(part)
                if size > MOST_BYTES:
                    raise Unreadable(f"It has more than {MOST_BYTES / 1_000_000:g} MB.")
                parts.append(part)
        headers = [(k, v) for k, v in stream.headers.multi_items() if k.lower() not in _OF_TRANSFER]
        return httpx.Response(
            stream.status_code, headers=headers, content=b"".join(parts), request=stream.request
        )

    def _object(self, response: httpx.Response) -> Json:
        host = response.request.url.host
        try:
            return dict(self._look("json", response.content, host))
        except Unreadable as error:
            raise Unreadable(
                f"{host} answers no JSON that can be read ({error}). Is it the API?",
                is_passing=True,
            ) from error
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"{host} answers no JSON. Is it the API?", is_passing=True) from error


def _checked(response: httpx.Response, base: str) -> httpx.Response:
    status = response.status_code
    if status in {404, 410}:
        raise Unreadable("It was deleted, or is not shared with this account.", is_skip=True)
    if status == 401:
        raise SourceError(f"{base} refuses the token: it is wrong or expired. Make a new one.")
    if status == 403:
        raise SourceError(f"{base} refuses this account (403). Give it the right to read.")
    if status >= 400:
        raise SourceError(f"{base} answers {status} to {response.request.url.path}.")
    return response


def _seconds(response: httpx.Response, otherwise: float) -> float:
    after = response.headers.get("Retry-After", "")
    return min(float(after), LONGEST_WAIT_SECONDS) if after.isdecimal() else otherwise


def items(value: Json, key: str) -> list[Json]:
    """Give the objects of a list in a reply; anything else is left out."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def inner(value: Json, *keys: str) -> Json:
    """Give an object within objects, or an empty one."""
    for key in keys:
        found = value.get(key)
        value = found if isinstance(found, dict) else {}
    return value


def text(value: Json, key: str) -> str:
    """Give a string or number of a reply as text, or nothing."""
    found = value.get(key)
    return "" if found is None or isinstance(found, dict | list) else str(found)
