"""Paired comparisons against values worked out by hand."""

import pytest

from evals import paired


def test_the_sign_test_is_the_binomial_tail() -> None:
    assert paired.sign_test(3, 0) == pytest.approx(1 / 8)
    assert paired.sign_test(2, 1) == pytest.approx(4 / 8)
    assert paired.sign_test(0, 0) == 1.0
    assert paired.sign_test(2, 0, chance=0.7) == pytest.approx(0.49)


def test_the_interval_of_a_constant_difference_is_that_difference() -> None:
    assert paired.interval([0.2] * 50) == pytest.approx((0.2, 0.2))
    assert paired.interval([]) == (0.0, 0.0)


def test_more_questions_make_the_bound_tighter() -> None:
    few, many = [1.0, -1.0] * 10, [1.0, -1.0] * 500
    assert paired.lower_bound(few) < paired.lower_bound(many) < 0


def test_no_gain_is_sure_of_a_constant_gain_and_unsure_of_none() -> None:
    assert paired.no_gain([0.1] * 50) == 0.0
    assert paired.no_gain([-0.1] * 50) == paired.no_gain([]) == 1.0
    assert 0.3 < paired.no_gain([1.0, -1.0] * 100) < 0.7


def test_a_few_far_out_values_no_longer_decide_a_mean() -> None:
    values = [0.1] * 95 + [-5.0] * 5
    assert sum(values) < 0 < sum(paired.winsorised(values))
    assert paired.winsorised([0.1, -0.1]) == [0.1, -0.1] and paired.winsorised([]) == []
