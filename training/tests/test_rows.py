import json
from random import Random

import pytest

from switchyard_training.augment import augment
from switchyard_training.data import evaluation_rows, judged_text, row_of, with_options
from switchyard_training.evaluate import agreement
from switchyard_training.own import DEV_SHARE, TEST_FOLDER, load_own, problems_of
from switchyard_training.prepare import overlap, protected_texts, prove
from switchyard_training.similarity import NearIndex, text_hash

GOOD = {"id": "a", "text": "fix my loop", "label": "computer science", "style": "terse"}


def written(folder, lines):
    (folder / "part.jsonl").write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"label": "maths"}, "no category"),
        ({"text": "  "}, "text must be"),
        ({"alt": ["computer science"]}, "alt repeats the label"),
        ({"alt": ["cooking"]}, "alt must be"),
        ({"jailbreak": 2}, "jailbreak must be"),
        ({"second": "maths"}, "second 'maths' is no category"),
        ({"context": [1]}, "context must be"),
        ({"source": "x"}, "unknown field 'source'"),
    ],
)
def test_a_bad_line_is_named(change, says):
    assert problems_of(GOOD) == []
    assert any(says in problem for problem in problems_of({**GOOD, **change}))


def test_all_problems_are_reported_with_their_lines(tmp_path):
    with pytest.raises(SystemExit) as stopped:
        load_own(written(tmp_path, [GOOD, {**GOOD, "text": ""}]))
    assert "part.jsonl:2: text must be" in str(stopped.value)
    assert "part.jsonl:2: id 'a' is also at part.jsonl:1" in str(stopped.value)


def test_a_tenth_is_held_out_and_near_duplicates_stay_together(tmp_path):
    lines = []
    for number in range(400):
        stem = f"please tell me what item{number} alpha{number} beta{number} gamma{number} delta{number} is about"
        for ending in ("", " and why it matters so"):
            lines.append({**GOOD, "id": f"{number}{ending[:4]}", "text": stem + ending})
    rows = load_own(written(tmp_path, lines))
    held_out = [row for row in rows if row["split"] == "dev"]
    assert 0.4 * DEV_SHARE < len(held_out) / len(rows) < 2 * DEV_SHARE
    splits = {}
    for row in rows:
        splits.setdefault(row["group"], set()).add(row["split"])
    assert len(splits) == 400 and all(len(found) == 1 for found in splits.values())


def test_the_test_folder_is_measured_on_and_moves_no_other_row(tmp_path):
    lines = [{**GOOD, "id": str(number), "text": f"fix loop{number} of part{number}"} for number in range(50)]
    before = load_own(written(tmp_path, lines))
    (tmp_path / TEST_FOLDER).mkdir()
    written(tmp_path / TEST_FOLDER, [{**lines[3], "id": "again", "second": "math"}])
    *others, measured = load_own(tmp_path)
    assert others == before
    assert (measured["split"], measured["second"]) == ("test", "math")
    assert [row["id"] for row in evaluation_rows([*others, measured], "own_test")] == ["again"]
    assert measured["id"] in {row_id for row_id, _ in protected_texts([], [*others, measured])}


def test_context_comes_before_the_text():
    assert judged_text(row_of({**GOOD, "context": ["one", "two"]}, "own", "train")) == "one\ntwo\nfix my loop"


def test_a_row_that_stands_in_a_test_set_is_left_out():
    protected = [("t1", "Which planet is the largest of them all?")]
    index, hashes = NearIndex([protected[0][1]]), {text_hash(protected[0][1])}
    same = row_of({**GOOD, "text": "which planet is the LARGEST of them all"}, "own", "train")
    near = row_of({**GOOD, "text": "Which planet is the largest of them all, and why?"}, "own", "train")
    hidden = row_of({**GOOD, "text": "go on", "context": [protected[0][1]]}, "own", "train")
    fine = row_of(GOOD, "own", "train")
    assert overlap(same, hashes, index, protected)["why"] == "same text"
    assert overlap(near, hashes, index, protected)["of"] == "t1"
    assert overlap(hidden, hashes, index, protected) is not None
    assert overlap(fine, hashes, index, protected) is None
    prove([fine], hashes)
    with pytest.raises(SystemExit, match="stand in a test or dev split"):
        prove([fine, same], hashes)


def test_augmentation_is_seeded_and_keeps_the_wording_of_chat():
    exam = row_of({**GOOD, "text": "What is the boiling point of water at sea level?", "options": ["90", "100"]}, "mmlu", "train")
    assert [augment(exam, Random(5)) for _ in range(3)] == [augment(exam, Random(5))] * 3
    assert len({augment(exam, Random(seed)) for seed in range(40)}) > 8
    assert with_options(exam).endswith("\nA. 90\nB. 100")
    chat = row_of({**GOOD, "text": "hey can u look at this"}, "chat", "train")
    assert all(abs(len(augment(chat, Random(seed))) - len(chat["text"])) <= 1 for seed in range(40))


def test_agreement_of_two_labellers():
    rows = [
        row_of({**GOOD, "id": str(number), "second": name}, "own", "test") for number, name in enumerate(["computer science"] * 3)
    ]
    assert agreement([row_of(GOOD, "own", "test")]) is None
    assert agreement([*rows, row_of({**GOOD, "label": "math", "second": "law"}, "own", "test")]) == {
        "rows": 4,
        "same": 0.75,
        "same_interval": pytest.approx((0.25, 1.0)),
        # By chance: 3/4 · 3/4 on computer science alone.
        "kappa": pytest.approx((0.75 - 0.5625) / (1 - 0.5625)),
    }
