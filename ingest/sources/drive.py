"""Google Drive by its API, version 3: a folder with everything below it.

Knows nothing about Google's libraries: a refresh token is traded for access as OAuth 2 says.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

import httpx

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.parsing.text import parse_date
from ingest.sources.client import TIMEOUT_SECONDS, Client, Json, items, text
from ingest.sources.looking import looked

FOLDER = "application/vnd.google-apps.folder"
SHORTCUT = "application/vnd.google-apps.shortcut"
TOKENS = "https://oauth2.googleapis.com/token"
MOST_TOKEN_BYTES = 100_000  # of the reply that holds a token
FIELDS = "nextPageToken,files(id,name,mimeType,modifiedTime,md5Checksum,size,webViewLink)"

_OFFICE = "application/vnd.openxmlformats-officedocument"
# Google's own formats have no bytes; each is exported as what is read best.
EXPORTS = {
    "application/vnd.google-apps.document": ("text/markdown", ".md"),
    "application/vnd.google-apps.spreadsheet": (f"{_OFFICE}.spreadsheetml.sheet", ".xlsx"),
    "application/vnd.google-apps.presentation": (f"{_OFFICE}.presentationml.presentation", ".pptx"),
}


class Drive(Source):
    """`address` is https://www.googleapis.com; `folder` is the id at the end of a folder's link."""

    OPTIONS: ClassVar[Mapping[str, type]] = {
        "folder": str,
        "client_id": str,
        "client_secret": str,
        "refresh_token": str,
        "token_address": str,
    }

    def __init__(self, config: SourceConfig) -> None:
        needed = ("folder", "client_id", "client_secret", "refresh_token")
        missing = [key for key in needed if not config.options.get(key)]
        if missing:
            raise SourceError(
                f"{config.name!r} needs {', '.join(missing)}: docs/sources.md says where from."
            )
        self.config = config
        self.client = Client(
            config.address, headers=self._access(), renew=self._access, look=partial(looked, self)
        )

    def _access(self) -> Mapping[str, str]:
        """Trade the refresh token for an access token."""
        options = self.config.options
        keys = ("client_id", "client_secret", "refresh_token")
        form = {"grant_type": "refresh_token", **{key: str(options[key]) for key in keys}}
        address = str(options.get("token_address", TOKENS))
        try:
            status, data = _posted(address, form)
        except httpx.TransportError as error:
            raise SourceError(f"{address} does not answer ({type(error).__name__}).") from error
        if status != 200:
            raise SourceError(
                f"Google refuses the refresh token of {self.config.name!r}: it is wrong, expired"
                " or withdrawn. Make a new one."
            )
        try:
            said = looked(self, "json", data, address)
        except (Unreadable, ValueError, RecursionError) as error:
            raise SourceError(f"{address} answers no JSON. Is it the API?") from error
        return {"Authorization": f"Bearer {said.get('access_token', '')}"}

    def entries(self) -> Iterator[Entry]:
        """Give every file below the folder that is not in the bin."""
        waiting = [(str(self.config.options["folder"]), "")]
        seen: set[str] = set()
        while waiting:
            folder, prefix = waiting.pop()
            if folder in seen:
                continue
            seen.add(folder)
            for file in self._files(folder):
                path = prefix + text(file, "name").replace("/", "_")
                if text(file, "mimeType") == FOLDER:
                    waiting.append((text(file, "id"), f"{path}/"))
                elif text(file, "mimeType") != SHORTCUT and self.config.wants(path):
                    yield _entry(file, path)

    def _files(self, folder: str) -> Iterator[Json]:
        query: dict[str, str | int] = {
            "q": f"'{folder}' in parents and trashed = false",
            "fields": FIELDS,
            "pageSize": 1000,
            "supportsAllDrives": "true",
            "includeItemsFromAllDrives": "true",
        }
        while True:
            reply = self.client.get("drive/v3/files", **query)
            yield from items(reply, "files")
            following = text(reply, "nextPageToken")
            if not following:
                return
            query["pageToken"] = following

    def close(self) -> None:
        self.client.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Read a file, Google's own formats as Markdown or Office files."""
        file_id, _, kind = entry.ref.partition(" ")
        if kind in EXPORTS:
            media, ending = EXPORTS[kind]
            reply = self.client.fetch(
                "GET", f"drive/v3/files/{file_id}/export", params={"mimeType": media}
            )
            return Content(reply.content, f"{entry.path}{ending}", title=entry.title)
        if kind.startswith("application/vnd.google-apps."):
            raise Unreadable(f"Google's {kind.rsplit('.', 1)[-1]}s hold no text.", is_skip=True)
        if entry.size is not None and entry.size > self.config.max_bytes:
            raise Unreadable(f"It has {entry.size / 1e6:,.0f} MB, more than max_mb allows.")
        reply = self.client.fetch(
            "GET", f"drive/v3/files/{file_id}", params={"alt": "media", "supportsAllDrives": "true"}
        )
        return Content(reply.content, entry.path, title=entry.title)


def _posted(address: str, form: Mapping[str, str]) -> tuple[int, bytes]:
    """Send a form; give the reply's status and its beginning, which holds all of an honest one."""
    with httpx.stream("POST", address, data=form, timeout=TIMEOUT_SECONDS) as reply:
        data = b""
        for part in reply.iter_bytes():
            data += part
            if len(data) > MOST_TOKEN_BYTES:
                break
        return reply.status_code, data[:MOST_TOKEN_BYTES]


def _entry(file: Json, path: str) -> Entry:
    size, kind = text(file, "size"), text(file, "mimeType")
    return Entry(
        # Two files of one name may lie in one folder: the id keeps them apart.
        path=f"{path} ({text(file, 'id')[:8]})" if kind in EXPORTS else path,
        version=text(file, "md5Checksum") or text(file, "modifiedTime") or None,
        ref=f"{text(file, 'id')} {kind}",
        url=text(file, "webViewLink") or None,
        size=int(size) if size.isdecimal() and kind not in EXPORTS else None,
        updated_at=parse_date(text(file, "modifiedTime")),
        title=text(file, "name").rsplit(".", 1)[0] if kind in EXPORTS else None,
    )
