import json
from random import Random

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from switchyard_training.batches import category_target
from switchyard_training.labels import CATEGORIES
from switchyard_training.mix import joined, mixed_texts, neighbours_of, part_of, replaced, sentences
from switchyard_training.mixed import proof_path, read_mixed, unlabelled, write_mixed
from switchyard_training.similarity import text_hash

TEXT = "What is the limit? Show the steps.\nThen check it."


def test_a_part_is_some_sentences_in_a_row_but_not_all():
    parts = {part_of(TEXT, Random(seed)) for seed in range(50)}
    assert parts == {
        "What is the limit?",
        "Show the steps.",
        "Then check it.",
        "What is the limit? Show the steps.",
        "Show the steps. Then check it.",
    }
    assert part_of("one sentence", Random(0)) == "one sentence"


def test_two_texts_are_joined_at_sentences():
    for seed in range(20):
        text = joined(TEXT, "Bake a cake. Eat it.", Random(seed))
        assert text.startswith("What is the limit?")
        assert text.endswith("Eat it.")


def test_only_whole_words_with_neighbours_are_replaced():
    near = {"limit": ["bound"]}
    found = {replaced("Limit of limits, limit 42", near, Random(seed)) for seed in range(60)}
    assert found == {f"{a} of limits, {b} 42" for a in ("Limit", "Bound") for b in ("limit", "bound")}


def test_neighbours_are_the_nearest_words_and_never_the_word_itself(monkeypatch):
    monkeypatch.setattr("switchyard_training.mix.NEIGHBOURS", 1)
    words = {"cat": 0, "dog": 1, "sum": 2, "add": 3, "##ing": 4, "[CLS]": 5}
    vectors = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [1, 0], [0, 1]], np.float32)
    assert neighbours_of(vectors, Tokenizer(WordLevel(words, unk_token="[CLS]"))) == {
        "cat": ["dog"],
        "dog": ["cat"],
        "sum": ["add"],
        "add": ["sum"],
    }


def test_the_same_seed_gives_the_same_texts_from_the_sets_that_are_mixed():
    rows = [
        {"text": text, "context": [], "set": name}
        for name, text in (("own", "Own one. Own two."), ("mmlu_pro", "Exam one. Exam two."), ("chat", "Chat."), ("extra", "No."))
    ]
    first, again = mixed_texts(rows, {}, 1), mixed_texts(rows, {}, 1)
    texts = [next(first) for _ in range(200)]
    assert texts == [next(again) for _ in range(200)]
    assert not any("No." in text for text in texts)
    assert {text.split()[0] for text in texts} == {"Own", "Exam", "Chat."}


def test_a_row_without_a_label_learns_only_what_the_teacher_says():
    row = json.loads(json.dumps(unlabelled("m1", "text")))
    soft = [0.5, 0.5] + [0.0] * (len(CATEGORIES) - 2)
    assert torch.equal(category_target({**row, "soft": soft}, 0.05, 0.3), torch.tensor(soft))


def test_sentences_end_at_stops_and_lines():
    assert sentences("a? b! c: d\n\ne") == ["a?", "b!", "c:", "d", "e"]


PROOF = {"train_sha256": "a" * 64, "protected_sha256": "b" * 64, "protected_hashes": [text_hash("a test question")]}


def test_mixed_rows_are_read_only_with_their_proof(tmp_path):
    path = tmp_path / "mixed.jsonl"
    rows = [unlabelled("m1", "one"), unlabelled("m2", "two")]
    assert write_mixed(rows, PROOF, path, 3)["rows"] == 2
    assert read_mixed(path, PROOF) == rows
    with pytest.raises(SystemExit, match="other texts are protected"):
        read_mixed(path, {**PROOF, "protected_sha256": "c" * 64})
    path.write_text(path.read_text() + path.read_text().splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(SystemExit, match="run `mix` again"):
        read_mixed(path, PROOF)
    proof_path(path).unlink()
    with pytest.raises(SystemExit, match="run `mix` again"):
        read_mixed(path, PROOF)


def test_a_protected_text_is_never_written(tmp_path):
    with pytest.raises(SystemExit, match="test or dev split"):
        write_mixed([unlabelled("m1", "A test  question")], PROOF, tmp_path / "mixed.jsonl", 0)


def test_blank_texts_and_absent_sets_are_no_trouble():
    assert joined("  ", "Eat it.", Random(0)) == "  "
    texts = mixed_texts([{"text": "Only own. Two.", "context": [], "set": "own"}], {}, 0)
    assert all("Only" in text or "Two" in text for text in (next(texts) for _ in range(30)))
