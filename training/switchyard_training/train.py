"""Step `train`: prepared rows → checkpoint. Starts at the base encoder or at a checkpoint; goes on where it was cut off."""

import json
import math
import shutil
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

from .batches import Batch, add_soft, epoch_batches, repeat, to_batch
from .data import Row, gold, judged_text
from .files import read_json, read_jsonl, sha256_file
from .metrics import auc
from .mixed import read_mixed
from .model import Heads, Network, load_checkpoint, mean_of_tokens, new_network, save_checkpoint
from .options import Options
from .prepare import prove
from .similarity import hash_of, text_hash
from .window import encode, load_tokenizer, pad

STATE_NAME = "state.pt"
SAVE_EVERY_STEPS = 100
PREDICT_BATCH = 32
# The base encoder sees one row in so many: it costs a third of a step, and half of the rows teach the head as well.
TAUGHT_EVERY = 2
# What a run notes only where a teacher had a say.
TEACHING = ("soft_sha256", "mixed_sha256")


def start_network(init: Path) -> tuple[Network, dict[str, Any]]:
    """init is a checkpoint of ours, or the unpacked base encoder (its pooler is not used)."""
    if (init / "checkpoint.json").exists():
        return load_checkpoint(init)
    network = new_network(init)
    weights = load_file(str(init / "model.safetensors"))
    weights = {name: value for name, value in weights.items() if not name.startswith("pooler.")}
    weights.pop("embeddings.position_ids", None)
    network.encoder.load_state_dict(weights)
    return network, {"trained_heads": []}


def parameter_groups(network: Network, options: Options) -> list[dict[str, Any]]:
    """Heads learn fastest; each encoder layer below the top learns layer_decay times the rate of the one above it."""
    layers = network.encoder.config.num_hidden_layers
    groups = []
    for name, parameter in network.named_parameters():
        if name.startswith("encoder.embeddings.") and not options.train_embeddings:
            parameter.requires_grad_(False)
            continue
        if name.startswith("encoder.encoder.layer."):
            rate = options.learning_rate * options.layer_decay ** (layers - 1 - int(name.split(".")[3]))
        elif name.startswith("encoder."):
            rate = options.learning_rate * options.layer_decay**layers
        else:
            rate = options.head_learning_rate
        plain = name.endswith("bias") or "LayerNorm" in name
        groups.append({"params": [parameter], "lr": rate, "weight_decay": 0.0 if plain else options.weight_decay})
    return groups


def loss_of(heads: Heads, batch: Batch, options: Options, taught: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy with soft targets, plus binary cross-entropy on the heads that the rows say something about, plus the
    cosine distance of the embedding to the one that the base encoder gives, taught [batch / TAUGHT_EVERY, 384]."""
    loss = functional.cross_entropy(heads.category, batch.category)
    if taught is not None:
        similarity = functional.cosine_similarity(heads.embedding[::TAUGHT_EVERY], taught, dim=-1)
        loss = loss + options.embedding_weight * (1 - similarity).mean()
    for logits, target, mask, weight in (
        (heads.difficulty, batch.tiers, batch.tiers_mask, options.difficulty_weight),
        (heads.jailbreak, batch.jailbreak, batch.jailbreak_mask, options.jailbreak_weight),
    ):
        if mask.any() and weight:
            each = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
            loss = loss + weight * (each * mask).sum() / mask.sum()
    return loss


def predict(network: Network, tokenizer: Any, texts: list[str], max_tokens: int) -> dict[str, np.ndarray]:
    """Head name → logits, and the pooled vectors; batches of similar length."""
    network.eval()
    encoded = [encode(tokenizer, text, max_tokens) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: len(encoded[index]))
    rows: dict[str, list[Any]] = {
        name: [None] * len(texts) for name in ("category", "difficulty", "jailbreak", "pooled", "embedding")
    }
    with torch.inference_mode():
        for start in range(0, len(order), PREDICT_BATCH):
            chosen = order[start : start + PREDICT_BATCH]
            ids, mask = pad([encoded[index] for index in chosen])
            heads = network(torch.from_numpy(ids), torch.from_numpy(mask))
            for name, store in rows.items():
                for index, value in zip(chosen, getattr(heads, name).float().numpy()):
                    store[index] = value
    return {name: np.stack(values) for name, values in rows.items()}


def dev_scores(network: Network, tokenizer: Any, dev: list[Row], max_tokens: int) -> dict[str, float]:
    """Accuracy on the held-out exam questions and own prompts; jailbreak AUC where rows are marked."""
    outputs = predict(network, tokenizer, [judged_text(row) for row in dev], max_tokens)
    scores = {}
    for name in ("mmlu_pro", "mmlu", "own"):
        chosen = [index for index, row in enumerate(dev) if row["set"] == name]
        if chosen:
            right = [outputs["category"][index].argmax() == gold(dev[index]) for index in chosen]
            scores[f"{name}_dev"] = round(float(np.mean(right)), 4)
    marked = [index for index, row in enumerate(dev) if row["jailbreak"] is not None]
    if marked:
        truth = np.array([dev[index]["jailbreak"] for index in marked])
        scores["jailbreak_auc_dev"] = round(auc(outputs["jailbreak"][marked, 0], truth), 4)
    return scores


def checked_rows(prepared: Path) -> tuple[list[Row], dict[str, Any]]:
    """The training rows, after a second look: the file is the one that the proof speaks of, and no row is protected."""
    proof = read_json(prepared / "proof.json")
    rows = read_jsonl(prepared / "train.jsonl")
    if hash_of(text_hash(judged_text(row)) for row in rows) != proof["train_sha256"]:
        raise SystemExit(f"{prepared / 'train.jsonl'} is not what proof.json describes; run `prepare` again")
    prove(rows, set(proof["protected_hashes"]))
    return rows, proof


def sources_of(proof: dict[str, Any], earlier: dict[str, Any], taught: bool) -> list[str]:
    """Where the rows came from, those of the runs before included, and the teacher."""
    teacher = ["mpnet_teacher"] if taught else []
    return sorted({*proof["train_rows_by_source"], *earlier.get("sources", []), *teacher})


SAMPLE_ROWS = 256


def sample_texts(prepared: Path) -> list[str]:
    """The same few training texts each time, of all sets."""
    rows, _ = checked_rows(prepared)
    return [judged_text(row) for row in Random(0).sample(rows, min(SAMPLE_ROWS, len(rows)))]


def train(
    prepared: Path,
    init: Path,
    out: Path,
    options: Options,
    base: Path | None = None,
    soft: Path | None = None,
    mixed: Path | None = None,
) -> dict[str, Any]:
    """Writes the checkpoint and log.jsonl under out. A finished run is not run again; another setting needs another folder.
    base: the base encoder that teaches the embedding head; None leaves that head as it is. soft: the file of step `soft`.
    mixed: the file of step `mix`, whose rows have no label but what soft says."""
    settings = json.loads(json.dumps(asdict(options)))
    rows, proof = checked_rows(prepared)
    stamp = {"options": settings, "prepared_sha256": proof["train_sha256"], "init": init.name}
    if mixed:
        stamp["mixed_sha256"] = sha256_file(mixed)
        rows += read_mixed(mixed, proof)
    if soft:
        stamp["soft_sha256"] = sha256_file(soft)
        print(f"{add_soft(rows, soft)} of {len(rows)} rows have a teacher's opinion", flush=True)
    mute = sum(row["label"] is None and not row.get("soft") for row in rows)
    if mute:
        raise SystemExit(f"{mute} rows of {mixed} have neither label nor teacher's opinion; run `soft --mixed` to its end")
    if (out / "checkpoint.json").exists():
        notes = read_json(out / "checkpoint.json")
        if any(notes.get(name) != stamp.get(name) for name in (*stamp, *TEACHING)):
            raise SystemExit(f"{out} holds a run with other settings or data; choose another --out")
        return notes
    torch.set_num_threads(options.threads)
    # New heads are the same whatever the seed: only then may runs of several seeds be averaged.
    torch.manual_seed(0)
    network, earlier = start_network(init)
    torch.manual_seed(options.seed)
    tokenizer = load_tokenizer(init)
    each_epoch = math.ceil(len(repeat(rows, options.repeats, options.seed, 0)) / options.batch_size)
    steps = options.epochs * each_epoch
    steps = min(steps, options.max_steps or steps)
    optimizer = torch.optim.AdamW(parameter_groups(network, options), fused=True)
    warm = max(1, int(options.warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.0, (steps - step) / max(1, steps - warm)))
    )
    step = resume(out / STATE_NAME, stamp, network, optimizer, schedule)
    teacher = start_network(base)[0].encoder.eval() if base and options.embedding_weight else None
    run = Run(network, tokenizer, optimizer, schedule, options, out, stamp, teacher)
    run.steps(rows, step, steps, each_epoch)
    heads = {"category", "difficulty", *earlier["trained_heads"]}
    if options.jailbreak_weight and any(row["jailbreak"] is not None for row in rows):
        heads.add("jailbreak")
    notes = {
        **stamp,
        "steps": steps,
        "trained_heads": sorted(heads),
        "sources": sources_of(proof, earlier, soft is not None),
        "init_notes": earlier,
        "dev": dev_scores(network, tokenizer, read_jsonl(prepared / "dev.jsonl"), options.max_tokens),
    }
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(init / name, out / name)
    save_checkpoint(network, out, notes)
    (out / STATE_NAME).unlink(missing_ok=True)
    print("dev", notes["dev"], flush=True)
    return notes


@dataclass
class Run:
    """What one training run carries from step to step."""

    network: Network
    tokenizer: Any
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LambdaLR
    options: Options
    out: Path
    stamp: dict[str, Any]
    teacher: nn.Module | None

    def steps(self, rows: list[Row], done: int, total: int, each_epoch: int) -> None:
        options = self.options
        started, seen = time.time(), []
        for epoch in range(done // each_epoch, options.epochs):
            drawn = repeat(rows, options.repeats, options.seed, epoch)
            batches = epoch_batches(drawn, self.tokenizer, options.batch_size, options.max_tokens, options.seed, epoch)
            for chosen, encoded in batches[done - epoch * each_epoch :]:
                if done >= total:
                    return
                seen.append(self.step(to_batch(chosen, encoded, options.smoothing, options.soft_weight)))
                done += 1
                if done % SAVE_EVERY_STEPS == 0 or done == total:
                    self.report(done, total, float(np.mean(seen)), time.time() - started)
                    seen.clear()

    def step(self, batch: Batch) -> float:
        self.network.train()
        with torch.autocast("cpu", torch.bfloat16):
            heads = self.network(batch.input_ids, batch.attention_mask)
        heads = Heads(*(getattr(heads, field.name).float() for field in fields(Heads)))
        loss = loss_of(heads, batch, self.options, self.taught(batch))
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.schedule.step()
        return loss.item()

    def taught(self, batch: Batch) -> torch.Tensor | None:
        """What the base encoder makes of every TAUGHT_EVERY-th row, [batch / TAUGHT_EVERY, 384]."""
        if self.teacher is None:
            return None
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            return mean_of_tokens(self.teacher, batch.input_ids[::TAUGHT_EVERY], batch.attention_mask[::TAUGHT_EVERY])

    def report(self, done: int, total: int, loss: float, seconds: float) -> None:
        """One line of log.jsonl, and the state to go on from."""
        line = {"step": done, "of": total, "loss": round(loss, 4), "seconds": round(seconds)}
        self.out.mkdir(parents=True, exist_ok=True)
        with open(self.out / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(line, flush=True)
        state = {
            "stamp": self.stamp,
            "step": done,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
        }
        draft = self.out / (STATE_NAME + ".part")
        torch.save(state, draft)
        draft.replace(self.out / STATE_NAME)


def resume(path: Path, stamp: dict[str, Any], network: Network, optimizer: Any, schedule: Any) -> int:
    """The step to go on at; 0 for a new run. A state of other settings is an error, not a fresh start."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    if state["stamp"] != stamp:
        raise SystemExit(f"{path} is of a run with other settings or data; choose another --out")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    torch.set_rng_state(state["random"])
    print(f"going on at step {state['step']}", flush=True)
    return state["step"]
