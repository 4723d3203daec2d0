"""What a process can be watched by, in Prometheus' format.

Knows nothing about who serves it: bot's HTTP server at /metrics, or a worker's own port.
"""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from store import queue, workspaces
from store.database import Database, StoreError
from store.index import sources

SECONDS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60)
"""Histogram buckets; the target for an answer in a warm worker is 0.15 s."""

ALIVE_SECONDS = 10.0
"""A worker that gave no sign of life for so long does not count."""


class Metrics:
    """The counters of one process, and gauges read from the database when somebody looks."""

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self._questions = Counter(
            "threadwise_questions", "Questions answered here.", ["status"], registry=self.registry
        )
        self._seconds = Histogram(
            "threadwise_answer_seconds",
            "From the start of a job to the recorded answer.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self._votes = Counter(
            "threadwise_votes", "Votes taken here.", ["value"], registry=self.registry
        )
        self.registry.register(_Stored(database))

    def ended(self, status: str, seconds: float) -> None:
        """Count a question that was answered with `status` after so many seconds of work."""
        self._questions.labels(status).inc()
        self._seconds.observe(seconds)

    def voted(self, value: int) -> None:
        """Count a vote: 1 or -1."""
        self._votes.labels("up" if value > 0 else "down").inc()

    def text(self) -> bytes:
        """Write everything as Prometheus reads it (text/plain; version=0.0.4)."""
        return generate_latest(self.registry)


class _Stored(Collector):
    """Gauges that are the same whichever process is asked; none while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("threadwise_database_up", "Whether the database answers.")
        try:
            yield from self._read()
            up.add_metric([], 1)
        except StoreError:
            up.add_metric([], 0)
        yield up

    def _read(self) -> list[Metric]:
        with self._database.connection() as connection:
            depths = queue.depths(connection)
            alive = queue.workers(connection, ALIVE_SECONDS)
            found = sources.statuses(connection, workspaces.current(connection))
        jobs = GaugeMetricFamily("threadwise_jobs", "Jobs in the queue.", labels=["queue", "state"])
        for depth in depths:
            jobs.add_metric([depth.queue, "waiting"], depth.waiting)
            jobs.add_metric([depth.queue, "running"], depth.running)
        workers = GaugeMetricFamily("threadwise_worker_loops", "Worker loops alive.", value=alive)
        values = {
            "documents": {s.name: float(s.documents) for s in found},
            "chunks": {s.name: float(s.chunks) for s in found},
            "failed_documents": {s.name: float(s.failed) for s in found},
            "last_success_timestamp_seconds": {
                s.name: s.last_success.timestamp() for s in found if s.last_success
            },
        }
        return [jobs, workers, *(_gauge(name, by_source) for name, by_source in values.items())]


def _gauge(name: str, by_source: dict[str, float]) -> Metric:
    words = name.replace("_", " ").capitalize()
    made = GaugeMetricFamily(f"threadwise_source_{name}", f"{words}, by source.", labels=["source"])
    for source, value in by_source.items():
        made.add_metric([source], value)
    return made
