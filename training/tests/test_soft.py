import json

import pytest
import torch

from switchyard_training.batches import add_soft, category_target
from switchyard_training.data import row_of
from switchyard_training.labels import CATEGORIES, CATEGORY_INDEX
from switchyard_training.similarity import text_hash

ROW = {"id": "a", "text": "fix my loop", "label": "computer science", "alt": ["math"]}


def asked(name):
    return [1.0 if category == name else 0.0 for category in CATEGORIES]


def test_a_teacher_speaks_for_the_rows_that_its_file_knows(tmp_path):
    path = tmp_path / "soft.jsonl"
    path.write_text(json.dumps({"text": text_hash("fix my loop"), "probabilities": asked("math")}), encoding="utf-8")
    rows = [row_of(ROW, "own", "train"), row_of({**ROW, "text": "another"}, "own", "train")]
    assert add_soft(rows, path) == 1
    assert rows[0]["soft"] == asked("math") and rows[1]["soft"] is None


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_the_target_is_a_distribution_between_the_label_and_the_teacher(weight):
    row = {**row_of(ROW, "own", "train"), "soft": asked("law")}
    alone = category_target(row, 0.05)
    target = category_target(row, 0.05, weight)
    assert target.sum().item() == pytest.approx(1)
    law = CATEGORY_INDEX["law"]
    assert target[law].item() == pytest.approx((1 - weight) * alone[law].item() + weight)


def test_without_an_opinion_the_label_decides_alone():
    row = {**row_of(ROW, "own", "train"), "soft": None}
    assert torch.equal(category_target(row, 0.05, 0.7), category_target(row, 0.05))
