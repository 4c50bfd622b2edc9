"""Step `corpus-value`: what each thousand of our own prompts adds. A cheap stand-in for whole training runs: the encoder stays
as published, and only a logistic regression on its pooled vectors is fitted, with 0, 1,000, 2,000, … of our prompts among the
training rows."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from .data import Row, evaluation_rows, gold, judged_text, load_given
from .files import read_jsonl, write_json
from .labels import CATEGORIES
from .metrics import interval
from .train import predict, start_network
from .window import load_tokenizer

STEP = 1000
SEED = 0


def corpus_value(prepared: Path, data: Path, init: Path, out: Path) -> dict[str, Any]:
    """Accuracy on the held-out own prompts, chat_test and exam_dev for each size of the corpus; the last size is all of it."""
    train, dev = read_jsonl(prepared / "train.jsonl"), read_jsonl(prepared / "dev.jsonl")
    given = [row for row in train if row["set"] != "own"]
    own = [row for row in train if row["set"] == "own"]
    Random(SEED).shuffle(own)
    sets = {
        "own_dev": [row for row in dev if row["set"] == "own"],
        "chat_test": evaluation_rows(load_given(data), "chat_test"),
        "exam_dev": [row for row in dev if row["set"] == "mmlu_pro"],
    }
    network, _ = start_network(init)
    tokenizer = load_tokenizer(init)

    def pooled(rows: list[Row]) -> np.ndarray:
        vectors = predict(network, tokenizer, [judged_text(row) for row in rows], 128)["pooled"]
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    given_vectors, own_vectors = pooled(given), pooled(own)
    set_vectors = {name: pooled(rows) for name, rows in sets.items()}
    result: dict[str, Any] = {"given_rows": len(given), "sizes": []}
    for size in [*range(0, len(own), STEP), len(own)]:
        model = LogisticRegression(C=10.0, max_iter=300)
        model.fit(
            np.concatenate([given_vectors, own_vectors[:size]]),
            [gold(row) for row in given] + [gold(row) for row in own[:size]],
        )
        line: dict[str, Any] = {"own_rows": size}
        for name, rows in sets.items():
            guesses = model.predict(set_vectors[name])
            right = np.array([guess == gold(row) for guess, row in zip(guesses, rows)]).astype(float)
            accepted = [CATEGORIES[guess] in (row["label"], *row["alt"]) for guess, row in zip(guesses, rows)]
            line[name] = {
                "accuracy": float(right.mean()),
                "interval": interval(right),
                "with_alternates": float(np.mean(accepted)),
            }
        print(size, {name: round(line[name]["accuracy"], 4) for name in sets}, flush=True)
        result["sizes"].append(line)
    write_json(out, result)
    return result
