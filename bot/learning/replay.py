"""Questions asked again as tables of numbers, so that weights can be tried on them without a search.

Knows nothing about votes or gates.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import TupleRow

from bot.answering import ranking
from store.index import search
from store.records import Passage, Viewer

POOL = 40
"""Passages that a weight can choose from: more than are shown, so that a changed one may win."""

HALF = 0.5
"""The vectors' share in the search that fills the pool, whatever serves."""

Table = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Replay:
    """A question's candidates: `table` has a row each, (vector, lexical, title) shares of 0..1."""

    passages: tuple[Passage, ...]
    table: Table


def replay(
    connection: psycopg.Connection[TupleRow],
    workspace: str,
    question: str,
    viewer: Viewer,
    vector: Sequence[float],
) -> Replay:
    """Search once more and take the fused scores apart (two round trips)."""
    plan = search.prepare(connection, workspace, question, viewer)
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
    return Replay(tuple(found), np.array(rows, dtype=np.float64).reshape(len(rows), 3))
