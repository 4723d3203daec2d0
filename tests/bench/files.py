"""Measures the memory of a worker that ingests one large file: the largest of mixed_docs, a 200 MB text.

Knows nothing about speed. The models are loaded as in a worker, and the encoder encodes the first
texts; after them it stands idle and vectors are zeros, because 200 MB would take it hours.
"""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.services import Services, open_services
from bot.settings import ROOT
from ingest.entries import SourceConfig
from ingest.run import ingest
from store.records import Run
from tests.bench.memory import family, pss
from tests.bench.place import EXAMPLE, Place, Row, environment, remove_server, scratch, settings
from tests.bench.pretended import Pretended

TEXT_MB = 200
PARAGRAPH_WORDS = 80

REAL_TEXTS = 256
EVERY_SECONDS = 0.25
TARGET_MB = 1200.0


def run(place: Place) -> Iterator[Row]:
    """Ingest each file in a process of its own, and watch that and its parser."""
    with scratch() as folder:
        text = folder / "text"
        text.mkdir()
        write_text(text / "large.txt", place.size(TEXT_MB) * 1_000_000)
        yield from _measured("a text", text / "large.txt")
        if place.data is not None:
            files = [f for f in (place.data / "mixed_docs").rglob("*") if f.is_file()]
            for file in _chosen(files):
                yield from _measured(file.name, file)


def _chosen(files: Sequence[Path]) -> list[Path]:
    """Give the largest file, and the largest that can be read: the first may be encrypted."""
    by_size = sorted(files, key=lambda file: file.stat().st_size)
    return [by_size[-1], max((f for f in files if f.suffix == ".html"), key=by_size.index)]


def write_text(file: Path, size: int) -> None:
    """Write paragraphs of the example handbook's words, drawn as often as they come in it."""
    chance = random.Random(1)
    words = " ".join(page.read_text(encoding="utf-8") for page in EXAMPLE.rglob("*.md")).split()
    with file.open("w", encoding="utf-8") as out:
        while out.tell() < size:
            for _ in range(1000):
                out.write(" ".join(chance.choices(words, k=PARAGRAPH_WORDS)) + ".\n\n")


def _measured(name: str, file: Path) -> Iterator[Row]:
    """Run `main` on a file in a process of its own; give what it and its children used at most."""
    with scratch() as home:
        command = [sys.executable, "-m", "tests.bench.files", str(home), str(file)]
        idle, peaks = 0.0, [0.0]
        try:
            with subprocess.Popen(
                command, cwd=ROOT, env=environment(home), stdout=subprocess.PIPE, text=True
            ) as process:
                assert process.stdout
                process.stdout.readline()
                idle = pss(process.pid)
                done = threading.Event()
                watcher = threading.Thread(target=_watch, args=(process.pid, peaks, done))
                watcher.start()
                told = process.stdout.read().strip()
                done.set()
                watcher.join()
            assert process.returncode == 0
        finally:
            remove_server(home)
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    reference = f"{idle:.0f} MB with the models before; {told}"
    yield Row(
        f"{name}, {size}: peak PSS with its parser", max(peaks), "MB", TARGET_MB, None, reference
    )


def _watch(pid: int, peaks: list[float], done: threading.Event) -> None:
    while not done.wait(EVERY_SECONDS):
        peaks.append(sum(pss(each) for each in family(pid) if is_ours(each)))


def is_ours(pid: int) -> bool:
    """Tell whether a process is the worker or its parser, and no Postgres."""
    try:
        return b"-m\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def main() -> None:
    """Be the worker: load the encoder, ingest the one file, say how it went."""
    home, file = map(Path, sys.argv[1:])
    with open_services(settings(home)) as services:
        services.load()  # as a worker does
        services.embedder.encode(["a text"])
        print("ready", flush=True)  # noqa: T201
        made, texts = _ingest(services, file)
        reason = "" if made.failed + made.skipped == 0 else ", refused"
        print(f"{made.chunks:,} chunks{reason}; {texts} encoded for real", flush=True)  # noqa: T201


def _ingest(services: Services, file: Path) -> tuple[Run, int]:
    encoded = list[str]()

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        if len(encoded) < REAL_TEXTS:
            encoded.extend(texts)
            return services.embedder.encode(texts)
        return np.zeros((len(texts), services.embedder.dims), dtype=np.float32)

    config = SourceConfig(
        "file", "folder", str(file.parent), include=(file.name,), max_mb=2 * TEXT_MB
    )
    made = ingest(
        config,
        database=services.database,
        workspace=services.workspace,
        embedder=Pretended(services.embedder, encode),
        now=lambda: datetime.now(UTC),
    )
    return made, len(encoded)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "2")
    main()
