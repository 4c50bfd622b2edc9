"""Step `package`: exported int8 graph + evaluation report → models/<name>/ with manifest and model card."""

import re
import shutil
from pathlib import Path
from typing import Any

from .card import model_card
from .export import INT8_NAME
from .files import read_json, sha256_file, write_json, write_text
from .labels import CATEGORIES, EMBEDDING_DIMS, HEAD_TOKENS, MAX_TOKENS, TAIL_TOKENS, TIERS
from .sources import BASE_ENCODER, sources_used

ROLES = {"model": INT8_NAME, "tokenizer": "tokenizer.json", "tokenizer_config": "tokenizer_config.json"}


def scores_of(report: dict[str, Any]) -> dict[str, float]:
    """The manifest's flat scores, all of the int8 graph unless the name says otherwise; four decimals."""
    scores: dict[str, float] = {}
    for name, measured in report["sets"].items():
        int8 = measured["int8"]
        scores[f"{name}_rows"] = int8["rows"]
        scores[f"{name}_accuracy"] = int8["accuracy"]
        scores[f"{name}_accuracy_low"], scores[f"{name}_accuracy_high"] = int8["accuracy_interval"]
        scores[f"{name}_accuracy_fp32"] = measured["fp32"]["accuracy"]
        scores[f"{name}_macro_f1"] = int8["macro_f1"]
        scores[f"{name}_calibration_error"] = int8["calibration_error"]
        if name.startswith("chat"):
            scores[f"{name}_accuracy_with_alternates"] = int8["accuracy_with_alternates"]
    for tier, measured in report["sets"]["exam_test"]["int8_difficulty"].items():
        scores[f"exam_test_difficulty_auc_{tier}"] = measured["auc"]
    guard = report.get("jailbreak", {})
    for name in ("auc", "recall_at_1_percent", "auc_against_lookalikes"):
        if name in guard:
            scores[f"jailbreak_{name}"] = guard[name]
    for group, measured in guard.get("groups", {}).items():
        scores[f"jailbreak_flagged_{re.sub(r'[^a-z]+', '_', group)}"] = measured["flagged"]
    return {name: round(float(value), 4) for name, value in scores.items()}


def package(onnx_folder: Path, report_folder: Path, out: Path, version: str) -> dict[str, Any]:
    """Copies the three files and writes manifest.json and README.md; the folder's name is the model's name."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ROLES.values():
        shutil.copyfile(onnx_folder / name, out / name)
    exported = read_json(onnx_folder / "export.json")
    report = read_json(report_folder / "report.json")
    outputs: dict[str, Any] = {
        "category": {"labels": list(CATEGORIES), "temperature": round(exported["temperatures"]["category"], 4)},
        "difficulty": {"labels": list(TIERS)},
    }
    if exported["with_jailbreak"]:
        outputs["jailbreak"] = {"threshold": exported["jailbreak_threshold"]}
    outputs["embedding"] = {"dims": EMBEDDING_DIMS, "pooling": "mean"}
    manifest = {
        "schema_version": 1,
        "name": out.name,
        "version": version,
        "licence": "Apache-2.0",
        "base_encoder": BASE_ENCODER,
        "files": {
            role: {"path": name, "sha256": sha256_file(out / name), "bytes": (out / name).stat().st_size}
            for role, name in ROLES.items()
        },
        "inputs": {"max_tokens": MAX_TOKENS, "head_tokens": HEAD_TOKENS, "tail_tokens": TAIL_TOKENS},
        "outputs": outputs,
        "scores": scores_of(report),
        "data": sources_used(exported["checkpoint"].get("sources")),
    }
    write_json(out / "manifest.json", manifest)
    write_text(out / "README.md", model_card(manifest, report, exported["checkpoint"]))
    return manifest
