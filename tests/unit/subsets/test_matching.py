"""Prompts of a training log are found among the rows of a data set by id, by text, or without their instruction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.prompts import prompt_id
from limr.subsets.matching import match, nearest

TEXTS = ["Find x if x+1=2.", "What is 3 + 5?", "Compute 7*8.", "How many primes are below 20?"]
INSTRUCTION = "Let's think step by step and output the final answer within \\boxed{}."


def logged_with(before="", after="", texts=TEXTS):
    return {prompt_id(text): text for text in (f"{before}{text}{after}" for text in texts)}


def test_equal_texts_with_other_white_space_are_found_and_duplicate_rows_are_kept():
    found = match(list(logged_with()), logged_with(), ["Compute  7*8.\n", *TEXTS])
    assert found.rows == {prompt_id(text): [row] for row, text in enumerate(TEXTS, start=1)} | {
        prompt_id(TEXTS[2]): [0, 3]
    }
    assert (found.by_text, found.unmatched) == (4, [])


def test_without_the_texts_of_the_log_ids_are_compared_with_the_hashes_of_texts():
    assert match([prompt_id(TEXTS[1])], {}, TEXTS).rows == {prompt_id(TEXTS[1]): [1]}


@pytest.mark.parametrize("before", ["", "Question: ", "You are a helpful assistant.\nSolve:\n"])
@pytest.mark.parametrize("after", ["", f" {INSTRUCTION}", f"\n{INSTRUCTION}", "\nAnswer:"])
def test_an_instruction_around_every_prompt_is_recognised(before, after):
    logged = logged_with(before, after)
    found = match(list(logged), logged, TEXTS[::-1])
    assert [rows for rows in found.rows.values()] == [[3], [2], [1], [0]]
    assert found.unmatched == found.ambiguous == []
    if before + after:
        assert (found.instruction.before, found.instruction.after) == (
            " ".join(before.split()),
            " ".join(after.split()),
        )


def test_words_that_begin_every_prompt_are_not_taken_for_an_instruction():
    texts = [f"Compute the value of {number}+{number}." for number in range(11, 19)]
    logged = logged_with("", f" {INSTRUCTION}", texts)
    found = match(list(logged), logged, texts)
    assert [rows[0] for rows in found.rows.values()] == list(range(8))
    assert found.instruction.before == ""


def test_a_prompt_that_two_texts_fit_is_left_unmatched():
    texts = ["12 + 3", "7 * 8", "5 - 1"]
    logged = logged_with("Compute ", " Be brief.", texts)
    both = [*texts, "Compute 12 + 3"]  # the log's first prompt may be either
    found = match(list(logged), logged, both)
    first = next(iter(logged))
    assert list(found.rows.values()) == [[1], [2]]
    assert found.unmatched == found.ambiguous == [first]


def test_two_instructions_that_fit_equally_many_prompts_are_both_rejected():
    texts = ["12 + 3", "7 * 8"]
    logged = logged_with("Compute ", " Be brief.", texts)
    found = match(list(logged), logged, [*texts, *(f"Compute {text}" for text in texts)])
    assert (found.rows, found.unmatched, found.ambiguous) == ({}, list(logged), list(logged))


def test_a_text_that_occurs_in_only_one_prompt_is_no_evidence_of_an_instruction():
    logged = logged_with("", " Be brief.", ["Is 2 even?", "Is 3 odd?"])
    assert match(list(logged), logged, ["Is 2 even?", "Is 9 odd?"]).rows == {}


def test_a_number_is_not_cut_in_two():
    logged = logged_with("Compute 1", " Be brief.", ["2 + 3", "7 * 8"])  # Compute 12 + 3, Compute 17 * 8
    assert match(list(logged), logged, ["2 + 3", "7 * 8"]).rows == {}


def test_equal_ids_count_where_the_texts_agree_or_are_unknown_or_the_ids_are_trusted():
    assert match(["0", "1"], {}, TEXTS, ["1", "0", "7", "8"]).rows == {"0": [1], "1": [0]}
    logged = {"0": TEXTS[0] + " Think.", "1": TEXTS[1] + " Think."}
    assert match(["0"], logged, TEXTS, ["0", "1", "2", "3"]).by_id == 1
    other_numbers = ["3", "2", "1", "0"]
    assert match(["0", "1"], logged, TEXTS, other_numbers).rows == {"0": [0], "1": [1]}
    assert match(["0", "1"], logged, TEXTS, other_numbers, trust_ids=True).rows == {"0": [3], "1": [2]}


@given(
    st.lists(st.text("ab 1+?", max_size=6), min_size=1, max_size=6, unique=True),
    st.lists(st.text("ab 1+?", max_size=6), min_size=1, max_size=6),
    st.text("ab 1?", max_size=4),
    st.text("ab 1?", max_size=4),
)
def test_a_matched_text_is_part_of_the_prompt_with_the_same_instruction_around_it_everywhere(
    some, others, before, after
):
    logged = {str(number): f"{before}{text}{after}" for number, text in enumerate(some)}
    found = match(list(logged), logged, others)
    assert sorted([*found.rows, *found.unmatched]) == sorted(logged)
    for name, rows in found.rows.items():
        text, own = " ".join(logged[name].split()), {" ".join(others[row].split()) for row in rows}
        assert len(own) == 1
        (own,) = own
        assert own == text or (
            found.instruction is not None
            and text.startswith(found.instruction.before)
            and text.endswith(found.instruction.after)
            and own == text[len(found.instruction.before) : len(text) - len(found.instruction.after)].strip()
        )


def test_the_nearest_text_shares_most_words():
    assert nearest("What is 3 + 6?", TEXTS) == TEXTS[1]
    assert nearest("x", []) is None
