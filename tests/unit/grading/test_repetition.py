"""Degenerate repetition: we find the same texts as the published expression, in less time."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from limr.grading.repetition import LONGEST_TEXT, TIMES, repeated_piece

PUBLISHED = re.compile(r"(.{5,}?)\1{4,}")
SHORT = st.text(st.sampled_from("ab"), max_size=30)


@given(SHORT, st.text(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(0, 80), SHORT)
@example("", "a", 25, "")
@example("", "ab", 29, "")
def test_the_same_texts_repeat_as_for_the_published_expression(before, piece, length, after):
    text = before + (piece * 80)[:length] + after
    found = repeated_piece(text, 5, 25)
    assert (found is not None) == bool(PUBLISHED.search(text))
    assert found is None or found * TIMES in text


@given(SHORT, st.text(st.sampled_from("abc"), min_size=1, max_size=12), st.integers(0, 60), SHORT)
def test_a_piece_repeats_when_each_character_equals_the_one_a_piece_earlier(before, piece, length, after):
    text = before + (piece * 60)[:length] + after
    assert (repeated_piece(text, 1, 40) is not None) == repeats(text, 40)


def repeats(text, stretch):
    for piece in range(1, len(text) // TIMES + 1):
        agreeing = 0
        for first, second in zip(text, text[piece:], strict=False):
            agreeing = agreeing + 1 if first == second else 0
            if agreeing + piece >= max(stretch, TIMES * piece):
                return True
    return False


@pytest.mark.parametrize("text", ["a" * 23 + "b", "a" * 12 + "b" + "a" * 13 + "b", "{", "\\frac{", "ab" * 11 + "c"])
def test_a_megabyte_takes_bounded_time(text):
    text = text * (10**6 // len(text))
    started = time.process_time()
    for shortest_piece, shortest_stretch in ((1, 200), (5, 25)):
        assert repeated_piece(text, shortest_piece, shortest_stretch) is not None
    assert time.process_time() - started < 1


def test_lines_that_nearly_repeat_take_bounded_time():
    text = "".join("a" * (12 + (index * index) % 11) + "b" for index in range(LONGEST_TEXT // 10))
    started = time.process_time()
    repeated_piece(text, 1, 200)
    repeated_piece(text, 5, 25)
    assert time.process_time() - started < 2
