"""Text → token ids, cut as the router cuts it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from .labels import HEAD_TOKENS, MAX_TOKENS, TAIL_TOKENS

# Far more than 256 tokens of any text; keeps a pasted log of megabytes from costing seconds.
MAX_CHARS_EACH_END = 20_000


# Few different widths: the matrix library plans each one anew.
PAD_TO = 8


def load_tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def cut(ids: Sequence[int], max_tokens: int = MAX_TOKENS) -> list[int]:
    """Keeps the first three quarters and the last quarter of the window: a question stands at either end of a paste."""
    if len(ids) <= max_tokens:
        return list(ids)
    head = max_tokens * HEAD_TOKENS // (HEAD_TOKENS + TAIL_TOKENS)
    return [*ids[:head], *ids[len(ids) - (max_tokens - head) :]]


def encode(tokenizer: Tokenizer, text: str, max_tokens: int = MAX_TOKENS) -> list[int]:
    """Ids with [CLS] and [SEP], at most max_tokens of them."""
    if len(text) > 2 * MAX_CHARS_EACH_END:
        text = text[:MAX_CHARS_EACH_END] + " " + text[-MAX_CHARS_EACH_END:]
    return cut(tokenizer.encode(text).ids, max_tokens)


def pad(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """(input_ids, attention_mask), both int64 [batch, tokens]; id 0 is [PAD]."""
    width = -(-max(len(row) for row in rows) // PAD_TO) * PAD_TO
    ids = np.zeros((len(rows), width), np.int64)
    mask = np.zeros((len(rows), width), np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return ids, mask
