"""Where a measurement runs and what it gives: sizes, documents, questions, scratch homes, rows.

Knows nothing about what is measured.
"""

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bot.services import Services, open_services
from bot.settings import ROOT, Settings
from ingest.entries import SourceConfig
from store.database import Database

EXAMPLE = ROOT / "evals" / "handbook"
QUESTIONS = ROOT / "evals" / "questions.jsonl"
FIXED = 60
"""Questions asked of a handbook that is not the example."""

QUICK = 50
"""How much smaller everything is with --quick."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value; `reference` says what it was compared with in the same run."""

    what: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None
    reference: str = ""

    @property
    def target(self) -> str:
        """The target as it is shown; empty where there is none."""
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        return "" if self.at_least is None else f">= {self.at_least:g}"

    @property
    def is_reached(self) -> bool | None:
        """Whether the target is reached; None where there is none."""
        if self.at_most is not None:
            return self.value <= self.at_most
        return None if self.at_least is None else self.value >= self.at_least


@dataclass(frozen=True, slots=True)
class Place:
    """What the measurements use: an optional folder of public handbooks, and how large they are."""

    data: Path | None = None
    is_quick: bool = False

    def size(self, count: int) -> int:
        """Give the count to use."""
        return max(1, count // QUICK) if self.is_quick else count

    def handbooks(self) -> dict[str, Path]:
        """Give the handbooks by name, the one for questions first."""
        if self.data is None:
            return {"example": EXAMPLE}
        found = {
            "18f": self.data / "handbooks" / "18f" / "pages",
            "sourcegraph": self.data / "handbooks" / "sourcegraph" / "content",
        }
        for folder in found.values():
            if not folder.is_dir():
                raise SystemExit(f"{folder} is not there. Give --data the folder over handbooks/.")
        return found

    def handbook(self) -> tuple[str, Path]:
        """Give the handbook that questions are asked of."""
        return next(iter(self.handbooks().items()))

    def questions(self) -> list[str]:
        """Give the questions: all of our own for the example, else a fixed selection of them."""
        lines = QUESTIONS.read_text(encoding="utf-8").splitlines()
        asked = [str(json.loads(line)["question"]) for line in lines]
        if self.data is not None:
            asked = [asked[n * len(asked) // FIXED] for n in range(FIXED)]
        return asked[: max(5, self.size(len(asked)))] if self.is_quick else asked

    @contextmanager
    def large(self) -> Iterator[Path]:
        """Give a folder that takes minutes to ingest: the largest handbook, or many of the example."""
        if self.data is not None:
            yield list(self.handbooks().values())[-1]
            return
        with scratch() as folder:
            copies(EXAMPLE, folder, self.size(100))
            yield folder


def copies(handbook: Path, folder: Path, count: int) -> None:
    """Write copies of a handbook whose texts all differ, so that none is encoded only once."""
    for number in range(count):
        for page in handbook.rglob("*.md"):
            copy = folder / f"{number}" / page.relative_to(handbook)
            copy.parent.mkdir(parents=True, exist_ok=True)
            text = page.read_text(encoding="utf-8")
            marked = text.replace(". ", f" (edition {number}). ").replace("\n\n", f" {number}.\n\n")
            copy.write_text(marked if marked != text else f"{text} {number}", encoding="utf-8")


@contextmanager
def scratch() -> Iterator[Path]:
    """Make a short-named folder that Postgres' own account may enter too; removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="threadwise-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def opened(**changes: object) -> Iterator[Services]:
    """Open the services on an empty embedded server of their own; all of it is gone at the end."""
    with scratch() as home:
        folder = home
        try:
            with open_services(settings(home, **changes)) as services:
                assert services.server is not None
                folder = services.server.folder
                yield services
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def settings(home: Path, **changes: object) -> Settings:
    """Settings with which nothing of this machine's own is touched."""
    values: dict[str, object] = {
        "home": home,
        "sources": None,
        "database_url": None,
        "database_replica_url": None,
        "slack_bot_token": None,
    }
    return Settings(_env_file=None, **(values | changes))  # type: ignore[arg-type, call-arg]


def environment(home: Path, **changes: str) -> dict[str, str]:
    """Give what a process of ours is started with: every setting is the default but these."""
    unset = {str(field.alias): "" for field in Settings.model_fields.values()}
    ours = {"THREADWISE_HOME": str(home), "THREADWISE_HTTP_PORT": "0"}
    return dict(os.environ) | unset | ours | changes


def folder_source(name: str, folder: Path) -> SourceConfig:
    """Configure a folder as a source."""
    return SourceConfig(name, "folder", str(folder))


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value that this share of the values does not pass (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def chunks(database: Database) -> int:
    """Count the chunks that are stored."""
    with database.connection() as connection:
        row = connection.execute("SELECT count(*) FROM chunks").fetchone()
    return int(row[0]) if row else 0


def remove_server(home: Path) -> None:
    """Stop the embedded server of a home that nothing uses any more, and remove what it left."""
    from store.server import embedded

    with suppress(embedded.ServerError):
        server = embedded.start(home)
        server.close()
        shutil.rmtree(server.folder, ignore_errors=True)


class Clock:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long ago that is."""
        return time.perf_counter() - self._began
