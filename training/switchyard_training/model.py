"""The network: one encoder, one pooled vector, small heads on it."""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from .files import read_json, write_json
from .labels import CATEGORIES, TIERS

DROPOUT = 0.1
# exp() of it is 0 in float32, and it stays finite in bfloat16.
MASKED_SCORE = -10_000.0


@dataclass(frozen=True)
class Heads:
    """Logits before any temperature: category [batch, 14], difficulty [batch, 4], jailbreak [batch, 1]; pooled and embedding
    [batch, width], width 384 for what ships, neither of them normalised."""

    category: torch.Tensor
    difficulty: torch.Tensor
    jailbreak: torch.Tensor
    pooled: torch.Tensor
    embedding: torch.Tensor


class Network(nn.Module):
    """An encoder of the BERT family, mean over the unmasked tokens, linear heads. The heads read the mean before it is normalised.

    Training for our categories bends the mean away from what the base encoder knew of everything else. The embedding head
    maps it back: it learns to give the base encoder's own vector, so that categories that somebody else thinks of can
    still be told apart."""

    def __init__(self, config: PreTrainedConfig):
        super().__init__()
        self.encoder = AutoModel.from_config(config, add_pooling_layer=False)
        self.dropout = nn.Dropout(DROPOUT)
        self.category = nn.Linear(config.hidden_size, len(CATEGORIES))
        self.difficulty = nn.Linear(config.hidden_size, len(TIERS))
        self.jailbreak = nn.Linear(config.hidden_size, 1)
        self.embedding = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        nn.init.eye_(self.embedding.weight)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Heads:
        pooled = mean_of_tokens(self.encoder, input_ids, attention_mask)
        seen = self.dropout(pooled)
        return Heads(self.category(seen), self.difficulty(seen), self.jailbreak(seen), pooled, self.embedding(pooled))


def mean_of_tokens(encoder: PreTrainedModel, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The mean of the last layer over the unmasked tokens, [batch, width]."""
    hidden = last_layer(encoder, input_ids, attention_mask).float()
    weight = attention_mask.unsqueeze(-1).float()
    return (hidden * weight).sum(1) / weight.sum(1).clamp(min=1.0)


def last_layer(encoder: PreTrainedModel, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """[batch, tokens, width]."""
    if encoder.config.model_type != "bert":
        # Teachers only: they are never exported.
        return encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
    # Added to the attention scores, [batch, 1, 1, tokens]. Handing over the finished mask keeps the library's
    # own mask building, which differs from release to release, out of the exported graph.
    hidden_keys = (1.0 - attention_mask[:, None, None, :].float()) * MASKED_SCORE
    return encoder(
        input_ids=input_ids,
        attention_mask=hidden_keys,
        token_type_ids=torch.zeros_like(input_ids),
    ).last_hidden_state


def new_network(config_folder: Path) -> Network:
    """Random weights; eager attention, since its graph is the one that exports and quantises cleanly."""
    config = AutoConfig.from_pretrained(str(config_folder))
    config._attn_implementation = "eager"
    return Network(config)


def save_checkpoint(network: Network, folder: Path, notes: dict) -> None:
    """model.safetensors + config.json + checkpoint.json (what was trained and how far). The tokenizer is copied by the caller."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / "model.safetensors.part"
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, str(draft))
    draft.replace(folder / "model.safetensors")
    network.encoder.config.save_pretrained(str(folder))
    write_json(folder / "checkpoint.json", notes)


def load_checkpoint(folder: Path) -> tuple[Network, dict]:
    """The network in eval mode and the notes beside it. Notes say which heads were trained."""
    network = new_network(folder)
    network.load_state_dict(load_file(str(folder / "model.safetensors")))
    return network.eval(), read_json(folder / "checkpoint.json")
