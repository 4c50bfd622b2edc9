"""Step `mix`: training rows → texts that nobody labelled, for a teacher to judge (step `soft`) and a student to learn from.

The teacher knows the training rows by heart, so on them it says little more than their labels. On new texts that look like
them it says what it has understood. TinyBERT (Jiao et al. 2020, https://arxiv.org/abs/1909.10351) gains most of its accuracy from
such texts. Three ways, by chance: a part of a text; a text with some words replaced by their neighbours in the encoder's
word embeddings; the beginning of one text and the end of another.

A part of a training row can come closer to a test row than the whole row does, so each new text is compared again, as `prepare`
compares rows."""

import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from .data import Row, judged_text, load_given
from .mixed import unlabelled, write_mixed
from .model import load_checkpoint
from .own import load_own
from .prepare import overlap, protected_texts
from .similarity import NearIndex, text_hash
from .train import checked_rows
from .window import load_tokenizer

# Of each hundred new texts.
SOURCES = {"own": 60, "mmlu_pro": 28, "chat": 12}
PART, WORDS = 0.3, 0.45
REPLACED = 0.2
NEIGHBOURS = 8
SENTENCE_END = re.compile(r"(?<=[.!?:])\s+|\n+")
WORD = re.compile(r"[A-Za-z]{3,}")
SHORTEST_CHARACTERS = 12
LONGEST_CHARACTERS = 4000
# Misses in a row after which the rows are taken to hold nothing new.
MOST_MISSES = 10_000


def sentences(text: str) -> list[str]:
    return [part for part in SENTENCE_END.split(text) if part.strip()]


def part_of(text: str, random: Random) -> str:
    """One or more sentences in a row, not all of them; a text of one sentence stays."""
    parts = sentences(text)
    if len(parts) < 2:
        return text
    size = random.randrange(1, len(parts))
    start = random.randrange(len(parts) - size + 1)
    return " ".join(parts[start : start + size])


def joined(first: str, second: str, random: Random) -> str:
    """The beginning of one text and the end of another."""
    head, tail = sentences(first), sentences(second)
    if not head or not tail:
        return first
    return " ".join([*head[: random.randrange(1, len(head) + 1)], *tail[random.randrange(len(tail)) :]])


def replaced(text: str, neighbours: dict[str, list[str]], random: Random) -> str:
    """Each word with the chance REPLACED becomes a neighbour of its own; capitals are kept at its front."""

    def other(match: re.Match[str]) -> str:
        word = match[0]
        near = neighbours.get(word.lower())
        if near is None or random.random() >= REPLACED:
            return word
        chosen = random.choice(near)
        return chosen.capitalize() if word[0].isupper() else chosen

    return WORD.sub(other, text)


def neighbours_of(embeddings: np.ndarray, tokenizer: Tokenizer) -> dict[str, list[str]]:
    """Word → the NEIGHBOURS nearest whole words by cosine. embeddings: [vocabulary, width]."""
    vocabulary = tokenizer.get_vocab()
    words = sorted(word for word in vocabulary if re.fullmatch(r"[a-z]{3,}", word))
    vectors = embeddings[[vocabulary[word] for word in words]].astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near: dict[str, list[str]] = {}
    for start in range(0, len(words), 1024):
        similar = vectors[start : start + 1024] @ vectors.T
        similar[np.arange(len(similar)), np.arange(start, start + len(similar))] = -1
        top = np.argpartition(-similar, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        near |= {words[start + row]: [words[index] for index in sorted(top[row])] for row in range(len(similar))}
    return near


def mixed_texts(rows: list[Row], neighbours: dict[str, list[str]], seed: int) -> Iterator[str]:
    """Without end; the same for the same seed. A set that has no rows is left out."""
    random = Random(f"mix|{seed}")
    texts = {name: [judged_text(row)[:LONGEST_CHARACTERS] for row in rows if row["set"] == name] for name in SOURCES}
    shares = {name: share for name, share in SOURCES.items() if texts[name]}
    while True:
        name = random.choices(list(shares), list(shares.values()))[0]
        text, draw = random.choice(texts[name]), random.random()
        if draw < PART:
            yield part_of(text, random)
        elif draw < PART + WORDS:
            yield replaced(text, neighbours, random)
        else:
            yield joined(text, random.choice(texts[name]), random)


def mix(prepared: Path, encoder: Path, data: Path, own_folder: Path, out: Path, count: int, seed: int) -> dict[str, Any]:
    """Writes up to `count` rows without labels, fewer where the rows give no more, and their proof beside them: none is a
    training row, none comes near a protected one."""
    rows, proof = checked_rows(prepared)
    network, _ = load_checkpoint(encoder)
    embeddings = network.encoder.embeddings.word_embeddings.weight.detach().numpy()
    neighbours = neighbours_of(embeddings, load_tokenizer(encoder))
    protected = protected_texts(load_given(data), load_own(own_folder))
    hashes = {text_hash(text) for _, text in protected}
    index = NearIndex([text for _, text in protected])
    seen = {text_hash(judged_text(row)) for row in rows}
    mixed: list[Row] = []
    left_out = misses = 0
    for text in mixed_texts(rows, neighbours, seed):
        name = text_hash(text)
        misses += 1
        if len(mixed) == count or misses > MOST_MISSES:
            break
        if name in seen or len(text) < SHORTEST_CHARACTERS:
            continue
        seen.add(name)
        row = unlabelled(f"mixed-{seed}-{len(mixed)}", text)
        if overlap(row, hashes, index, protected):
            left_out += 1
            continue
        mixed.append(row)
        misses = 0
    return write_mixed(mixed, proof, out, left_out)
