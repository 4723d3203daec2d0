"""What a process can be watched by, in Prometheus' format.

Knows nothing about who serves it: bot's HTTP server at /metrics, or a worker's own port.
"""

from collections.abc import Iterable
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from store import queue, workspaces
from store.database import Connection, Database, StoreError
from store.feedback import drifts, trainings, versions
from store.feedback.drifts import Drift
from store.feedback.trainings import Training
from store.index import embedders, sources
from store.records import Answer, Phrasing, SourceStatus

Step = Literal[
    "claim", "classify", "rewrite", "encode", "search", "order", "decide", "phrase", "post"
]
"""What happens to a question, one after the other. Ordering reads the first passages' units; deciding is also marking."""

CACHED = "cache"
"""The signal of an answer that was found before (bot.answering.cache.SIGNAL, which stands above this file)."""

STEPS: dict[str, Step] = {
    "intent": "classify",
    "encode": "encode",
    "search": "search",
    "order": "order",
    "decide": "decide",
}
"""The steps by the names that an answer's own timings have."""

STEP_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

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
        self._steps = Histogram(
            "threadwise_step_seconds",
            "How long one step of a question took.",
            ["step"],
            buckets=STEP_SECONDS,
            registry=self.registry,
        )
        self._cache = Counter(
            "threadwise_cache",
            "Messages answered from what was found before (hit) or anew (miss).",
            ["result"],
            registry=self.registry,
        )
        self._kept = Counter(
            "threadwise_llm_kept", "Sentences of the LLM that were shown.", registry=self.registry
        )
        self._dropped = Counter(
            "threadwise_llm_dropped",
            "Sentences of the LLM that were not used, and calls that gave none, by why.",
            ["reason"],
            registry=self.registry,
        )
        self.registry.register(_Stored(database))

    def ended(self, status: str, seconds: float) -> None:
        """Count a question that was answered with `status` after so many seconds of work."""
        self._questions.labels(status).inc()
        self._seconds.observe(seconds)

    def step(self, step: Step, seconds: float) -> None:
        """Note how long a step of a question took."""
        self._steps.labels(step).observe(seconds)

    def answered(self, answer: Answer) -> None:
        """Note the steps of an answer by its own timings, and whether it was found before."""
        is_hit = CACHED in answer.signals
        self._cache.labels("hit" if is_hit else "miss").inc()
        if is_hit:
            return  # its timings are those of the search that found it
        for name, milliseconds in answer.timings_ms.items():
            if name in STEPS:
                self.step(STEPS[name], milliseconds / 1000)
        if answer.rewriting is not None:
            self.step("rewrite", answer.rewriting.seconds)
            if answer.rewriting.dropped:
                self._dropped.labels(answer.rewriting.dropped).inc()

    def phrased(self, phrasing: Phrasing) -> None:
        """Note how long the LLM took, and what became of what it wrote."""
        self.step("phrase", phrasing.seconds)
        self._kept.inc(len(phrasing.sentences))
        for reason, count in phrasing.drops.items():
            self._dropped.labels(reason).inc(count)

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
            workspace = workspaces.current(connection)
            found = sources.statuses(connection, workspace)
            models = _models(connection, workspace)
            drifting = drifts.latest(connection, workspace).values()
            trained = trainings.latest(connection, workspace).values()
        jobs = GaugeMetricFamily("threadwise_jobs", "Jobs in the queue.", labels=["queue", "state"])
        for depth in depths:
            jobs.add_metric([depth.queue, "waiting"], depth.waiting)
            jobs.add_metric([depth.queue, "running"], depth.running)
        waiting = GaugeMetricFamily(
            "threadwise_oldest_job_seconds",
            "How long the job has been due that waits longest.",
            labels=["queue"],
        )
        for depth in depths:
            waiting.add_metric([depth.queue], depth.oldest)
        workers = GaugeMetricFamily("threadwise_worker_loops", "Worker loops alive.", value=alive)
        return [
            jobs,
            waiting,
            workers,
            models,
            *_of_drifts(drifting),
            *_of_trainings(trained),
            *_of_sources(found),
        ]


def _models(connection: Connection, workspace: str) -> Metric:
    """Tell which encoder and which learned parts serve, as labels of a constant 1."""
    info = InfoMetricFamily("threadwise_model", "What serves.", labels=["part"])
    if encoder := embedders.serving(connection, workspace):
        info.add_metric(["encoder"], {"version": encoder})
    for kind, version in versions.serving(connection, workspace).items():
        info.add_metric([kind], {"version": str(version.version_id)})
    return info


def _of_drifts(found: Iterable[Drift]) -> list[Metric]:
    """Tell what the last night found of each measure: whether it drifts, how far, and by what chance."""
    state = GaugeMetricFamily(
        "threadwise_drift", "Whether the last week is unlike the weeks before.", labels=["measure"]
    )
    effect = GaugeMetricFamily(
        "threadwise_drift_effect", "How far apart they are beyond chance.", labels=["measure"]
    )
    p = GaugeMetricFamily(
        "threadwise_drift_p", "How often chance sets weeks as far apart.", labels=["measure"]
    )
    for drift in found:
        state.add_metric([drift.measure], float(drift.since is not None))
        effect.add_metric([drift.measure], drift.effect)
        p.add_metric([drift.measure], drift.p)
    return [state, effect, p]


def _of_trainings(found: Iterable[Training]) -> list[Metric]:
    """Tell how the last training of each part did on held-out rows, whether its model serves or not."""
    accuracy = GaugeMetricFamily(
        "threadwise_validation_accuracy", "Held-out rows told right.", labels=["part"]
    )
    loss = GaugeMetricFamily("threadwise_validation_loss", "Held-out loss.", labels=["part"])
    for training in found:
        for metric, value in ((accuracy, training.accuracy), (loss, training.loss)):
            if value is not None:
                metric.add_metric([training.kind], value)
    return [accuracy, loss]


def _of_sources(found: Iterable[SourceStatus]) -> list[Metric]:
    found = list(found)
    values = {
        "documents": {s.name: float(s.documents) for s in found},
        "chunks": {s.name: float(s.chunks) for s in found},
        "failed_documents": {s.name: float(s.failed) for s in found},
        "partial_documents": {s.name: float(s.partial) for s in found},
        "last_success_timestamp_seconds": {
            s.name: s.last_success.timestamp() for s in found if s.last_success
        },
        "next_run_timestamp_seconds": {s.name: s.next_run.timestamp() for s in found if s.next_run},
    }
    return [_gauge(name, by_source) for name, by_source in values.items()]


def _gauge(name: str, by_source: dict[str, float]) -> Metric:
    words = name.replace("_", " ").capitalize()
    made = GaugeMetricFamily(f"threadwise_source_{name}", f"{words}, by source.", labels=["source"])
    for source, value in by_source.items():
        made.add_metric([source], value)
    return made
