import numpy as np
import pytest

from switchyard_training.kinds import Kind, fit_temperatures, temperature_at
from switchyard_training.metrics import softmax


def test_each_kind_gets_the_scale_that_was_put_in():
    generator = np.random.default_rng(3)
    logits = generator.normal(size=(20_000, 5)) * 2
    cumulative = softmax(logits).cumsum(1)
    gold = np.minimum((generator.random((20_000, 1)) > cumulative).sum(1), 4)
    # Four prompts to an exam question: neither kind pays for the other, whatever their numbers.
    is_exam = np.arange(20_000) % 5 == 0
    sharpened = logits * np.where(is_exam, 1.6, 0.7)[:, None]
    prompts, exams = fit_temperatures(sharpened, gold, is_exam.astype(float), is_exam)
    assert prompts == pytest.approx(0.7, rel=0.05)
    assert exams == pytest.approx(1.6, rel=0.1)


def test_a_text_between_the_kinds_gets_a_temperature_between():
    np.testing.assert_allclose(temperature_at(np.array([0.0, 0.5, 1.0]), 0.5, 2.0), [0.5, 1.0, 2.0])
    kind = Kind(np.array([1.0, -2.0], np.float32), 0.5)
    np.testing.assert_allclose(kind.exam(np.array([[1.0, 1.0], [1.5, 1.0]])), [1 / (1 + np.exp(0.5)), 0.5])
