"""The table of category logits by token and by pair of neighbouring tokens; step `static` fits it.

A text's logits are bias + Σ v · weights[row] over the distinct rows of its tokens and pairs, where v grows with 1 + ln(count) and
the squares of all v sum to 1: what the router computes when the encoder is out of reach, and what the wide part of the graph
adds to the encoder's logits (wide.py). Pairs share rows by a hash. A word said a hundred times says hardly more than one said
once."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from .files import read_json, sha256_file
from .labels import CATEGORIES
from .window import encode

TABLE_NAME = "static.safetensors"
REPORT_NAME = "static.json"
FORMAT = "switchyard-static-3"
# Rows for pairs: 2**17 are 1.8 MB in int8. Rows for runs of three tokens made it worse.
PAIR_ROWS = 131_072
# A pair's row is (first · 31337 + second · 7919) mod PAIR_ROWS, after the rows of the tokens: two primes far from powers of 2.
FIRST_FACTOR = 31_337
SECOND_FACTOR = 7_919
INT8_MAX = 127

# (distinct rows of the table, how much each counts), both [n].
Features = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class StaticTable:
    """weights int8 [vocabulary + pair rows, 14]; scale float32 [14] by category; bias float32 [14]. The temperature is part of the
    numbers."""

    weights: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    vocabulary: int

    def logits(self, ids: list[int]) -> np.ndarray:
        """Of ids with [CLS] and [SEP]; [14]. A text without tokens gets the bias."""
        rows, weights = features(ids, self.vocabulary, len(self.weights) - self.vocabulary)
        return self.bias + self.scale * (weights @ self.weights[rows].astype(np.float64))


def features(ids: list[int], vocabulary: int, pair_rows: int = PAIR_ROWS) -> Features:
    """Of ids with [CLS] and [SEP], which carry nothing. A text without tokens has no features."""
    tokens = np.array(ids[1:-1], np.int64)
    pairs = vocabulary + (tokens[:-1] * FIRST_FACTOR + tokens[1:] * SECOND_FACTOR) % pair_rows
    rows, counts = np.unique(np.concatenate([tokens, pairs]), return_counts=True)
    values = 1 + np.log(counts)
    return rows, values / np.sqrt(max(1.0, (values**2).sum()))


def quantise(weights: np.ndarray, bias: np.ndarray, vocabulary: int) -> StaticTable:
    """Each category's column to int8, symmetric; the largest weight of the column becomes ±127."""
    scale = np.maximum(np.abs(weights).max(0), 1e-12) / INT8_MAX
    return StaticTable(np.round(weights / scale).astype(np.int8), scale.astype(np.float32), bias.astype(np.float32), vocabulary)


def logits_of(table: StaticTable, tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """[texts, 14]"""
    return np.array([table.logits(encode(tokenizer, text)) for text in texts])


def write_table(table: StaticTable, path: Path) -> None:
    tensors = {"weights": table.weights, "scale": table.scale, "bias": table.bias}
    metadata = {"format": FORMAT, "labels": json.dumps(CATEGORIES), "tokens": str(table.vocabulary)}
    save_file(tensors, path, metadata=metadata)


def read_table(path: Path) -> StaticTable:
    with safe_open(path, "np") as file:
        if file.metadata()["format"] != FORMAT:
            raise SystemExit(f"{path}: its format is not {FORMAT}; run `static` again")
        tensors = {name: file.get_tensor(name) for name in ("weights", "scale", "bias")}
        return StaticTable(**tensors, vocabulary=int(file.metadata()["tokens"]))


def table_in(folder: Path) -> Path | None:
    """The table of step `static`, when the folder holds one."""
    return folder / TABLE_NAME if (folder / TABLE_NAME).exists() else None


def prove_tokenizer(folder: Path, tokenizer_json: Path) -> dict[str, Any]:
    """The report beside the table, which must have been made with this tokenizer: with another vocabulary it would add nonsense."""
    report = read_json(folder / REPORT_NAME)
    if report["tokenizer_sha256"] != sha256_file(tokenizer_json):
        raise SystemExit(f"{folder}: made with another tokenizer than the encoder's; run `static` again")
    return report
