from switchyard_training.similarity import NearIndex, hash_of, masked_form, normal_form, text_hash


def test_normal_form_forgets_case_punctuation_and_spacing_but_no_script():
    assert normal_form("  What's  E=mc²?\n") == "what s e mc2"
    assert normal_form("导数是什么?") == "导数是什么"
    assert normal_form("Straße, ПРИВЕТ!") == "strasse привет"


def test_same_text_has_the_same_hash():
    assert text_hash("Is water wet?") == text_hash("is  WATER wet")
    assert text_hash("Is water wet?") != text_hash("Is water dry?")


def test_masked_form_hides_numbers():
    assert masked_form("A 5 kg mass falls 1,200.5 m") == masked_form("A 70 kg mass falls 3 m")


def test_hash_of_a_set_does_not_depend_on_order():
    assert hash_of(["a", "b"]) == hash_of(["b", "a"]) != hash_of(["a"])


def test_near_duplicates_are_found_by_shared_runs_and_others_are_not():
    index = NearIndex(["A train leaves the station at noon and travels north at sixty miles an hour until it stops"])
    near = index.nearest("Please solve: a train leaves the station at noon and travels north at sixty miles an hour. When?")
    assert near is not None and near[0] == 0 and near[1] >= 0.5
    assert index.nearest("A ship leaves the harbour at dawn and sails west at a steady pace through the long night") is None


def test_short_texts_match_only_exactly():
    index = NearIndex(["explain habeas corpus"])
    assert index.nearest("Explain habeas corpus!") == (0, 1.0)
    assert index.nearest("explain corpus linguistics") is None


def test_before_compares_with_earlier_texts_only():
    index = NearIndex(["hello there", "hello there"])
    assert index.nearest("hello there", before=0) is None
    assert index.nearest("hello there", before=1) == (0, 1.0)
