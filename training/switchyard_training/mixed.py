"""The file of step `mix`: rows without labels, and beside it what they were compared with."""

from pathlib import Path
from typing import Any

from .data import Row
from .files import read_json, read_jsonl, sha256_file, write_json, write_jsonl
from .prepare import prove

MIXED = "mixed"


def write_mixed(mixed: list[Row], proof: dict[str, Any], out: Path, left_out: int) -> dict[str, Any]:
    """The rows, and beside them what they were compared with."""
    prove(mixed, set(proof["protected_hashes"]))
    write_jsonl(out, mixed)
    notes = {
        "rows": len(mixed),
        "left_out": left_out,
        "prepared_sha256": proof["train_sha256"],
        "protected_sha256": proof["protected_sha256"],
        "mixed_sha256": sha256_file(out),
    }
    write_json(proof_path(out), notes)
    return notes


def proof_path(mixed: Path) -> Path:
    return mixed.with_suffix(".proof.json")


def read_mixed(path: Path, proof: dict[str, Any]) -> list[Row]:
    """The rows of step `mix`, when they are those that its proof speaks of and were compared with the same protected texts."""
    notes = read_json(proof_path(path)) if proof_path(path).exists() else {}
    if notes.get("mixed_sha256") != sha256_file(path) or notes.get("protected_sha256") != proof["protected_sha256"]:
        raise SystemExit(f"{path} is not what {proof_path(path).name} describes, or other texts are protected now; run `mix` again")
    rows = read_jsonl(path)
    prove(rows, set(proof["protected_hashes"]))
    return rows


def unlabelled(name: str, text: str) -> Row:
    nothing = {"alt": [], "options": [], "context": [], "style": None, "jailbreak": None, "tiers": None}
    return {"id": name, "text": text, "label": None, "set": MIXED, "split": "train", "group": name, **nothing}
