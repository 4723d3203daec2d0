"""Values as Postgres can hold them: texts, and vectors by pgvector's own adapter.

Knows nothing about tables.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pgvector import HalfVector
from pgvector.psycopg import register_vector

from store.database import Connection

if TYPE_CHECKING:  # the Slack edge reads answers too, and stays light without numpy
    import numpy as np
    from numpy.typing import NDArray

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]"
)
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2212\u2043", "-"))
FIRST_YEAR, LAST_YEAR = 1900, 2100
"""Of a page's date. What is outside is a slip or a trick, and some of it no driver can read back."""

_UNHELD = re.compile("[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Drop what Postgres cannot hold in a text: NUL, and halves of surrogate pairs."""
    return _UNHELD.sub("", text)


def searchable(text: str) -> str:
    """Give a text as it is compared: in its common form, without signs that nobody sees.

    Soft hyphens, joiners and marks of direction go; ligatures, full-width letters and odd hyphens
    and spaces become the usual ones. Documents and questions are treated alike; quotes stay as
    written.
    """
    if text.isascii():
        return text
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(_HYPHENS)


def readable(moment: datetime | None) -> datetime | None:
    """Give a date that a page can have; None for others, such as those that break the reading of a row."""
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    return moment


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
