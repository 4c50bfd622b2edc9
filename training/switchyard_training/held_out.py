"""Step `held-out`: some of our own held-out prompts → a small file that the router's tests measure the shipped model on."""

import hashlib
from pathlib import Path

from .data import judged_text
from .files import read_jsonl, write_jsonl


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
