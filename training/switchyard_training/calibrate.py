"""Step `calibrate`: one temperature a head, fitted on the held-out rows; export folds it in.

Exam questions and own prompts count the same in total, whatever their numbers, since the router sees both kinds."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .data import Row, gold, judged_text
from .files import read_jsonl, write_json
from .labels import TIERS
from .metrics import calibration_error, fit_temperature, golden_section, sigmoid, softmax
from .model import load_checkpoint
from .train import predict
from .window import load_tokenizer

# A flag may steer traffic, so at most this share of harmless prompts may get one.
HARMLESS_FLAGGED = 0.01
EXAM_SETS = ("mmlu_pro", "mmlu")


def equal_weights(kinds: list[str]) -> np.ndarray:
    """A weight for each row such that every kind has the same total."""
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    return np.array([1.0 / counts[kind] for kind in kinds])


def fit_binary_temperature(logits: np.ndarray, target: np.ndarray, mask: np.ndarray) -> float:
    """For sigmoid heads with soft targets: the temperature in 0.2..5 with the lowest binary cross-entropy over the mask."""

    def loss(log_temperature: float) -> float:
        probability = np.clip(sigmoid(logits / math.exp(log_temperature)), 1e-6, 1 - 1e-6)
        each = -(target * np.log(probability) + (1 - target) * np.log(1 - probability))
        return float((each * mask).sum() / mask.sum())

    return math.exp(golden_section(loss, math.log(0.2), math.log(5.0)))


def flag_threshold(probability: np.ndarray, attempt: np.ndarray) -> float:
    """The lowest threshold, to two decimals, that flags no more of the harmless rows than HARMLESS_FLAGGED."""
    for threshold in np.arange(0.05, 1.0, 0.01):
        if (probability[~attempt] >= threshold).mean() <= HARMLESS_FLAGGED:
            return round(float(threshold), 2)
    return 0.99


def calibrate(checkpoint: Path, prepared: Path) -> dict[str, Any]:
    """Writes calibration.json into the checkpoint, with the calibration error before and after for each kind of row."""
    torch.set_num_threads(1)
    network, notes = load_checkpoint(checkpoint)
    dev = read_jsonl(prepared / "dev.jsonl")
    outputs = predict(network, load_tokenizer(checkpoint), [judged_text(row) for row in dev], 256)
    kinds = ["exam" if row["set"] in EXAM_SETS else row["set"] for row in dev]
    answers = np.array([gold(row) for row in dev])
    temperatures = {
        "category": fit_temperature(outputs["category"], answers, equal_weights(kinds)),
        "difficulty": difficulty_temperature(outputs["difficulty"], dev),
    }
    result: dict[str, Any] = {"temperatures": temperatures, "calibration_error": {}}
    if "jailbreak" in notes["trained_heads"]:
        marked = [index for index, row in enumerate(dev) if row["jailbreak"] is not None]
        attempt = np.array([[float(dev[index]["jailbreak"])] for index in marked])
        logits = outputs["jailbreak"][marked]
        temperatures["jailbreak"] = fit_binary_temperature(logits, attempt, np.ones_like(attempt))
        probability = sigmoid(logits / temperatures["jailbreak"])[:, 0]
        result["jailbreak_threshold"] = flag_threshold(probability, attempt[:, 0].astype(bool))
    for kind in sorted(set(kinds)):
        inside = np.array([name == kind for name in kinds])
        logits, gold_inside = outputs["category"][inside], answers[inside]
        result["calibration_error"][kind] = {
            "before": error_at(logits, gold_inside, 1.0),
            "after": error_at(logits, gold_inside, temperatures["category"]),
        }
    write_json(checkpoint / "calibration.json", result)
    print(result, flush=True)
    return result


def difficulty_temperature(logits: np.ndarray, rows: list[Row]) -> float:
    shares = [row["tiers"] or [None] * len(TIERS) for row in rows]
    mask = np.array([[float(share is not None) for share in row] for row in shares])
    return fit_binary_temperature(logits, np.array([[share or 0.0 for share in row] for row in shares]), mask)


def error_at(logits: np.ndarray, answers: np.ndarray, temperature: float) -> float:
    probabilities = softmax(logits / temperature)
    return round(calibration_error(probabilities.max(1), probabilities.argmax(1) == answers), 4)
