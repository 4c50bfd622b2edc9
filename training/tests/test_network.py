"""The graph as a whole, on a random two-layer encoder: export, int8, batching, and resuming a run."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig

from switchyard_training.batches import category_target, to_batch
from switchyard_training.data import row_of
from switchyard_training.export import FP32_NAME, INT8_NAME, export
from switchyard_training.files import sha256_file, write_json, write_jsonl
from switchyard_training.kinds import Kind, temperature_at
from switchyard_training.labels import CATEGORIES
from switchyard_training.model import Network, load_checkpoint, save_checkpoint
from switchyard_training.options import Options
from switchyard_training.similarity import hash_of, text_hash
from switchyard_training.smooth import largest_inputs, smooth
from switchyard_training.table import REPORT_NAME, TABLE_NAME, quantise, write_table
from switchyard_training.train import train
from switchyard_training.window import cut, pad

WORDS = "[PAD] [UNK] [CLS] [SEP] what is the of a cell law sum force loop price gene proof".split()


@pytest.fixture
def checkpoint(tmp_path):
    torch.manual_seed(1)
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        attn_implementation="eager",
    )
    folder = tmp_path / "checkpoint"
    save_checkpoint(Network(config), folder, {"trained_heads": ["category", "difficulty", "jailbreak"]})
    tokenizer.save(str(folder / "tokenizer.json"))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "is_local": True})
    return folder


def test_exported_graphs_say_what_the_network_says(checkpoint, tmp_path):
    write_json(checkpoint / "calibration.json", {"temperatures": {"category": 2.0}, "jailbreak_threshold": 0.7})
    export(checkpoint, tmp_path / "onnx", ["what is the law of a cell", "sum of a loop"])
    ids, mask = pad([[2, 5, 6, 7, 3], [2, 9, 3], [2, 10, 11, 12, 13, 14, 15, 3]])
    network, _ = load_checkpoint(checkpoint)
    with torch.inference_mode():
        heads = network(torch.tensor(ids), torch.tensor(mask))
    session = onnxruntime.InferenceSession(str(tmp_path / "onnx" / FP32_NAME))
    category, difficulty, embedding, jailbreak = session.run(None, {"input_ids": ids, "attention_mask": mask})
    assert [output.name for output in session.get_outputs()] == ["category", "difficulty", "embedding", "jailbreak"]
    np.testing.assert_allclose(category * 2.0, heads.category.numpy(), atol=1e-5)
    np.testing.assert_allclose(difficulty, heads.difficulty.numpy(), atol=1e-5)
    np.testing.assert_allclose(jailbreak, heads.jailbreak.numpy(), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1.0, atol=1e-5)
    alone = session.run(["category"], {"input_ids": ids[1:2, :3], "attention_mask": mask[1:2, :3]})[0]
    np.testing.assert_allclose(alone[0], category[1], atol=1e-5)
    int8 = onnxruntime.InferenceSession(str(tmp_path / "onnx" / INT8_NAME))
    quantised = int8.run(["category"], {"input_ids": ids, "attention_mask": mask})[0]
    np.testing.assert_allclose(quantised, category, atol=0.1)


def test_the_graph_adds_the_table_and_divides_by_the_temperature_of_the_text(checkpoint, tmp_path):
    pair_rows, static = 8, tmp_path / "static"
    static.mkdir()
    weights = np.random.default_rng(2).normal(size=(len(WORDS) + pair_rows, len(CATEGORIES)))
    table = quantise(weights, np.linspace(-1, 1, len(CATEGORIES)), len(WORDS))
    write_table(table, static / TABLE_NAME)
    texts = ["what is the law of a cell", "sum of a loop", "price"]
    kind = Kind(np.linspace(-1, 1, 32).astype(np.float32), 0.2)
    calibration = {
        "temperatures": {"category": 2.0, "category_of_exams": 0.5},
        "kind": {"weights": kind.weights.tolist(), "bias": kind.bias},
        "table_factor": 0.3,
        "table_sha256": sha256_file(static / TABLE_NAME),
    }
    write_json(checkpoint / "calibration.json", calibration)
    with pytest.raises(SystemExit, match="run `static` again"):
        write_json(static / REPORT_NAME, {"tokenizer_sha256": "0" * 64})
        export(checkpoint, tmp_path / "onnx", texts, static)
    write_json(static / REPORT_NAME, {"tokenizer_sha256": sha256_file(tmp_path / "onnx" / "tokenizer.json")})
    export(checkpoint, tmp_path / "onnx", texts, static)
    encoded = [[2, 5, 6, 7, 3], [2, 3], [2, 10, 11, 12, 13, 14, 15, 10, 11, 3], [2, 9, 3]]
    ids, mask = pad(encoded)
    network, _ = load_checkpoint(checkpoint)
    with torch.inference_mode():
        heads = network(torch.tensor(ids), torch.tensor(mask))
    both = heads.category.numpy() + 0.3 * np.array([table.logits(row) for row in encoded])
    exam = kind.exam(heads.pooled.numpy())
    expected = both / temperature_at(exam, 2.0, 0.5)[:, None]
    for name, tolerance in ((FP32_NAME, 1e-5), (INT8_NAME, 0.1)):
        session = onnxruntime.InferenceSession(str(tmp_path / "onnx" / name))
        category = session.run(["category"], {"input_ids": ids, "attention_mask": mask})[0]
        np.testing.assert_allclose(category, expected, atol=tolerance)
        alone = session.run(["category"], {"input_ids": np.array([[2, 3]]), "attention_mask": np.array([[1, 1]])})[0]
        np.testing.assert_allclose(alone[0], expected[1], atol=tolerance)
    with pytest.raises(SystemExit, match="run `calibrate` again"):
        export(checkpoint, tmp_path / "onnx", texts, tmp_path)


def prepared_rows(folder):
    texts = ["what is a cell", "what is the law of a price", "the sum of a loop", "what is the force of a gene"] * 4
    rows = [
        row_of({"id": str(i), "text": text + " proof" * (i // 4), "label": CATEGORIES[i % 4], "jailbreak": i % 2}, "own", "train")
        for i, text in enumerate(texts)
    ]
    write_jsonl(folder / "train.jsonl", [{**row, "source": "own"} for row in rows])
    write_jsonl(folder / "dev.jsonl", rows[:4])
    proof = {
        "train_sha256": hash_of(text_hash(row["text"]) for row in rows),
        "protected_hashes": [],
        "train_rows_by_source": {"own": 16},
    }
    write_json(folder / "proof.json", proof)
    return folder


def test_a_run_that_was_cut_off_ends_where_a_whole_run_ends(checkpoint, tmp_path, monkeypatch):
    prepared = prepared_rows(tmp_path / "prepared")
    options = Options(epochs=3, batch_size=4, learning_rate=1e-3, max_tokens=16)
    monkeypatch.setattr("switchyard_training.train.SAVE_EVERY_STEPS", 5)
    train(prepared, checkpoint, tmp_path / "whole", options)

    with monkeypatch.context() as patch:
        patch.setattr("switchyard_training.train.to_batch", stop_after(7))
        with pytest.raises(KeyboardInterrupt):
            train(prepared, checkpoint, tmp_path / "cut", options)
    train(prepared, checkpoint, tmp_path / "cut", options)
    whole, _ = load_checkpoint(tmp_path / "whole")
    resumed, notes = load_checkpoint(tmp_path / "cut")
    for (name, left), (_, right) in zip(whole.state_dict().items(), resumed.state_dict().items()):
        torch.testing.assert_close(left, right, rtol=0, atol=0, msg=name)
    assert notes["trained_heads"] == ["category", "difficulty", "jailbreak"]
    log = [json.loads(line)["step"] for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert log == [5, 10, 12]
    with pytest.raises(SystemExit, match="other settings"):
        train(prepared, checkpoint, tmp_path / "cut", Options(epochs=1))


def stop_after(steps):
    """to_batch, until the given number of batches was made; then as if someone pressed Ctrl-C."""
    left = iter(range(steps))

    def limited(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return to_batch(*arguments)

    return limited


def test_training_refuses_rows_that_the_proof_does_not_describe(checkpoint, tmp_path):
    prepared = prepared_rows(tmp_path / "prepared")
    lines = (prepared / "train.jsonl").read_text().splitlines()
    (prepared / "train.jsonl").write_text("\n".join(lines[1:]))
    with pytest.raises(SystemExit, match="run `prepare` again"):
        train(prepared, checkpoint, tmp_path / "out", Options(epochs=1))


def test_alternates_get_a_share_of_the_target():
    row = row_of({"id": "x", "text": "t", "label": "law", "alt": ["business", "history"]}, "own", "train")
    target = category_target(row, smoothing=0.0)
    assert target.sum().item() == pytest.approx(1.0)
    assert target[CATEGORIES.index("law")].item() == pytest.approx(0.8)
    assert target[CATEGORIES.index("business")].item() == pytest.approx(0.1)


def test_the_window_keeps_both_ends():
    assert cut(list(range(8)), 8) == list(range(8))
    assert cut(list(range(100)), 8) == [0, 1, 2, 3, 4, 5, 98, 99]
    assert len(cut(list(range(1000)))) == 256


def test_smoothing_leaves_the_outputs_alone_and_lowers_the_outliers(checkpoint):
    network, _ = load_checkpoint(checkpoint)
    with torch.no_grad():
        network.encoder.encoder.layer[0].output.LayerNorm.weight[3] = 40.0
    ids, mask = (torch.tensor(each) for each in pad([[2, 5, 6, 7, 3], [2, 9, 3], [2, 10, 11, 12, 13, 14, 15, 3]]))
    with torch.inference_mode():
        before = network(ids, mask)
    rows = [[2, 5, 6, 7, 3], [2, 10, 11, 12, 13, 14, 15, 3]]
    query = network.encoder.encoder.layer[1].attention.self.query
    outlier = largest_inputs(network, rows)[query]
    smooth(network, rows)
    seen = []
    query.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    with torch.inference_mode():
        after = network(ids, mask)
    for name in ("category", "jailbreak", "pooled"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), atol=2e-4)
    assert seen[0].abs().max() / seen[0].abs().mean() < 0.5 * outlier.max() / outlier.mean()
