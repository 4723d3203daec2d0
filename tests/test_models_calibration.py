"""Calibration and the baseline on numbers that are known beforehand."""

from pathlib import Path

import numpy as np
import pytest

from models.intents import baseline, calibration
from models.intents.calibration import Calibration


def noisy(rows: int, sharpness: float) -> tuple[calibration.Logits, calibration.Classes]:
    """Logits whose softmax at temperature 1 is the truth's distribution, made `sharpness` x."""
    chance = np.random.default_rng(0)
    logits = chance.normal(size=(rows, 4)).astype(np.float32) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = np.array([chance.choice(4, p=row / row.sum()) for row in p.astype(np.float64)])
    return logits * sharpness, truth


def test_the_temperature_of_too_sharp_logits_is_found() -> None:
    logits, truth = noisy(4000, sharpness=3.0)
    assert calibration.fit_temperature(logits, truth) == pytest.approx(3.0, rel=0.1)


def test_calibration_makes_confidence_honest() -> None:
    logits, truth = noisy(4000, sharpness=3.0)
    right = logits.argmax(1) == truth
    before = calibration.ece(Calibration().confidences(logits).max(1), right)
    found = calibration.calibrate(logits, truth)
    assert before > 0.1
    assert calibration.ece(found.confidences(logits).max(1), right) < 0.03


def test_the_threshold_rejects_five_percent_of_what_is_in_scope() -> None:
    logits, truth = noisy(2000, sharpness=1.0)
    rejected = calibration.calibrate(logits, truth).in_scope(logits) < 0.5
    assert rejected.mean() == pytest.approx(0.05, abs=0.002)


def test_too_few_rows_reject_nothing() -> None:
    logits, truth = noisy(5, sharpness=1.0)
    assert (calibration.calibrate(logits, truth).in_scope(logits - 100) > 0.99).all()


def test_ece_by_hand() -> None:
    confidence, right = np.array([0.9, 0.9, 0.1, 0.1]), np.array([True, False, False, False])
    assert calibration.ece(confidence, right, bins=2) == pytest.approx((0.4 + 0.1) / 2)


@pytest.mark.parametrize("intents", [2, 3, 5])
def test_the_baseline_learns_and_survives_the_disk(intents: int, tmp_path: Path) -> None:
    truth = np.repeat(np.arange(intents), 20)
    chance = np.random.default_rng(1)
    vectors = (np.eye(8)[truth] + chance.normal(size=(len(truth), 8)) * 0.1).astype(np.float32)
    model = baseline.fit(vectors, truth, intents, 10.0)
    assert (model.logits(vectors).argmax(1) == truth).all()
    baseline.save(model, tmp_path)
    assert np.array_equal(baseline.load(tmp_path).logits(vectors), model.logits(vectors))


def test_an_intent_without_a_row_is_never_predicted() -> None:
    vectors = np.eye(4, dtype=np.float32)
    model = baseline.fit(vectors, np.array([0, 0, 2, 2]), 3, 10.0)
    assert set(model.logits(vectors).argmax(1)) == {0, 2}
    alone = baseline.fit(vectors, np.array([1, 1, 1, 1]), 3, 10.0)
    assert set(alone.logits(vectors).argmax(1)) == {1}


def test_the_low_end_by_hand() -> None:
    energies = np.arange(39.0)[::-1]
    # floor(.05 * 40) = 2: the second smallest.
    assert calibration.low_end(energies) == 1.0
    assert calibration.low_end(energies[:19]) == 20.0
    assert calibration.low_end(energies[:18]) == calibration.NOTHING_REJECTED


def test_few_rows_reject_five_percent_of_new_ones_on_average() -> None:
    chance = np.random.default_rng(0)
    ends = [calibration.low_end(chance.normal(size=59)) for _ in range(2000)]
    rejected = (chance.normal(size=(2000, 50)) < np.array(ends)[:, None]).mean()
    assert rejected == pytest.approx(3 / 60, abs=0.004)


def test_the_threshold_rises_with_what_more_rows_teach() -> None:
    fewer = np.random.default_rng(0).normal(size=200)
    assert calibration.lift(fewer, fewer * 2 + 8) > 1
    assert calibration.lift(fewer, fewer - 1) == 0
    assert calibration.lift(fewer[:5], fewer[:5] + 1) == 0
    logits, truth = noisy(200, sharpness=1.0)
    plain, lifted = (calibration.calibrate(logits, truth, lift=by) for by in (0.0, 0.5))
    assert lifted.threshold == pytest.approx(plain.threshold + 0.5 * plain.scale)


def test_what_is_out_of_scope_gets_little_energy_and_no_class() -> None:
    truth = np.repeat([0, 1, -1], 20)
    chance = np.random.default_rng(1)
    vectors = (np.eye(8)[truth] + chance.normal(size=(60, 8)) * 0.1).astype(np.float32)
    logits = baseline.fit(vectors, truth, 2, 10.0).logits(vectors)
    assert logits.shape == (60, 2) and (logits.argmax(1)[:40] == truth[:40]).all()
    energies = calibration.energy(logits)
    assert energies[:40].min() > 0 > energies[40:].max()
