"""Encode what people judged and kept anew once another encoder serves, so that nothing learned is lost.

Knows nothing about when encoders are changed or how documents are encoded.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from store.feedback import stale
from store.index import embedders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bot.services import Services

    Encode = Callable[[Sequence[str]], NDArray[np.float32]]

BATCH = 256
"""Questions per transaction, and of each kind: what a kill in the middle repeats at most."""


def renew(services: "Services", encode: "Encode") -> int:
    """Encode judged questions and those of kept replies that have another encoder's vector; gives how
    many. Does nothing while the encoder before still serves. Safe to run again, and to be killed."""
    embedder, workspace, done = services.embedder, services.workspace, 0
    with services.database.connection() as connection:
        if embedders.serving(connection, workspace) != embedder.name:
            return 0
    number = embedders.embedder_id(embedder.name)
    while True:
        with services.database.connection() as connection:
            found = stale.outdated(connection, workspace, number, BATCH)
        if not found:
            return done
        encoded = encode([one.question for one in found]).tolist()
        with services.database.connection() as connection:
            stale.renew(connection, workspace, number, found, encoded)
        done += len(found)
