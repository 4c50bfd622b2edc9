"""The project's own prompts: training/data/*.jsonl to learn from, training/data/test/*.jsonl to measure on; format in
training/data/README.md."""

import hashlib
from pathlib import Path
from typing import Any

from .data import Row, judged_text, row_of
from .files import read_jsonl
from .labels import CATEGORY_INDEX
from .similarity import NearIndex

FIELDS = {"id", "text", "label", "alt", "style", "context", "jailbreak", "second"}
# Under the folder of own prompts: those that are only ever measured on.
TEST_FOLDER = "test"
# This share of the own prompts is held out to choose and calibrate on; near-duplicates stay on one side.
DEV_SHARE = 0.1


def problems_of(line: dict[str, Any]) -> list[str]:
    """What is wrong with one line, in words; empty when it is good."""
    found = [f"unknown field {name!r}" for name in sorted(set(line) - FIELDS)]
    for name in ("id", "text", "style"):
        if not isinstance(line.get(name), str) or not line[name].strip():
            found.append(f"{name} must be a text that is not empty")
    if line.get("label") not in CATEGORY_INDEX:
        found.append(f"label {line.get('label')!r} is no category")
    alternates = line.get("alt", [])
    if not isinstance(alternates, list) or any(name not in CATEGORY_INDEX for name in alternates):
        found.append("alt must be a list of categories")
    elif line.get("label") in alternates:
        found.append("alt repeats the label")
    if "second" in line and line["second"] not in CATEGORY_INDEX:
        found.append(f"second {line['second']!r} is no category")
    context = line.get("context", [])
    if not isinstance(context, str) and not (isinstance(context, list) and all(isinstance(turn, str) for turn in context)):
        found.append("context must be a text or a list of texts, oldest first")
    if line.get("jailbreak", 0) not in (0, 1):
        found.append("jailbreak must be 0 or 1")
    return found


def load_own(folder: Path) -> list[Row]:
    """Every own prompt as a row of set `own`, split train, dev or test. All bad lines are named at once."""
    rows: list[Row] = []
    errors: list[str] = []
    seen: dict[str, str] = {}
    for path in [*sorted(folder.glob("*.jsonl")), *sorted((folder / TEST_FOLDER).glob("*.jsonl"))]:
        split = "test" if path.parent.name == TEST_FOLDER else "train"
        for number, line in enumerate(read_jsonl(path), 1):
            place = f"{path.name}:{number}"
            errors += [f"{place}: {problem}" for problem in problems_of(line)]
            if str(line.get("id")) in seen:
                errors.append(f"{place}: id {line['id']!r} is also at {seen[str(line['id'])]}")
            seen[str(line.get("id"))] = place
            if not errors:
                rows.append(own_row(line, split))
    if errors:
        raise SystemExit("\n".join([*errors[:200], f"{len(errors)} problems in {folder}"]))
    assign_splits([row for row in rows if row["split"] == "train"])
    return rows


def own_row(line: dict[str, Any], split: str) -> Row:
    context = line.get("context", [])
    return row_of({**line, "context": [context] if isinstance(context, str) else context}, "own", split)


def assign_splits(rows: list[Row]) -> None:
    """Groups near-duplicates, then holds out whole groups by the hash of their first id, the same on every run."""
    index = NearIndex([judged_text(row) for row in rows])
    for position, row in enumerate(rows):
        near = index.nearest(judged_text(row), before=position)
        row["group"] = rows[near[0]]["group"] if near else row["id"]
        share = int(hashlib.sha256(f"own|{row['group']}".encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
        row["split"] = "dev" if share < DEV_SHARE else "train"
