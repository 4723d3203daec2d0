"""Confluence Cloud by its REST API, version 2.

Knows nothing about permissions within Confluence: give each audience a source and an account.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar
from urllib.parse import urlsplit

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError
from ingest.parsing.text import parse_date
from ingest.sources.client import Client, Json, inner, items, text
from ingest.sources.looking import looked

PAGE_SIZE = 100


class Confluence(Source):
    """`address` is the site (https://example.atlassian.net); `spaces` limits it to space keys."""

    OPTIONS: ClassVar[Mapping[str, type]] = {"email": str, "token": str, "spaces": list}

    def __init__(self, config: SourceConfig) -> None:
        email, token = str(config.options.get("email", "")), str(config.options.get("token", ""))
        if not email or not token:
            raise SourceError(
                f"{config.name!r} needs email and token of an Atlassian account that may read:"
                " https://id.atlassian.com/manage-profile/security/api-tokens makes one."
            )
        self.config = config
        self.client = Client(config.address, auth=(email, token), look=partial(looked, self))

    def entries(self) -> Iterator[Entry]:
        """Give every current page; trashed ones are not listed."""
        for space_id in self._spaces() or [""]:
            query: dict[str, str | int] = {"limit": PAGE_SIZE, "status": "current"}
            if space_id:
                query["space-id"] = space_id
            for page in self._all("wiki/api/v2/pages", query):
                yield self._entry(page)

    def _spaces(self) -> list[str]:
        keys = self.config.options.get("spaces")
        if not isinstance(keys, list) or not keys:
            return []
        found = list(self._all("wiki/api/v2/spaces", {"keys": ",".join(keys), "limit": PAGE_SIZE}))
        missing = set(keys) - {text(space, "key") for space in found}
        if missing:
            raise SourceError(
                f"Confluence shows no space {', '.join(sorted(missing))} to this account."
                " Correct spaces, or let the account see it."
            )
        return [text(space, "id") for space in found]

    def _all(self, path: str, query: dict[str, str | int]) -> Iterator[Json]:
        reply = self.client.get(path, **query)
        while True:
            yield from items(reply, "results")
            following = text(inner(reply, "_links"), "next")
            if not following:
                return
            # The link starts at the site's root, whatever path the site itself has.
            parts = urlsplit(self.client.base)
            reply = self.client.get(f"{parts.scheme}://{parts.netloc}{following}")

    def _entry(self, page: Json) -> Entry:
        web = text(inner(page, "_links"), "webui")
        return Entry(
            path=f"{text(page, 'spaceId')}/{text(page, 'id')}",
            version=text(inner(page, "version"), "number") or None,
            ref=text(page, "id"),
            url=f"{self.client.base}/wiki{web}" if web else None,
            updated_at=parse_date(text(inner(page, "version"), "createdAt")),
            title=text(page, "title") or None,
        )

    def close(self) -> None:
        self.client.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Read a page's body as HTML."""
        page = self.client.get(f"wiki/api/v2/pages/{entry.ref}", **{"body-format": "export_view"})
        html = text(inner(page, "body", "export_view"), "value")
        return Content(html.encode(), f"{entry.ref}.html", "text/html", title=entry.title)
