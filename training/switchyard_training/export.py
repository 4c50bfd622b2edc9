"""Step `export`: checkpoint → one ONNX graph with all heads, fp32 and int8.

int8 is dynamic quantisation of weights, per channel, signed: one scale for a whole matrix was seen to flip 3.6 % of the
labels. Outliers among the activations are evened out first (smooth.py). Activations are quantised at run time over the whole
batch, so a text's logits move a little with its batch mates."""

import math
from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer
from torch import nn

from .files import read_json, sha256_file, write_json
from .fused_attention import CUSTOM_OPSETS, fuse_attention
from .model import Network, load_checkpoint
from .smooth import smooth
from .table import prove_tokenizer, read_table, table_in
from .wide import Wide
from .window import encode, load_tokenizer, pad

OPSET = 17
FP32_NAME = "model_fp32.onnx"
INT8_NAME = "model_int8.onnx"
HEADS = ("category", "difficulty", "jailbreak")
# Traces of how the tokenizer was once loaded; they say nothing about the tokenizer.
LOCAL_KEYS = ("is_local", "local_files_only", "max_length", "pad_to_multiple_of", "stride", "truncation_strategy")


class Graph(nn.Module):
    """What the file computes: temperatures folded in, the wide part added, embedding of length 1, jailbreak only when it was
    trained."""

    def __init__(self, network: Network, calibration: dict[str, Any], with_jailbreak: bool, wide: Wide | None = None):
        super().__init__()
        self.network = network
        self.wide = wide
        self.table_factor = calibration["table_factor"]
        self.temperatures = calibration["temperatures"]
        self.jailbreak_shift = calibration["jailbreak_shift"]
        self.with_jailbreak = with_jailbreak
        self.kind_bias = calibration["kind"]["bias"] if calibration["kind"] else None
        self.register_buffer("kind_weights", torch.tensor(calibration["kind"]["weights"] if calibration["kind"] else []))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        heads = self.network(input_ids, attention_mask)
        category = heads.category
        if self.wide is not None:
            category = category + self.table_factor * self.wide(input_ids, attention_mask)
        outputs = [
            category / self.temperature(heads.pooled),
            heads.difficulty / self.temperatures["difficulty"],
            nn.functional.normalize(heads.embedding, dim=-1),
        ]
        if self.with_jailbreak:
            outputs.append(heads.jailbreak / self.temperatures["jailbreak"] + self.jailbreak_shift)
        return tuple(outputs)

    def temperature(self, pooled: torch.Tensor) -> torch.Tensor | float:
        """[batch, 1]: what kinds.temperature_at says. Not a matrix product, which int8 would round."""
        prompts = self.temperatures["category"]
        if self.kind_bias is None:
            return prompts
        exam = torch.sigmoid((pooled * self.kind_weights).sum(-1, keepdim=True) + self.kind_bias)
        exams = self.temperatures["category_of_exams"]
        return torch.exp(math.log(prompts) + exam * math.log(exams / prompts))


def read_calibration(checkpoint: Path) -> dict[str, Any]:
    """calibration.json beside the checkpoint, as `calibrate` writes it; temperature 1 for a head that was not calibrated, and no
    kind: one temperature for all texts."""
    path = checkpoint / "calibration.json"
    fitted = read_json(path) if path.exists() else {}
    return {
        "temperatures": {head: 1.0 for head in HEADS} | fitted.get("temperatures", {}),
        "kind": fitted.get("kind"),
        "table_factor": float(fitted.get("table_factor", 0.0)),
        "table_sha256": fitted.get("table_sha256"),
        "jailbreak_shift": float(fitted.get("jailbreak_shift", 0.0)),
        "jailbreak_threshold": fitted.get("jailbreak_threshold", 0.5),
    }


def export(checkpoint: Path, out: Path, texts: list[str], static_folder: Path | None = None) -> None:
    """texts: some hundred training texts, from which the size of the activations is taken. static_folder: where the table lies that
    the checkpoint was calibrated with."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    network, notes = load_checkpoint(checkpoint)
    calibration = read_calibration(checkpoint)
    with_jailbreak = "jailbreak" in notes["trained_heads"]
    tokenizer = load_tokenizer(checkpoint)
    wide = wide_part(calibration, static_folder)
    smooth(network, [encode(tokenizer, text) for text in texts])
    fuse_attention(network)
    write_fp32(Graph(network, calibration, with_jailbreak, wide).eval(), tokenizer, out / FP32_NAME)
    write_int8(out / FP32_NAME, out / INT8_NAME)
    # Padding and cutting are the router's business: the shipped tokenizer does neither.
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    if wide is not None and static_folder is not None:
        prove_tokenizer(static_folder, out / "tokenizer.json")
    config = read_json(checkpoint / "tokenizer_config.json")
    write_json(out / "tokenizer_config.json", {name: value for name, value in config.items() if name not in LOCAL_KEYS})
    write_json(out / "export.json", {**calibration, "with_jailbreak": with_jailbreak, "checkpoint": notes})


def wide_part(calibration: dict[str, Any], static_folder: Path | None) -> Wide | None:
    """None when the checkpoint was calibrated without a table."""
    if calibration["table_sha256"] is None:
        return None
    path = table_in(static_folder) if static_folder else None
    if path is None or sha256_file(path) != calibration["table_sha256"]:
        raise SystemExit(f"{static_folder}: not the table that the checkpoint was calibrated with; run `calibrate` again")
    return Wide(read_table(path))


def write_fp32(graph: Graph, tokenizer: Tokenizer, path: Path) -> None:
    ids, mask = pad([encode(tokenizer, "what is the integral of x squared?"), encode(tokenizer, "hi")])
    names = ["category", "difficulty", "embedding"] + (["jailbreak"] if graph.with_jailbreak else [])
    with torch.inference_mode():
        torch.onnx.export(
            graph,
            (torch.tensor(ids), torch.tensor(mask)),
            str(path),
            input_names=["input_ids", "attention_mask"],
            output_names=names,
            dynamic_axes={
                "input_ids": {0: "batch", 1: "tokens"},
                "attention_mask": {0: "batch", 1: "tokens"},
                **{name: {0: "batch"} for name in names},
            },
            opset_version=OPSET,
            custom_opsets=CUSTOM_OPSETS,
            dynamo=False,
        )
    onnx.checker.check_model(str(path))


def write_int8(fp32: Path, int8: Path) -> None:
    prepared = int8.with_suffix(".pre.onnx")
    quant_pre_process(str(fp32), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(
        str(prepared),
        str(int8),
        op_types_to_quantize=["MatMul", "Gather"],
        per_channel=True,
        weight_type=QuantType.QInt8,
    )
    prepared.unlink()
