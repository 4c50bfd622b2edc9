"""How often sets come, where the guard's cut lies, and what is measured of it."""

import math

import numpy as np
import pytest

from switchyard_training.batches import repeat
from switchyard_training.calibrate import FLAG_PROBABILITY, HARMLESS_FLAGGED, flag_cut, jailbreak_calibration
from switchyard_training.data import row_of
from switchyard_training.guard_scores import guard_scores, recall_at
from switchyard_training.metrics import calibration_noise, sigmoid


def row(name, jailbreak=None, set_name="own", style="terse"):
    return row_of(
        {"id": str(name), "text": f"text {name}", "label": "law", "jailbreak": jailbreak, "style": style}, set_name, "dev"
    )


def test_two_halves_of_a_set_are_the_whole_and_a_small_set_comes_often():
    rows = [row(i, set_name="mmlu") for i in range(10)] + [row(f"c{i}", set_name="chat") for i in range(3)]
    first, second = (repeat(rows, {"mmlu": 0.5, "chat": 2.0}, 7, epoch) for epoch in (0, 1))
    exams = [[one["id"] for one in drawn if one["set"] == "mmlu"] for drawn in (first, second)]
    assert sorted(exams[0] + exams[1]) == sorted(str(i) for i in range(10))
    assert [len(drawn) for drawn in (first, second)] == [11, 11]
    assert sum(one["id"] == "c1" for one in first) == 2
    assert repeat(rows, {"mmlu": 0.5, "chat": 2.0}, 7, 0) == first


def test_the_cut_spares_every_harmless_kind():
    logits = np.concatenate([np.linspace(-9, -5, 1000), np.linspace(-2, 0, 50)])
    cut = flag_cut(logits, ["exam"] * 1000 + ["chat"] * 50)
    assert (logits[:1000] >= cut).mean() == 0 and (logits[1000:] >= cut).mean() <= HARMLESS_FLAGGED


def test_the_shift_puts_the_cut_at_the_default_threshold():
    generator = np.random.default_rng(0)
    rows = (
        [row(i, 0) for i in range(300)]
        + [row(f"a{i}", 1) for i in range(100)]
        + [row(f"e{i}", set_name="chat") for i in range(200)]
    )
    logits = np.concatenate([generator.normal(-3, 1, 300), generator.normal(3, 1, 100), generator.normal(-2, 1, 200)])[:, None]
    fitted = jailbreak_calibration(logits, rows)
    probability = sigmoid(logits[:, 0] / fitted["temperature"] + fitted["shift"])
    assert (probability[:300] >= FLAG_PROBABILITY).mean() <= HARMLESS_FLAGGED
    assert (probability[400:] >= FLAG_PROBABILITY).mean() == pytest.approx(HARMLESS_FLAGGED, abs=0.006)
    assert (probability[300:400] >= FLAG_PROBABILITY).mean() > 0.9


def test_recall_at_a_share_of_false_positives():
    score = np.array([*range(100), 98.5, 99.5, 10.5])
    attempt = np.array([False] * 100 + [True] * 3)
    assert recall_at(score, attempt, 0.0) == pytest.approx(1 / 3)
    assert recall_at(score, attempt, 0.01) == pytest.approx(2 / 3)


def test_guard_scores_keep_lookalikes_apart():
    rows = (
        [row(i, 1) for i in range(5)] + [row(f"h{i}", 0) for i in range(5)] + [row(f"l{i}", 0, style="lookalike") for i in range(2)]
    )
    logits = np.array([4.0] * 5 + [-4.0] * 5 + [2.0, -2.0])
    others = {name: np.array([-5.0, 5.0]) for name in ("chat_test", "exam_test", "mmlu_test")}
    scores = guard_scores({"own_dev": rows}, {"own_dev": logits, **others}, 0.7, np.array([3.0, 3.0, -3.0, 3.0]))
    assert scores["auc"] == 1.0 and (scores["attempts"], scores["harmless"]) == (5, 7)
    flagged = {name: group["flagged"] for name, group in scores["groups"].items()}
    assert flagged["own_dev look-alikes"] == 0.5 and flagged["own_dev harmless"] == pytest.approx(1 / 7)
    assert flagged["in-the-wild attempts"] == 0.75 and flagged["chat_test"] == 0.5


def test_the_noise_of_a_small_set_is_larger():
    confidence = np.linspace(0.3, 0.99, 2000)
    assert calibration_noise(confidence[::20]) > 2 * calibration_noise(confidence)
    assert math.isclose(calibration_noise(np.ones(50)), 0.0)
