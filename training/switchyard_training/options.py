"""What decides the outcome of a training run."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """All that decides the outcome, with the defaults of a full run from the base encoder."""

    epochs: int = 3
    max_steps: int | None = None
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    layer_decay: float = 1.0
    weight_decay: float = 0.01
    warmup: float = 0.08
    smoothing: float = 0.05
    max_tokens: int = 192
    soft_weight: float = 0.5
    difficulty_weight: float = 1.0
    jailbreak_weight: float = 1.0
    embedding_weight: float = 3.0
    train_embeddings: bool = False
    repeats: dict[str, float] = field(default_factory=lambda: {"chat": 3.0})
    seed: int = 0
    threads: int = 1
