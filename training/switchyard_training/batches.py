"""Training rows → batches. Which rows, in which words and order, is a function of (seed, epoch) alone: that makes runs repeatable
and lets a run that was cut off go on at its step."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer

from .augment import augment
from .data import Row, gold, judged_text
from .files import read_jsonl
from .labels import CATEGORIES, CATEGORY_INDEX, TIERS
from .similarity import text_hash
from .window import encode, pad

# Batches are cut from a sorted run of this many, so that little is padded and the order stays random.
BUCKET_BATCHES = 24
# Share of the target that goes to a row's acceptable alternates together.
ALTERNATE_MASS = 0.2


@dataclass(frozen=True)
class Batch:
    """Targets are soft. A mask is 0 where a row says nothing about a head."""

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    category: torch.Tensor
    tiers: torch.Tensor
    tiers_mask: torch.Tensor
    jailbreak: torch.Tensor
    jailbreak_mask: torch.Tensor


def add_soft(rows: list[Row], path: Path) -> int:
    """Gives each row that the file of step `soft` knows its `soft` probabilities, and returns how many those are."""
    known = {line["text"]: line["probabilities"] for line in read_jsonl(path)}
    for row in rows:
        row["soft"] = known.get(text_hash(judged_text(row)))
    return sum(row["soft"] is not None for row in rows)


def category_target(row: Row, smoothing: float, soft_weight: float = 0.0) -> torch.Tensor:
    """Probabilities over the categories: the label, some mass for the alternates, the rest spread evenly; and soft_weight of
    it all goes as a teacher says, where one was asked. A row without a label has only the teacher's word."""
    if row["label"] is None:
        return torch.tensor(row["soft"])
    target = torch.full((len(CATEGORIES),), smoothing / len(CATEGORIES))
    shared = ALTERNATE_MASS if row["alt"] else 0.0
    target[gold(row)] += (1 - smoothing) * (1 - shared)
    for name in row["alt"]:
        target[CATEGORY_INDEX[name]] += (1 - smoothing) * shared / len(row["alt"])
    if soft_weight and row.get("soft"):
        target = (1 - soft_weight) * target + soft_weight * torch.tensor(row["soft"])
    return target


def to_batch(rows: list[Row], encoded: list[list[int]], smoothing: float, soft_weight: float = 0.0) -> Batch:
    ids, mask = pad(encoded)
    tiers = [row["tiers"] or [None] * len(TIERS) for row in rows]
    jailbreak = [row["jailbreak"] for row in rows]
    return Batch(
        input_ids=torch.from_numpy(ids),
        attention_mask=torch.from_numpy(mask),
        category=torch.stack([category_target(row, smoothing, soft_weight) for row in rows]),
        tiers=torch.tensor([[share or 0.0 for share in row] for row in tiers]),
        tiers_mask=torch.tensor([[float(share is not None) for share in row] for row in tiers]),
        jailbreak=torch.tensor([[float(mark or 0)] for mark in jailbreak]),
        jailbreak_mask=torch.tensor([[float(mark is not None)] for mark in jailbreak]),
    )


def repeat(rows: list[Row], times: dict[str, float], seed: int, epoch: int) -> list[Row]:
    """How often a set comes an epoch: 2.5 is twice all of it and once a half. The halves of two epochs in a row make the
    whole, so a large set is seen in parts while a small and precious one is seen often. The count is the same each epoch."""
    chosen: list[Row] = []
    for name in sorted({row["set"] for row in rows}):
        members = [row for row in rows if row["set"] == name]
        whole, part = divmod(times.get(name, 1.0), 1.0)
        size = round(part * len(members))
        Random(f"{seed}|{name}").shuffle(members)
        start = epoch * size
        chosen += members * int(whole) + [members[(start + index) % len(members)] for index in range(size)]
    return chosen


def epoch_batches(
    rows: list[Row], tokenizer: Tokenizer, batch_size: int, max_tokens: int, seed: int, epoch: int
) -> list[tuple[list[Row], list[list[int]]]]:
    """Pairs of rows and their ids; make a Batch of one when its turn comes."""
    random = Random(f"{seed}|{epoch}")
    items = [(row, encode(tokenizer, augment(row, random), max_tokens)) for row in rows]
    random.shuffle(items)
    bucket = batch_size * BUCKET_BATCHES
    batches = []
    for start in range(0, len(items), bucket):
        run = sorted(items[start : start + bucket], key=lambda item: len(item[1]))
        batches += [run[at : at + batch_size] for at in range(0, len(run), batch_size)]
    random.shuffle(batches)
    return [([row for row, _ in batch], [ids for _, ids in batch]) for batch in batches]
