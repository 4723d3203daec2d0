"""Measures answers in a warm process: with a handbook, then with 100,000 chunks beside it.

Knows nothing about Slack or jobs.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from bot import indexing
from bot.answering.request import Request
from bot.services import Services
from store.index import search
from store.records import EVERYONE, Viewer
from tests.bench.filler import ALL, ONE_PERCENT, fill, unit
from tests.bench.place import Clock, Place, Row, chunks, folder_source, opened, percentile

MANY = 100_000
WARM = 10
QUERIES = 200
DEPTH = 10
STEPS = ("intent", "search", "decide")
COMMON = ("company", "what do people in the company do")
"""The filler's commonest word, and it among others."""


def run(place: Place) -> Iterator[Row]:
    """Measure with the handbook alone, then with the filler."""
    name, folder = place.handbook()
    questions = place.questions()
    with opened(cache="off") as services:
        indexing.run(services, folder_source(name, folder))
        yield from _times(services, questions, name, 150.0)
        clock = Clock()
        fill(services, place.size(MANY), questions)
        rate = place.size(MANY) / clock.seconds
        stored = chunks(services.database)
        yield Row("chunks stored with the filler", stored, reference=f"{rate:.0f} filler chunks/s")
        yield from _times(services, questions, f"{stored:,} chunks", 300.0)
        yield from _common(services, f"{stored:,} chunks")
        yield from _recall(services, questions)
        yield from _filtered(services, questions)


def _times(
    services: Services, questions: Sequence[str], told: str, at_most: float
) -> Iterator[Row]:
    for question in questions[:WARM]:
        services.answer(Request(question, ALL))
    totals, steps, encoding = [], {step: list[float]() for step in STEPS}, []
    for question in questions:
        clock = Clock()
        answer = services.answer(Request(question, ALL))
        totals.append(clock.seconds * 1000)
        for step in STEPS:
            if step in answer.timings_ms:
                steps[step].append(answer.timings_ms[step])
    for question in questions:
        clock = Clock()
        services.embedder.encode([question])
        encoding.append(clock.seconds * 1000)
    asked = f"{len(questions)} questions"
    yield Row(f"{told}: answer p50", percentile(totals, 0.5), "ms", reference=asked)
    yield Row(f"{told}: answer p95", percentile(totals, 0.95), "ms", at_most, reference=asked)
    parts = {"encode a question alone": encoding} | {f"of it {s}": steps[s] for s in STEPS}
    for part, values in parts.items():
        if values:
            p95 = f"p95 {percentile(values, 0.95):.1f} ms, {len(values)} times"
            yield Row(f"{told}: {part} p50", percentile(values, 0.5), "ms", reference=p95)


def _common(services: Services, told: str) -> Iterator[Row]:
    """Ask for words that stand in most chunks."""
    for question in COMMON:
        with services.database.reading() as connection:
            terms = search.prepare(connection, services.workspace, question, ALL).terms
            rows = connection.execute(
                "SELECT max(chunks) FROM term_stats WHERE workspace_id = %s AND term = ANY (%s)",
                (services.workspace, list(terms.terms)),
            ).fetchone()
        vector = services.embedder.encode([question])[0]
        times = [
            services.answerer.retriever.find(
                question, ALL, services.serving.now(), vector=vector
            ).timings["search"]
            for _ in range(20)
        ]
        stands = f"its commonest word is in {rows[0] if rows else 0:,} chunks"
        p95 = percentile(times, 0.95)
        yield Row(f"{told}: search {question!r} p95", p95, "ms", 300.0, reference=stands)


def _recall(services: Services, questions: Sequence[str]) -> Iterator[Row]:
    """Compare the vector index with the truth, for questions and for random directions."""
    asked = services.embedder.encode(questions[:QUERIES])
    random = unit(np.random.default_rng(11), QUERIES, services.embedder.dims)
    kinds = {"questions' vectors": (asked, 0.98), "random vectors (the worst case)": (random, None)}
    for kind, (vectors, at_least) in kinds.items():
        shares = []
        for vector in vectors.tolist():
            exact = set(_nearest(services, vector, ALL, is_exact=True))
            found = set(_nearest(services, vector, ALL))
            shares.append(len(exact & found) / len(exact))
        told = f"exact scan of the same chunks, {len(shares)} queries"
        mean = sum(shares) / len(shares)
        yield Row(f"vector recall@{DEPTH}, {kind}", mean, at_least=at_least, reference=told)


def _filtered(services: Services, questions: Sequence[str]) -> Iterator[Row]:
    """Search what only few may see, as it is done and with the exact path switched off."""
    vectors = services.embedder.encode(questions[:QUERIES]).tolist()
    with services.database.reading() as connection:
        plan = search.prepare(connection, services.workspace, "company", ONE_PERCENT)
    visible = plan.scope.chunks if plan.scope else 0
    wanted = min(search.DEPTH, visible)
    for told, exact in {"exact path": search.EXACT_CHUNKS, "index path": 0}.items():
        counts, times = [], []
        for vector in vectors:
            clock = Clock()
            found = _nearest(services, vector, ONE_PERCENT, limit=search.DEPTH, exact=exact)
            times.append(clock.seconds * 1000)
            counts.append(len(found))
        p95 = f"p95 {percentile(times, 0.95):.1f} ms, {visible:,} chunks visible"
        what = f"1 % filter, {told}: fewest found of {wanted}"
        yield Row(what, min(counts), at_least=wanted, reference=p95)
    nothing = services.answerer.retriever.find(
        "company", Viewer(("C0NOBODY",)), services.serving.now()
    ).passages
    public = services.answerer.retriever.find(
        "company", Viewer((EVERYONE,)), services.serving.now()
    ).passages
    assert not nothing and all(p.source for p in public)


def _nearest(
    services: Services,
    vector: Sequence[float],
    viewer: Viewer,
    *,
    limit: int = DEPTH,
    exact: int = search.EXACT_CHUNKS,
    is_exact: bool = False,
) -> list[int]:
    """Give the ids of the nearest chunks as the product finds them, or by reading all of them."""
    # A transaction, because SET LOCAL is lost without one.
    with services.database.connection() as connection:
        if is_exact:
            connection.execute("SET LOCAL enable_indexscan = off")
        plan = search.prepare(connection, services.workspace, "company", viewer)
        found = search.passages(
            connection,
            services.workspace,
            plan,
            vector,
            weight=1.0,
            limit=limit,
            leg="vector",
            exact=exact,
        )
    return [passage.chunk_id for passage in found]
