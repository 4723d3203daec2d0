"""Measures ingestion: cold against one plain encode of the same chunks, again, and unchanged.

Knows nothing about questions.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot import indexing
from bot.services import Services
from ingest.run import ingest
from store.records import Run
from tests.bench.place import Clock, Place, Row, folder_source, opened, scratch
from tests.bench.pretended import Pretended

TARGETS = {"18f": 1.25, "sourcegraph": 1.15, "example": 1.25}
UNCHANGED = 10_000


def run(place: Place) -> Iterator[Row]:
    """Measure each handbook, then many small documents."""
    for name, folder in place.handbooks().items():
        with opened() as services:
            yield from _handbook(name, folder, services)
    yield from _unchanged(place.size(UNCHANGED))


def _handbook(name: str, folder: Path, services: Services) -> Iterator[Row]:
    texts = embedded_texts(folder, services)
    services.embedder.encode(texts[:64])
    before = _timed(lambda: services.embedder.encode(texts))
    source = folder_source(name, folder)
    made: list[Run] = []
    cold = _timed(lambda: made.append(indexing.run(services, source)))
    plain = (before + _timed(lambda: services.embedder.encode(texts))) / 2
    again = _timed(lambda: made.append(indexing.run(services, source)))
    first, second = made
    assert first.embedded == len(texts), (first, len(texts))
    yield Row(f"{name}: documents", first.changed)
    yield Row(f"{name}: chunks embedded", first.embedded, reference=f"{len(texts)} in plain encode")
    yield Row(f"{name}: plain encode", plain, "s", reference="mean of one before and one after")
    yield Row(f"{name}: cold ingest", cold, "s", reference=f"{first.embedded / cold:.0f} chunks/s")
    ratio = cold / plain
    yield Row(f"{name}: cold / plain", ratio, "x", TARGETS[name], reference=f"{plain:.1f} s plain")
    yield Row(f"{name}: second run, chunks embedded", second.embedded, at_most=0)
    yield Row(f"{name}: second run", again, "s", 2.0, reference=f"{second.unchanged} unchanged")


def embedded_texts(folder: Path, services: Services) -> list[str]:
    """Give the texts that ingesting the folder encodes, in its order (rehearsed elsewhere)."""
    texts: list[str] = []
    with opened() as rehearsal:
        _pretend(rehearsal, folder, texts.extend, services)
    return texts


def _pretend(
    services: Services, folder: Path, see: Callable[[Sequence[str]], object], real: Services
) -> Run:
    """Ingest with the real encoder's way of counting, and vectors that cost nothing."""
    random = np.random.default_rng(1)

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        see(texts)
        return random.standard_normal((len(texts), 384), dtype=np.float32)

    return ingest(
        folder_source("pretended", folder),
        database=services.database,
        workspace=services.workspace,
        embedder=Pretended(real.embedder, encode),
        now=lambda: datetime.now(UTC),
    )


def _unchanged(count: int) -> Iterator[Row]:
    with scratch() as folder, opened() as services:
        for number in range(count):
            page = folder / f"{number // 100}" / f"{number}.md"
            page.parent.mkdir(exist_ok=True)
            page.write_text(f"# Page {number}\n\nThis is all that page {number} says.\n")
        clock = Clock()
        _pretend(services, folder, len, services)
        first = clock.seconds
        clock = Clock()
        made = _pretend(services, folder, len, services)
        seconds = clock.seconds
        for page in folder.rglob("*.md"):
            os.utime(page, (0, 0))
        clock = Clock()
        touched = _pretend(services, folder, len, services)
        touched_seconds = clock.seconds
    assert made.unchanged == touched.unchanged == count, (made, touched)
    yield Row("small documents, first time, vectors for nothing", count / first, "documents/s")
    told = f"{count:,} in {seconds:.2f} s, told by their version"
    yield Row("unchanged documents", count / seconds, "documents/s", at_least=2000, reference=told)
    rate = count / touched_seconds
    told = f"{count:,} in {touched_seconds:.2f} s, read and told by their content"
    yield Row("unchanged but touched documents", rate, "documents/s", at_least=2000, reference=told)


def _timed(action: Callable[[], object]) -> float:
    clock = Clock()
    action()
    return clock.seconds
