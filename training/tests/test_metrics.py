import math

import numpy as np
import pytest

from switchyard_training.metrics import auc, calibration_error, fit_temperature, interval, macro_f1, softmax


def test_calibration_error_of_a_forecaster_that_is_always_sure():
    assert calibration_error(np.ones(10), np.array([1] * 7 + [0] * 3)) == pytest.approx(0.3)
    assert calibration_error(np.array([0.5, 0.5]), np.array([1, 0])) == pytest.approx(0.0)


def test_fit_temperature_finds_the_scale_that_was_put_in():
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(20_000, 5)) * 2
    cumulative = softmax(logits).cumsum(1)
    gold = np.minimum((generator.random((20_000, 1)) > cumulative).sum(1), 4)
    assert fit_temperature(logits * 1.7, gold, ["exam"] * 20_000) == pytest.approx(1.7, rel=0.05)


def test_auc_counts_ties_half():
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])) == pytest.approx(0.75)
    assert auc(np.array([1.0, 1.0]), np.array([0, 1])) == pytest.approx(0.5)
    assert math.isnan(auc(np.array([1.0, 2.0]), np.array([1, 1])))


def test_macro_f1_weighs_labels_equally():
    assert macro_f1(np.array([0, 0, 0, 0]), np.array([0, 0, 0, 1])) == pytest.approx((6 / 7) / 2)


def test_interval_holds_the_mean_and_repeats():
    values = np.array([1.0] * 80 + [0.0] * 20)
    low, high = interval(values)
    assert low < 0.8 < high and (low, high) == interval(values)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.16 / 100), rel=0.15)
