"""Step `held-out`: some of our own held-out prompts → small files that the router's tests measure the shipped model on."""

import hashlib
from pathlib import Path

import numpy as np

from .data import judged_text
from .files import read_jsonl, sha256_file, write_jsonl
from .metrics import softmax
from .table import TABLE_NAME, read_table
from .window import encode, load_tokenizer

# What the two implementations could read differently: accents, capitals, other scripts, joined marks, nothing, too much.
ODD_TEXTS = (
    "Ünïcödé naïveté, CAFÉ; co-operate (don't!) 3.14159...",
    "请解释 what a monad is — en français, s'il te plaît",
    "\U0001f600\U0001f600 ok\u200b?\x00",
    "~~~",
    "import numpy as np\nprint(np.linalg.eig(a))\n" * 40,
    "so it is " * 700 + "contract",
)
STATIC_ROWS = 60


def held_out(prepared: Path, out: Path, count: int) -> int:
    """Chosen by hash among all of own_dev, so that the sample has its mix of categories and styles. Returns how many."""
    rows = [row for row in read_jsonl(prepared / "dev.jsonl") if row["set"] == "own"]
    rows.sort(key=lambda row: hashlib.sha256(f"held out|{row['id']}".encode()).hexdigest())
    chosen = sorted(rows[:count], key=lambda row: row["id"])
    write_jsonl(
        out,
        (
            {"id": row["id"], "text": judged_text(row), "label": row["label"], "alt": row["alt"], "jailbreak": row["jailbreak"]}
            for row in chosen
        ),
    )
    return len(chosen)


def static_rows(rows: Path, model: Path, out: Path) -> int:
    """What the shipped table says of the first rows and of odd texts, computed here: the router's own arithmetic must agree. The
    first line names the table. Returns how many texts; 0 when the model has no table."""
    path = model / TABLE_NAME
    if not path.exists():
        return 0
    table, tokenizer = read_table(path), load_tokenizer(model)
    texts = [*ODD_TEXTS, *(row["text"] for row in read_jsonl(rows)[:STATIC_ROWS])]
    logits = [table.logits(encode(tokenizer, text)) for text in texts]
    judged = [
        {"text": text, "probabilities": [round(float(p), 6) for p in softmax(np.array([row]))[0]]}
        for text, row in zip(texts, logits)
    ]
    write_jsonl(out, [{"table_sha256": sha256_file(path)}, *judged])
    return len(judged)
