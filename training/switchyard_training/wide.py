"""The wide part of the graph: the table of step `static`, read in the same pass as the encoder (Cheng et al. 2016, Wide & Deep
Learning for Recommender Systems, https://arxiv.org/abs/1606.07792).

An encoder of six layers forgets rare words that the table remembers, and the table knows no meaning; they err on different texts.
The two are trained apart and their logits are added: together they would lean on each other where both know the training rows."""

import torch
from torch import nn

from .table import FIRST_FACTOR, SECOND_FACTOR, StaticTable

# Of the logits, both at their own temperature: chosen on exam_dev and own_dev among 0.15 to 0.5, where 0.2 to 0.35 tie.
TABLE_SHARE = 0.3


class Wide(nn.Module):
    """What StaticTable.logits computes, for a batch. A row's first and last unmasked ids are [CLS] and [SEP]."""

    def __init__(self, table: StaticTable):
        super().__init__()
        self.vocabulary = table.vocabulary
        self.pair_rows = len(table.weights) - table.vocabulary
        self.register_buffer("weights", torch.from_numpy(table.weights))
        self.register_buffer("scale", torch.from_numpy(table.scale))
        self.register_buffer("bias", torch.from_numpy(table.bias))

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Both int64 [batch, tokens], at least 2 tokens → [batch, 14]."""
        tokens = input_ids[:, 1:-1]
        # An id that another one follows is not the last.
        inside = attention_mask[:, 2:].float()
        pairs = self.vocabulary + (tokens[:, :-1] * FIRST_FACTOR + tokens[:, 1:] * SECOND_FACTOR) % self.pair_rows
        # Every place carries its share of what its row weighs: value / count.
        values, squares = zip(place_values(tokens, inside), place_values(pairs, inside[:, 1:]))
        rows = self.weights[torch.cat([tokens, pairs], 1)].float()
        length = torch.cat(squares, 1).sum(1, keepdim=True).clamp(min=1.0).sqrt()
        return self.bias + self.scale * (torch.cat(values, 1).unsqueeze(1) @ rows).squeeze(1) / length


def place_values(rows: torch.Tensor, kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """rows int64 and kept 0 or 1, both [batch, n] → (1 + ln c) / c and (1 + ln c)² / c of each place, where c places of the text
    have the same row; 0 where not kept."""
    same = (rows.unsqueeze(1) == rows.unsqueeze(2)).float()
    counts = (same @ kept.unsqueeze(2)).squeeze(2).clamp(min=1.0)
    value = 1 + counts.log()
    return kept * value / counts, kept * value**2 / counts
