"""Exam question or user's prompt: a linear reading of the pooled vector, by which `calibrate` sets how sure the category head is.

The network has learnt thousands of exam questions and is too sure of their like; of users' prompts it is not sure enough. One
temperature for both errs on both. A temperature that depends on the text keeps every label as it is (Joy et al. 2022,
Sample-dependent Adaptive Temperature Scaling, https://arxiv.org/abs/2207.06211); here it has two values, and the probability
that the text is an exam question goes from one to the other."""

from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from .data import EXAM_SETS, Row, judged_text
from .metrics import golden_section, sigmoid, softmax
from .model import Network
from .train import predict

# Training rows of either kind that the reading is fitted on, and how much of each is read.
ROWS_OF_A_KIND = 1500
TOKENS = 128
# Inverse strength of the L2 penalty; 0.01, 0.1 and 1 tie on dev rows.
REGULARISATION = 0.1
LOWEST, HIGHEST = np.log(0.25), np.log(4.0)


@dataclass(frozen=True)
class Kind:
    """weights [width] and bias: the logit, on the pooled vector, that the text is an exam question."""

    weights: np.ndarray
    bias: float

    def exam(self, pooled: np.ndarray) -> np.ndarray:
        """pooled [rows, width] → probability [rows]."""
        return sigmoid(pooled @ self.weights + self.bias)


def fit_kind(network: Network, tokenizer: Any, train: list[Row], seed: int = 0) -> Kind:
    random = Random(f"kinds|{seed}")
    exams = [row for row in train if row["set"] in EXAM_SETS]
    prompts = [row for row in train if row["set"] not in EXAM_SETS]
    chosen = [row for rows in (exams, prompts) for row in random.sample(rows, min(ROWS_OF_A_KIND, len(rows)))]
    pooled = predict(network, tokenizer, [judged_text(row) for row in chosen], TOKENS)["pooled"]
    labels = [row["set"] in EXAM_SETS for row in chosen]
    fitted = LogisticRegression(C=REGULARISATION, max_iter=5000).fit(pooled, labels)
    return Kind(fitted.coef_[0].astype(np.float32), float(fitted.intercept_[0]))


def fit_temperatures(logits: np.ndarray, answers: np.ndarray, exam: np.ndarray, is_exam: np.ndarray) -> tuple[float, float]:
    """(temperature of prompts, of exam questions). exam: the probability by `Kind` [rows]; is_exam: what each row is.

    Lowest log loss of "the first category is right", in which both kinds count the same in total: all that a confidence says. The
    likelihood of the label would also pay for how the wrong categories share the rest."""
    right = logits.argmax(1) == answers
    weight = np.where(is_exam, 1 / is_exam.sum(), 1 / (~is_exam).sum())

    def loss(prompts: float, exams: float) -> float:
        sure = softmax(logits / temperature_at(exam, np.exp(prompts), np.exp(exams))[:, None]).max(1)
        sure = np.clip(sure, 1e-6, 1 - 1e-6)
        return float(-(weight * np.log(np.where(right, sure, 1 - sure))).sum())

    prompts = exams = 0.0
    for _ in range(12):
        prompts = golden_section(partial(loss, exams=exams), LOWEST, HIGHEST)
        exams = golden_section(partial(loss, prompts), LOWEST, HIGHEST)
    return float(np.exp(prompts)), float(np.exp(exams))


def temperature_at(exam: np.ndarray, prompts: float, exams: float) -> np.ndarray:
    """[rows]: from one temperature to the other, on the logarithm."""
    return np.exp((1 - exam) * np.log(prompts) + exam * np.log(exams))
