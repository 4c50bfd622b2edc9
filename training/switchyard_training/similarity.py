"""When are two texts the same question? By normal form, by form with the numbers masked, and by shared word runs."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

SHINGLE_WORDS = 4
# A shorter text has too few runs to say anything; its exact form decides alone.
MIN_SHINGLES = 4
# Share of the shorter text's runs that the other one has too.
NEAR = 0.5
# Runs that stand in more texts than this ("which of the following") say nothing and would cost quadratic time.
COMMON = 60


def normal_form(text: str) -> str:
    """Case, punctuation and spacing removed; letters and digits of every script stay."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"[^\W_]+", folded))


def masked_form(text: str) -> str:
    """The same exercise with other numbers has the same masked form."""
    return re.sub(r"\b\d+\b", "#", normal_form(re.sub(r"(?<=\d)[.,](?=\d)", "", text)))


def text_hash(text: str) -> str:
    return hashlib.sha256(normal_form(text).encode()).hexdigest()


def hash_of(parts: Iterable[str]) -> str:
    """One sha256 over the sorted parts: says that a set of texts is that set and no other."""
    return hashlib.sha256("\n".join(sorted(parts)).encode()).hexdigest()


def shingles(text: str) -> set[str]:
    words = masked_form(text).split()
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(max(1, len(words) - SHINGLE_WORDS + 1))}


class NearIndex:
    """Texts to compare others against. A shingle that is common among them is ignored."""

    def __init__(self, texts: Sequence[str]):
        self.sets = [shingles(text) for text in texts]
        self.masked: dict[str, int] = {}
        self.where: dict[str, list[int]] = defaultdict(list)
        for index, (text, runs) in enumerate(zip(texts, self.sets)):
            self.masked.setdefault(masked_form(text), index)
            for run in runs:
                self.where[run].append(index)

    def nearest(self, text: str, before: int | None = None) -> tuple[int, float] | None:
        """(index, share) of the closest near-duplicate, or None. With `before`, only texts of a lower index count."""
        exact = self.masked.get(masked_form(text))
        if exact is not None and (before is None or exact < before):
            return exact, 1.0
        runs = shingles(text)
        if len(runs) < MIN_SHINGLES:
            return None
        shared: dict[int, int] = defaultdict(int)
        for run in runs:
            found = self.where.get(run, ())
            if len(found) <= COMMON:
                for index in found:
                    if before is None or index < before:
                        shared[index] += 1
        best: tuple[int, float] | None = None
        for index, count in shared.items():
            if len(self.sets[index]) < MIN_SHINGLES:
                continue
            share = count / min(len(runs), len(self.sets[index]))
            if share >= NEAR and (best is None or share > best[1]):
                best = index, share
        return best
