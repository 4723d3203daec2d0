"""Measures pgvector alone with 1,000,000 made-up vectors: building, searching, filtering, memory.

Knows nothing about documents: the table is of its own, the settings and the index are the product's.
"""

from collections.abc import Iterator

import numpy as np
import psycopg
from numpy.typing import NDArray

from store.database import Connection
from store.values import halfvec
from tests.bench.filler import unit
from tests.bench.memory import family, pss, watched
from tests.bench.place import Clock, Place, Row, opened, percentile
from tests.killing import postmaster

ROWS = 1_000_000
DIMS = 384
LATENT = 24
"""Directions in which the vectors vary: text embeddings have about so many, not 384."""

BATCH = 50_000
QUERIES = 200
TOP = 10
EFFORTS = (40, 60, 100, 160, 250, 400)
RECALL = 0.95
GROUPS = 100
WORKERS = 2
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"

ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("id_bytes", ">i4"), ("id", ">i4"),
        ("group_bytes", ">i4"), ("group", ">i4"),
        ("vector_bytes", ">i4"), ("dims", ">i2"), ("unused", ">i2"), ("vector", ">f2", DIMS),
    ]
)  # fmt: skip
"""A row as COPY reads it in its binary format."""

NEAREST = (
    "SELECT id FROM vectors {where} ORDER BY embedding::halfvec(384) <=> %s::halfvec(384) LIMIT %s"
)

Vectors = NDArray[np.float32]


def run(place: Place) -> Iterator[Row]:
    """Write, build, search."""
    count = place.size(ROWS)
    random = np.random.default_rng(5)
    mixing = random.standard_normal((LATENT, DIMS), dtype=np.float32)
    with (
        opened() as services,
        psycopg.connect(services.database.url, autocommit=True) as connection,
    ):
        assert services.server is not None
        postgres = postmaster(services.server)
        queries = some(random, mixing, QUERIES)
        clock = Clock()
        truth = write(connection, random, mixing, queries, count)
        yield Row(
            "vectors written by COPY", count, reference=f"{count / clock.seconds:,.0f} a second"
        )
        with watched(lambda: [postgres]) as totals:
            yield from _build(connection)
        yield from _search(connection, queries, truth)
        yield from _filtered(connection, queries)
        yield Row("Postgres, peak PSS of all processes while it built", max(totals), "MB")
        together = sum(pss(pid) for pid in family(postgres))
        yield Row("Postgres, PSS of all processes after all of it", together, "MB")


def some(random: np.random.Generator, mixing: Vectors, count: int) -> Vectors:
    """Make vectors of length one that vary in few directions, with a little noise in all."""
    made = unit(random, count, LATENT) @ mixing / np.sqrt(np.float32(DIMS))
    made += 0.1 * unit(random, count, DIMS)
    normalised: Vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
    return normalised


def write(
    connection: Connection,
    random: np.random.Generator,
    mixing: Vectors,
    queries: Vectors,
    count: int,
) -> NDArray[np.int64]:
    """Fill the table; give the ids of the nearest rows of each query, found by comparing all."""
    connection.execute(
        "CREATE TABLE vectors (id int NOT NULL, kind int NOT NULL, embedding halfvec(384) NOT NULL)"
    )
    scores = np.full((len(queries), TOP), -2.0, dtype=np.float32)
    ids = np.zeros((len(queries), TOP), dtype=np.int64)
    command = "COPY vectors FROM STDIN (FORMAT binary)"
    with connection.cursor().copy(command) as copy:
        copy.write(COPY_HEAD)
        for start in range(0, count, BATCH):
            numbers = np.arange(start, min(start + BATCH, count))
            vectors = some(random, mixing, len(numbers))
            copy.write(_rows(numbers, vectors).tobytes())
            scores = np.hstack([scores, queries @ vectors.T])
            ids = np.hstack([ids, np.broadcast_to(numbers, (len(queries), len(numbers)))])
            best = np.argpartition(-scores, TOP, axis=1)[:, :TOP]
            scores = np.take_along_axis(scores, best, axis=1)
            ids = np.take_along_axis(ids, best, axis=1)
        copy.write(COPY_END)
    return ids


def _rows(numbers: NDArray[np.int64], vectors: Vectors) -> NDArray[np.void]:
    rows = np.zeros(len(numbers), dtype=ROW)
    rows["fields"], rows["id_bytes"], rows["group_bytes"] = 3, 4, 4
    rows["id"], rows["group"] = numbers, numbers % GROUPS
    rows["vector_bytes"], rows["dims"], rows["vector"] = 4 + 2 * DIMS, DIMS, vectors
    return rows


def _build(connection: Connection) -> Iterator[Row]:
    connection.execute("SET maintenance_work_mem = '2GB'")
    connection.execute(f"SET max_parallel_maintenance_workers = {WORKERS}")
    connection.execute(f"ALTER TABLE vectors SET (parallel_workers = {WORKERS})")
    clock = Clock()
    connection.execute(
        "CREATE INDEX vectors_hnsw ON vectors USING hnsw"
        " ((embedding::halfvec(384)) halfvec_cosine_ops) WITH (m = 16, ef_construction = 128)"
    )
    seconds = clock.seconds
    connection.execute("CREATE INDEX vectors_kind ON vectors (kind)")
    connection.execute("ANALYZE vectors")
    row = connection.execute("SELECT pg_relation_size('vectors_hnsw') / 1e6").fetchone()
    size = f"{row[0]:,.0f} MB, {WORKERS} parallel workers asked for" if row else ""
    yield Row("index built", seconds, "s", reference=size)


def _search(connection: Connection, queries: Vectors, truth: NDArray[np.int64]) -> Iterator[Row]:
    """Raise the effort until the recall is reached."""
    connection.execute("SET hnsw.iterative_scan = 'relaxed_order'")
    for effort in EFFORTS:
        connection.execute(f"SET hnsw.ef_search = {effort}")
        for query in queries[:20]:
            _nearest(connection, query, TOP)
        times, shares = [], []
        for query, near in zip(queries, truth.tolist(), strict=True):
            clock = Clock()
            found = _nearest(connection, query, TOP)
            times.append(clock.seconds * 1000)
            shares.append(len(set(near) & set(found)) / TOP)
        recall = sum(shares) / len(shares)
        p50 = f"p50 {percentile(times, 0.5):.1f} ms, ef_search {effort}, {len(queries)} queries"
        yield Row(f"search p95 at recall@{TOP} {recall:.3f}", percentile(times, 0.95), "ms",
                  reference=p50)  # fmt: skip
        if recall >= RECALL:
            break
    yield Row(
        f"recall@{TOP}", recall, at_least=RECALL, reference="exact, by comparing all in numpy"
    )


def _filtered(connection: Connection, queries: Vectors) -> Iterator[Row]:
    """Ask for what one row in a hundred passes, by the vector index alone."""
    connection.execute("SET enable_sort = off")
    plan = "".join(
        row[0]
        for row in connection.execute(
            "EXPLAIN " + NEAREST.format(where="WHERE kind = 7"),
            (halfvec(connection, queries[0]), TOP),
        )
    )
    used = "by the vector index" if "vectors_hnsw" in plan else "WITHOUT the vector index"
    for limit in (TOP, 100):
        counts, times = [], []
        for query in queries:
            clock = Clock()
            counts.append(len(_nearest(connection, query, limit, "WHERE kind = 7")))
            times.append(clock.seconds * 1000)
        told = f"p95 {percentile(times, 0.95):.1f} ms, {used}"
        what = f"1 % filter: fewest found of {limit}"
        yield Row(what, min(counts), at_least=limit, reference=told)


def _nearest(connection: Connection, query: Vectors, limit: int, where: str = "") -> list[int]:
    rows = connection.execute(
        NEAREST.format(where=where), (halfvec(connection, query), limit)
    ).fetchall()
    return [row[0] for row in rows]
