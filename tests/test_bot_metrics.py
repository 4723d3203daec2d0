"""What Prometheus is shown."""

from bot.runtime.metrics import Metrics
from store.database import Database
from store.queue import Queue


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
