"""Measures one night over 100,000 judged answers: its seconds and its memory, under the worker's own limit.

Knows nothing about what a night does. Some answers are really given and voted on (night.py); the others are made
of them in SQL, each with a question of its own that is as near to them as a colleague's other words.
"""

import functools
import random
import resource
from collections.abc import Iterator

from bot import indexing
from bot.learning import feedback, report
from bot.processes import background
from bot.processes.tasks import NIGHT_THREADS
from bot.runtime.throttle import Throttle
from bot.services import Services
from tests.bench.memory import watched
from tests.bench.night import nights, vote
from tests.bench.place import Clock, Place, Row, folder_source, opened

JUDGED, GIVEN = 100_000, 150
AT_MOST_MB = 1600.0

_QUESTIONS = """
INSERT INTO questions (workspace_id, question_id, channel, message_ts, person, body, origin, is_private, claimed_at)
SELECT workspace_id, md5(question_id::text || n)::uuid, channel, message_ts || '-' || n, person || '-' || n,
       body || ' ' || n, origin, is_private, claimed_at
FROM questions, generate_series(1, %(times)s) AS n
"""

# Noise of length .8 beside a vector of length one: copies of a question have a cosine of about .6 with each other.
_ANSWERS = """
INSERT INTO answers (workspace_id, answer_id, question_id, status, confidence, body, citations, passages, signals,
                     versions, embedder_id, embedding, created_at)
SELECT workspace_id, md5(answer_id::text || n)::uuid, md5(question_id::text || n)::uuid, status, confidence, body,
       citations, passages, signals, versions, embedder_id,
       l2_normalize(embedding + (SELECT array_agg((random() - .5) * sqrt(12 * .64 / 384))
                                 FROM generate_series(1, 384) WHERE n > 0)::halfvec), created_at
FROM answers, generate_series(1, %(times)s) AS n
"""

_VOTES = """
INSERT INTO votes (workspace_id, answer_id, person, value, origin, voted_at)
SELECT workspace_id, md5(answer_id::text || n)::uuid, person || '-' || n, value, origin, voted_at - n * interval '1 minute'
FROM votes, generate_series(1, %(times)s) AS n
"""


def run(place: Place) -> Iterator[Row]:
    """Answer and vote, make the other answers, and hold a night."""
    name, folder = place.handbook()
    with opened(cache="off") as services:
        indexing.run(services, folder_source(name, folder))
        given = min(GIVEN, place.size(JUDGED))
        vote(services, place.questions(), given, random.Random(3))
        clock = Clock()
        judged = _multiply(services, place.size(JUDGED) // given)
        yield Row(f"{judged:,} judged answers made", clock.seconds, "s")
        yield from _night(services)


def _multiply(services: Services, times: int) -> int:
    with services.database.connection() as connection:
        for statement in (_VOTES, _ANSWERS, _QUESTIONS):
            connection.execute(statement, {"times": times})
    with services.database.connection() as connection:
        connection.execute("ANALYZE")
        row = connection.execute("SELECT count(*) FROM votes").fetchone()
    assert row is not None
    return int(row[0])


def _night(services: Services) -> Iterator[Row]:
    settings = services.settings.model_copy(update={"threads": NIGHT_THREADS})
    with watched(nights) as totals:
        clock = Clock()
        work = functools.partial(report.hold, settings)
        found = background.run(work, Throttle()).report
        seconds = clock.seconds
    told = ", ".join(f"{part.kind} {part.decision}" for part in found.verdicts)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    read = f"the latest {feedback.LATEST:,} at most, {found.judged:,} learned from; {told}"
    yield Row("one night", seconds, "s", 600.0, reference=read)
    yield Row("its processes, peak PSS", max(totals), "MB", AT_MOST_MB)
    yield Row("its largest process, peak RSS", largest, "MB", AT_MOST_MB)
