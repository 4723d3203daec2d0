"""Measures one night with 5,000 examples and 1,000 votes, the answers given meanwhile, and memory's lookup.

Knows nothing about what a night does: it is the worker's own child process.
"""

import functools
import os
import random
import resource
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from bot import indexing, intents
from bot.answering.request import Request
from bot.intents import Intents
from bot.learning import report, training
from bot.learning.fit_intents import MIN_LABELS
from bot.learning.training_set import TrainingSet
from bot.processes import background
from bot.processes.tasks import NIGHT_THREADS
from bot.runtime.throttle import Throttle
from bot.services import Services
from bot.settings import ROOT
from models.intents import augment
from store import answers, questions
from store.feedback import labels, memory, votes
from store.index import search
from store.index.embedders import embedder_id
from store.records import Ask, Vote
from store.values import halfvec
from tests.bench.busy import PAUSE_SECONDS, asked
from tests.bench.filler import ALL, unit
from tests.bench.memory import family, watched
from tests.bench.place import (
    Clock,
    Place,
    Row,
    folder_source,
    opened,
    percentile,
    scratch,
)

EXAMPLES, LABELS, VOTES = 4_000, 1_000, 1_000
VOTES_EACH = 5
IDLE = 100
PAIRS = 50_000
LOOKUPS = 200
NOISE = 0.8
"""Beside a question's vector of length one: remembered questions have a cosine of about .78 with it."""

NOW = datetime.now(UTC) - timedelta(hours=2)


def run(place: Place) -> Iterator[Row]:
    """Teach, vote, ask at rest, hold the night and ask meanwhile."""
    name, folder = place.handbook()
    chance = random.Random(3)
    with scratch() as files, opened(intents=files / "intents.toml", cache="off") as services:
        indexing.run(services, folder_source(name, folder))
        clock = Clock()
        known = _examples(files / "intents.toml", place.size(EXAMPLES), chance)
        _train(services)
        yield Row(
            f"training on {known:,} examples alone, {services.settings.threads} threads",
            clock.seconds,
            "s",
        )
        _label(services, max(MIN_LABELS, place.size(LABELS)), chance)
        vote(services, place.questions(), place.size(VOTES), chance)
        yield from _night(services, place)
        yield from _lookups(services, place)


def _examples(file: Path, count: int, chance: random.Random) -> int:
    """Write the starter set's examples with varied copies; give how many there are."""
    found, seen = [], set[str]()
    starter = Intents.of(intents.load(ROOT / "intents.toml"))
    for text, intent in _varied(starter, count, chance):
        folded = " ".join(text.casefold().split())
        if folded not in seen:
            seen.add(folded)
            found.append((text, intent))
    for intent in starter.by_name.values():
        (file.parent / f"{intent.name}.txt").write_text(
            "\n".join(text for text, name in found if name == intent.name), encoding="utf-8"
        )
    file.write_text(
        "\n".join(
            f'[[intent]]\nname = "{i.name}"\naction = "{i.action}"\nexamples_file = "{i.name}.txt"\n'
            + ('reply = "Hello."\n' if i.reply else "")
            for i in starter.by_name.values()
        ),
        encoding="utf-8",
    )
    return len(found)


def _varied(starter: Intents, count: int, chance: random.Random) -> list[tuple[str, str]]:
    rows = starter.examples()
    rows = rows[:: max(1, len(rows) // count)]
    more = [rows[n % len(rows)] for n in range(max(0, count - len(rows)))]
    return [*rows, *((augment.vary(text, chance), intent) for text, intent in more)][:count]


def _train(services: Services) -> None:
    given = TrainingSet(services.intents.now())
    out = training.workplace(services.settings.home, given.intents)
    training.teach(given.rows, out, threads=services.settings.threads)
    training.keep(services, given, out)


def _label(services: Services, count: int, chance: random.Random) -> None:
    rows = services.intents.now().examples()
    for number in range(count):
        text, intent = chance.choice(rows)
        said = augment.vary(augment.vary(text, chance), chance)
        ask = Ask(services.workspace, "C2", f"{number}", f"U{number}", said, "mention", False)
        with services.database.connection() as connection:
            question_id = questions.claim(connection, ask, NOW)
            assert question_id is not None
            person = ask.person
            labels.put(connection, ask.workspace, question_id, person, intent, "choice", NOW)


def vote(services: Services, asked_of: Sequence[str], count: int, chance: random.Random) -> None:
    """Ask in varied words and judge what is shown; most people like it."""
    number, workspace = embedder_id(services.embedder.name), services.workspace
    for place in range(count):
        text, person = (
            augment.vary(asked_of[place % len(asked_of)], chance),
            f"P{place // VOTES_EACH}",
        )
        found = services.answer(Request(text, ALL))
        if not found.passages:
            continue
        answer = replace(found, status="unsure")
        ask = Ask(workspace, "C1", f"{place}", person, text, "mention", False)
        with services.database.connection() as connection:
            question_id = questions.claim(connection, ask, NOW)
            assert question_id is not None
            answers.record(connection, workspace, question_id, answer, answer.vector, number, NOW)
            thumb = 1 if chance.random() < 0.2 + 0.6 * answer.confidence else -1
            votes.cast(connection, workspace, Vote(answer.answer_id, person, thumb, "button"), NOW)


def _night(services: Services, place: Place) -> Iterator[Row]:
    throttle, texts = Throttle(), place.questions()
    many = [texts[n % len(texts)] for n in range(100_000)]
    asked(services, throttle, many[:10])
    idle = asked(services, throttle, many[: max(10, place.size(IDLE))])
    settings = services.settings.model_copy(update={"threads": NIGHT_THREADS})
    hold = functools.partial(report.hold, settings)
    with ThreadPoolExecutor(1) as aside, watched(nights) as totals:
        clock = Clock()
        work: Future[report.Published] = aside.submit(background.run, hold, throttle)
        busy = asked(services, throttle, many, work)
        found, seconds = work.result(), clock.seconds
    told = ", ".join(f"{part.kind} {part.decision}" for part in found.report.verdicts)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6
    yield Row("one night", seconds, "s", 600.0, reference=told)
    yield Row("its processes, peak PSS", max(totals), "MB", 1500.0, reference="looked every second")
    yield Row("its largest process, peak RSS", largest, "MB")
    rest, during = percentile(idle, 0.95), percentile(busy, 0.95)
    yield Row("answers at rest, p95", rest, "ms", reference=f"{len(idle)} questions")
    pause = f"{len(busy)} questions, one per {PAUSE_SECONDS} s"
    yield Row("answers during the night, p95", during, "ms", reference=pause)
    yield Row("during / at rest, p95", during / rest, "x", 2.0)


def nights() -> list[int]:
    """Name the processes that hold a night."""
    found = []
    for pid in family(os.getpid())[1:]:
        with suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if b"--multiprocessing-fork" in words:
                found.append(pid)
    return found


def _lookups(services: Services, place: Place) -> Iterator[Row]:
    """Remember many judged questions, each near one that is asked."""
    chance, count = np.random.default_rng(13), place.size(PAIRS)
    asked_of = services.embedder.encode(place.questions())
    near = asked_of[chance.integers(0, len(asked_of), count)]
    near = near + NOISE * unit(chance, count, near.shape[1])
    near /= np.linalg.norm(near, axis=1, keepdims=True)
    number, workspace = embedder_id(services.embedder.name), services.workspace
    with services.database.connection() as connection:
        texts = connection.execute("SELECT text_hash FROM chunks").fetchall()
        connection.cursor().executemany(
            "INSERT INTO memory VALUES (%s, gen_random_uuid(), %s, 1, 0, %s, %s::halfvec)",
            [
                (workspace, texts[n % len(texts)][0], number, halfvec(connection, row))
                for n, row in enumerate(near.tolist())
            ],
        )
        connection.execute("ANALYZE memory")
    times, found = [], 0
    for turn in range(LOOKUPS):
        vector = asked_of[turn % len(asked_of)].tolist()
        with services.database.reading() as connection:
            scope = search.prepare(connection, workspace, "company", ALL).scope
            assert scope is not None
            clock = Clock()
            found += len(memory.near(connection, workspace, scope, vector, 0.4))
            times.append(clock.seconds * 1000)
    told = f"{count:,} judged pairs, {found / LOOKUPS:.0f} found each"
    yield Row("memory lookup p50", percentile(times, 0.5), "ms", reference=told)
    yield Row("memory lookup p95", percentile(times, 0.95), "ms", 10.0, reference=told)
