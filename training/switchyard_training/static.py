"""Step `static`: training rows → a table of category logits by token and by pair of neighbouring tokens (table.py).

It is a logistic regression on the tokens that the encoder would read, so it answers in microseconds. Several runs over differently
augmented rows are averaged; a row of the table that no run saw has zeros and thereby only lowers the confidence."""

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from .augment import augment
from .batches import category_target, repeat
from .data import EXAM_SETS, Row, evaluation_rows, evaluation_text, gold, judged_text, load_given
from .evaluate import category_scores
from .files import read_jsonl, sha256_file, write_json
from .labels import CATEGORIES
from .metrics import fit_temperature
from .own import load_own
from .slices import slices
from .table import PAIR_ROWS, REPORT_NAME, TABLE_NAME, Features, StaticTable, features, logits_of, quantise, write_table
from .train import checked_rows
from .window import encode, load_tokenizer

MEASURED = ("exam_dev", "exam_test", "mmlu_test", "chat_test", "own_dev", "own_test")


@dataclass(frozen=True)
class StaticOptions:
    runs: int = 4
    epochs: int = 4
    batch_size: int = 64
    learning_rate: float = 0.02
    smoothing: float = 0.05
    # This share of a row's tokens is hidden at each step.
    token_dropout: float = 0.15
    repeats: dict[str, float] = field(default_factory=lambda: {"chat": 3.0, "own": 2.0, "extra": 0.5})
    seed: int = 0


def fit(
    rows: list[Row], texts: list[Features], targets: torch.Tensor, size: int, options: StaticOptions, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """One run of Adam on the mean cross-entropy with soft targets, from zero. Returns weights [size, 14] and bias [14]."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    table = nn.EmbeddingBag(size, len(CATEGORIES), mode="sum")
    nn.init.zeros_(table.weight)
    bias = nn.Parameter(torch.zeros(len(CATEGORIES)))
    optimizer = torch.optim.Adam([table.weight, bias], lr=options.learning_rate)
    place = {id(row): index for index, row in enumerate(rows)}
    orders = [[place[id(row)] for row in repeat(rows, options.repeats, seed, epoch)] for epoch in range(options.epochs)]
    steps = sum(len(order) // options.batch_size for order in orders)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / (steps + 1))
    for order in orders:
        generator.shuffle(order)
        for start in range(0, len(order) - options.batch_size + 1, options.batch_size):
            chosen = order[start : start + options.batch_size]
            ids, starts, weights = bags([texts[index] for index in chosen])
            kept = generator.random(len(weights)) >= options.token_dropout
            weights = torch.from_numpy((weights * kept / (1 - options.token_dropout)).astype(np.float32))
            logits = table(ids, starts, per_sample_weights=weights) + bias
            loss = nn.functional.cross_entropy(logits, targets[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return table.weight.detach().numpy(), bias.detach().numpy()


def bags(texts: list[Features]) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
    """Texts one after the other, as an EmbeddingBag takes them: ids, where each text starts, weights."""
    starts = np.cumsum([0, *[len(ids) for ids, _ in texts[:-1]]])
    return (
        torch.from_numpy(np.concatenate([ids for ids, _ in texts])),
        torch.from_numpy(starts),
        np.concatenate([weights for _, weights in texts]),
    )


def train_static(
    prepared: Path, tokenizer_folder: Path, data: Path, own_folder: Path, out: Path, options: StaticOptions
) -> dict[str, Any]:
    """Writes the table and its report under out. The vocabulary is that of the tokenizer, which must be the encoder's own."""
    torch.set_num_threads(1)
    out.mkdir(parents=True, exist_ok=True)
    started = time.time()
    rows, proof = checked_rows(prepared)
    tokenizer = load_tokenizer(tokenizer_folder)
    targets = torch.stack([category_target(row, options.smoothing) for row in rows])
    vocabulary = tokenizer.get_vocab_size()
    runs = []
    for number in range(options.runs):
        random = Random(f"static|{options.seed}|{number}")
        texts = [features(encode(tokenizer, augment(row, random)), vocabulary) for row in rows]
        runs.append(fit(rows, texts, targets, vocabulary + PAIR_ROWS, options, options.seed + number))
        print(f"run {number + 1} of {options.runs}, {time.time() - started:.0f} s", flush=True)
    weights, bias = (np.mean(parts, 0) for parts in zip(*runs))
    dev = read_jsonl(prepared / "dev.jsonl")
    temperature = temperature_on(quantise(weights, bias, vocabulary), tokenizer, dev)
    table = quantise(weights / temperature, bias / temperature, vocabulary)
    write_table(table, out / TABLE_NAME)
    report = {
        "options": asdict(options),
        "prepared_sha256": proof["train_sha256"],
        "sources": sorted({row["source"] for row in rows}),
        "tokenizer_sha256": sha256_file(tokenizer_folder / "tokenizer.json"),
        "temperature": temperature,
        "sets": measure(table, tokenizer, data, own_folder),
    }
    write_json(out / REPORT_NAME, report)
    return report


def temperature_on(table: StaticTable, tokenizer: Tokenizer, dev: list[Row]) -> float:
    """Fitted as `calibrate` does: exam questions and own prompts count the same in total."""
    kinds = ["exam" if row["set"] in EXAM_SETS else row["set"] for row in dev]
    logits = logits_of(table, tokenizer, [judged_text(row) for row in dev])
    return fit_temperature(logits, np.array([gold(row) for row in dev]), kinds)


def measure(table: StaticTable, tokenizer: Tokenizer, data: Path, own_folder: Path) -> dict[str, Any]:
    """A set without rows is left out."""
    rows = [*load_given(data), *load_own(own_folder)]
    measured = {}
    for name in MEASURED:
        chosen = evaluation_rows(rows, name)
        if not chosen:
            continue
        encoded = [encode(tokenizer, evaluation_text(row, name)) for row in chosen]
        logits = np.array([table.logits(ids) for ids in encoded])
        measured[name] = category_scores(logits, chosen) | {"slices": slices(logits, chosen, encoded)}
    return measured
