"""Step `check`: what the own prompts are, and which of them are too alike. Needs no torch."""

from collections import Counter
from pathlib import Path
from typing import Any

from .data import Row, judged_text, load_given
from .own import load_own
from .prepare import overlap, protected_texts
from .similarity import NearIndex, text_hash


def check(data: Path, own_folder: Path) -> dict[str, Any]:
    """Counts by label, style and mark; pairs that are near-duplicates; prompts that come too close to a test set."""
    own = load_own(own_folder)
    protected = protected_texts(load_given(data), [])
    hashes, index = {text_hash(text) for _, text in protected}, NearIndex([text for _, text in protected])
    close = [{"id": row["id"], **found} for row in own if (found := overlap(row, hashes, index, protected))]
    return {
        "prompts": len(own),
        "held_out": sum(row["split"] == "dev" for row in own),
        "labels": dict(Counter(row["label"] for row in own).most_common()),
        "styles": dict(Counter(row["style"] for row in own).most_common()),
        "jailbreak": {str(mark): count for mark, count in Counter(row["jailbreak"] for row in own).items()},
        "with_alternates": sum(bool(row["alt"]) for row in own),
        "with_context": sum(bool(row["context"]) for row in own),
        "near_duplicates": near_duplicates(own),
        "close_to_a_test_set": close,
    }


def near_duplicates(rows: list[Row]) -> list[dict[str, Any]]:
    """Each prompt that is nearly an earlier one; `labels` differ in a pair that contradicts itself."""
    texts = [judged_text(row) for row in rows]
    index = NearIndex(texts)
    found = []
    for position, text in enumerate(texts):
        near = index.nearest(text, before=position)
        if near:
            row, other = rows[position], rows[near[0]]
            found.append({"id": row["id"], "of": other["id"], "share": round(near[1], 3), "labels": [row["label"], other["label"]]})
    return found
