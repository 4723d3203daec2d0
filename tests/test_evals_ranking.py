"""Metrics are checked against values worked out by hand."""

import pytest

from evals import answers, ranking


def test_ndcg_discounts_by_rank_and_divides_by_the_ideal_order() -> None:
    # Gains 2 and 1 found at ranks 2 and 3: (2/log2(3) + 1/log2(4)) / (2/log2(2) + 1/log2(3)).
    found = ranking.ndcg(["x", "a", "b"], {"a": 2, "b": 1}, 10)
    assert found == pytest.approx((2 / 1.58496 + 0.5) / (2 + 1 / 1.58496), abs=1e-4)


def test_recall_counts_relevant_documents_within_k() -> None:
    assert ranking.recall(["x", "a", "b"], {"a": 1, "b": 1, "c": 0}, 2) == 0.5


def test_a_question_without_a_ranking_scores_zero() -> None:
    scores = ranking.scores({"q1": ["a"]}, {"q1": {"a": 1}, "q2": {"b": 1}})
    assert scores["mrr@10"] == 0.5
    assert scores["ndcg@10"] == 0.5


def _row(answerable: bool, path: str | None = None, quote: str | None = None) -> answers.Labelled:
    return answers.Labelled("q", "text", answerable, path, quote)


def _said(refused: bool, page: str = "a.md", quote: str = "It is **ten** days.") -> answers.Outcome:
    return answers.Outcome(0.8, refused, (page,), (quote,))


def test_crag_pays_for_right_answers_and_charges_for_wrong_ones() -> None:
    rows = [
        _row(True, "a.md", "ten days"),
        _row(True, "b.md", "ten days"),
        _row(False),
        _row(False),
    ]
    card = answers.score(rows, [_said(False), _said(False), _said(True), _said(False)])
    assert card.crag == pytest.approx((1 - 1 + 0 - 1) / 4)
    assert card.quote_first == 0.5
    assert card.refused_unanswerable == 0.5


def test_a_quote_is_recognised_through_markup_and_line_breaks() -> None:
    assert answers.holds("It is **ten**\ndays, see [the page](x.md).", "ten days, see the page")


def test_coverage_is_the_largest_share_that_keeps_the_accuracy() -> None:
    # Most confident first: right, right, wrong, right, right -> 4 of 5 right at depth 5.
    ranked = [(0.9, True), (0.8, True), (0.7, False), (0.6, True), (0.5, True)]
    assert answers.coverage(ranked, 0.8) == 1.0
    assert answers.coverage(ranked[:3], 0.8) == pytest.approx(2 / 3, abs=1e-4)
