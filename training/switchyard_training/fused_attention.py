"""Attention as one operator of ONNX Runtime, in the exported graph only.

As it is, a layer's attention exports as two matrix products among a dozen transposes, reshapes and additions, each a pass over the
memory. `MultiHeadAttention` (com.microsoft) gives the same numbers on the CPU in a twelfth less time for the whole graph at 64
tokens; CUDA has it too. QAttention, which takes in the quantised projections as well, was slower."""

import torch
from torch import nn

from .model import MASKED_SCORE, Network

CUSTOM_OPSETS = {"com.microsoft": 1}


class Attention(torch.autograd.Function):
    """query, key, value [batch, places, width]; kept int32 [batch, places], 0 where a place is masked → [batch, places, width]."""

    @staticmethod
    def forward(ctx, query, key, value, kept, heads):
        batch, places, width = query.shape

        def split(projection: torch.Tensor) -> torch.Tensor:
            return projection.view(batch, places, heads, width // heads).transpose(1, 2)

        # The operator's own default for a masked place is the same number.
        mask = (1.0 - kept.float())[:, None, None, :] * MASKED_SCORE
        scores = split(query) @ split(key).transpose(-1, -2) / (width // heads) ** 0.5 + mask
        return (scores.softmax(-1) @ split(value)).transpose(1, 2).reshape(batch, places, width)

    @staticmethod
    def symbolic(graph, query, key, value, kept, heads):
        no_bias = graph.op("prim::Constant")
        no_bias.setType(torch._C.OptionalType.ofTensor())
        found = graph.op("com.microsoft::MultiHeadAttention", query, key, value, no_bias, kept, num_heads_i=heads)
        return found.setType(query.type())


class FusedSelfAttention(nn.Module):
    """Stands in for BertSelfAttention, with its projections and whatever hooks they have."""

    def __init__(self, attention: nn.Module):
        super().__init__()
        self.query, self.key, self.value = attention.query, attention.key, attention.value
        self.heads = attention.num_attention_heads

    def forward(self, hidden: torch.Tensor, attention_mask: torch.Tensor, **_: object) -> tuple[torch.Tensor, None]:
        """attention_mask: what is added to the scores, [batch, 1, 1, places], 0 where a place is kept."""
        kept = (attention_mask[:, 0, 0, :] >= 0).int()
        return Attention.apply(self.query(hidden), self.key(hidden), self.value(hidden), kept, self.heads), None


def fuse_attention(network: Network) -> None:
    """Changes the network in place; it can't be trained on afterwards."""
    for layer in network.encoder.encoder.layer:
        layer.attention.self = FusedSelfAttention(layer.attention.self)
