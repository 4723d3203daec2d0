"""Measures answers while a large handbook ingests in the same process, against the same at rest.

Knows nothing about Slack or jobs; throttle and priority are the worker's own.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot import indexing
from bot.answering.request import Request
from bot.runtime.throttle import Stopping, Throttle, lower_priority
from bot.services import Services
from store.index import runs
from store.records import Run
from tests.bench.filler import ALL
from tests.bench.place import Clock, Place, Row, folder_source, opened, percentile

PAUSE_SECONDS = 0.3
"""Between two questions: ingestion goes on meanwhile."""

ROUNDS = 200


def run(place: Place) -> Iterator[Row]:
    """Ask at rest, then during ingestion."""
    name, folder = place.handbook()
    questions = _repeated(place.questions(), max(10, place.size(ROUNDS)))
    with opened(cache="off") as services, place.large() as large:
        indexing.run(services, folder_source(name, folder))
        throttle, encoded = Throttle(), list[int]()
        asked(services, throttle, questions[:10])
        idle = asked(services, throttle, questions)
        with ThreadPoolExecutor(1, initializer=lower_priority) as bulk:
            work = bulk.submit(_ingest, services, throttle, large, encoded)
            _until(lambda: work.done() or bool(encoded))
            before, clock = sum(encoded), Clock()
            busy = asked(services, throttle, questions, work)
            rate = (sum(encoded) - before) / clock.seconds
            throttle.stop()
            with suppress(Stopping, runs.Busy):
                work.result()
    yield from _rows(idle, busy, rate)


def _rows(idle: Sequence[float], busy: Sequence[float], rate: float) -> Iterator[Row]:
    rest, during = percentile(idle, 0.95), percentile(busy, 0.95)
    yield Row("at rest: answer p50", percentile(idle, 0.5), "ms")
    yield Row("at rest: answer p95", rest, "ms", reference=f"{len(idle)} questions")
    yield Row("during ingestion: answer p50", percentile(busy, 0.5), "ms")
    yield Row("during ingestion: answer p95", during, "ms", reference=f"{len(busy)} questions")
    yield Row("during / at rest, p95", during / rest, "x", 2.0, reference=f"{rest:.0f} ms at rest")
    yield Row(
        "ingestion meanwhile", rate, "chunks/s", reference=f"a question per {PAUSE_SECONDS} s"
    )


def _ingest(services: Services, throttle: Throttle, folder: Path, encoded: list[int]) -> Run:
    """Ingest as a worker does; note how many texts each batch had."""

    def encode(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = services.embedder.encode(texts)
        encoded.append(len(texts))
        return vectors

    return indexing.run(services, folder_source("large", folder), encode=throttle.encoder(encode))


def asked(
    services: Services,
    throttle: Throttle,
    questions: Sequence[str],
    work: Future[Any] | None = None,
) -> list[float]:
    """Give the milliseconds of each answer; stops when the work that runs beside it is over."""
    times = []
    for question in questions:
        if work is not None and work.done():
            break
        clock = Clock()
        with throttle.question():
            services.answer(Request(question, ALL))
        times.append(clock.seconds * 1000)
        threading.Event().wait(PAUSE_SECONDS)
    return times


def _until(happens: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline, "ingestion did not begin"
        time.sleep(0.05)


def _repeated(questions: Sequence[str], count: int) -> list[str]:
    return [questions[n % len(questions)] for n in range(count)]
