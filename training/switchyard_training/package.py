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
from .table import TABLE_NAME as STATIC_NAME
from .table import prove_tokenizer, table_in

ROLES = {"model": INT8_NAME, "tokenizer": "tokenizer.json", "tokenizer_config": "tokenizer_config.json"}
STATIC_ROLE = "static_table"
STATIC_SETS = ("exam_test", "chat_test", "own_test", "own_dev")


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
        if name in ("chat_test", "own_test", "own_dev"):
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


def static_scores_of(report: dict[str, Any]) -> dict[str, float]:
    """What the table of tokens reaches, beside the encoder's scores in the manifest."""
    scores: dict[str, float] = {}
    for name in STATIC_SETS:
        measured = report["sets"][name]
        scores[f"static_{name}_accuracy"] = measured["accuracy"]
        scores[f"static_{name}_accuracy_low"], scores[f"static_{name}_accuracy_high"] = measured["accuracy_interval"]
        scores[f"static_{name}_accuracy_with_alternates"] = measured["accuracy_with_alternates"]
        scores[f"static_{name}_calibration_error"] = measured["calibration_error"]
    return {name: round(float(value), 4) for name, value in scores.items()}


def add_static(static_folder: Path, out: Path) -> dict[str, Any]:
    """Copies the table beside the graph and returns its report."""
    report = prove_tokenizer(static_folder, out / ROLES["tokenizer"])
    shutil.copyfile(static_folder / STATIC_NAME, out / STATIC_NAME)
    return report


def package(onnx_folder: Path, report_folder: Path, out: Path, version: str, static_folder: Path | None = None) -> dict[str, Any]:
    """Copies the three files, and the table of tokens where static_folder holds one, and writes manifest.json and README.md; the
    folder's name is the model's name."""
    out.mkdir(parents=True, exist_ok=True)
    for name in ROLES.values():
        shutil.copyfile(onnx_folder / name, out / name)
    exported = read_json(onnx_folder / "export.json")
    report = read_json(report_folder / "report.json")
    roles, scores, sources = dict(ROLES), scores_of(report), exported["checkpoint"].get("sources") or []
    (out / STATIC_NAME).unlink(missing_ok=True)
    if static_folder is not None and table_in(static_folder):
        static_report = add_static(static_folder, out)
        scores |= static_scores_of(static_report)
        sources = [*sources, *static_report["sources"]]
        roles[STATIC_ROLE] = STATIC_NAME
    outputs: dict[str, Any] = {
        "category": {
            "labels": list(CATEGORIES),
            "temperature": round(exported["temperatures"]["category"], 4),
            "temperature_of_exams": round(exported["temperatures"]["category_of_exams"], 4),
        },
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
            for role, name in roles.items()
        },
        "inputs": {"max_tokens": MAX_TOKENS, "head_tokens": HEAD_TOKENS, "tail_tokens": TAIL_TOKENS},
        "outputs": outputs,
        "scores": scores,
        "data": sources_used(sources),
    }
    write_json(out / "manifest.json", manifest)
    write_text(out / "README.md", model_card(manifest, report, exported))
    return manifest
