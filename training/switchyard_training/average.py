"""Step `average`: the mean of several checkpoints' weights (Wortsman et al. 2022, model soups). Calibrate again afterwards."""

import shutil
from pathlib import Path

from .model import load_checkpoint, save_checkpoint


def average(checkpoints: list[Path], out: Path) -> None:
    """The checkpoints must have started from the same weights, or the mean means nothing."""
    network, first = load_checkpoint(checkpoints[0])
    total = {name: value.clone() for name, value in network.state_dict().items()}
    notes = [first]
    for folder in checkpoints[1:]:
        other, other_notes = load_checkpoint(folder)
        notes.append(other_notes)
        for name, value in other.state_dict().items():
            total[name] += value
    network.load_state_dict({name: value / len(checkpoints) for name, value in total.items()})
    heads = set.intersection(*(set(each["trained_heads"]) for each in notes))
    sources = set.union(*(set(each.get("sources", [])) for each in notes))
    merged = {"trained_heads": sorted(heads), "sources": sorted(sources), "averaged": notes}
    for name in ("prepared_sha256", "mixed_sha256"):
        hashes = {each.get(name) for each in notes} - {None}
        if len(hashes) == 1:
            merged[name] = hashes.pop()
    save_checkpoint(network, out, merged)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(checkpoints[0] / name, out / name)
