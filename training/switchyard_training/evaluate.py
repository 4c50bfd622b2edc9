"""Step `evaluate`: scores of the exported graphs, as the router runs them: one text at a time, 256 tokens, one thread."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from .data import EVALUATION_SETS, Row, evaluation_rows, evaluation_text, gold, load_given
from .export import FP32_NAME, INT8_NAME
from .files import read_json, write_json, write_text
from .guard_scores import guard_scores
from .labels import CATEGORIES, CATEGORY_INDEX, TIERS
from .metrics import auc, calibration_error, calibration_noise, interval, macro_f1, paired_interval, sigmoid, softmax
from .own import load_own
from .slices import slices
from .window import encode, load_tokenizer

# Sets of one kind, measured together as well: a calibration error over few rows is mostly noise.
TOGETHER = {"exam questions": ("exam_test", "mmlu_test"), "prompts": ("chat_test", "own_test")}


def open_session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run_graph(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, texts: list[str]) -> dict[str, np.ndarray]:
    """Output name → rows. One text a run: a batch would change the ranges that int8 activations are quantised over."""
    names = [output.name for output in session.get_outputs()]
    columns: dict[str, list[np.ndarray]] = {name: [] for name in names}
    for text in texts:
        ids = np.array([encode(tokenizer, text)], np.int64)
        for name, value in zip(names, session.run(names, {"input_ids": ids, "attention_mask": np.ones_like(ids)})):
            columns[name].append(value[0])
    return {name: np.array(values) for name, values in columns.items()}


def category_scores(logits: np.ndarray, rows: list[Row]) -> dict[str, Any]:
    """Accuracy (strict and with the acceptable alternates), calibration and the commonest confusions."""
    answers = np.array([gold(row) for row in rows])
    probabilities = softmax(logits)
    predicted = probabilities.argmax(1)
    correct = predicted == answers
    accepted = np.array([CATEGORIES[guess] in (row["label"], *row["alt"]) for guess, row in zip(predicted, rows)])
    return {
        "rows": len(rows),
        "accuracy": float(correct.mean()),
        "accuracy_interval": interval(correct.astype(float)),
        "accuracy_with_alternates": float(accepted.mean()),
        "accuracy_with_alternates_interval": interval(accepted.astype(float)),
        "macro_f1": macro_f1(predicted, answers),
        "top_2": float((np.argsort(-probabilities, 1)[:, :2] == answers[:, None]).any(1).mean()),
        "negative_log_likelihood": float(-np.log(probabilities[np.arange(len(rows)), answers] + 1e-12).mean()),
        "calibration_error": calibration_error(probabilities.max(1), correct),
        "calibration_noise": calibration_noise(probabilities.max(1)),
        "mean_confidence": float(probabilities.max(1).mean()),
        "calibration_error_with_alternates": calibration_error(probabilities.max(1), accepted),
        "confusions": confusions(predicted, answers),
        "recall": {name: float(correct[answers == i].mean()) for name, i in CATEGORY_INDEX.items() if (answers == i).any()},
    }


def agreement(rows: list[Row]) -> dict[str, Any] | None:
    """How often the second labeller chose the same label, and Cohen's kappa of that; None where nobody labelled twice."""
    twice = [(row["label"], row["second"]) for row in rows if row["second"]]
    if not twice:
        return None
    same = np.array([first == second for first, second in twice], float)
    by_chance = sum(
        np.mean([first == name for first, _ in twice]) * np.mean([second == name for _, second in twice]) for name in CATEGORIES
    )
    return {
        "rows": len(twice),
        "same": float(same.mean()),
        "same_interval": interval(same),
        "kappa": float((same.mean() - by_chance) / (1 - by_chance)),
    }


def confusions(predicted: np.ndarray, answers: np.ndarray, most: int = 8) -> list[dict[str, Any]]:
    """The commonest wrong pairs, most frequent first."""
    wrong = predicted != answers
    pairs, counts = np.unique(np.stack([answers[wrong], predicted[wrong]], 1), axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return [{"gold": CATEGORIES[pairs[i][0]], "predicted": CATEGORIES[pairs[i][1]], "count": int(counts[i])} for i in order]


def difficulty_scores(logits: np.ndarray, rows: list[Row]) -> dict[str, Any]:
    """A tier: AUC for "most of its models answered right", and calibration of the predicted share. Exam rows only."""
    scores = {}
    for tier_index, tier in enumerate(TIERS):
        known = [i for i, row in enumerate(rows) if row["tiers"] and row["tiers"][tier_index] is not None]
        if not known:
            continue
        share = np.array([rows[i]["tiers"][tier_index] for i in known])
        probability = sigmoid(logits[known, tier_index])
        scores[tier] = {
            "rows": len(known),
            "auc": auc(probability, share >= 0.5),
            "mean_predicted": float(probability.mean()),
            "mean_observed": float(share.mean()),
            "brier": float(((probability - share) ** 2).mean()),
        }
    return scores


def evaluate(onnx_folder: Path, data: Path, own_folder: Path, out: Path, wild: Path | None = None) -> dict[str, Any]:
    """Writes report.json and report.md under out. A set without rows is left out. wild: a JSON list of jailbreak attempts."""
    rows = [*load_given(data), *load_own(own_folder)]
    sets = {name: chosen for name in EVALUATION_SETS if (chosen := evaluation_rows(rows, name))}
    tokenizer = load_tokenizer(onnx_folder)
    outputs: dict[str, dict[str, dict[str, np.ndarray]]] = {}
    report: dict[str, Any] = {"export": read_json(onnx_folder / "export.json"), "sets": {}}
    for precision, name in (("fp32", FP32_NAME), ("int8", INT8_NAME)):
        session = open_session(onnx_folder / name)
        outputs[precision] = {
            set_name: run_graph(session, tokenizer, [evaluation_text(row, set_name) for row in chosen])
            for set_name, chosen in sets.items()
        }
    for set_name, chosen in sets.items():
        report["sets"][set_name] = compare(chosen, outputs["fp32"][set_name], outputs["int8"][set_name])
        encoded = [encode(tokenizer, evaluation_text(row, set_name)) for row in chosen]
        report["sets"][set_name]["agreement"] = agreement(chosen)
        report["sets"][set_name]["slices"] = slices(outputs["int8"][set_name]["category"], chosen, encoded)
    report["together"] = {
        kind: category_scores(
            np.concatenate([outputs["int8"][name]["category"] for name in names]), [row for name in names for row in sets[name]]
        )
        for kind, names in TOGETHER.items()
        if set(names) <= set(sets)
    }
    if report["export"]["with_jailbreak"]:
        logits = {name: outputs["int8"][name]["jailbreak"][:, 0] for name in sets}
        attempts = run_graph(session, tokenizer, read_json(wild))["jailbreak"][:, 0] if wild else None
        report["jailbreak"] = guard_scores(sets, logits, report["export"]["jailbreak_threshold"], attempts)
    write_json(out / "report.json", report)
    write_text(out / "report.md", to_markdown(report))
    return report


def compare(rows: list[Row], fp32: dict[str, np.ndarray], int8: dict[str, np.ndarray]) -> dict[str, Any]:
    answers = np.array([gold(row) for row in rows])
    right = {name: out["category"].argmax(1) == answers for name, out in (("fp32", fp32), ("int8", int8))}
    return {
        "int8": category_scores(int8["category"], rows),
        "fp32": category_scores(fp32["category"], rows),
        "int8_difficulty": difficulty_scores(int8["difficulty"], rows),
        "int8_minus_fp32": {
            "accuracy": float(right["int8"].mean() - right["fp32"].mean()),
            "accuracy_interval": paired_interval(right["int8"], right["fp32"]),
            "same_label": float((int8["category"].argmax(1) == fp32["category"].argmax(1)).mean()),
            "mean_embedding_cosine": float((int8["embedding"] * fp32["embedding"]).sum(1).mean()),
        },
    }


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def to_markdown(report: dict[str, Any]) -> str:
    lines = [
        "| set | rows | accuracy | 95 % interval | with alternates | macro-F1 | ECE | int8 − fp32, points |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, scores in report["sets"].items():
        int8, change = scores["int8"], scores["int8_minus_fp32"]
        low, high = int8["accuracy_interval"]
        lines.append(
            f"| {name} | {int8['rows']} | {percent(int8['accuracy'])} | {percent(low)}–{percent(high)} "
            f"| {percent(int8['accuracy_with_alternates'])} | {percent(int8['macro_f1'])} "
            f"| {int8['calibration_error']:.3f} | {100 * change['accuracy']:+.2f} |"
        )
    lines += ["", "| tier | AUC | predicted | observed |", "| --- | --- | --- | --- |"]
    for tier, scores in report["sets"]["exam_test"]["int8_difficulty"].items():
        lines.append(f"| {tier} | {scores['auc']:.3f} | {scores['mean_predicted']:.3f} | {scores['mean_observed']:.3f} |")
    return "\n".join(lines) + "\n"
