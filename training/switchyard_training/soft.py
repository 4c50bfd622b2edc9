"""Step `soft`: what a larger network, a teacher, thinks of each training row. `train --soft` mixes it into the targets."""

from pathlib import Path

import numpy as np
import torch

from .data import judged_text
from .files import read_jsonl, write_jsonl
from .mixed import read_mixed
from .model import load_checkpoint
from .similarity import text_hash
from .train import checked_rows, predict
from .window import load_tokenizer

# Texts a piece: what is done is kept when the step is cut off.
PIECE = 2048


def write_soft(teachers: list[Path], prepared: Path, out: Path, max_tokens: int, threads: int, mixed: Path | None = None) -> int:
    """Adds {text: hash of the text, probabilities: [14]} to the file for each training row, and each row of the file of step
    `mix`, that it lacks, and returns how many it has then. It does not know who was asked before: other teachers need
    another file. Several teachers: the mean of their logits. A teacher was trained on these rows, so it is surer of them
    than of new ones; it still tells which other category a text is close to, and it disagrees where a label is wrong."""
    torch.set_num_threads(threads)
    rows, proof = checked_rows(prepared)
    rows += read_mixed(mixed, proof) if mixed else []
    lines = read_jsonl(out) if out.exists() else []
    known = {line["text"] for line in lines}
    texts = {text_hash(judged_text(row)): judged_text(row) for row in rows}
    asked = sorted((text for name, text in texts.items() if name not in known), key=len)
    for start in range(0, len(asked), PIECE):
        piece = asked[start : start + PIECE]
        logits = np.mean([category_logits(teacher, piece, max_tokens) for teacher in teachers], axis=0)
        shares = torch.softmax(torch.from_numpy(logits), dim=-1).tolist()
        lines += [
            {"text": text_hash(text), "probabilities": [round(share, 5) for share in row]} for text, row in zip(piece, shares)
        ]
        write_jsonl(out, lines)
        print(f"{start + len(piece)} of {len(asked)}", flush=True)
    return len(lines)


def category_logits(teacher: Path, texts: list[str], max_tokens: int) -> np.ndarray:
    """[texts, 14]"""
    network, _ = load_checkpoint(teacher)
    with torch.autocast("cpu", torch.bfloat16):
        return predict(network, load_tokenizer(teacher), texts, max_tokens)["category"]
