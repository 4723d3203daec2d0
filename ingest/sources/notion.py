"""Notion by its API: every page that is shared with the integration.

Knows nothing about how Notion lays out a page: blocks become Markdown.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

from ingest.entries import Content, Entry, Source, SourceConfig, SourceError
from ingest.parsing.text import parse_date
from ingest.sources.client import Client, Json, inner, items, text
from ingest.sources.looking import looked

VERSION = "2022-06-28"
DEEPEST = 8  # levels of blocks within blocks

_PREFIXES = {
    "heading_1": "# ",
    "heading_2": "## ",
    "heading_3": "### ",
    "bulleted_list_item": "- ",
    "numbered_list_item": "1. ",
    "quote": "> ",
    "callout": "> ",
    "toggle": "- ",
}


class Notion(Source):
    """`address` is https://api.notion.com; `token` is the integration's secret."""

    OPTIONS: ClassVar[Mapping[str, type]] = {"token": str}

    def __init__(self, config: SourceConfig) -> None:
        token = str(config.options.get("token", ""))
        if not token:
            raise SourceError(
                f"{config.name!r} needs the token of an internal integration:"
                " https://www.notion.so/my-integrations makes one; then share pages with it."
            )
        headers = {"Authorization": f"Bearer {token}", "Notion-Version": VERSION}
        self.client = Client(config.address, headers=headers, look=partial(looked, self))

    def entries(self) -> Iterator[Entry]:
        """Give every page that is shared with the integration and not in the trash."""
        body: dict[str, object] = {
            "page_size": 100,
            "filter": {"property": "object", "value": "page"},
        }
        while True:
            reply = self.client.post("v1/search", body)
            for page in items(reply, "results"):
                if not (page.get("archived") or page.get("in_trash")):
                    yield _entry(page)
            if not reply.get("has_more"):
                return
            body["start_cursor"] = text(reply, "next_cursor")

    def close(self) -> None:
        self.client.close()

    def read(self, entry: Entry, known: str | None) -> Content:
        """Read a page's blocks as Markdown."""
        body = "\n\n".join(self._blocks(entry.ref, 0))
        heading = f"# {entry.title}\n\n" if entry.title else ""
        return Content((heading + body).encode(), f"{entry.ref}.md", title=entry.title)

    def _blocks(self, parent: str, depth: int) -> Iterator[str]:
        query: dict[str, str | int] = {"page_size": 100}
        while depth < DEEPEST:
            reply = self.client.get(f"v1/blocks/{parent}/children", **query)
            for block in items(reply, "results"):
                yield from self._block(block, depth)
            if not reply.get("has_more"):
                return
            query["start_cursor"] = text(reply, "next_cursor")

    def _block(self, block: Json, depth: int) -> Iterator[str]:
        kind = text(block, "type")
        if kind in {"child_page", "child_database"}:
            return  # a document of its own
        if kind == "table":
            yield self._table(text(block, "id"))
            return
        content = inner(block, kind)
        words = _plain(content, "rich_text")
        if kind == "code":
            yield f"```{text(content, 'language')}\n{words}\n```"
        elif words:
            is_item = kind.endswith("list_item") or kind == "toggle"
            yield ("  " * depth if is_item else "") + _prefix(kind, content) + words
        if block.get("has_children"):
            yield from self._blocks(text(block, "id"), depth + 1)

    def _table(self, block_id: str) -> str:
        from ingest.parsing.tables import table

        rows = items(self.client.get(f"v1/blocks/{block_id}/children", page_size=100), "results")
        return table(
            [_spans(cell) for cell in cells] if isinstance(cells, list) else []
            for cells in (inner(row, "table_row").get("cells") for row in rows)
        )


def _entry(page: Json) -> Entry:
    properties = inner(page, "properties").values()
    titles = (_plain(p, "title") for p in properties if isinstance(p, dict) and "title" in p)
    return Entry(
        path=text(page, "id"),
        version=text(page, "last_edited_time") or None,
        ref=text(page, "id"),
        url=text(page, "url") or None,
        updated_at=parse_date(text(page, "last_edited_time")),
        title=next((title for title in titles if title), None),
    )


def _prefix(kind: str, content: Json) -> str:
    if kind == "to_do":
        return "- [x] " if content.get("checked") else "- [ ] "
    return _PREFIXES.get(kind, "")


def _plain(value: Json, key: str) -> str:
    return _spans(value.get(key))


def _spans(value: object) -> str:
    spans = value if isinstance(value, list) else []
    return "".join(text(span, "plain_text") for span in spans if isinstance(span, dict))
