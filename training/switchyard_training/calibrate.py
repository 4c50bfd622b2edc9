"""Step `calibrate`: temperatures of the heads, and a shift for the jailbreak head, fitted on held-out rows; export folds them in.

The category head has two temperatures, one for users' prompts and one for exam questions (kinds.py). Both kinds count the same in
total, whatever their numbers, since the router sees both. Where the table of step `static` goes into the graph, its share of the
category logits is settled here as well."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch

from .data import EXAM_SETS, Row, gold, judged_text
from .files import read_jsonl, sha256_file, write_json
from .kinds import fit_kind, fit_temperatures, temperature_at
from .labels import TIERS
from .metrics import calibration_error, fit_temperature, golden_section, sigmoid, softmax
from .model import load_checkpoint
from .table import logits_of, read_table, table_in
from .train import predict
from .wide import TABLE_SHARE
from .window import load_tokenizer

# A flag may steer traffic, so hardly any harmless prompt may get one: half of the 1 % that is promised, since the cut is
# fitted on rows that resemble what it was trained on more than real traffic does.
HARMLESS_FLAGGED = 0.005
FLAG_PROBABILITY = 0.7


def fit_binary_temperature(logits: np.ndarray, target: np.ndarray, mask: np.ndarray) -> float:
    """For sigmoid heads with soft targets: the temperature in 0.2..5 with the lowest binary cross-entropy over the mask."""

    def loss(log_temperature: float) -> float:
        probability = np.clip(sigmoid(logits / math.exp(log_temperature)), 1e-6, 1 - 1e-6)
        each = -(target * np.log(probability) + (1 - target) * np.log(1 - probability))
        return float((each * mask).sum() / mask.sum())

    return math.exp(golden_section(loss, math.log(0.2), math.log(5.0)))


def flag_cut(logits: np.ndarray, kinds: list[str]) -> float:
    """The logit that at most HARMLESS_FLAGGED of the harmless rows of each kind reach: own prompts, look-alikes among them,
    chat prompts and exam questions must all keep to it, so that none pays for another."""
    quantile = 1 - HARMLESS_FLAGGED
    inside = {kind: logits[[name == kind for name in kinds]] for kind in set(kinds)}
    return max(float(np.quantile(values, quantile, method="higher")) for values in inside.values()) + 1e-3


def jailbreak_calibration(logits: np.ndarray, rows: list[Row]) -> dict[str, float]:
    """Temperature from the marked rows; the shift puts the cut at FLAG_PROBABILITY, the default of the router's guard. A row
    without a mark (exam questions, chat prompts) counts as harmless for the cut and says nothing about the temperature."""
    marked = [index for index, row in enumerate(rows) if row["jailbreak"] is not None]
    attempt = np.array([[float(rows[index]["jailbreak"])] for index in marked])
    temperature = fit_binary_temperature(logits[marked], attempt, np.ones_like(attempt))
    harmless = [index for index, row in enumerate(rows) if not row["jailbreak"]]
    cut = flag_cut(logits[harmless, 0], [rows[index]["set"] for index in harmless])
    shift = math.log(FLAG_PROBABILITY / (1 - FLAG_PROBABILITY)) - cut / temperature
    return {"temperature": temperature, "shift": shift}


def calibrate(checkpoint: Path, prepared: Path, static_folder: Path) -> dict[str, Any]:
    """Writes calibration.json into the checkpoint, with the calibration error before and after for each kind of row. No table in
    static_folder: the graph has no wide part."""
    torch.set_num_threads(1)
    network, notes = load_checkpoint(checkpoint)
    dev = read_jsonl(prepared / "dev.jsonl")
    tokenizer = load_tokenizer(checkpoint)
    outputs = predict(network, tokenizer, [judged_text(row) for row in dev], 256)
    kinds = ["exam" if row["set"] in EXAM_SETS else row["set"] for row in dev]
    answers = np.array([gold(row) for row in dev])
    category, train = outputs["category"], read_jsonl(prepared / "train.jsonl")
    temperatures = {
        "category": fit_temperature(category, answers, kinds),
        "difficulty": difficulty_temperature(outputs["difficulty"], dev),
    }
    result: dict[str, Any] = {"temperatures": temperatures, "calibration_error": {}}
    path = table_in(static_folder)
    table_factor = 0.0
    if path:
        # Both at their own temperature.
        table_factor = TABLE_SHARE / (1 - TABLE_SHARE) * temperatures["category"]
        result |= {"table_factor": table_factor, "table_sha256": sha256_file(path)}
        category = category + table_factor * logits_of(read_table(path), tokenizer, [judged_text(row) for row in dev])
    kind = fit_kind(network, tokenizer, train)
    exam = kind.exam(outputs["pooled"])
    of_prompts, of_exams = fit_temperatures(category, answers, exam, np.array([name == "exam" for name in kinds]))
    temperatures |= {"category": of_prompts, "category_of_exams": of_exams}
    result["kind"] = {"weights": kind.weights.tolist(), "bias": kind.bias}
    by_row = temperature_at(exam, of_prompts, of_exams)
    if "jailbreak" in notes["trained_heads"]:
        # Chat prompts train the category head only: to the jailbreak head they are unseen.
        chat = [row for row in train if row["set"] == "chat"]
        chat_logits = predict(network, tokenizer, [judged_text(row) for row in chat], 256)["jailbreak"]
        fitted = jailbreak_calibration(np.concatenate([outputs["jailbreak"], chat_logits]), [*dev, *chat])
        temperatures["jailbreak"] = fitted["temperature"]
        result |= {"jailbreak_shift": fitted["shift"], "jailbreak_threshold": FLAG_PROBABILITY}
    for name_of_kind in sorted(set(kinds)):
        inside = np.array([name == name_of_kind for name in kinds])
        result["calibration_error"][name_of_kind] = {
            "before": error_of(category[inside], answers[inside]),
            "after": error_of((category / by_row[:, None])[inside], answers[inside]),
        }
    write_json(checkpoint / "calibration.json", result)
    print({name: value for name, value in result.items() if name != "kind"}, flush=True)
    return result


def difficulty_temperature(logits: np.ndarray, rows: list[Row]) -> float:
    shares = [row["tiers"] or [None] * len(TIERS) for row in rows]
    mask = np.array([[float(share is not None) for share in row] for row in shares])
    return fit_binary_temperature(logits, np.array([[share or 0.0 for share in row] for row in shares]), mask)


def error_of(logits: np.ndarray, answers: np.ndarray) -> float:
    probabilities = softmax(logits)
    return round(calibration_error(probabilities.max(1), probabilities.argmax(1) == answers), 4)
