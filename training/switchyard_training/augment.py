"""Seeded variations of a training text, so that an exam question also looks like something that a person types."""

from random import Random

from .data import Row, judged_text, with_options

FRAMES = (
    "hi, {}",
    "{} thanks!",
    "Can you help me with this? {}",
    "quick one: {}",
    "I'm revising for a test. {}",
    "{} Explain step by step.",
    "Question: {}",
    "please answer this for me.\n{}",
    "{}\n\nKeep it short.",
    "my professor asked this: {}",
    "not sure about this one, {}",
)
SHOW_OPTIONS = 0.2
SHOW_ONE_OPTION = 0.1
FRAME = 0.22
LOWER = 0.12
TYPO = 0.08


def augment(row: Row, random: Random) -> str:
    """One variation; own and real chat prompts, and what was mixed from them, keep their wording and only lose case or gain a
    typo."""
    text = judged_text(row)
    if row["options"]:
        draw = random.random()
        if draw < SHOW_OPTIONS:
            text = with_options({**row, "options": random.sample(row["options"], len(row["options"]))})
        elif draw < SHOW_OPTIONS + SHOW_ONE_OPTION and len(text.split()) < 14:
            text = f"{text} {random.choice(row['options'])}"
    if row["set"] not in ("chat", "own", "mixed") and random.random() < FRAME:
        text = frame(text, random)
    if random.random() < LOWER:
        text = text.lower()
    if random.random() < TYPO:
        text = typo(text, random)
    return text


def frame(text: str, random: Random) -> str:
    return random.choice(FRAMES).replace("{}", text)


def typo(text: str, random: Random) -> str:
    """Swaps, drops or doubles one letter; short texts stay."""
    if len(text) < 12:
        return text
    at = random.randrange(1, len(text) - 2)
    kind = random.randrange(3)
    if kind == 0:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    return text[:at] + text[at] + text[at:]
