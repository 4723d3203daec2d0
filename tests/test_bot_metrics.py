"""What Prometheus is shown, and that the dashboard and the alert rules ask for nothing else."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from bot.answering import cache
from bot.runtime.metrics import Metrics
from store import workspaces
from store.database import Database
from store.feedback import drifts, trainings, versions
from store.feedback.drifts import Drift
from store.feedback.trainings import Training
from store.index import sources
from store.queue import Queue
from store.records import Answer, Phrasing, Sentence


def test_questions_are_counted_by_how_they_ended(database: Database) -> None:
    metrics = Metrics(database)
    metrics.ended("answered", 0.12)
    metrics.ended("answered", 0.4)
    metrics.ended("not_found", 0.1)
    metrics.voted(-1)
    text = metrics.text().decode()
    assert 'threadwise_questions_total{status="answered"} 2.0' in text
    assert 'threadwise_questions_total{status="not_found"} 1.0' in text
    assert 'threadwise_answer_seconds_bucket{le="0.15"} 2.0' in text
    assert 'threadwise_votes_total{value="down"} 1.0' in text


def test_the_queue_is_read_when_somebody_looks(database: Database) -> None:
    metrics = Metrics(database)
    with database.connection() as connection:
        Queue(database.url).defer(connection, "answer", {}, queue="questions")
    text = metrics.text().decode()
    assert 'threadwise_jobs{queue="questions",state="waiting"} 1.0' in text
    assert "threadwise_database_up 1.0" in text


def test_without_a_database_the_counters_are_still_there(database: Database) -> None:
    metrics = Metrics(database)
    metrics.ended("answered", 0.1)
    database.close()
    text = metrics.text().decode()
    assert 'threadwise_questions_total{status="answered"} 1.0' in text
    assert "threadwise_database_up 0.0" in text


NOW = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)

DOCS = Path(__file__).parent.parent / "docs"

LABELS = {
    "status",
    "step",
    "value",
    "reason",
    "queue",
    "state",
    "source",
    "part",
    "version",
    "result",
    "measure",
    "le",
}
"""What a metric may be told apart by: never a text or a person."""


def test_each_step_of_an_answer_has_its_own_histogram(database: Database) -> None:
    metrics = Metrics(database)
    timings = {"intent": 4.0, "encode": 12.0, "search": 30.0, "decide": 9.0, "total": 60.0}
    metrics.answered(Answer(uuid4(), "q", "answered", 0.9, "a", timings_ms=timings))
    metrics.step("claim", 0.001)
    text = metrics.text().decode()
    assert 'threadwise_step_seconds_bucket{le="0.02",step="encode"} 1.0' in text
    assert 'threadwise_step_seconds_bucket{le="0.01",step="classify"} 1.0' in text
    assert 'threadwise_step_seconds_count{step="claim"} 1.0' in text
    assert "total" not in re.findall(r'step="(\w+)"', text)


def test_an_answer_that_was_found_before_is_a_hit_and_counts_for_no_step(
    database: Database,
) -> None:
    metrics = Metrics(database)
    found = Answer(uuid4(), "q", "answered", 0.9, "a", timings_ms={"search": 30.0})
    metrics.answered(found)
    metrics.answered(replace(found, signals={cache.SIGNAL: 1.7e9}))
    text = metrics.text().decode()
    assert 'threadwise_cache_total{result="hit"} 1.0' in text
    assert 'threadwise_cache_total{result="miss"} 1.0' in text
    assert 'threadwise_step_seconds_count{step="search"} 1.0' in text


def test_what_became_of_an_llms_sentences_is_counted(database: Database) -> None:
    metrics = Metrics(database)
    kept = (Sentence("It is ten days.", (1,)),)
    metrics.phrased(Phrasing(kept, (1,), "some-model", 0.4, {"number": 2}))
    text = metrics.text().decode()
    assert "threadwise_llm_kept_total 1.0" in text
    assert 'threadwise_llm_dropped_total{reason="number"} 2.0' in text
    assert 'threadwise_step_seconds_bucket{le="0.5",step="phrase"} 1.0' in text


def test_a_job_that_waits_tells_for_how_long(database: Database) -> None:
    metrics = Metrics(database)
    with database.connection() as connection:
        Queue(database.url).defer(connection, "answer", {}, queue="questions")
        connection.execute("UPDATE procrastinate_jobs SET scheduled_at = now() - interval '90 s'")
        Queue(database.url).defer(connection, "deliver", {}, queue="deliveries", after=60)
    found = dict(
        re.findall(r'threadwise_oldest_job_seconds{queue="(\w+)"} (\S+)', metrics.text().decode())
    )
    assert 90 <= float(found["questions"]) < 150
    assert float(found["deliveries"]) == 0  # not due yet


def test_what_serves_is_told(database: Database) -> None:
    with database.connection() as connection:
        workspace = workspaces.current(connection)
        version = versions.add(connection, workspace, "fusion", NOW)
        versions.promote(connection, workspace, version, NOW)
    text = Metrics(database).text().decode()
    assert f'threadwise_model_info{{part="fusion",version="{version}"}} 1.0' in text


@pytest.mark.parametrize("name", ["grafana-dashboard.json", "alerts.yml"])
def test_every_metric_that_is_asked_for_exists(name: str, database: Database) -> None:
    text = (DOCS / name).read_text()
    found: Any = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    asked = set[str]()
    for expression in _expressions(found):
        asked |= set(re.findall(r"threadwise_\w+", expression))
    assert asked
    assert asked <= _names(database), sorted(asked - _names(database))


def test_every_metric_is_explained_and_no_label_holds_what_people_wrote(database: Database) -> None:
    text = (DOCS / "monitoring.md").read_text()
    for family in _families(database):
        stem = family.name.removeprefix("threadwise_source_")
        assert stem in text, family.name
        assert {label for sample in family.samples for label in sample.labels} <= LABELS


def _families(database: Database) -> list[Metric]:
    """Give what a process with everything in it shows."""
    metrics = Metrics(database)
    metrics.ended("answered", 0.1)
    metrics.voted(1)
    metrics.step("search", 0.1)
    metrics.answered(Answer(uuid4(), "q", "answered", 0.9, "a"))
    metrics.phrased(Phrasing((), (1,), "some-model", 0.4, {"number": 2}))
    with database.connection() as connection:
        workspace = workspaces.current(connection)
        sources.register(connection, workspace, "handbook", "folder", "handbook", None)
        sources.succeeded(connection, workspace, "handbook", NOW)
        sources.plan_next(connection, workspace, "handbook", NOW)
        Queue(database.url).defer(connection, "answer", {}, queue="questions")
        drifts.add(connection, workspace, [Drift("topics", NOW, 60, 400, 0.03, 0.001)])
        trainings.add(connection, workspace, Training("intents", NOW, True, 90, 0.9, 0.3, {}))
        versions.promote(
            connection, workspace, versions.add(connection, workspace, "title", NOW), NOW
        )
    found = text_string_to_metric_families(metrics.text().decode())
    return [family for family in found if not family.name.endswith("_created")]


def _names(database: Database) -> set[str]:
    return {sample.name for family in _families(database) for sample in family.samples}


def _expressions(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["expr"]] if "expr" in node else []
        return own + [e for value in node.values() for e in _expressions(value)]
    return [e for value in node for e in _expressions(value)] if isinstance(node, list) else []
