"""Values as Postgres can hold them: texts, and vectors by pgvector's own adapter.

Knows nothing about tables.
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pgvector import HalfVector
from pgvector.psycopg import register_vector

from store.database import Connection

if TYPE_CHECKING:  # the Slack edge reads answers too, and stays light without numpy
    import numpy as np
    from numpy.typing import NDArray

_UNHELD = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Drop what Postgres cannot hold in a text: NUL, and halves of surrogate pairs."""
    return _UNHELD.sub("", text)


def halfvec(connection: Connection, vector: "Sequence[float] | NDArray[np.float32]") -> HalfVector:
    """Give a vector of any length as a parameter of this connection, rounded to 16-bit floats."""
    adapt_vectors(connection)
    return HalfVector(list(vector) if isinstance(vector, Sequence) else vector)


def adapt_vectors(connection: Connection) -> None:
    """Let the connection take and give HalfVector; asks the server once in a connection's life.

    Not done for every new connection: most never see a vector, and the first ones are opened before
    the migrations have made the type.
    """
    if connection.adapters.types.get("halfvec") is None:
        register_vector(connection)
