"""Values on their way into Postgres and back: odd texts, and vectors as pgvector keeps them."""

import numpy as np
import pytest

from store.database import Database
from store.values import halfvec, storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a\x00b", "ab"),
        ("half \ud83e a pair", "half  a pair"),
        ("\udca6\ud83e", ""),
        ("🦜 is one sign", "🦜 is one sign"),
    ],
)
def test_what_postgres_cannot_hold_is_dropped_and_nothing_else(
    database: Database, text: str, kept: str
) -> None:
    with database.connection() as connection:
        assert connection.execute("SELECT %s", (storable(text),)).fetchone() == (kept,)


@pytest.mark.parametrize("binary", [True, False])
def test_a_vector_comes_back_as_sixteen_bits_hold_it(database: Database, binary: bool) -> None:
    vector = np.array([0.1, -1 / 3, 0.0, 1e-9, 60_000.0], dtype=np.float32)
    with database.connection() as connection:
        for given in (vector, vector.tolist(), tuple(vector.tolist())):
            row = connection.execute(
                "SELECT %s::halfvec", (halfvec(connection, given),), binary=binary
            ).fetchone()
            assert row
            assert np.array_equal(row[0].to_numpy(), vector.astype(np.float16))


def test_a_connection_that_is_older_than_the_type_takes_vectors(database: Database) -> None:
    with database.reading() as connection:
        connection.execute("DROP EXTENSION vector CASCADE")
        connection.execute("CREATE EXTENSION vector")
        row = connection.execute("SELECT %s::halfvec <-> '[3,4]'", (halfvec(connection, [0.0, 0]),))
        assert row.fetchone() == (5.0,)
