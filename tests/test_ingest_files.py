"""Files elsewhere: zips, an S3 server on this machine, git repositories, and export archives."""

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.config import open_source
from ingest.entries import Entry, Source, SourceConfig, SourceError, Unreadable


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
        assert entry.version and entry.updated_at and read(source, entry) == "# A"
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
    first, second = source.entries()
    assert (first.path, second.path) == ("docs/a b.md", "docs/é.md")
    assert (str(first.updated_at)[:4], str(second.updated_at)[:4]) == ("2026", "2025")
    assert read(source, first) == "# A2"


def test_a_kept_clone_is_only_fetched_and_follows_changes(
    opened: Any, repository: Path, tmp_path: Path
) -> None:
    before = {e.path: e.version for e in opened("git", repository, cache=str(tmp_path)).entries()}
    (repository / "docs/a b.md").write_text("# A2")
    (repository / "docs/é.md").unlink()
    git(repository, "commit", "-am", "second")
    (entry,) = opened("git", repository, cache=str(tmp_path)).entries()
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
    with pytest.raises(Unreadable, match="Nobody") as error:
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
    assert read(source, home) == "# Home\n\n[Sub](Home/Sub.md)"
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
    content = source.read(entry, None)
    assert (content.title, content.media_type) == ("Pay & leave", "text/html")
    assert content.data == b'<div id="main-content" class="wiki"><p>Salaries</p></div>'
    xml = make_zip(tmp_path / "x.zip", {"entities.xml": "<x/>"})
    with pytest.raises(SourceError, match="Export the space as HTML"):
        list(opened("confluence-export", xml).entries())


@pytest.mark.parametrize("kind", ["slack-export", "notion-export", "confluence-export"])
def test_an_export_that_is_no_zip_says_so(opened: Any, tmp_path: Path, kind: str) -> None:
    (tmp_path / "x.zip").write_text("no zip")
    with pytest.raises(SourceError, match="Export it again"):
        opened(kind, tmp_path / "x.zip")
