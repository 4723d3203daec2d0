"""Measures the product's search by vectors over 1,000,000 chunks, as one who sees all and as one who sees few.

Knows nothing about documents: chunks are made up, schema and queries are the product's.
"""

from collections.abc import Iterator

from tests.bench.lookups import nearest
from tests.bench.place import Place, Row, opened

CHUNKS = 1_000_000
FEW_CHUNKS = 80_000


def run(place: Place) -> Iterator[Row]:
    """Fill, index, search."""
    with opened() as services, services.database.connection() as connection:
        connection.autocommit = True
        yield from nearest(services, connection, place.size(CHUNKS), place.size(FEW_CHUNKS))
