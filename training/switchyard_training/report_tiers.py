"""Parts of docs/evaluation.md: where the classifiers are good (length, style, language, no category), and how fast each tier is."""

from typing import Any

from .evaluate import percent
from .slices import THRESHOLD

SLICED = ("chat_test", "own_test", "own_dev", "exam_test")
TIERS = {"encoder": "the encoder", "memo": "the encoder, a text that it has read before", "static": "the table of tokens"}
# Codes of ISO 639-1 in the languages table, by their English names.
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "hi": "Hindi",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def span(bounds: list[float]) -> str:
    return f"{percent(bounds[0])}–{percent(bounds[1])}"


def slice_row(name: str, part: dict[str, Any]) -> str:
    accepted = "–" if part["accepted_when_sure"] is None else percent(part["accepted_when_sure"])
    return (
        f"| {name} | {part['rows']} | {percent(part['accuracy'])} | {span(part['accuracy_interval'])} "
        f"| {percent(part['accuracy_with_alternates'])} | {percent(part['sure'])} | {accepted} |"
    )


def slices_section(report: dict[str, Any]) -> str:
    """By length, by style, and prompts that belong to no category; empty when `evaluate` was an earlier one."""
    sets = {name: report["sets"][name]["slices"] for name in SLICED if "slices" in report["sets"].get(name, {})}
    if not sets:
        return ""
    head = ["rows | accuracy | interval | with alternates | sure, % | acceptable when sure |", " --- |" * 6]
    lines = [
        "## Short, long and odd prompts",
        "",
        f"`sure` is the share at or above {THRESHOLD}, the default threshold: the others go to the default model. Lengths "
        "are in tokens.",
    ]
    for name, parts in sets.items():
        lines += ["", f"`{name}` by length:", "", f"| tokens | {head[0]}", f"| --- |{head[1]}"]
        lines += [slice_row(length, part) for length, part in parts["by_length"].items()]
    styles = sets.get("own_dev", {}).get("by_style", {})
    if styles:
        lines += ["", "`own_dev` by style:", "", f"| style | {head[0]}", f"| --- |{head[1]}"]
        lines += [slice_row(style.replace("_", " "), part) for style, part in styles.items()]
    lines += ["", "Prompts that belong to no category (labelled `other`), in percent; `misled` are sure of a wrong category:", ""]
    lines += ["| set | rows | told as other | unsure | misled | interval |", "| --- | --- | --- | --- | --- | --- |"]
    for name, parts in sets.items():
        if "no_category" in parts:
            part = parts["no_category"]
            lines.append(
                f"| `{name}` | {part['rows']} | {percent(part['told'])} | {percent(part['unsure'])} | {percent(part['misled'])} "
                f"| {span(part['misled_interval'])} |"
            )
    return "\n".join(lines)


def tiers_section(report: dict[str, Any], static: dict[str, Any] | None, timings: dict[str, Any] | None) -> str:
    """Quality and speed of each tier; either may be missing."""
    lines = ["## Tiers", ""]
    if static:
        lines += [
            "The table of tokens answers when the deadline, a full queue or a broken worker rules the encoder out.",
            "",
            "| set | encoder | interval | table of tokens | interval | with alternates | error of its confidence |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        for name, part in static["sets"].items():
            int8 = report["sets"][name]["int8"]
            lines.append(
                f"| `{name}` | {percent(int8['accuracy'])} | {span(int8['accuracy_interval'])} | {percent(part['accuracy'])} "
                f"| {span(part['accuracy_interval'])} | {percent(part['accuracy_with_alternates'])} "
                f"| {part['calibration_error']:.3f} |"
            )
        lines.append("")
    if timings:
        lengths = sorted({row["tokens"] for row in timings["rows"]})
        lines += [
            "Milliseconds a text, p50 / p99, one at a time, tokenisation and the way to the worker included "
            f"({timings['machine']}; {timings['model']}, commit {timings['commit']}, {timings['date']}):",
            "",
            "| tier | " + " | ".join(f"{length} tokens" for length in lengths) + " |",
            "| --- |" + " --- |" * len(lengths),
        ]
        for tier, name in TIERS.items():
            cells = {row["tokens"]: f"{row['p50Ms']:.2f} / {row['p99Ms']:.2f}" for row in timings["rows"] if row["tier"] == tier}
            if cells:
                lines.append(f"| {name} | " + " | ".join(cells.get(length, "–") for length in lengths) + " |")
    return "\n".join(lines)


def language_section(languages: dict[str, Any], report: dict[str, Any]) -> str:
    rows, english = languages["rows"], languages["english"]
    prompts, refused = sum(row["prompts"] for row in rows), sum(row["refused"] for row in rows)
    lines = [
        "## Other languages",
        "",
        "The encoder knows English. A text that is certainly something else gets no category rather than a guess. Our own prompts "
        f"in other languages, short and everyday: {refused} of {prompts} are told as such; of {english['prompts']:,} in English "
        f"{english['refused'] or 'none'} {'is' if english['refused'] == 1 else 'are'} refused.",
        "",
        "| language | prompts | no guess | named rightly | taken for English |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        counts = " | ".join(str(row[key]) for key in ("prompts", "refused", "named", "takenForEnglish"))
        lines.append(f"| {LANGUAGES.get(row['code'], row['code'])} | {counts} |")
    held_out = report["sets"]["own_dev"].get("slices", {}).get("by_style", {}).get("multilingual")
    if held_out:
        lines += [
            "",
            f"If the encoder were asked all the same, it would be right on {percent(held_out['accuracy'])} % "
            f"({span(held_out['accuracy_interval'])}) of the {held_out['rows']} such prompts of `own_dev`.",
        ]
    return "\n".join(lines)
