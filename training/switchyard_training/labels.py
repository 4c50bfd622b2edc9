"""The names that the heads answer with, in the order of the graph's outputs."""

# Alphabetical: math is index 9. The router, its API and its metrics all rely on this order.
CATEGORIES = (
    "biology",
    "business",
    "chemistry",
    "computer science",
    "economics",
    "engineering",
    "health",
    "history",
    "law",
    "math",
    "other",
    "philosophy",
    "physics",
    "psychology",
)
CATEGORY_INDEX = {name: index for index, name in enumerate(CATEGORIES)}

# One difficulty logit a tier: the probability that a typical model of the tier answers right. The target of a question is
# the share of these models that did (chain of thought, published MMLU-Pro answers).
TIER_MODELS = {
    "tiny": ("Mistral-7B-Instruct-v0.2", "Qwen1.5-7B-Chat", "gemma-7b", "Meta-Llama-3-8B", "Yi-6b-Chat"),
    "small": (
        "Meta-Llama-3_1-8B-Instruct",
        "Phi-3-mini-4k-instruct",
        "Mixtral-8x7B-Instruct-v0.1",
        "mathstral-7B",
        "Yi-34B",
    ),
    "mid": ("Meta-Llama-3_1-70B-Instruct", "Meta-Llama-3-70B", "jamba-1.5-large", "Qwen1.5-110B"),
    "strong": ("gemini-1.5-pro-002", "gemini-1.5-flash-002"),
}
TIERS = tuple(TIER_MODELS)

# The window that the router reads: special tokens are counted, the beginning and the end of a long text are kept.
MAX_TOKENS = 256
HEAD_TOKENS = 192
TAIL_TOKENS = 64
EMBEDDING_DIMS = 384
