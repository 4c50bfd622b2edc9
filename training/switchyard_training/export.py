"""Step `export`: checkpoint → one ONNX graph with all heads, fp32 and int8.

int8 is dynamic quantisation of weights, per channel, signed: one scale for a whole matrix was seen to flip 3.6 % of the
labels. Outliers among the activations are evened out first (smooth.py). Activations are quantised at run time over the whole
batch, so a text's logits move a little with its batch mates."""

from pathlib import Path
from typing import Any

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer
from torch import nn

from .files import read_json, write_json
from .model import Network, load_checkpoint
from .smooth import smooth
from .window import encode, load_tokenizer, pad

OPSET = 17
FP32_NAME = "model_fp32.onnx"
INT8_NAME = "model_int8.onnx"
HEADS = ("category", "difficulty", "jailbreak")
# Traces of how the tokenizer was once loaded; they say nothing about the tokenizer.
LOCAL_KEYS = ("is_local", "local_files_only", "max_length", "pad_to_multiple_of", "stride", "truncation_strategy")


class Graph(nn.Module):
    """What the file computes: temperatures folded in, embedding of length 1, jailbreak only when it was trained."""

    def __init__(self, network: Network, calibration: dict[str, Any], with_jailbreak: bool):
        super().__init__()
        self.network = network
        self.temperatures = calibration["temperatures"]
        self.jailbreak_shift = calibration["jailbreak_shift"]
        self.with_jailbreak = with_jailbreak

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        heads = self.network(input_ids, attention_mask)
        outputs = [
            heads.category / self.temperatures["category"],
            heads.difficulty / self.temperatures["difficulty"],
            nn.functional.normalize(heads.embedding, dim=-1),
        ]
        if self.with_jailbreak:
            outputs.append(heads.jailbreak / self.temperatures["jailbreak"] + self.jailbreak_shift)
        return tuple(outputs)


def read_calibration(checkpoint: Path) -> dict[str, Any]:
    """calibration.json beside the checkpoint, as `calibrate` writes it; temperature 1 for a head that was not calibrated."""
    path = checkpoint / "calibration.json"
    fitted = read_json(path) if path.exists() else {}
    temperatures = {head: float(fitted.get("temperatures", {}).get(head, 1.0)) for head in HEADS}
    return {
        "temperatures": temperatures,
        "jailbreak_shift": float(fitted.get("jailbreak_shift", 0.0)),
        "jailbreak_threshold": fitted.get("jailbreak_threshold", 0.5),
    }


def export(checkpoint: Path, out: Path, texts: list[str]) -> None:
    """texts: some hundred training texts, from which the size of the activations is taken."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    network, notes = load_checkpoint(checkpoint)
    calibration = read_calibration(checkpoint)
    with_jailbreak = "jailbreak" in notes["trained_heads"]
    tokenizer = load_tokenizer(checkpoint)
    smooth(network, [encode(tokenizer, text) for text in texts])
    write_fp32(Graph(network, calibration, with_jailbreak).eval(), tokenizer, out / FP32_NAME)
    write_int8(out / FP32_NAME, out / INT8_NAME)
    # Padding and cutting are the router's business: the shipped tokenizer does neither.
    tokenizer.save(str(out / "tokenizer.json"), pretty=False)
    config = read_json(checkpoint / "tokenizer_config.json")
    write_json(out / "tokenizer_config.json", {name: value for name, value in config.items() if name not in LOCAL_KEYS})
    write_json(out / "export.json", {**calibration, "with_jailbreak": with_jailbreak, "checkpoint": notes})


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
