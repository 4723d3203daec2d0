"""The logistic model behind the confidence, and the thresholds for a stated cost."""

import numpy as np
import pytest

from models import confidence
from models.confidence import Logistic


def drawn(truth: Logistic, count: int) -> tuple[list[dict[str, float]], list[bool]]:
    chance = np.random.default_rng(0)
    rows = [{"a": float(x), "b": 50 * float(y)} for x, y in chance.normal(size=(count, 2))]
    return rows, [bool(chance.random() < truth.probability(row)) for row in rows]


def test_a_fit_finds_the_weights_on_the_signals_own_scale() -> None:
    truth = Logistic(-0.5, {"a": 1.5, "b": 0.02})
    found = confidence.fit(*drawn(truth, 4000))
    assert found.intercept == pytest.approx(-0.5, abs=0.15)
    assert found.weights["a"] == pytest.approx(1.5, rel=0.15)
    assert found.weights["b"] == pytest.approx(0.02, rel=0.2)


def test_few_rows_leave_a_fit_near_its_prior_and_many_do_not() -> None:
    truth, prior = Logistic(0.0, {"a": 0.0, "b": 0.0}), Logistic(0.0, {"a": 2.0, "b": 0.0})
    few = confidence.fit(*drawn(truth, 8), prior=prior, strength=20.0)
    many = confidence.fit(*drawn(truth, 4000), prior=prior, strength=20.0)
    assert few.weights["a"] > 1.2
    assert abs(many.weights["a"]) < 0.2


def test_a_signal_that_never_moves_keeps_its_prior() -> None:
    rows = [{"a": float(n), "still": 1.0} for n in range(20)]
    found = confidence.fit(rows, [n >= 9 for n in range(20)], prior=Logistic(0.0, {"still": 0.7}))
    assert found.weights["still"] == 0.7


def test_one_outcome_alone_teaches_nothing() -> None:
    with pytest.raises(ValueError, match="right and wrong"):
        confidence.fit([{"a": 1.0}, {"a": 2.0}], [True, True])


def test_thresholds_follow_the_cost() -> None:
    """Nine of ten are right above .8, six of ten above .5, one of ten below."""
    sure = [(0.9, n < 9) for n in range(10)]
    half = [(0.6, n < 6) for n in range(10)]
    poor = [(0.2, n < 1) for n in range(10)]
    rows = [*sure, *half, *poor]
    answer, unsure = confidence.thresholds([p for p, _ in rows], [r for _, r in rows])
    assert (answer, unsure) == (0.9, 0.6)


def test_rows_that_count_more_decide() -> None:
    rows = [(0.9, True)] * 5 + [(0.4, False)] * 3 + [(0.4, True)] * 2
    chances, right = [p for p, _ in rows], [r for _, r in rows]
    weights = [1.0 if p > 0.5 else 0.2 if not r else 9.0 for p, r in rows]
    assert confidence.thresholds(chances, right)[1] == 0.9
    assert confidence.thresholds(chances, right, weights)[1] == 0.4


def test_what_is_improbable_is_not_shown_however_the_questions_fell() -> None:
    chances = [0.9, 0.8, 0.7, 0.2, 0.1, 0.05]
    _, unsure = confidence.thresholds(chances, [True] * len(chances))
    assert unsure == confidence.LEAST
