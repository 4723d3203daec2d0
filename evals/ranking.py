"""Metrics of ranked lists: nDCG@k, recall@k, MRR@k, as in BEIR (Thakur et al. 2021) and TREC.

Knows nothing about where the rankings come from.
"""

import math
from collections.abc import Mapping, Sequence

Qrels = Mapping[str, Mapping[str, int]]
"""Question id -> document id -> gain (0 = judged, not relevant)."""


def ndcg(ranking: Sequence[str], gains: Mapping[str, int], k: int) -> float:
    """Give the discounted gain of the first k, over that of the ideal order (Järvelin 2002), 0..1."""
    ideal = sum(
        g / math.log2(i + 2) for i, g in enumerate(sorted(gains.values(), reverse=True)[:k])
    )
    found = sum(gains.get(doc, 0) / math.log2(i + 2) for i, doc in enumerate(ranking[:k]))
    return found / ideal if ideal else 0.0


def recall(ranking: Sequence[str], gains: Mapping[str, int], k: int) -> float:
    """Give the share of the relevant documents that stand in the first k, 0..1."""
    relevant = {doc for doc, gain in gains.items() if gain > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], gains: Mapping[str, int], k: int) -> float:
    """Give 1 / rank of the first relevant document within the first k, else 0."""
    for rank, doc in enumerate(ranking[:k], start=1):
        if gains.get(doc, 0) > 0:
            return 1 / rank
    return 0.0


def scores(rankings: Mapping[str, Sequence[str]], qrels: Qrels) -> dict[str, float]:
    """Average the metrics over the judged questions; a question without a ranking scores 0."""
    asked = [q for q, gains in qrels.items() if any(g > 0 for g in gains.values())]
    totals = {"ndcg@10": 0.0, "recall@5": 0.0, "recall@10": 0.0, "recall@100": 0.0, "mrr@10": 0.0}
    for question in asked:
        ranking, gains = rankings.get(question, ()), qrels[question]
        totals["ndcg@10"] += ndcg(ranking, gains, 10)
        totals["mrr@10"] += reciprocal_rank(ranking, gains, 10)
        for k in (5, 10, 100):
            totals[f"recall@{k}"] += recall(ranking, gains, k)
    return {name: round(total / len(asked), 4) if asked else 0.0 for name, total in totals.items()}
