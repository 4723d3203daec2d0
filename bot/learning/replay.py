"""Questions searched for again, with each candidate's score taken apart into its shares, so that other
weights can be tried on them without a further search.

Knows nothing about votes, or about what the weights are tried for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.answering import ranking
from bot.answering.answerer import Answerer
from bot.answering.parameters import Serving
from bot.services import Services
from store.database import Connection
from store.index import search
from store.records import Passage, Viewer

POOL = 40
"""Candidates kept of each question: more than are shown, so that other weights may put another one first."""

HALF = 0.5
"""The vectors' share in the search for the candidates, whatever share serves."""

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replay:
    """A question's candidates, and a (candidates, 3) table of their vector, lexical and title shares, 0..1; the
    codes that it asks for."""

    passages: tuple[Passage, ...]
    table: Table
    codes: tuple[str, ...] = ()


def answerer_in(services: Services, workspace: str) -> Answerer:
    """Give what answers in a workspace of its own, by what serves there."""
    serving = Serving(services.database, workspace)
    return Answerer(
        services.database, workspace, services.embedder, serving, reader=services.reader
    )


def replay(
    connection: Connection,
    workspace: str,
    question: str,
    viewer: Viewer,
    vector: Sequence[float],
    sources: Sequence[str] | None = None,
) -> Replay:
    """Search in `sources` (None: in all), and work out the shares from the fused scores; costs two round
    trips to the database."""
    plan = search.prepare(connection, workspace, question, viewer, sources)
    found = search.passages(connection, workspace, plan, vector, weight=HALF, limit=POOL)
    ceiling = plan.terms.ceiling
    rows = [
        (
            (p.score - (1 - HALF) * (p.lexical or 0.0) / ceiling) / HALF,
            (p.lexical or 0.0) / ceiling,
            ranking.title_share(p, plan.terms),
        )
        for p in found
    ]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 3)
    return Replay(tuple(found), table, tuple(plan.terms.codes))
