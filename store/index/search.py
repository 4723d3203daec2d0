"""Retrieval: vectors and BM25, fused, filtered by who may see what, in two round trips
(three where a word of the question is unknown).

Knows nothing about encoders: it takes a question's text and its vector.
BM25 after Robertson & Zaragoza 2009, The Probabilistic Relevance Framework, section 3.
Fusion is the convex combination of Bruch et al. 2023, TOIS 42(1): cosines on a fixed scale, BM25 by its
theoretical minimum and maximum, so that a question whose words the corpus does not use leans on the
vectors by itself. Every candidate has both scores, whichever leg brought it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from store.database import Connection
from store.index import codes, dates, language, spelling
from store.records import Passage, Viewer
from store.values import halfvec, searchable

Leg = Literal["hybrid", "vector", "lexical"]

K1 = 1.2
B = 0.75
"""BM25's usual constants; measured on FeedbackQA with Postgres' English lexemes."""

DEPTH = 100
"""Candidates that each leg brings to the fusion."""

EXACT_CHUNKS = 10_000
"""Up to so many visible chunks a filtered search compares all of them (recall 1.0)."""

POSTINGS_BUDGET = 20_000
"""Postings read to find lexical candidates; commoner terms only score those candidates."""

MOST_POSTINGS = 25_000
"""Postings of one term that are read, where it is commoner than the budget and the only one: so many of the
chunks that say it most often, and so many of the newest that say it once."""

LEXICAL_CANDIDATES = 500

MAX_TERMS = 64
"""Distinct lexemes of a question that take part, the rarest first."""

UNLIKE, SAME = 0.1, 0.6
"""Cosines with a question that count as 0 and as 1: those of unrelated texts and of texts that say the same.

A fixed scale means the same in 200 chunks and in 20,000; the candidates' own minimum and maximum, used
before, made a small difference count four times as much in a large corpus. Half of sourcegraph's questions and
FeedbackQA's training questions chose it: nDCG@10 .650 -> .666 there. Measured for the packaged encoder."""

CERTAIN = 3
"""The best by words alone are always looked at: a hundred texts with like vectors may stand before them."""

GUESSED = 0.5
"""Weight of a lexeme that was not asked for: the acronym of some words, or a word that is spelt almost so."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What of the index a viewer may see: `hidden` tells whether anything is left out."""

    scope_ids: tuple[int, ...]
    embedder_id: int
    dims: int
    chunks: int
    hidden: int


@dataclass(frozen=True, slots=True)
class Terms:
    """A question's lexemes, rarest first, with their BM25 weights; `rare` of them find candidates.

    `unknown` lexemes stand in no chunk; `unknown_idf` is the weight that they would have together.
    `codes` are the lexemes of codes that are asked for, known or not, and of acronyms that the documents
    spell out (codes.py).
    """

    terms: tuple[str, ...]
    idf: tuple[float, ...]
    rare: int
    mean_length: float
    unknown: int
    unknown_idf: float
    codes: tuple[str, ...] = ()

    @property
    def ceiling(self) -> float:
        """The BM25 score that no chunk can reach: every lexeme there, without end."""
        return sum(self.idf) + self.unknown_idf or 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A prepared search; None for `scope` when nothing is indexed that the viewer may see."""

    scope: Scope | None
    terms: Terms

    def leg(self, wanted: Leg, encoder: int) -> Leg:
        """Give the leg to search with: words alone, where the index is by another encoder."""
        is_by_another = self.scope is not None and self.scope.embedder_id != encoder
        return "lexical" if is_by_another else wanted


_PREPARE = """
WITH visible AS (
    SELECT s.scope_id, s.chunks, s.terms, b.embedder_id, b.state = 'live'
           AND s.audience && %(principals)s::text[]
           AND (%(sources)s::text[] IS NULL OR b.source = ANY (%(sources)s::text[])) AS is_visible
    FROM scopes s LEFT JOIN builds b USING (workspace_id, build_id)
    WHERE s.workspace_id = %(workspace)s
), words AS (
    SELECT unnest(tsvector_to_array(to_tsvector('english', %(question)s))) AS lexeme
), known AS (
    SELECT t.term, t.chunks FROM (SELECT lexeme FROM words UNION SELECT unnest(%(codes)s::text[])) AS a
    JOIN term_stats t ON t.workspace_id = %(workspace)s AND t.term = a.lexeme WHERE t.chunks > 0
)
SELECT coalesce((SELECT array_agg(scope_id) FROM visible WHERE is_visible AND chunks > 0), '{}'),
       coalesce((SELECT sum(chunks) FROM visible WHERE is_visible), 0)::bigint,
       coalesce((SELECT sum(chunks) FROM visible), 0)::bigint,
       coalesce((SELECT sum(terms) FROM visible), 0)::bigint,
       coalesce((SELECT array_agg(term ORDER BY chunks, term) FROM known), '{}'),
       coalesce((SELECT array_agg(chunks ORDER BY chunks, term) FROM known), '{}'),
       coalesce((SELECT array_agg(lexeme ORDER BY lexeme) FROM words
                 WHERE lexeme NOT IN (SELECT term FROM known)), '{}'),
       e.embedder_id, e.dims
FROM (SELECT 1) AS one
LEFT JOIN embedders e ON e.workspace_id = %(workspace)s AND e.embedder_id =
     (SELECT embedder_id FROM visible WHERE is_visible AND chunks > 0 LIMIT 1)
"""

_EXACT = """
    SELECT chunk_id, 1 - (embedding <=> %(vector)s::halfvec) AS score FROM (
        SELECT chunk_id, embedding FROM chunks
        WHERE workspace_id = %(workspace)s AND scope_id = ANY (%(scopes)s) OFFSET 0
    ) AS mine ORDER BY embedding <=> %(vector)s::halfvec LIMIT %(depth)s
"""

_NEAREST = """
    SELECT chunk_id, 1 - distance AS score FROM (
        SELECT chunk_id, embedding::halfvec({dims}) <=> %(vector)s::halfvec({dims}) AS distance
        FROM chunks
        WHERE workspace_id = %(workspace)s AND embedder_id = {embedder} {visible}
        ORDER BY embedding::halfvec({dims}) <=> %(vector)s::halfvec({dims}) LIMIT %(depth)s
    ) AS near ORDER BY distance
"""

# A walk through the graph ends after so many chunks, which may all be hidden: then the visible ones are
# compared one by one. The walk's CTE is read first, so the planner leaves the comparison out otherwise.
_FILTERED = f"""
    SELECT chunk_id, max(score) AS score FROM (
        WITH walked AS MATERIALIZED ({_NEAREST})
        SELECT * FROM walked UNION ALL
        SELECT * FROM ({_EXACT}) AS compared
        WHERE (SELECT count(*) FROM walked) < least(%(depth)s, %(chunks)s)
    ) AS each GROUP BY chunk_id ORDER BY score DESC, chunk_id LIMIT %(depth)s
"""

_TF = "p.tf / (p.tf + %(k1)s::float8 * (1 - %(b)s::float8 + %(b)s::float8 * p.length / %(mean)s::float8))"

_LEXICAL = f"""
    SELECT chunk_id, sum(part) AS score FROM (
        SELECT c.chunk_id, c.part FROM found c
        UNION ALL
        SELECT c.chunk_id, t.idf * {_TF}
        FROM (SELECT DISTINCT chunk_id FROM found) c
        CROSS JOIN unnest(%(common)s::text[], %(common_idf)s::float8[]) AS t(term, idf)
        JOIN postings p ON p.workspace_id = %(workspace)s AND p.term = t.term
                       AND p.chunk_id = c.chunk_id
    ) AS parts GROUP BY chunk_id ORDER BY score DESC, chunk_id LIMIT %(depth)s
"""

# A word alone is looked for however common it is; what is read of it comes in order from an index.
_FOUND = f"""
    SELECT p.chunk_id, sum(t.idf * {_TF}) AS part
    FROM unnest(%(rare)s::text[], %(rare_idf)s::float8[]) AS t(term, idf)
    CROSS JOIN LATERAL (
        (SELECT p.chunk_id, p.tf, p.length FROM postings p
         WHERE p.workspace_id = %(workspace)s AND p.term = t.term AND p.tf > 1 {{visible}}
         ORDER BY p.tf DESC, p.length LIMIT {MOST_POSTINGS})
        UNION ALL
        (SELECT p.chunk_id, p.tf, p.length FROM postings p
         WHERE p.workspace_id = %(workspace)s AND p.term = t.term AND p.tf = 1 {{visible}}
         ORDER BY p.chunk_id DESC LIMIT {MOST_POSTINGS})
    ) AS p
    GROUP BY p.chunk_id ORDER BY part DESC, p.chunk_id LIMIT {LEXICAL_CANDIDATES}
"""

# What the other leg found has its cosine and its words looked up.
_COSINE = """
    coalesce(vec.score, (SELECT 1 - (c.embedding <=> %(vector)s::halfvec) FROM chunks c
                         WHERE c.workspace_id = %(workspace)s AND c.chunk_id = either.chunk_id))
"""

_BM25 = f"""
    coalesce(lex.score, (SELECT sum(t.idf * {_TF})
        FROM unnest(%(rare)s::text[] || %(common)s::text[],
                    %(rare_idf)s::float8[] || %(common_idf)s::float8[]) AS t(term, idf)
        JOIN postings p ON p.workspace_id = %(workspace)s AND p.term = t.term
                       AND p.chunk_id = either.chunk_id))
"""

_ABSENT = "NULL::float8"

_NONE = "SELECT NULL::bigint AS chunk_id, NULL::float8 AS score WHERE false"

_FUSE = """
WITH vec AS MATERIALIZED ({vec}), found AS MATERIALIZED ({found}), lex AS MATERIALIZED ({lex}),
scored AS (
    SELECT chunk_id, {cosine} AS vector, {bm25} AS lexical
    FROM (SELECT chunk_id FROM vec UNION SELECT chunk_id FROM lex) AS either
    LEFT JOIN vec USING (chunk_id) LEFT JOIN lex USING (chunk_id)
), best AS (
    SELECT *, row_number() OVER (ORDER BY lexical DESC NULLS LAST, chunk_id) <= {certain}
              AND lexical IS NOT NULL AS is_certain
    FROM (SELECT chunk_id, vector, lexical,
                 %(weight)s::float8 * coalesce(greatest(vector - {unlike}, 0) / ({same} - {unlike}), 0)
                 + (1 - %(weight)s::float8) * coalesce(lexical, 0) / %(ceiling)s::float8 AS score
          FROM scored) AS summed
    ORDER BY is_certain DESC, score DESC, chunk_id LIMIT %(limit)s
)
SELECT c.chunk_id, b.source, d.path, d.title, c.heading, coalesce(c.url, d.url), c.body,
       encode(c.text_hash, 'hex'), d.updated_at, c.position, best.score, best.vector, best.lexical,
       1 - (c.embedding <=> first_value(c.embedding) OVER (ORDER BY best.score DESC, c.chunk_id)),
       d.left_out,
       (SELECT coalesce(sum(t.idf * t.idf) / nullif(%(squares)s::float8, 0), 0)
        FROM unnest(%(rare)s::text[] || %(common)s::text[],
                    %(rare_idf)s::float8[] || %(common_idf)s::float8[]) AS t(term, idf)
        JOIN postings p ON p.workspace_id = %(workspace)s AND p.term = t.term
                       AND p.chunk_id = best.chunk_id)
FROM best
JOIN chunks c ON c.workspace_id = %(workspace)s AND c.chunk_id = best.chunk_id
JOIN documents d ON d.workspace_id = %(workspace)s AND d.document_id = c.document_id
JOIN builds b ON b.workspace_id = %(workspace)s AND b.build_id = d.build_id
ORDER BY best.score DESC, c.chunk_id
"""


def prepare(
    connection: Connection,
    workspace: str,
    question: str,
    viewer: Viewer,
    sources: Sequence[str] | None = None,
    *,
    budget: int = POSTINGS_BUDGET,
) -> Plan:
    """Look up what the viewer may see and how rare the question's lexemes are, in one round trip; a second one
    looks for words that are spelt almost like an unknown one."""
    question = searchable(question)
    wanted = dates.asked(question)
    words = language.told(dates.without(question))
    row = connection.execute(
        _PREPARE,
        {
            "workspace": workspace,
            "question": f"{words}\n{codes.parted(words)}",
            "codes": codes.asked(question),
            "principals": list(viewer.principals),
            "sources": None if sources is None else list(sources),
        },
    ).fetchone()
    assert row is not None
    scope_ids, visible, chunks, terms, known, counts, unknown, embedder_id, dims = row
    scope = Scope(tuple(scope_ids), embedder_id, dims, visible, chunks - visible)
    found = dict(zip(known, counts, strict=True))
    asked, exact = _chosen(found), _codes(question, wanted, found)
    # What stands for known words, or is one misspelt, is known; the parts of a date are no words of their own.
    parts = dates.spoken(question).lower().split()
    unknown = [
        word
        for word in unknown
        if codes.LONG + word not in asked and not any(part.startswith(word) for part in parts)
    ]
    near = spelling.nearest(connection, workspace, question, unknown) if scope_ids else {}
    strange = max(0, len(unknown) - len(near)) + len(_absent(wanted, found))
    weighed = [
        *(
            (count, term, GUESSED if term[0] in codes.MARKS and term not in exact else 1.0)
            for term, count in asked.items()
        ),
        *((count, term, GUESSED) for term, count in near.items() if term not in asked),
    ]
    weighed = sorted(weighed)[:MAX_TERMS]
    return Plan(
        scope if scope_ids else None,
        Terms(
            terms=tuple(term for _, term, _ in weighed),
            idf=tuple(share * inverse_frequency(chunks, count) for count, _, share in weighed),
            rare=_within(budget, [count for count, _, _ in weighed]),
            mean_length=terms / chunks if chunks and terms else 1.0,
            unknown=strange,
            unknown_idf=strange * inverse_frequency(chunks, 0),
            codes=tuple(sorted(exact)),
        ),
    )


def _chosen(found: Mapping[str, int]) -> dict[str, int]:
    """Leave out families, and acronyms that are words of the documents themselves."""
    return {
        term: count
        for term, count in found.items()
        if not term.endswith("#") and not (term.startswith(codes.LONG) and term[1:] in found)
    }


def _absent(wanted: Sequence[tuple[str, ...]], found: Mapping[str, int]) -> list[tuple[str, ...]]:
    """Give the dates of a question that no document has."""
    return [forms for forms in wanted if found.keys().isdisjoint(codes.CODE + f for f in forms)]


def _codes(question: str, wanted: Sequence[tuple[str, ...]], found: Mapping[str, int]) -> set[str]:
    """Give the lexemes of codes that are asked for: "err 4044" is one where the documents have others of
    err, an acronym where they have only the words that it stands for, a day where they have it in one form."""
    pairs = {
        code
        for code, family in codes.pairs(question).items()
        if codes.CODE + code in found or f"{codes.CODE}{family}#" in found
    }
    numbers = {number for number in codes.numbers(question) if codes.CODE + number in found}
    short = {codes.LONG + word for word in codes.acronyms(question) if word not in found}
    known = [
        [f for f in forms if codes.CODE + f in found] for forms in wanted if dates.is_day(forms)
    ]
    days = {forms[0] for forms in known if len(forms) == 1}
    exact = {codes.CODE + code for code in codes.named(question) | pairs | numbers | days}
    return exact | (short & found.keys())


def inverse_frequency(chunks: int, count: int) -> float:
    """Give BM25's weight of a term that stands in `count` of so many chunks, never below 0."""
    return math.log(1 + max(0.0, chunks - count + 0.5) / (count + 0.5))


def _within(budget: int, counts: Sequence[int]) -> int:
    """Count the rarest terms whose postings may all be read: at least one."""
    rare = 0
    for count in counts:
        budget -= count
        if budget < 0 and rare:
            break
        rare += 1
    return rare


def passages(
    connection: Connection,
    workspace: str,
    plan: Plan,
    vector: Sequence[float],
    *,
    weight: float,
    limit: int = 10,
    leg: Leg = "hybrid",
    exact: int = EXACT_CHUNKS,
) -> list[Passage]:
    """Find the best passages for a prepared search (one round trip).

    `vector` is the question's, by the index's own encoder; `weight` (0..1) is the vectors' share of
    the fused score; `leg` leaves one of the two out, for comparison.
    """
    scope = plan.scope
    if scope is None:
        return []
    terms = plan.terms
    query = _FUSE.format(
        vec=_NONE if leg == "lexical" else _vector_leg(scope, exact),
        found=_NONE.replace("score", "part") if leg == "vector" else _found(),
        lex=_NONE if leg == "vector" else _LEXICAL,
        cosine=_ABSENT if leg == "lexical" else _COSINE,
        bm25=_ABSENT if leg == "vector" else _BM25,
        certain=CERTAIN,
        unlike=UNLIKE,
        same=SAME,
    )
    rows = connection.execute(
        query,
        {
            "workspace": workspace,
            "vector": halfvec(connection, vector),
            "scopes": list(scope.scope_ids),
            "rare": list(terms.terms[: terms.rare]),
            "rare_idf": list(terms.idf[: terms.rare]),
            "common": list(terms.terms[terms.rare :]),
            "common_idf": list(terms.idf[terms.rare :]),
            "squares": sum(idf * idf for idf in terms.idf),
            "mean": terms.mean_length,
            "ceiling": terms.ceiling,
            "k1": K1,
            "b": B,
            "depth": DEPTH,
            "chunks": scope.chunks,
            "weight": {"hybrid": weight, "vector": 1.0, "lexical": 0.0}[leg],
            "limit": limit,
        },
    ).fetchall()
    return [Passage(*(*row[:-2], tuple(row[-2]), row[-1])) for row in rows]


def share(cosine: float) -> float:
    """Give a cosine with a question on the scale of the fused score: from 0 (unrelated) on, 1 for the same."""
    return max(cosine - UNLIKE, 0.0) / (SAME - UNLIKE)


def _vector_leg(scope: Scope, exact: int) -> str:
    if scope.hidden and scope.chunks <= exact:
        return _EXACT
    walk = _FILTERED if scope.hidden else _NEAREST
    return walk.format(dims=int(scope.dims), embedder=int(scope.embedder_id), visible=_visible(""))


def _found() -> str:
    return _FOUND.format(visible=_visible("p."))


def _visible(table: str) -> str:
    """Name the scopes that may be seen, also where they are all: another may have come in since."""
    return f"AND {table}scope_id = ANY (%(scopes)s)"


def likeness(
    connection: Connection, workspace: str, chunk_id: int, others: Sequence[int]
) -> dict[int, float]:
    """Give the cosines of chunks with one of them, by chunk id; only of the same encoder."""
    rows = connection.execute(
        "SELECT c.chunk_id, 1 - (c.embedding <=> one.embedding) FROM chunks one"
        " JOIN chunks c USING (workspace_id, embedder_id)"
        " WHERE workspace_id = %s AND one.chunk_id = %s AND c.chunk_id = ANY (%s::bigint[])",
        (workspace, chunk_id, list(others)),
    ).fetchall()
    return {row[0]: row[1] for row in rows}
