"""One command runs everything: what a newcomer sees, the second time too, and when something is wrong."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.server import binaries

ROOT = Path(__file__).resolve().parent.parent
OURS = ("THREADWISE_", "SLACK_", "DATABASE_")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose database a server's own account may reach, unlike pytest's folders as root."""
    folder = Path(tempfile.mkdtemp(prefix="threadwise-up-"))
    folder.chmod(0o755)
    yield folder
    place = (folder / "postgres").resolve()
    if place.is_relative_to(binaries.ROOT_FOLDER):
        shutil.rmtree(place)
    shutil.rmtree(folder)


def up(home: Path, *arguments: str, said: str = "", **env: str) -> subprocess.CompletedProcess[str]:
    """Run `threadwise up` with these lines on its input, until it ends."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(OURS)}
    return subprocess.run(
        [sys.executable, "-m", "bot", "up", *arguments],
        cwd=ROOT,
        env=kept | {"THREADWISE_HOME": str(home)} | env,
        input=said,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_from_nothing_to_cited_answers_and_again_with_nothing_left_to_do(
    home: Path, tmp_path: Path
) -> None:
    # 15 s: twice everything that a person starts, the real encoder and a new database among it.
    docs = tmp_path / "docs"
    docs.mkdir()
    (docs / "refunds.md").write_text(
        "# Refunds\n\n## Timing\n\nRefunds are paid within five business days after approval.\n"
    )
    asked = "How many days does it take until refunds are paid?\n"
    first = up(home, "--docs", str(docs), said=f"{asked}+1\n")
    assert first.returncode == 0, first.stderr
    assert "docs: 1 changed" in first.stderr and "Ready after" in first.stderr
    assert "five business days" in first.stdout and "docs: refunds.md" in first.stdout
    assert "noted as right" in first.stdout
    second = up(home, said=asked)
    assert second.returncode == 0, second.stderr
    assert "docs: 0 changed, 1 unchanged" in second.stderr
    assert "five business days" in second.stdout


@pytest.mark.parametrize(
    ("arguments", "env", "cure"),
    [
        (["--docs", "/nowhere"], {}, "There is no /nowhere. Give the folder"),
        ([], {"THREADWISE_SOURCES": "/nowhere.toml"}, "Set THREADWISE_SOURCES to a TOML file"),
        ([], {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}, "check DATABASE_URL"),
        ([], {"SLACK_BOT_TOKEN": "nonsense"}, "does not start with xoxb-"),
    ],
)
def test_what_cannot_be_used_is_one_line_with_the_cure(
    home: Path, arguments: list[str], env: dict[str, str], cure: str
) -> None:
    ended = up(home, *arguments, **env)
    last = ended.stderr.strip().splitlines()[-1]
    assert ended.returncode == 1 and cure in last and "Traceback" not in ended.stderr


def test_a_port_in_use_is_one_line_with_the_cure(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = up(
            home,
            SLACK_BOT_TOKEN="xoxb-1",
            SLACK_SIGNING_SECRET="secret",
            THREADWISE_SLACK_MODE="http",
            THREADWISE_HTTP_PORT=str(taken.getsockname()[1]),
        )
    assert ended.returncode == 1 and "Set THREADWISE_HTTP_HOST" in ended.stderr
