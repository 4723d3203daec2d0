"""Files elsewhere: zips, an S3 server on this machine, git repositories, and export archives."""

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.config import open_source
from ingest.entries import Entry, Source, SourceConfig, SourceError, Unreadable
from ingest.parsing import formats, parse
from ingest.parsing.slack_messages import Writer
from ingest.parsing.text import Parsed


def make_zip(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def opened() -> Iterator[Any]:
    """Opens sources, and closes them after the test."""
    sources: list[Source] = []

    def make(kind: str, address: object, **settings: Any) -> Source:
        sources.append(open_source(SourceConfig("team", kind, str(address), **settings)))
        return sources[-1]

    yield make
    for source in sources:
        source.close()


def converted(source: Source, entry: Entry) -> Parsed:
    content = source.read(entry, None)
    assert content is not None
    return formats.convert(f"document{parse.ending_of(content)}", content.data)


def read(source: Source, entry: Entry) -> str:
    content = source.read(entry, None)
    assert content is not None
    return content.data.decode()


# -- fsspec


def test_a_zip_is_read_through_fsspec(opened: Any, tmp_path: Path) -> None:
    file = make_zip(tmp_path / "a.zip", {"docs/a.md": "# A", "docs/b.txt": "b", ".git/x": "x"})
    source = opened("files", file, include=("*.md",), link="https://x.org/{path}")
    (entry,) = source.entries()
    assert (entry.path, entry.size, entry.url) == ("docs/a.md", 3, "https://x.org/docs/a.md")
    assert read(source, entry) == "# A"
    make_zip(file, {"docs/a.md": "# B"})
    (changed,) = opened("files", file).entries()
    assert changed.version != entry.version


def test_an_s3_bucket_is_read_through_fsspec(opened: Any) -> None:
    server = pytest.importorskip("moto.server")
    pytest.importorskip("s3fs")
    boto3 = pytest.importorskip("boto3")
    running = server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    try:
        host, port = running.get_host_and_port()
        address = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
        s3 = boto3.client("s3", endpoint_url=address, **keys)
        s3.create_bucket(Bucket="team")
        s3.put_object(Bucket="team", Key="docs/deep/a.md", Body=b"# A")
        s3.close()
        storage = {"key": "k", "secret": "s", "endpoint_url": address}
        source = opened("files", "s3://team/docs", options={"storage": storage})
        (entry,) = source.entries()
        assert (entry.path, entry.size) == ("deep/a.md", 3)
        assert entry.version and entry.updated_at is None and read(source, entry) == "# A"
        with pytest.raises(SourceError, match="no s3://team/none"):
            list(opened("files", "s3://team/none", options={"storage": storage}).entries())
    finally:
        running.stop()


@pytest.mark.parametrize(("address", "cure"), [
    ("nosuch://x/y", "cannot be opened|not installed"), ("memory://nothing/here", "Correct the"),
])  # fmt: skip
def test_an_address_that_leads_nowhere_says_so(opened: Any, address: str, cure: str) -> None:
    with pytest.raises(SourceError, match=cure):
        list(opened("files", address).entries())


# -- git


def git(folder: Path, *command: str, date: str = "2025-02-03T10:00:00+00:00") -> None:
    subprocess.run(
        ["env", f"GIT_AUTHOR_DATE={date}", f"GIT_COMMITTER_DATE={date}", "git", "-C", str(folder),
         "-c", "user.name=a", "-c", "user.email=a@x.org", *command],
        check=True, capture_output=True,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    (folder / "docs").mkdir()
    (folder / "docs/a b.md").write_text("# A")
    (folder / "docs/é.md").write_text("# E")
    (folder / "docs/out.md").symlink_to("/etc/hostname")
    (folder / ".hidden.md").write_text("hidden")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    return folder


def test_a_repository_is_read_with_the_dates_of_its_files(opened: Any, repository: Path) -> None:
    (repository / "docs/a b.md").write_text("# A2")
    git(repository, "commit", "-am", "second", date="2026-02-03T10:00:00+00:00")
    source = opened("git", repository)
    first, out, second = source.entries()
    assert (first.path, out.path, second.path) == ("docs/a b.md", "docs/out.md", "docs/é.md")
    with pytest.raises(Unreadable, match="link, which is not followed"):
        source.read(out, None)
    assert (str(first.updated_at)[:4], str(second.updated_at)[:4]) == ("2026", "2025")
    assert read(source, first) == "# A2"


def test_a_kept_clone_is_only_fetched_and_follows_changes(
    opened: Any, repository: Path, tmp_path: Path
) -> None:
    before = {e.path: e.version for e in opened("git", repository, cache=str(tmp_path)).entries()}
    (repository / "docs/a b.md").write_text("# A2")
    (repository / "docs/é.md").unlink()
    git(repository, "commit", "-am", "second")
    entry, _ = opened("git", repository, cache=str(tmp_path)).entries()
    assert entry.version != before[entry.path]
    assert len(list(tmp_path.glob("team-*.git"))) == 1


def test_branch_paths_and_short_history(opened: Any, repository: Path) -> None:
    git(repository, "checkout", "-qb", "next")
    (repository / "new.md").write_text("new")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "third")
    source = opened("git", f"file://{repository}", include=("*.md",), exclude=("docs/",),
                    options={"branch": "next", "history": False})  # fmt: skip
    assert [(entry.path, entry.updated_at) for entry in source.entries()] == [("new.md", None)]


def test_a_repository_that_is_not_there_says_so(opened: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="git cannot read .*Correct the address"):
        list(opened("git", tmp_path / "none").entries())


def test_an_address_cannot_run_a_command(opened: Any, tmp_path: Path) -> None:
    for address in (f"ext::sh -c 'touch {tmp_path}/x'", f"--upload-pack=touch {tmp_path}/x"):
        with pytest.raises(SourceError):
            list(opened("git", address).entries())
    assert not (tmp_path / "x").exists()


# -- exports


def slack_zip(path: Path) -> Path:
    day = [
        {"ts": "1738576800.1", "user": "U1", "text": "Where is the <https://x.org|plan>, <@U2>?"},
        {"ts": "1738576900.1", "user": "U1", "text": "Unrelated in <#C1>: a &lt; b"},
        {"ts": "1738577000.1", "user": "U2", "thread_ts": "1738576800.1", "text": "On the wiki"},
        {"ts": "1738577100.1", "subtype": "channel_join", "user": "U2", "text": "joined"},
        {"ts": "1738577200.1", "subtype": "bot_message", "username": "CI", "text": "",
         "attachments": [{"fallback": "Build 7 passed"}]},
    ]  # fmt: skip
    quiet = [{"ts": "1738577100.1", "subtype": "channel_join", "text": "joined"}]
    users = [{"id": "U1", "profile": {"display_name": "ann"}}, {"id": "U2", "real_name": "Bob"}]
    return make_zip(
        path,
        {
            "users.json": json.dumps(users),
            "channels.json": json.dumps([{"id": "C1", "name": "general"}]),
            "general/2025-02-03.json": json.dumps(day),
            "general/2025-02-04.json": json.dumps(quiet),
            "general/2025-02-05.json": "broken",
        },
    )


def test_a_slack_export_gives_days_with_conversations(opened: Any, tmp_path: Path) -> None:
    source = opened("slack-export", slack_zip(tmp_path / "s.zip"))
    day, quiet, broken = source.entries()
    assert (day.path, str(day.updated_at)[:10]) == ("general/2025-02-03", "2025-02-03")
    assert read(source, day) == (
        "# #general, 2025-02-03\n\n## ann, 10:00 UTC\n\nWhere is the [plan](https://x.org), Bob?\n\n"
        "**Bob**: On the wiki\n\n## ann, 10:01 UTC\n\nUnrelated in #general: a < b\n\n"
        "## CI, 10:06 UTC\n\nBuild 7 passed"
    )
    with pytest.raises(Unreadable, match="Nobody began") as error:
        source.read(quiet, None)
    assert error.value.is_skip
    with pytest.raises(Unreadable, match="no JSON"):
        source.read(broken, None)


def test_a_notion_export_loses_its_ids_and_keeps_its_links(opened: Any, tmp_path: Path) -> None:
    page, sub = "a" * 32, "b" * 32
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr(f"Home {page}.md", f"# Home\n\n[Sub](Home%20{page}/Sub%20{sub}.md)")
        archive.writestr(f"Home {page}/Sub {sub}.md", "# Sub")
        archive.writestr(f"Home {page}/Data {sub}.csv", "a\n1")
        archive.writestr(f"Home {page}/Data {sub}_all.csv", "a\n1\n2")
    file = make_zip(tmp_path / "n.zip", {"Export-Part-1.zip": inner.getvalue()})
    source = opened("notion-export", file)
    home, data, subpage = sorted(source.entries(), key=lambda entry: entry.path != "Home.md")
    assert (home.path, home.title, home.url) == ("Home.md", "Home", f"https://www.notion.so/{page}")
    assert converted(source, home).body.strip() == "# Home\n\n[Sub](Home/Sub.md)"
    assert {data.path, subpage.path} == {"Home/Data.csv", "Home/Sub.md"}
    assert "2" in read(source, data if data.path.endswith("csv") else subpage)


def test_a_confluence_export_gives_pages_without_their_frame(opened: Any, tmp_path: Path) -> None:
    html = (
        "<html><head><title>Team : Pay &amp; leave</title></head><body><div id='breadcrumbs'>x</div>"
        '<div id="main-content" class="wiki"><p>Salaries</p></div>'
        '<div class="pageSection group"><h2>Attachments:</h2></div></body></html>'
    )
    file = make_zip(tmp_path / "c.zip", {"T/index.html": "x", "T/Pay_1.html": html, "T/a.css": "x"})
    source = opened("confluence-export", file)
    (entry,) = source.entries()
    parsed = converted(source, entry)
    assert (parsed.title, parsed.body.strip()) == ("Pay & leave", "Salaries")
    xml = make_zip(tmp_path / "x.zip", {"entities.xml": "<x/>"})
    with pytest.raises(SourceError, match="Export the space as HTML"):
        list(opened("confluence-export", xml).entries())


@pytest.mark.parametrize("kind", ["slack-export", "notion-export", "confluence-export"])
def test_an_export_that_is_no_zip_says_so(opened: Any, tmp_path: Path, kind: str) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(SourceError, match="Export it again"):
        opened(kind, tmp_path / "x.zip")


def test_a_thread_stands_whole_on_the_day_that_it_began(opened: Any, tmp_path: Path) -> None:
    def said(ts: int, user: str, text: str, **more: object) -> dict[str, object]:
        return {"ts": f"{ts}.000100", "user": user, "text": text, **more}

    monday, noon = 1738540800, 1738584000
    thread = {"thread_ts": f"{noon}.000100"}
    days = {
        "2025-02-03": [
            said(noon, "U1", "Who waxes the floor?", **thread),
            said(noon + 9, "U2", "Lunch?"),
        ],
        "2025-02-04": [
            said(monday + 86_500, "U2", "Mira does, with <@U1>.", **thread),
            said(monday + 86_600, "U1", "A new day"),
        ],
        "2025-02-05": [said(monday + 2 * 86_400, "U1", "# Thanks", **thread)],
    }
    users = [{"id": "U1", "name": "ann"}, {"id": "U2", "name": "bob"}]

    def export(**without: bool) -> Source:
        files = {
            f"general/{day}.json": json.dumps(m) for day, m in days.items() if day not in without
        }
        source: Source = opened(
            "slack-export", make_zip(tmp_path / "t.zip", {"users.json": json.dumps(users), **files})
        )
        return source

    source = export()
    first, second, third = source.entries()
    assert read(source, first) == (
        "# #general, 2025-02-03\n\n## ann, 12:00 UTC\n\nWho waxes the floor?\n\n"
        "**bob**: Mira does, with ann.\n\n**ann**: \\# Thanks\n\n## bob, 12:00 UTC\n\nLunch?"
    )
    assert "Mira" not in read(source, second) and "A new day" in read(source, second)
    with pytest.raises(Unreadable, match="Nobody began"):
        source.read(third, None)
    before, *_ = export(**{"2025-02-05": True}).entries()
    assert before.version != first.version


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {
                "text": "",
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "Gate *7*"}}],
            },
            "Gate *7*",
        ),
        (
            {
                "text": "Gate 7",
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*Gate* 7"}}],
            },
            "Gate 7",
        ),
        (
            {
                "text": "Incident",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "Incident 12"}},
                    {"type": "section", "fields": [{"type": "mrkdwn", "text": "Owner: <@U1>"}]},
                    {"type": "actions", "elements": [{"type": "button", "text": "Close"}]},
                    {
                        "type": "context",
                        "elements": [{"type": "mrkdwn", "text": "Seen by night shift"}],
                    },
                ],
            },
            "Incident\n\nIncident 12\n\nOwner: ann\n\nSeen by night shift",
        ),
        (
            {
                "blocks": [
                    {
                        "type": "rich_text",
                        "elements": [
                            {
                                "type": "rich_text_section",
                                "elements": [
                                    {"type": "text", "text": "Ask "},
                                    {"type": "user", "user_id": "U1"},
                                    {"type": "text", "text": " or see "},
                                    {"type": "link", "url": "https://x.org", "text": "here"},
                                ],
                            },
                            {
                                "type": "rich_text_list",
                                "elements": [
                                    {
                                        "type": "rich_text_section",
                                        "elements": [{"type": "text", "text": t}],
                                    }
                                    for t in ("salt", "wax")
                                ],
                            },
                        ],
                    }
                ]
            },
            "Ask ann or see [here](https://x.org)\n- salt\n- wax",
        ),
        (
            {
                "text": "Look",
                "attachments": [
                    {
                        "title": "Rota",
                        "text": "Mira on Friday",
                        "fields": [{"title": "Room", "value": "4"}],
                    }
                ],
                "files": [{"name": "rota.pdf"}],
            },
            "Look\n\nRota\nMira on Friday\nRoom: 4\n\n(File: rota.pdf)",
        ),
        ({"text": 7, "blocks": "odd", "attachments": [None, 3], "files": {}}, "7"),
    ],
)
def test_what_blocks_and_attachments_say_is_read_once(
    message: dict[str, object], expected: str
) -> None:
    assert Writer({"U1": "ann"}, {}).text(message) == expected


# -- odd ones among others


def test_a_damaged_file_of_an_export_costs_only_itself(opened: Any, tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("Deep.md", "# Deep")
    file = make_zip(
        tmp_path / "n.zip",
        {
            "Bad.md": "words " * 900,
            "Good.md": "# Good",
            "Part.zip": b"PK\x03\x04 no zip at all",
            "Nested.ZIP": inner.getvalue(),
        },
    )
    data = file.read_bytes()
    start = data.index(b"Bad.md") + len("Bad.md")
    file.write_bytes(data[:start] + b"\xff" * 12 + data[start + 12 :])  # breaks its deflated bytes
    source = opened("notion-export", file)
    found = {entry.path: entry for entry in source.entries()}
    assert set(found) == {"Bad.md", "Deep.md", "Good.md", "Part.zip"}
    assert (read(source, found["Good.md"]), read(source, found["Deep.md"])) == ("# Good", "# Deep")
    with pytest.raises(Unreadable, match="cannot be unpacked .*Export it again"):
        source.read(found["Bad.md"], None)


def test_a_zip_within_itself_ends(opened: Any, tmp_path: Path) -> None:
    data = b"x"
    for _ in range(9):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("a.zip", data)
        data = inner.getvalue()
    (tmp_path / "a.zip").write_bytes(data)
    (entry,) = opened("notion-export", tmp_path / "a.zip").entries()
    assert entry.path == "a.zip"


def test_inner_zips_with_files_of_one_name_keep_both(opened: Any, tmp_path: Path) -> None:
    parts: dict[str, str | bytes] = {}
    for number in (1, 2):
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("Home.md", f"part {number}")
        parts[f"Part-{number}.zip"] = inner.getvalue()
    source = opened("notion-export", make_zip(tmp_path / "n.zip", parts))
    assert sorted(read(source, entry) for entry in source.entries()) == ["part 1", "part 2"]


def test_a_day_that_no_calendar_has_costs_nothing(opened: Any, tmp_path: Path) -> None:
    day = json.dumps([{"ts": "1e400", "user": "U1", "text": "hello"}, {"ts": None, "text": "odd"}])
    names = ("2025-13-45", "0000-00-00", "2025-02-03")
    file = make_zip(tmp_path / "s.zip", {f"general/{name}.json": day for name in names})
    source = opened("slack-export", file)
    entries = list(source.entries())
    assert [entry.updated_at and entry.updated_at.year for entry in entries] == [None, 2025, None]
    assert all("hello" in read(source, entry) for entry in entries)


@pytest.mark.parametrize("when", ["@0 +0000", "@7258118400 +0000", "@99999999999 +0000"])
def test_a_commit_with_an_absurd_date_costs_nothing(
    opened: Any, repository: Path, when: str
) -> None:
    (repository / "odd.md").write_text("odd")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "odd", date=when)
    entries = {entry.path: entry for entry in opened("git", repository).entries()}
    assert set(entries) == {"docs/a b.md", "docs/out.md", "docs/é.md", "odd.md"}
    assert str(entries["docs/é.md"].updated_at)[:4] == "2025"


def test_names_that_are_no_utf_8_stay_apart_in_git(opened: Any, repository: Path) -> None:
    for name in (b"a\xff.md", b"a\xfe.md", b"line\nbreak.md"):
        Path(repository, os.fsdecode(name)).write_text("odd")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "odd")
    entries = [entry.path for entry in opened("git", repository).entries()]
    assert {"a\\xff.md", "a\\xfe.md"} < set(entries) and len(entries) == 6
