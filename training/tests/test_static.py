import json

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from switchyard_training.data import row_of
from switchyard_training.files import sha256_file
from switchyard_training.labels import CATEGORIES, CATEGORY_INDEX
from switchyard_training.package import add_static
from switchyard_training.slices import length_name, no_category_scores, slices
from switchyard_training.static import StaticOptions, fit
from switchyard_training.table import StaticTable, features, quantise, read_table, write_table

LABELS = len(CATEGORIES)


def row(label, alt=(), style=None):
    return row_of({"id": label, "text": "t", "label": label, "alt": list(alt), "style": style}, "own", "dev")


def test_tokens_and_their_pairs_count_by_the_logarithm_and_the_text_has_length_1():
    rows, weights = features([101, 7, 5, 7, 102], vocabulary=10, pair_rows=1000)
    pairs = sorted([10 + (7 * 31_337 + 5 * 7_919) % 1000, 10 + (5 * 31_337 + 7 * 7_919) % 1000])
    values = np.array([1, 1 + np.log(2), 1, 1])
    assert rows.tolist() == [5, 7, *pairs]
    assert weights == pytest.approx(values / np.linalg.norm(values))


def test_a_text_without_tokens_gets_the_bias():
    bias = np.arange(LABELS, dtype=np.float32)
    table = StaticTable(np.ones((7, LABELS), np.int8), np.ones(LABELS, np.float32), bias, vocabulary=3)
    assert table.logits([101, 102]) == pytest.approx(bias)
    assert table.logits([101, 2, 102]) == pytest.approx(bias + 1)


def test_a_table_comes_back_from_its_file(tmp_path):
    table = quantise(np.random.default_rng(1).normal(size=(9, LABELS)), np.arange(LABELS), 5)
    write_table(table, tmp_path / "table")
    again = read_table(tmp_path / "table")
    assert again.vocabulary == 5
    assert again.logits([101, 1, 4, 102]) == pytest.approx(table.logits([101, 1, 4, 102]))


def test_a_table_of_another_format_is_refused(tmp_path):
    tensors = {"weights": np.zeros((2, LABELS), np.int8), "scale": np.ones(LABELS, np.float32), "bias": np.ones(LABELS, np.float32)}
    save_file(tensors, tmp_path / "table", metadata={"format": "switchyard-static-2", "tokens": "1"})
    with pytest.raises(SystemExit, match="run `static` again"):
        read_table(tmp_path / "table")


def test_int8_loses_at_most_half_a_step():
    weights = np.random.default_rng(0).normal(size=(50, LABELS)).astype(np.float32)
    table = quantise(weights, np.zeros(LABELS), 50)
    assert np.abs(table.weights * table.scale - weights).max() <= table.scale.max() / 2 + 1e-6
    assert np.abs(table.weights).max() == 127


def test_a_run_learns_which_token_means_what_and_leaves_the_others_at_zero():
    rows = [{**row(label), "set": "own"} for label in ("law", "math") * 64]
    texts = [features([101, 1 if one["label"] == "law" else 2, 102], 4, 1) for one in rows]
    targets = torch.zeros(len(rows), LABELS)
    for index, one in enumerate(rows):
        targets[index, CATEGORY_INDEX[one["label"]]] = 1
    options = StaticOptions(epochs=4, batch_size=16, token_dropout=0, repeats={})
    weights, bias = fit(rows, texts, targets, 4, options, 0)
    assert (weights[1] + bias).argmax() == CATEGORY_INDEX["law"]
    assert (weights[2] + bias).argmax() == CATEGORY_INDEX["math"]
    assert not weights[[0, 3]].any()
    again, _ = fit(rows, texts, targets, 4, options, 0)
    assert np.array_equal(weights, again)


def test_a_table_of_another_tokenizer_is_refused(tmp_path):
    static, out = tmp_path / "static", tmp_path / "out"
    static.mkdir(), out.mkdir()
    (out / "tokenizer.json").write_text("{}")
    (static / "static.safetensors").write_bytes(b"table")
    (static / "static.json").write_text(json.dumps({"tokenizer_sha256": "0" * 64}))
    with pytest.raises(SystemExit, match="another tokenizer"):
        add_static(static, out)
    (static / "static.json").write_text(json.dumps({"tokenizer_sha256": sha256_file(out / "tokenizer.json")}))
    add_static(static, out)
    assert (out / "static.safetensors").read_bytes() == b"table"


@pytest.mark.parametrize(("tokens", "name"), [(3, "up to 8"), (8, "up to 8"), (9, "9–16"), (255, "129–255"), (256, "256 and more")])
def test_lengths_have_names(tokens, name):
    assert length_name(tokens) == name


def test_what_happens_to_prompts_without_a_category():
    probabilities = np.full((4, LABELS), 0.01)
    for index, (label, p) in enumerate([("other", 0.9), ("law", 0.9), ("law", 0.5), ("math", 0.9)]):
        probabilities[index, CATEGORY_INDEX[label]] = p
    rows = [row("other"), row("other"), row("other"), row("other", alt=["math"])]
    scores = no_category_scores(probabilities, rows)
    assert (scores["told"], scores["unsure"], scores["misled"]) == (0.25, 0.25, 0.25)


def test_slices_hold_every_row_once():
    rows = [row("law", style="terse"), row("math", style="log"), row("other", style="terse")]
    logits = 9.0 * np.eye(LABELS)[[CATEGORY_INDEX["law"], CATEGORY_INDEX["law"], CATEGORY_INDEX["other"]]]
    found = slices(logits, rows, [[1] * 5, [1] * 20, [1] * 256])
    assert {name: part["rows"] for name, part in found["by_length"].items()} == {"up to 8": 1, "17–32": 1, "256 and more": 1}
    assert {name: part["accuracy"] for name, part in found["by_style"].items()} == {"terse": 1.0, "log": 0.0}
    assert found["no_category"]["rows"] == 1
