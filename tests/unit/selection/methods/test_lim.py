"""LIM: against the paper's formula in plain Python, and what may and may not change its scores."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from some_curves import Curves, assert_follows, curves_with_gaps, mean_curve, missing_visits, pool_of, whole_curves

from limr.selection.method import Pool, run_method
from limr.trajectories import Trajectories


def lim(pool: Pool, **options: object) -> dict[str, float]:
    return run_method("lim", pool, options).scores


def of_rewards(rewards: Curves) -> Pool:
    return Pool(sorted(rewards), Trajectories.from_curves(rewards=rewards), 0)


@given(curves_with_gaps(), missing_visits)
def test_scores_are_those_of_the_papers_formula(curves, missing):
    whole = whole_curves(curves, missing).items()
    mean = mean_curve({prompt_id: [2 * accuracy - 1 for accuracy in curve] for prompt_id, curve in whole})

    def formula(accuracies):  # one sum at a time, of the rewards 2 a - 1
        above = sum((2 * accuracy - 1 - c) ** 2 for accuracy, c in zip(accuracies, mean, strict=True))
        return 1 - above / sum((1 - c) ** 2 for c in mean)

    assert_follows("lim", curves, formula, missing)


@given(curves_with_gaps(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(curves, order: random.Random):
    pool = pool_of(curves)
    rows = list(range(len(pool.trajectories)))
    order.shuffle(rows)
    shuffled = Trajectories.from_frame(pool.trajectories.frame()[rows])
    assert lim(Pool(pool.prompt_ids, shuffled, 0)) == lim(pool), "to the last bit"


@given(curves_with_gaps(), st.floats(0.01, 100))
def test_an_affine_map_of_the_rewards_that_fixes_1_does_not_change_the_scores(curves, scale):
    pool = pool_of(curves)
    mapped = replace(pool.trajectories, mean_reward=1 - scale * (1 - pool.trajectories.mean_reward))
    assert lim(Pool(pool.prompt_ids, mapped, 0)) == pytest.approx(lim(pool), abs=1e-9)
    # rewards 2 a - 1 are such a map of accuracies
    assert lim(pool, signal="accuracy") == pytest.approx(lim(pool), abs=1e-9)


@given(curves_with_gaps())
def test_a_prompt_solved_at_every_visit_scores_0_and_no_score_exceeds_1(curves):
    scores = lim(pool_of(curves | {"solved": [1.0] * len(curves["p00"])}))
    assert scores["solved"] == pytest.approx(0, abs=1e-12)
    assert max(scores.values()) <= 1


@given(curves_with_gaps(), st.floats(0.01, 100), st.floats(-10, 10))
def test_with_another_best_reward_scores_are_those_of_the_rewards_mapped_to_it(curves, scale, best):
    pool = pool_of(curves)
    mapped = replace(pool.trajectories, mean_reward=best - scale * (1 - pool.trajectories.mean_reward))
    assert lim(Pool(pool.prompt_ids, mapped, 0), best_reward=best) == pytest.approx(lim(pool), abs=1e-9)


def test_one_visit_and_one_prompt_have_scores():
    assert lim(pool_of({"a": [0.5], "b": [1.0]})) == pytest.approx({"a": 0.0, "b": 0.0})
    assert lim(pool_of({"a": [0.5, 0.25]})) == {"a": 1.0}, "the mean curve of a single prompt is its curve"


def test_a_mean_curve_that_is_1_at_every_visit_is_refused():
    with refused(
        where="score 'lim' of reward curves",
        what="the mean curve is 1 at every visit, so the denominator of the score is 0",
        advice="Probe harder prompts",
    ):
        lim(pool_of({"a": [1.0, 1.0], "b": [1.0, 1.0]}))


def test_a_mean_curve_that_differs_from_the_best_reward_by_rounding_alone_is_refused():
    assert sum([0.7] * 3) / 3 != 0.7
    with refused(what="the mean curve is 0.7 at every visit"):
        lim(of_rewards({name: [0.7, 0.7] for name in "abc"}), best_reward=0.7)


def test_a_reward_above_the_best_is_refused_and_the_error_names_the_option():
    pool = of_rewards({"a": [0.0, 5.0], "b": [0.0, 2.0]})
    with refused(
        where=("score 'lim' of reward curves", "prompt a", "visit 1"),
        found="a mean of 5",
        expected="at most 1, the reward of a solved prompt",
        advice="--option best_reward=...",
    ):
        lim(pool)
    assert lim(pool, best_reward=5) == pytest.approx({"a": 1 - 2.25 / 27.25, "b": 1 - 2.25 / 27.25})


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (
            {"signal": "accuracy", "best_reward": 2},
            {"where": "best_reward", "found": "2", "expected": "1, the highest accuracy"},
        ),
        ({"best_reward": "5"}, {"where": "option best_reward", "found": '"5"', "expected": "a number"}),
        ({"best_reward": float("nan")}, {"where": "option best_reward", "found": "NaN", "expected": "a number"}),
        ({"signal": "rewards"}, {"where": "option signal", "found": '"rewards"', "expected": "reward, accuracy"}),
        ({"missing": "fill"}, {"where": "option missing", "found": '"fill"', "expected": "one of drop, next"}),
    ],
)
def test_wrong_values_of_options_are_refused(options, parts):
    with refused(**parts) as caught:
        lim(pool_of({"a": [0.5]}), **options)
    assert "score 'lim'" in caught.value.where[0]
