"""Measures the product's search over 150,000 chunks, and for one word that stands in 1,000,000.

Knows nothing about documents: chunks and postings are made up, schema and queries are the product's.
"""

from collections.abc import Iterator

import numpy as np

from bot.services import Services
from store.database import Connection
from store.index import builds, embedders, search
from store.records import EVERYONE, Viewer
from store.values import halfvec
from tests.bench import scale
from tests.bench.filler import NOW, unit
from tests.bench.place import Clock, Place, Row, opened, percentile

CHUNKS = 150_000
FEW_CHUNKS = 12_000
"""Those of a viewer who sees little: just too many to be compared one by one from the start."""

POSTINGS = 1_000_000
QUERIES = 100
FOUND = 100
AT_MOST_MS = 300

FEW = "C0FEW"
EVERY, SOME = 1, 2
"""The scopes: who may see all, and who may see the chunks of one channel alone."""

WORD = "holiday"
STEM = "holiday"

_CHUNKS = """
INSERT INTO chunks (workspace_id, chunk_id, document_id, scope_id, embedder_id, position, heading, body,
                    text_hash, terms, embedding)
SELECT %(workspace)s, id, id / 10, CASE WHEN place <= %(few)s THEN 2 ELSE 1 END, %(embedder)s, id %% 10, '',
       'Chunk ' || id, decode(lpad(to_hex(id), 64, '0'), 'hex'), 60, embedding
FROM (SELECT *, row_number() OVER (ORDER BY embedding <=> %(center)s::halfvec DESC) AS place
      FROM vectors) AS placed
"""

_DOCUMENTS = """
INSERT INTO documents (workspace_id, document_id, build_id, scope_id, path, version, content_hash, title,
                       ingested_at, chunks)
SELECT workspace_id, document_id, %s, min(scope_id), document_id || '.md', '1', '', 'Page', now(), 10
FROM chunks GROUP BY workspace_id, document_id
"""

# Three in four chunks say the word once; how long they are has nothing to do with it.
_POSTINGS = """
INSERT INTO postings (workspace_id, term, chunk_id, scope_id, tf, length)
SELECT %s, %s, n, CASE WHEN n %% 12 = 0 THEN 2 ELSE 1 END, least(9, 1 + floor(-ln(1 - random()) / ln(4))),
       20 + floor(random() * 180)
FROM generate_series(1, %s) AS n
"""

_TRUE = """
SELECT chunk_id FROM postings WHERE workspace_id = %s AND term = %s AND scope_id = ANY (%s)
ORDER BY tf / (tf + 1.2::float8 * (.25 + .75 * length / %s::float8)) DESC, chunk_id LIMIT 10
"""


def run(place: Place) -> Iterator[Row]:
    """Fill, then search as one who sees all and as one who sees little."""
    with opened() as services, services.database.connection() as connection:
        connection.autocommit = True
        yield from nearest(services, connection, place.size(CHUNKS), place.size(FEW_CHUNKS))
        yield from _word(services, connection, place.size(POSTINGS))


def nearest(services: Services, connection: Connection, count: int, few: int) -> Iterator[Row]:
    """Fill with so many chunks, `few` of them for one channel; search by vectors as each may."""
    random = np.random.default_rng(11)
    queries = _fill(services, connection, random, count, few)
    for who, viewer in (("who sees all", EVERYONE), ("who sees little, far away", FEW)):
        seen = (EVERYONE, FEW) if viewer == EVERYONE else (FEW,)
        yield from _vectors(services, connection, queries, who, Viewer(seen))


def _fill(
    services: Services,
    connection: Connection,
    random: np.random.Generator,
    count: int,
    few: int,
) -> scale.Vectors:
    """Store chunks with random vectors and their index; give questions near one direction, from which the
    chunks of those who see little are the farthest."""
    mixing = random.standard_normal((scale.LATENT, scale.DIMS), dtype=np.float32)
    (center,) = scale.some(random, mixing, 1)
    queries = center + 0.5 * unit(random, QUERIES, scale.DIMS)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    scale.write(connection, random, mixing, queries, count)
    number, where = embedders.embedder_id("made@1"), services.workspace
    connection.execute(
        _CHUNKS,
        {
            "workspace": where,
            "few": few,
            "embedder": number,
            "center": halfvec(connection, center),
        },
    )
    connection.execute("SET maintenance_work_mem = '2GB'")
    embedders.ensure_embedder(connection, where, "made@1", scale.DIMS)
    build = builds.choose(connection, where, "made", number, "made", NOW)
    connection.execute(_DOCUMENTS, (build.build_id,))
    for scope, audience, chunks in ((EVERY, EVERYONE, count - few), (SOME, FEW, few)):
        connection.execute(
            "INSERT INTO scopes (workspace_id, scope_id, build_id, audience, chunks, terms)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            (where, scope, build.build_id, [audience], chunks, chunks * 110),
        )
    connection.execute("VACUUM ANALYZE chunks, documents, scopes")
    return queries


def _vectors(
    services: Services, connection: Connection, queries: scale.Vectors, who: str, viewer: Viewer
) -> Iterator[Row]:
    """Search by vectors alone; say how often fewer came than are there."""
    plan = search.prepare(connection, services.workspace, "", viewer)
    assert plan.scope is not None
    short, times = 0, []
    for query in queries:
        clock = Clock()
        found = search.passages(
            connection, services.workspace, plan, query.tolist(), weight=1, limit=FOUND, leg="vector"
        )  # fmt: skip
        times.append(clock.seconds * 1000)
        short += len(found) < FOUND
    told = f"p50 {percentile(times, 0.5):.0f} ms, p95 {percentile(times, 0.95):.0f} ms"
    what = f"{plan.scope.chunks:,} chunks, one {who}: searches of {len(queries)} short of {FOUND}"
    yield Row(what, short, at_most=0, reference=told)


def _word(services: Services, connection: Connection, count: int) -> Iterator[Row]:
    """Search for a word that stands in so many chunks."""
    where = services.workspace
    clock = Clock()
    connection.execute(_POSTINGS, (where, STEM, count))
    connection.execute("INSERT INTO term_stats VALUES (%s, %s, %s)", (where, STEM, count))
    connection.execute("UPDATE scopes SET chunks = %s, terms = %s", (count, count * 110))
    connection.execute("VACUUM ANALYZE postings, term_stats, scopes")
    row = connection.execute(
        "SELECT pg_relation_size('postings_pkey') / 1e6, pg_relation_size('postings_by_impact') / 1e6"
    ).fetchone()
    assert row
    told = f"key {row[0]:.0f} MB, by impact {row[1]:.0f} MB"
    yield Row("postings of one word written", clock.seconds, "s", reference=told)
    for who, seen in (("all", (EVERYONE, FEW)), ("a twelfth", (FEW,))):
        plan = search.prepare(connection, where, WORD, Viewer(seen))
        assert plan.scope is not None
        given = (where, STEM, list(plan.scope.scope_ids), plan.terms.mean_length)
        best = {row[0] for row in connection.execute(_TRUE, given).fetchall()}
        _complete(connection, best)
        times = []
        for _ in range(40):
            clock = Clock()
            found = search.passages(
                connection, where, plan, [1.0] * scale.DIMS, weight=0, leg="lexical"
            )
            times.append(clock.seconds * 1000)
        share = len(best & {passage.chunk_id for passage in found}) / len(best)
        p50 = f"p50 {percentile(times, 0.5):.0f} ms; of the ten best {share:.0%} found"
        what = f"one word in {count:,} chunks, one who sees {who}: p95"
        yield Row(what, percentile(times, 0.95), "ms", at_most=AT_MOST_MS, reference=p50)


def _complete(connection: Connection, best: set[int]) -> None:
    """Store the chunks of these postings that are not there: only what is found is read."""
    connection.execute(
        "INSERT INTO chunks SELECT workspace_id, id, document_id, scope_id, embedder_id, position, heading,"
        " url, body, text_hash, terms, embedding FROM unnest(%s::bigint[]) AS id, (SELECT * FROM chunks"
        " LIMIT 1) AS one ON CONFLICT DO NOTHING",
        (list(best),),
    )
