"""Step `prepare`: all data → train.jsonl and dev.jsonl, with a proof that nothing of a test set is among them.

Protected are the texts of every dev and test split, with and without their options. A training row whose normal form equals a
protected one, or that shares half of its word runs with one, is left out and named in proof.json."""

from pathlib import Path
from typing import Any

from .data import EVALUATION_SETS, Row, evaluation_rows, evaluation_text, judged_text, load_given
from .files import read_json, sha256_file, write_json, write_jsonl
from .own import TEST_FOLDER, load_own
from .similarity import NearIndex, hash_of, text_hash

# Prefix of a given row's id → the source named in the model card.
SOURCE_OF_PREFIX = {
    "self-instruct": "self_instruct",
    "arena-hard-v2": "arena_hard_v2",
    "cl-": "clinc150",
}
SOURCE_OF_SET = {"mmlu_pro": "mmlu_pro", "mmlu": "mmlu", "own": "own", "extra": "templates"}

CODE = Path(__file__).resolve().parent
CODE_THAT_DECIDES = ("data.py", "own.py", "prepare.py", "similarity.py")


def source_of(row: Row) -> str:
    for prefix, source in SOURCE_OF_PREFIX.items():
        if row["id"].startswith(prefix):
            return source
    return SOURCE_OF_SET.get(row["set"], "templates")


def protected_texts(given: list[Row], own: list[Row]) -> list[tuple[str, str]]:
    """(row id, text) of everything that is measured on."""
    texts = []
    for name in EVALUATION_SETS:
        texts += [(row["id"], evaluation_text(row, name)) for row in evaluation_rows([*given, *own], name)]
    texts += [(row["id"], row["text"]) for row in [*given, *own] if row["split"] != "train"]
    return list(dict.fromkeys(texts))


def prepare(data: Path, own_folder: Path, out: Path) -> dict[str, Any]:
    """Does nothing when the inputs, and the code that decides, are those of the last run."""
    own_files = [*sorted(own_folder.glob("*.jsonl")), *sorted((own_folder / TEST_FOLDER).glob("*.jsonl"))]
    files = [*sorted(data.glob("*")), *own_files, *(CODE / name for name in CODE_THAT_DECIDES)]
    inputs = {path.name: sha256_file(path) for path in files}
    proof_path = out / "proof.json"
    if proof_path.exists() and read_json(proof_path)["inputs"] == inputs:
        return read_json(proof_path)
    given, own = load_given(data), load_own(own_folder)
    protected = protected_texts(given, own)
    hashes = {text_hash(text) for _, text in protected}
    index = NearIndex([text for _, text in protected])
    kept, dropped = [], []
    for row in [*given, *own]:
        if row["split"] != "train":
            continue
        reason = overlap(row, hashes, index, protected)
        if reason:
            dropped.append({"id": row["id"], **reason})
        else:
            kept.append({**row, "source": source_of(row)})
    dev = [row for row in given if row["split"] == "dev"] + [row for row in own if row["split"] == "dev"]
    write_jsonl(out / "train.jsonl", kept)
    write_jsonl(out / "dev.jsonl", dev)
    proof = {
        "inputs": inputs,
        "protected_rows": len({row_id for row_id, _ in protected}),
        "protected_sha256": hash_of(hashes),
        "protected_hashes": sorted(hashes),
        "train_rows": len(kept),
        "train_sha256": hash_of(text_hash(judged_text(row)) for row in kept),
        "train_rows_by_set": count(kept, "set"),
        "train_rows_by_source": count(kept, "source"),
        "dropped": dropped,
    }
    prove(kept, hashes)
    write_json(proof_path, proof)
    return proof


def overlap(row: Row, hashes: set[str], index: NearIndex, protected: list[tuple[str, str]]) -> dict[str, Any] | None:
    """Why a row may not be trained on, or None. Its bare text counts as well as the text with its context."""
    for text in {row["text"], judged_text(row)}:
        if text_hash(text) in hashes:
            return {"why": "same text", "share": 1.0}
        near = index.nearest(text)
        if near:
            return {"why": "near-duplicate", "of": protected[near[0]][0], "share": round(near[1], 3)}
    return None


def prove(rows: list[Row], protected_hashes: set[str]) -> None:
    """Raises when a row's text is a protected one. `train` calls it again on what it is about to learn from."""
    guilty = [row["id"] for row in rows if {text_hash(row["text"]), text_hash(judged_text(row))} & protected_hashes]
    if guilty:
        raise SystemExit(f"{len(guilty)} training rows stand in a test or dev split: {', '.join(guilty[:10])}")


def count(rows: list[Row], key: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        found[row[key]] = found.get(row[key], 0) + 1
    return dict(sorted(found.items()))
