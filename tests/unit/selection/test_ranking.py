"""Ranks: the best score first, ties in an order that the seed draws, prompts without a score last."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from limr.selection.methods.rand import rand
from limr.selection.ranking import rank_prompts

SEEDS = st.integers(0, 2**63)
SCORES = st.dictionaries(st.text(max_size=3), st.none() | st.integers(-2, 2) | st.just(-0.0), min_size=1)


def frame(scores: dict[str, float | None]) -> pl.DataFrame:
    return pl.DataFrame(list(scores.items()), {"prompt_id": pl.String, "score": pl.Float64}, orient="row")


def order(ranked: pl.DataFrame) -> list[str]:
    return ranked["prompt_id"].to_list()


@given(SCORES, SEEDS)
def test_ranks_follow_the_scores_and_prompts_without_a_score_come_last_without_a_rank(scores, seed):
    ranked = rank_prompts(frame(scores), seed)
    known = sorted((score for score in scores.values() if score is not None), reverse=True)
    unscored = sorted((name for name, score in scores.items() if score is None), key=str.encode)
    assert ranked["score"].drop_nulls().to_list() == known
    assert order(ranked)[len(known) :] == unscored
    assert ranked["rank"].to_list() == [*range(1, len(known) + 1), *[None] * len(unscored)]
    assert dict(ranked.select("prompt_id", "score").rows()) == scores, "no prompt is lost"


@given(SCORES, SEEDS, st.randoms())
def test_ranks_do_not_depend_on_the_order_of_rows(scores, seed, shuffle):
    rows = list(range(len(scores)))
    shuffle.shuffle(rows)
    assert rank_prompts(frame(scores)[rows], seed).equals(rank_prompts(frame(scores), seed))


@given(SCORES, SEEDS)
def test_two_prompts_that_tie_keep_their_order_when_other_prompts_leave(scores, seed):
    ranked = order(rank_prompts(frame(scores), seed))
    half = dict(list(scores.items())[::2])
    assert order(rank_prompts(frame(half), seed)) == [name for name in ranked if name in half]


@given(SCORES, SEEDS, SEEDS)
def test_prompts_that_do_not_tie_have_the_same_rank_with_every_seed(scores, seed, other):
    one, two = (dict(rank_prompts(frame(scores), s).select("prompt_id", "rank").rows()) for s in (seed, other))
    values = list(scores.values())
    for name, score in scores.items():
        if values.count(score) == 1:
            assert one[name] == two[name]


def test_prompts_that_tie_win_equally_often_over_the_seeds():
    ties = frame(dict.fromkeys(map(str, range(40)), 0.5) | {"best": 1.0, "worst": 0.0})
    wins = dict.fromkeys(ties["prompt_id"], 0)
    for seed in range(1000):
        for name in order(rank_prompts(ties, seed))[:11]:  # the best and 10 of the 40 that tie
            wins[name] += 1
    assert (wins.pop("best"), wins.pop("worst")) == (1000, 0)
    # Each of the 40 wins 250 times in the mean, with a standard deviation of 14: sqrt(1000 x 1/4 x 3/4).
    assert 190 < min(wins.values()) <= max(wins.values()) < 310
    assert sum((won - 250) ** 2 for won in wins.values()) / 40 < 2 * 187.5


def test_the_order_of_ties_is_the_same_on_every_machine():
    ties = frame(dict.fromkeys(["00217b2a311a7a6d", "f602c50b0facac1f", "3", "Wie groß ist π?"], 1.0))
    assert order(rank_prompts(ties, 0)) == ["Wie groß ist π?", "3", "00217b2a311a7a6d", "f602c50b0facac1f"]
    assert order(rank_prompts(ties, 1)) == ["3", "00217b2a311a7a6d", "f602c50b0facac1f", "Wie groß ist π?"]


def test_the_order_of_ties_is_not_that_of_rand():
    names = [str(number) for number in range(1000)]
    ties = order(rank_prompts(frame(dict.fromkeys(names, 0.0)), seed=7))
    drawn = dict(zip(names, rand(names, seed=7), strict=True))
    best = set(sorted(names, key=drawn.get, reverse=True)[:163])
    for tenth in (ties[:163], ties[-163:]):
        assert 10 < len(best & set(tenth)) < 45, "27 of 163 by chance"
