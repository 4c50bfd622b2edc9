"""Step `adopt`: takes over weights that an earlier recipe trained, into a checkpoint of this project.

The earlier recipe named its parts enc, cat and dif, and ordered the categories differently; rows are permuted here, so that
everything after this step knows one order only."""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file

from .files import sha256_file
from .labels import CATEGORIES
from .model import new_network, save_checkpoint

EARLIER_CATEGORIES = (
    "business",
    "law",
    "psychology",
    "biology",
    "chemistry",
    "history",
    "other",
    "health",
    "economics",
    "math",
    "physics",
    "computer science",
    "philosophy",
    "engineering",
)
EARLIER_NAMES = {"enc.": "encoder.", "cat.": "category.", "dif.": "difficulty."}


def rename(name: str) -> str:
    for earlier, ours in EARLIER_NAMES.items():
        if name.startswith(earlier):
            return ours + name[len(earlier) :]
    raise ValueError(f"unexpected tensor {name!r}; allowed prefixes: {', '.join(EARLIER_NAMES)}")


def adopt(source: Path, weights_name: str, out: Path) -> None:
    """source holds the safetensors file, config.json and the tokenizer. The jailbreak head starts at zero: untrained."""
    weights = {rename(name): value.float() for name, value in load_file(str(source / weights_name)).items()}
    order = torch.tensor([EARLIER_CATEGORIES.index(name) for name in CATEGORIES])
    for part in ("category.weight", "category.bias"):
        weights[part] = weights[part][order]
    network = new_network(source)
    weights["jailbreak.weight"] = torch.zeros_like(network.jailbreak.weight)
    weights["jailbreak.bias"] = torch.zeros_like(network.jailbreak.bias)
    weights["embedding.weight"] = network.embedding.weight.detach().clone()
    network.load_state_dict(weights)
    save_checkpoint(
        network,
        out,
        {"adopted_sha256": sha256_file(source / weights_name), "trained_heads": ["category", "difficulty"]},
    )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / name, out / name)
