"""Confluence, Notion and Google Drive, against a local server that answers as they do."""

import base64
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from ingest.config import open_source
from ingest.entries import Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.sources.client import Client
from tests.fake_http import Asked, FakeHttp, Reply, fake_http


@pytest.fixture
def web() -> Iterator[FakeHttp]:
    with fake_http() as fake:
        yield fake


def source(web: FakeHttp, kind: str, **options: Any) -> Source:
    opened = open_source(SourceConfig("team", kind, web.url, options=options))
    web.closing.callback(opened.close)
    return opened


def read(opened: Source, entry: Entry) -> str:
    content = opened.read(entry, None)
    assert content is not None
    return content.data.decode()


def once(first: Reply, then: Reply) -> Any:
    """A route that answers differently the first time."""
    replies = iter([first])
    return lambda _: next(replies, then)


# -- Confluence


def confluence(web: FakeHttp, **options: Any) -> Source:
    return source(web, "confluence", email="a@x.org", token="t0ken", **options)


def page(number: int) -> dict[str, object]:
    return {
        "id": str(number),
        "spaceId": "7",
        "title": f"Page {number}",
        "version": {"number": number, "createdAt": "2025-02-03T10:00:00Z"},
        "_links": {"webui": f"/spaces/ENG/pages/{number}"},
    }


def test_confluence_pages_come_page_by_page(web: FakeHttp) -> None:
    def pages(asked: Asked) -> Reply:
        if asked.query.get("cursor") == "two":
            return Reply({"results": [page(2)], "_links": {}})
        following = "/wiki/api/v2/pages?limit=100&cursor=two"
        return Reply({"results": [page(1)], "_links": {"next": following}})

    web.routes["/wiki/api/v2/pages"] = pages
    first, second = confluence(web).entries()
    assert (first.path, first.version, first.title) == ("7/1", "1", "Page 1")
    assert second.url == f"{web.url}/wiki/spaces/ENG/pages/2"
    assert str(second.updated_at)[:10] == "2025-02-03"
    secret = base64.b64encode(b"a@x.org:t0ken").decode()
    assert web.asked[0].headers["authorization"] == f"Basic {secret}"


def test_a_confluence_page_is_read_as_html(web: FakeHttp) -> None:
    web.routes["/wiki/api/v2/pages"] = Reply({"results": [page(1)]})
    body = {"body": {"export_view": {"value": "<p>Hello</p>"}}}
    web.routes["/wiki/api/v2/pages/1"] = Reply(body)
    opened = confluence(web)
    (entry,) = opened.entries()
    assert read(opened, entry) == "<p>Hello</p>"


def test_a_confluence_page_that_is_deleted_meanwhile_is_skipped(web: FakeHttp) -> None:
    web.routes["/wiki/api/v2/pages"] = Reply({"results": [page(1)]})
    opened = confluence(web)
    (entry,) = opened.entries()
    with pytest.raises(Unreadable, match="deleted") as error:
        opened.read(entry, None)
    assert error.value.is_skip


def test_confluence_spaces_are_looked_up_and_missed(web: FakeHttp) -> None:
    web.routes["/wiki/api/v2/spaces"] = Reply({"results": [{"id": "7", "key": "ENG"}]})
    web.routes["/wiki/api/v2/pages"] = Reply({"results": [page(1)]})
    assert len(list(confluence(web, spaces=["ENG"]).entries())) == 1
    assert web.asked[-1].query["space-id"] == "7"
    with pytest.raises(SourceError, match="no space HR"):
        list(confluence(web, spaces=["ENG", "HR"]).entries())


def test_an_expired_confluence_token_says_so(web: FakeHttp) -> None:
    web.routes["/wiki/api/v2/pages"] = Reply("no", 401)
    with pytest.raises(SourceError, match="Make a new one"):
        list(confluence(web).entries())


# -- Notion


def notion_page(number: int, **more: object) -> dict[str, object]:
    return {
        "id": f"p{number}",
        "url": f"https://www.notion.so/p{number}",
        "last_edited_time": f"2025-02-0{number}T10:00:00.000Z",
        "properties": {"Name": {"type": "title", "title": [{"plain_text": f"Page {number}"}]}},
        **more,
    }


def block(kind: str, words: str, **more: object) -> dict[str, object]:
    content: dict[str, object] = {"rich_text": [{"plain_text": words}]}
    content |= {key: more.pop(key) for key in list(more) if key in {"checked", "language"}}
    return {"id": f"b-{words}", "type": kind, kind: content, **more}


def test_notion_pages_are_found_past_a_rate_limit_without_the_deleted(web: FakeHttp) -> None:
    def search(asked: Asked) -> Reply:
        if asked.json().get("start_cursor") == "two":
            return Reply({"results": [notion_page(2), notion_page(3, in_trash=True)]})
        return Reply({"results": [notion_page(1)], "has_more": True, "next_cursor": "two"})

    limited = iter([Reply("slow down", 429, {"Retry-After": "0"})])
    web.routes["/v1/search"] = lambda asked: next(limited, None) or search(asked)
    entries = list(source(web, "notion", token="secret").entries())
    assert [(e.path, e.title, e.version) for e in entries] == [
        ("p1", "Page 1", "2025-02-01T10:00:00.000Z"),
        ("p2", "Page 2", "2025-02-02T10:00:00.000Z"),
    ]
    assert web.asked[0].headers["authorization"] == "Bearer secret"
    assert web.asked[0].headers["notion-version"]


def test_notion_blocks_become_markdown(web: FakeHttp) -> None:
    web.routes["/v1/search"] = Reply({"results": [notion_page(1)]})
    cells = [[[{"plain_text": "a"}], [{"plain_text": "b"}]], [[{"plain_text": "1"}], []]]
    web.routes["/v1/blocks/t/children"] = Reply(
        {"results": [{"type": "table_row", "table_row": {"cells": row}} for row in cells]}
    )
    web.routes["/v1/blocks/b-item/children"] = Reply(
        {"results": [block("to_do", "in", checked=True)]}
    )

    def children(asked: Asked) -> Reply:
        if "start_cursor" in asked.query:
            return Reply({"results": [{"id": "t", "type": "table", "table": {}}]})
        first = [
            block("heading_2", "Head"),
            block("paragraph", "Text"),
            block("bulleted_list_item", "item", has_children=True),
            block("code", "x = 1", language="python"),
            {"id": "c", "type": "child_page", "child_page": {"title": "Other"}},
        ]
        return Reply({"results": first, "has_more": True, "next_cursor": "two"})

    web.routes["/v1/blocks/p1/children"] = children
    opened = source(web, "notion", token="secret")
    (entry,) = opened.entries()
    assert read(opened, entry) == (
        "# Page 1\n\n## Head\n\nText\n\n- item\n\n- [x] in\n\n```python\nx = 1\n```\n\n"
        "| a | b |\n| --- | --- |\n| 1 |  |\n"
    )


# -- Google Drive


def drive(web: FakeHttp) -> Source:
    return source(
        web, "drive", folder="root", client_id="i", client_secret="s", refresh_token="r",
        token_address=f"{web.url}/token",
    )  # fmt: skip


DOC = "application/vnd.google-apps.document"
FOLDER = "application/vnd.google-apps.folder"


def test_a_drive_folder_is_walked_and_an_expired_token_renewed(web: FakeHttp) -> None:
    tokens = iter(["old", "new"])
    web.routes["/token"] = lambda _: Reply({"access_token": next(tokens)})
    changed = "2025-02-03T10:00:00Z"

    def files(asked: Asked) -> Reply:
        if asked.headers["authorization"] == "Bearer old":
            return Reply("expired", 401)
        if "'sub'" in asked.query["q"]:
            inner = {"id": "f3", "name": "c.pdf", "mimeType": "application/pdf", "size": "9",
                     "md5Checksum": "m5", "modifiedTime": changed}  # fmt: skip
            return Reply({"files": [inner]})
        if "pageToken" in asked.query:
            return Reply({"files": [{"id": "sub", "name": "Sub", "mimeType": FOLDER}]})
        first = {"id": "f1", "name": "Plan", "mimeType": DOC, "modifiedTime": changed,
                 "webViewLink": "https://docs/f1"}  # fmt: skip
        return Reply({"files": [first], "nextPageToken": "two"})

    web.routes["/drive/v3/files"] = files
    web.routes["/drive/v3/files/f1/export"] = Reply("# Plan\n\nShip it.")
    web.routes["/drive/v3/files/f3"] = Reply(b"%PDF-1.4")
    opened = drive(web)
    doc, pdf = opened.entries()
    assert (doc.path, doc.title, doc.url) == ("Plan (f1)", "Plan", "https://docs/f1")
    assert (pdf.path, pdf.version, pdf.size) == ("Sub/c.pdf", "m5", 9)
    assert read(opened, doc) == "# Plan\n\nShip it." and read(opened, pdf) == "%PDF-1.4"
    assert "trashed = false" in web.asked[-3].query.get("q", "trashed = false")


def test_a_withdrawn_drive_token_says_so(web: FakeHttp) -> None:
    web.routes["/token"] = Reply({"error": "invalid_grant"}, 400)
    with pytest.raises(SourceError, match="withdrawn"):
        drive(web)


# -- all of them


@pytest.mark.parametrize(("kind", "needs"), [
    ("confluence", "email and token"), ("notion", "the token"), ("drive", "folder, client_id"),
])  # fmt: skip
def test_a_missing_setting_is_named(web: FakeHttp, kind: str, needs: str) -> None:
    with pytest.raises(SourceError, match=needs):
        source(web, kind)


def test_a_server_that_stumbles_is_asked_again_and_one_that_is_down_is_given_up() -> None:
    waits: list[float] = []
    with fake_http() as web, closing(Client(web.url, wait=waits.append)) as client:
        web.routes["/x"] = once(Reply("oops", 503), Reply({"ok": True}))
        assert client.get("x") == {"ok": True}
        web.routes["/y"] = Reply("oops", 500)
        with pytest.raises(SourceError, match="answers 500 after 5 tries"):
            client.get("y")
    assert waits == [1, 1, 2, 4, 8, 16]
    with (
        closing(Client(web.url, wait=waits.append)) as client,
        pytest.raises(SourceError, match="does not answer"),
    ):
        client.get("x")
