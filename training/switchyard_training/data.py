"""The data folder's files as rows of one shape, and the sets that are only ever measured on.

A row: {id, text, label, alt, second, set, split, group, options, style, context, jailbreak, tiers}. Missing things are None or
empty; tiers holds, for each difficulty tier, the share of its models that answered the question right, or None."""

import os
from pathlib import Path
from typing import Any

from .files import read_json, read_jsonl
from .labels import CATEGORY_INDEX, TIER_MODELS

DATA_ENVIRONMENT = "SWITCHYARD_TRAINING_DATA"
DEFAULT_DATA = Path(__file__).resolve().parents[3] / "shared" / "ml" / "data"
OWN_DATA = Path(__file__).resolve().parents[1] / "data"

Row = dict[str, Any]


def data_folder(argument: str | None) -> Path:
    """The folder with questions.jsonl.gz and the chat files: argument, then environment, then the default place."""
    folder = Path(argument or os.environ.get(DATA_ENVIRONMENT) or DEFAULT_DATA)
    if not (folder / "questions.jsonl.gz").exists():
        raise SystemExit(f"{folder}: no questions.jsonl.gz there; name the folder with --data or {DATA_ENVIRONMENT}")
    return folder


def row_of(source: dict[str, Any], set_name: str, split: str) -> Row:
    return {
        "id": source["id"],
        "text": source["text"],
        "label": source["label"],
        "alt": source.get("alt", []),
        "second": source.get("second"),
        "set": set_name,
        "split": split,
        "group": source.get("group", source["id"]),
        "options": source.get("options", []),
        "style": source.get("style"),
        "context": source.get("context", []),
        "jailbreak": source.get("jailbreak"),
        "tiers": None,
    }


def load_questions(folder: Path) -> list[Row]:
    """Exam questions. Those marked unusable are left out, and so are MMLU's that stand in MMLU-Pro too (`overlap`)."""
    shares = tier_shares(folder)
    rows = []
    for source in read_jsonl(folder / "questions.jsonl.gz"):
        if source.get("overlap") or not source.get("use", True):
            continue
        row = row_of(source, source["set"], source["split"])
        row["tiers"] = shares.get(row["id"])
        rows.append(row)
    return rows


def tier_shares(folder: Path) -> dict[str, list[float | None]]:
    """Question id → for each tier the share of its models that answered right; None where none of them was asked."""
    graded = read_json(folder / "correctness.json.gz")
    shares = {}
    for position, question in enumerate(graded["ids"]):
        row: list[float | None] = []
        for models in TIER_MODELS.values():
            marks = [graded["models"][model][position] for model in models]
            known = [int(mark) for mark in marks if mark != "-"]
            row.append(sum(known) / len(known) if known else None)
        shares[question] = row
    return shares


def load_given(folder: Path) -> list[Row]:
    """Every row of the data folder, train, dev and test."""
    rows = load_questions(folder)
    rows += [row_of(source, "chat", "train") for source in read_jsonl(folder / "chat-train.jsonl")]
    rows += [row_of(source, "chat", "test") for source in read_jsonl(folder / "chat-test.jsonl")]
    rows += [row_of(source, "extra", "train") for source in read_jsonl(folder / "extra-train.jsonl")]
    return rows


def judged_text(row: Row) -> str:
    """What the encoder is given: the conversation before, oldest first, then the newest message."""
    return "\n".join([*row["context"], row["text"]])


def with_options(row: Row) -> str:
    """The question with its answers listed A., B., …, as exam questions are often pasted."""
    listed = [f"{chr(65 + index)}. {option}" for index, option in enumerate(row["options"])]
    return "\n".join([row["text"], *listed])


EXAM_SETS = ("mmlu_pro", "mmlu")
# Measured on, never trained on. Name in the report → (set, split, options shown).
EVALUATION_SETS = {
    "exam_dev": ("mmlu_pro", "dev", False),
    "exam_test": ("mmlu_pro", "test", False),
    "exam_test_with_options": ("mmlu_pro", "test", True),
    "mmlu_test": ("mmlu", "test", False),
    "chat_test": ("chat", "test", False),
    "own_dev": ("own", "dev", False),
    "own_test": ("own", "test", False),
}


def evaluation_rows(rows: list[Row], name: str) -> list[Row]:
    set_name, split, _ = EVALUATION_SETS[name]
    return [row for row in rows if row["set"] == set_name and row["split"] == split]


def evaluation_text(row: Row, name: str) -> str:
    return with_options(row) if EVALUATION_SETS[name][2] else judged_text(row)


def gold(row: Row) -> int:
    return CATEGORY_INDEX[row["label"]]
