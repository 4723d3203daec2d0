"""Ingestion gives way to questions, but is never stopped by them."""

import os
import threading

import numpy as np
import pytest

from bot.runtime.throttle import NICENESS, Stopping, Throttle, lower_priority
from tests.fakes import HashEmbedder


def test_bulk_work_waits_until_the_question_is_answered() -> None:
    throttle, order = Throttle(patience=30), list[str]()
    asked = threading.Event()

    def ingest() -> None:
        asked.wait()
        throttle.pass_through()
        order.append("batch")

    worker = threading.Thread(target=ingest)
    worker.start()
    with throttle.question():
        asked.set()
        worker.join(timeout=0.2)
        assert worker.is_alive()
        order.append("answer")
    worker.join(timeout=10)
    assert order == ["answer", "batch"]


def test_a_question_that_never_ends_delays_bulk_work_but_does_not_stop_it() -> None:
    throttle = Throttle(patience=0.05)
    with throttle.question():
        throttle.pass_through()


def test_a_stopping_process_starts_no_further_batch() -> None:
    throttle = Throttle()
    throttle.stop()
    with pytest.raises(Stopping):
        throttle.encoder(HashEmbedder().encode)(["a text"])


@pytest.mark.parametrize("count", [0, 1, 33, 100])
def test_vectors_come_in_the_order_of_the_texts(count: int) -> None:
    embedder = HashEmbedder()
    texts = [f"text {'long ' * ((i * 37) % 11)}{i}" for i in range(count)]
    vectors = Throttle().encoder(embedder.encode)(texts)
    assert np.array_equal(vectors, embedder.encode(texts))


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="priorities per thread are Linux's own")
def test_only_the_thread_that_asked_gets_a_lower_priority() -> None:
    found = list[int]()

    def bulk() -> None:
        lower_priority()
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    worker = threading.Thread(target=bulk)
    worker.start()
    worker.join()
    assert found == [NICENESS]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
