"""The model card: models/<name>/README.md, written from the manifest and the report, so no figure is typed by hand."""

from typing import Any

from .evaluate import percent, to_markdown

LIMITS = """\
- **English only.** The encoder was trained on English; other languages and scripts get labels that mean little. The
  router must check the script and language before it trusts a label.
- **Exams and users disagree.** MMLU-Pro files accounting, geography, government, sociology, security and public relations
  under `other`; our own prompts file them where a user would look for them (training/data/GUIDE.md). The model has seen both,
  and wavers there. The commonest confusions are listed above.
- **Short follow-ups carry no topic.** "yes, do that" is `other` unless the conversation before it is read too.
- **Difficulty** predicts how often models of a tier answered exam questions right, with chain of thought, in 2024. It
  says little about open chat, and nothing about whether reasoning helps.
- **int8 activations are scaled over the whole batch**: a text's logits move by about 0.1 with its batch mates.
- **256 tokens are read**, the first 192 and the last 64; the middle of a long text is not seen.
"""

GUARD_LIMITS = """\
- **The jailbreak score flags, it does not judge.** It knows the shapes that our own few hundred attempts have; a new shape, another
  language or an attempt in the unread middle of a long text passes.
"""


def model_card(manifest: dict[str, Any], report: dict[str, Any], exported: dict[str, Any]) -> str:
    """exported: export.json, what the graph was made of."""
    guards = "jailbreak" in manifest["outputs"]
    sections = [
        f"# {manifest['name']} {manifest['version']}",
        "One pass of a small BERT encoder (6 layers, 384 dimensions, 22.7 M parameters, int8) that tells a chat prompt's "
        + (
            "category, how hard it is and whether it tries to break the assistant's rules"
            if guards
            else "category and how hard it is"
        )
        + ", and gives its embedding.",
        graph_section(manifest, exported),
        "## Scores\n\nMeasured on the int8 graph by `evaluate` (training/README.md), one text at a time, question only "
        "unless the name says otherwise. `with alternates` counts the labels that a second reading finds acceptable "
        "too. Intervals are 95 % percentile bootstrap, 1,000 draws.\n\n" + to_markdown(report),
        confusion_section(report),
        *static_section(manifest, exported),
        data_section(manifest, exported["checkpoint"]),
        "## Limits\n\n" + LIMITS + (GUARD_LIMITS if guards else ""),
        "## Licence\n\nApache-2.0. Derived from all-MiniLM-L6-v2 (Apache-2.0). Contains training signal from CLINC150 by "
        "Larson et al., used under CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/); its queries were selected "
        "and given other labels.",
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def graph_section(manifest: dict[str, Any], exported: dict[str, Any]) -> str:
    inputs, outputs = manifest["inputs"], manifest["outputs"]
    labels = ", ".join(outputs["category"]["labels"])
    lines = [
        "## Graph",
        "",
        f"Inputs `input_ids` and `attention_mask`, int64 [batch, tokens]; at most {inputs['max_tokens']} tokens, specials "
        f"counted. A longer text keeps its first {inputs['head_tokens']} and last {inputs['tail_tokens']} tokens.",
        *wide_part(exported),
        "",
        "| output | shape | what |",
        "| --- | --- | --- |",
        f"| `category` | [batch, {len(outputs['category']['labels'])}] | logits, temperature folded in: {labels} |",
        f"| `difficulty` | [batch, {len(outputs['difficulty']['labels'])}] | logits; sigmoid = probability that a "
        f"{', '.join(outputs['difficulty']['labels'])} model answers right |",
        f"| `embedding` | [batch, {outputs['embedding']['dims']}] | linear map of the mean over the tokens that keeps the base "
        "encoder's geometry, length 1 |",
    ]
    if "jailbreak" in outputs:
        threshold = outputs["jailbreak"]["threshold"]
        lines.append(f"| `jailbreak` | [batch, 1] | logit; suggested threshold on the probability {threshold} |")
    return "\n".join(lines)


def wide_part(exported: dict[str, Any]) -> list[str]:
    temperatures = exported["temperatures"]
    calibrated = (
        f"One temperature for prompts ({temperatures['category']:.2f}) and one for exam questions "
        f"({temperatures['category_of_exams']:.2f}) are folded in; how much a text resembles the one or the other decides."
    )
    if exported["table_sha256"] is None:
        return ["", calibrated]
    table = f"The category logits are the encoder's, and {exported['table_factor']:.2f} times those of the table below."
    return ["", f"{table} {calibrated}"]


def static_section(manifest: dict[str, Any], exported: dict[str, Any]) -> list[str]:
    """The table of tokens, where the folder has one."""
    if "static_table" not in manifest["files"]:
        return []
    file, scores = manifest["files"]["static_table"], manifest["scores"]
    lines = [
        "## Table of tokens",
        "",
        f"`{file['path']}`: category logits for each of the tokenizer's tokens and for pairs of neighbours, which share rows by a "
        "hash, int8, added up over a text. It answers in microseconds, alone only when the encoder cannot: the deadline, a full "
        "queue, a worker that died." + (" The graph holds a copy." if exported["table_sha256"] is not None else ""),
        "",
        "| set | accuracy | 95 % interval | with alternates | ECE |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name in ("exam_test", "chat_test", "own_test", "own_dev"):
        low, high = scores[f"static_{name}_accuracy_low"], scores[f"static_{name}_accuracy_high"]
        lines.append(
            f"| {name} | {percent(scores[f'static_{name}_accuracy'])} | {percent(low)}–{percent(high)} "
            f"| {percent(scores[f'static_{name}_accuracy_with_alternates'])} "
            f"| {scores[f'static_{name}_calibration_error']:.3f} |"
        )
    return ["\n".join(lines)]


def confusion_section(report: dict[str, Any]) -> str:
    lines = ["Commonest confusions (labelled → predicted):", ""]
    for name in ("exam_test", "chat_test"):
        pairs = [f"{pair['gold']} → {pair['predicted']} {pair['count']}" for pair in report["sets"][name]["int8"]["confusions"][:5]]
        rows = report["sets"][name]["int8"]["rows"]
        lines.append(f"- {name} ({rows} rows): {'; '.join(pairs)}")
    for name in ("exam_test", "chat_test"):
        change = report["sets"][name]["int8_minus_fp32"]
        low, high = change["accuracy_interval"]
        lines.append(
            f"- int8 against fp32 on {name}: {100 * change['accuracy']:+.2f} points "
            f"(95 % {100 * low:+.2f} to {100 * high:+.2f}), same label on {percent(change['same_label'])} %"
        )
    return "\n".join(lines)


def data_section(manifest: dict[str, Any], checkpoint: dict[str, Any]) -> str:
    lines = ["## Data", "", "| source | licence | use |", "| --- | --- | --- |"]
    lines += [f"| {source['name']} | {source['licence']} | {source['use']} |" for source in manifest["data"]]
    lines += [
        "",
        "Splits: near-duplicates share a group, and a group never crosses splits. Choices were made on `exam_dev` and "
        "`own_dev`; the test sets were only measured. chat_test was never trained on.",
    ]
    if "prepared_sha256" in checkpoint:
        lines.append(
            f"\nThe training rows have sha256 `{checkpoint['prepared_sha256']}`; `prepare` proved by hash and by word "
            "shingles that no row of a test split, nor a near-duplicate of one, is among them."
        )
        if "mixed_sha256" in checkpoint:
            lines.append(
                f"\nNew texts mixed out of them (sha256 `{checkpoint['mixed_sha256']}`), which only the teacher "
                "labelled, were compared in the same way."
            )
    elif "adopted_sha256" in checkpoint:
        lines.append(
            "\nThese weights come from an earlier recipe (checkpoint sha256 "
            f"`{checkpoint['adopted_sha256']}`) that grouped near-duplicates less strictly than `prepare` does now: about 1 % "
            "of its training rows, all of them exam questions or templates, resemble a dev or test question."
        )
    return "\n".join(lines)
