"""Step `take`: a run's last saved step → a checkpoint, to average or to go on from with more data, without waiting for its end."""

import shutil
from pathlib import Path
from typing import Any

import torch

from .files import read_json
from .model import load_checkpoint, save_checkpoint
from .train import STATE_NAME, sources_of


def take(run: Path, init: Path, prepared: Path, out: Path) -> dict[str, Any]:
    """init and prepared are what the run was started with. Before the last step the learning rate had not come down yet."""
    state = torch.load(run / STATE_NAME, weights_only=True)
    proof = read_json(prepared / "proof.json")
    if state["stamp"]["init"] != init.name or state["stamp"]["prepared_sha256"] != proof["train_sha256"]:
        raise SystemExit(f"{run} was started from other weights or other rows")
    network, earlier = load_checkpoint(init)
    network.load_state_dict(state["network"])
    notes = {
        **state["stamp"],
        "steps": state["step"],
        "trained_heads": earlier["trained_heads"],
        "sources": sources_of(proof, earlier, "soft_sha256" in state["stamp"]),
        "init_notes": earlier,
    }
    save_checkpoint(network, out, notes)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(init / name, out / name)
    return notes
