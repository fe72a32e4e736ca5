"""Every text of the miniature is unchanged after encoding and decoding."""

import random
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.training.miniature.corpus import PRACTICE_PROMPT, CorpusMix, corpus
from limr.training.miniature.problems import LEVELS, SUBJECTS, draw
from limr.training.miniature.tokenizer import (
    ASSISTANT,
    BOX,
    END,
    GUIDE,
    SPECIAL_TOKENS,
    UNKNOWN,
    USER,
    build,
    encode_prompts,
    load,
)
from limr.training.miniature.wording import other_wording

TOKENIZER = build()
EXAMPLES = st.tuples(st.sampled_from(sorted(SUBJECTS)), st.sampled_from(LEVELS), st.integers(0, 10**6))


def assert_round_trip(text):
    encoding = TOKENIZER.encode(text)
    assert UNKNOWN not in encoding.tokens, text
    assert TOKENIZER.decode(encoding.ids) == text


@given(EXAMPLES)
def test_prompts_and_solutions_of_all_subjects_and_levels_round_trip(example):
    subject, level, seed = example
    problem = draw(subject, level, random.Random(seed))
    for text in (
        problem.prompt,
        GUIDE + problem.prompt,
        problem.solution,
        f"{problem.solution} {BOX}{problem.answer}}}",
    ):
        assert_round_trip(text)


def test_all_texts_of_the_corpus_round_trip_except_the_heading_of_practice_pages():
    pairs = islice(corpus(0, CorpusMix(0.2, 0.3, 0.3, 0.5, 0.2, [0.5] * 5), set()), 2000)
    for prompt, response in pairs:
        if prompt != PRACTICE_PROMPT:
            assert_round_trip(prompt)
        assert_round_trip(response)
    assert TOKENIZER.encode(PRACTICE_PROMPT).tokens == [UNKNOWN, "."]


@given(EXAMPLES)
def test_the_other_wording_round_trips_if_the_vocabulary_has_its_words(example):
    subject, level, seed = example
    tokenizer, prompt = build(reworded=True), draw(subject, level, random.Random(seed)).prompt
    for text in (prompt, other_wording(subject, prompt), GUIDE + other_wording(subject, prompt)):
        encoding = tokenizer.encode(text)
        assert UNKNOWN not in encoding.tokens, text
        assert tokenizer.decode(encoding.ids) == text


def test_the_words_of_the_other_wording_are_few_and_not_in_the_ordinary_vocabulary():
    ordinary, both = build().get_vocab(), build(reworded=True).get_vocab()
    assert set(both) > set(ordinary)
    assert len(both) - len(ordinary) < 60


@given(st.integers(0, 10**6))
def test_any_number_round_trips(number):
    assert_round_trip(str(number))
    assert_round_trip(f"{number:09d}")


def test_numbers_below_100_are_one_token():
    assert all(len(TOKENIZER.encode(str(number)).ids) == 1 for number in range(100))


@pytest.mark.parametrize("text", ["日本", "é", "Zebra"])
def test_text_outside_the_vocabulary_becomes_the_unknown_token(text):
    assert UNKNOWN in TOKENIZER.encode(text).tokens


def test_decoding_can_skip_special_tokens():
    ids = TOKENIZER.encode(f"{USER}12{ASSISTANT}7{END}").ids
    assert len(ids) == 5
    assert TOKENIZER.decode(ids, skip_special_tokens=True) == "127"


@given(st.lists(EXAMPLES, min_size=1, max_size=4))
def test_an_encoded_prompt_is_a_user_turn_that_ends_where_the_assistant_begins(examples):
    prompts = [draw(subject, level, random.Random(seed)).prompt for subject, level, seed in examples]
    user, assistant = (TOKENIZER.token_to_id(token) for token in (USER, ASSISTANT))
    expected = [[user, *TOKENIZER.encode(prompt).ids, assistant] for prompt in prompts]
    assert encode_prompts(TOKENIZER, prompts) == expected


def test_the_vocabulary_is_fixed_and_unchanged_by_saving_and_loading(tmp_path):
    TOKENIZER.save(str(tmp_path / "tokenizer.json"))
    assert load(tmp_path).to_str() == TOKENIZER.to_str() == build().to_str()
    ids = TOKENIZER.get_vocab()
    assert sorted(ids.values()) == list(range(len(ids)))
    assert len({ids[token] for token in SPECIAL_TOKENS}) == len(SPECIAL_TOKENS)
