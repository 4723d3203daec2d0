"""Encodes what is served with the second encoder, bit by bit, while the first one serves alone.

Knows nothing about jobs. What is done is stored every few texts, so a kill at any point costs these alone.
"""

from bot.services import Services
from ingest.embedder import Encode
from ingest.splitting.chunks import embedded
from store.index import second
from store.index.embedders import embedder_id

LOOKED_AT = 500
"""Chunks that are looked at together for texts without a vector."""

TOGETHER = 8
"""Texts encoded and stored together: some seconds of a large encoder's time."""


def fill(services: Services, encode: Encode | None = None) -> int:
    """Give every served text a vector of the second encoder; gives how many were encoded.

    `encode` may stand in for the encoder's own, to give way to questions. Vectors of texts that are gone are
    deleted at the end. Does nothing where there is no second encoder.
    """
    if services.second is None:
        return 0
    import numpy as np

    workspace, number = services.workspace, embedder_id(services.second.name)
    encode = encode or services.second.encode
    after = done = 0
    while True:
        with services.database.connection() as connection:
            look = second.lacking(connection, workspace, number, after, LOOKED_AT)
        if look.last is None:
            break
        texts = sorted(look.lacking, key=lambda text: len(text.body))
        for start in range(0, len(texts), TOGETHER):
            part = texts[start : start + TOGETHER]
            vectors = encode([embedded(t.title, t.heading, t.body) for t in part])
            rows = {t.text_hash: np.asarray(v) for t, v in zip(part, vectors, strict=True)}
            with services.database.connection() as connection:
                second.add(connection, workspace, number, rows)
            done += len(rows)
        after = look.last
    with services.database.connection() as connection:
        second.prune(connection, workspace, number)
    return done
