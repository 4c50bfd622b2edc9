"""Where a classifier is good and where it is not: accuracy by length, by style, and on prompts that belong to no category."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .data import Row
from .labels import CATEGORIES, CATEGORY_INDEX, MAX_TOKENS
from .metrics import interval, softmax

# Upper ends in tokens, special tokens counted; a text that fills the window may have been cut.
LENGTHS = (8, 16, 32, 64, 128, MAX_TOKENS - 1)
# The router's default threshold: a less probable category is not used.
THRESHOLD = 0.6


def slice_scores(probabilities: np.ndarray, rows: list[Row]) -> dict[str, Any]:
    """Strict accuracy, and how the threshold parts the rows: those that get a category, and how many of these are acceptable."""
    answers = np.array([CATEGORY_INDEX[row["label"]] for row in rows])
    predicted = probabilities.argmax(1)
    correct = predicted == answers
    accepted = np.array([CATEGORIES[guess] in (row["label"], *row["alt"]) for guess, row in zip(predicted, rows)])
    sure = probabilities.max(1) >= THRESHOLD
    return {
        "rows": len(rows),
        "accuracy": float(correct.mean()),
        "accuracy_interval": interval(correct.astype(float)),
        "accuracy_with_alternates": float(accepted.mean()),
        "accuracy_with_alternates_interval": interval(accepted.astype(float)),
        "sure": float(sure.mean()),
        "accepted_when_sure": float(accepted[sure].mean()) if sure.any() else None,
    }


def length_name(tokens: int) -> str:
    lower = 1
    for upper in LENGTHS:
        if tokens <= upper:
            return f"{lower}–{upper}" if lower > 1 else f"up to {upper}"
        lower = upper + 1
    return f"{lower} and more"


def no_category_scores(probabilities: np.ndarray, rows: list[Row]) -> dict[str, Any]:
    """Of prompts labelled `other`: how many are told as such, how many fall below the threshold and so go to the default model,
    and how many get a category for certain that is not acceptable either."""
    predicted = probabilities.argmax(1)
    sure = probabilities.max(1) >= THRESHOLD
    accepted = np.array([CATEGORIES[guess] in (row["label"], *row["alt"]) for guess, row in zip(predicted, rows)])
    misled = sure & ~accepted
    return {
        "rows": len(rows),
        "told": float((predicted == CATEGORY_INDEX["other"]).mean()),
        "unsure": float((~sure).mean()),
        "misled": float(misled.mean()),
        "misled_interval": interval(misled.astype(float)),
    }


def slices(logits: np.ndarray, rows: list[Row], encoded: Sequence[Sequence[int]]) -> dict[str, Any]:
    """logits [rows, 14], temperature folded in; encoded: the ids of each row as the encoder reads them."""
    probabilities = softmax(logits)

    def parts(names: list[str]) -> dict[str, Any]:
        found = {}
        for name in dict.fromkeys(sorted(names, key=names.count, reverse=True)):
            inside = [index for index, other in enumerate(names) if other == name]
            found[name] = slice_scores(probabilities[inside], [rows[index] for index in inside])
        return found

    lengths = [length_name(len(ids)) for ids in encoded]
    by_length = parts(lengths)
    order = dict.fromkeys(length_name(tokens) for tokens in range(1, MAX_TOKENS + 1))
    result: dict[str, Any] = {"by_length": {name: by_length[name] for name in order if name in by_length}}
    if any(row["style"] for row in rows):
        result["by_style"] = parts([row["style"] or "none" for row in rows])
    others = [index for index, row in enumerate(rows) if row["label"] == "other"]
    if others:
        result["no_category"] = no_category_scores(probabilities[others], [rows[index] for index in others])
    return result
