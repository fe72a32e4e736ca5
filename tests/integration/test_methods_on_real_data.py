"""Every method on the released One-Shot-RLVR trajectories, and a theta found from the size of the released subset."""

import statistics

import polars as pl
import pytest
from real_data import one_shot_rlvr, released_scores

from limr.selection.choose import choose
from limr.selection.ranking import rank_prompts
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

VISITS = 44  # every prompt has at least this many

# Index of pi_i, the prompt with the i-th highest variance over all visits it has, in the data sets that were released
# with the file for training on that prompt alone (data/train/one_shot_rlvr/pi*_r128.parquet, column extra_info)
PI = {1: "124", 2: "267", 13: "682", 1209: "789"}


@pytest.fixture(scope="module")
def curves() -> dict[str, list[float]]:
    return {index: curve[:VISITS] for index, curve in one_shot_rlvr().items()}


@pytest.fixture(scope="module")
def trajectories(curves) -> Trajectories:
    return Trajectories.from_curves(accuracies=curves)


def scored(trajectories: Trajectories, method: str, **options) -> pl.DataFrame:
    return score_prompts(method, {"score": method, "keep": "all", "options": options}, trajectories, None, seed=0)


def test_standard_deviation_ranks_the_papers_first_prompts_first(trajectories):
    frame = scored(trajectories, "standard_deviation")
    ranks = dict(frame.select("prompt_id", "rank").rows())
    assert [ranks[PI[1]], ranks[PI[2]]] == [1, 2]
    assert ranks[PI[13]] <= 20, "13th over all visits, which the paper ranks by; here over the first 44"
    assert frame.filter(pl.col("prompt_id") == PI[1209])["score"][0] == 0, "the paper's last: its accuracy never moves"


def test_standard_deviation_over_all_visits_of_a_prompt_ranks_as_the_paper_does():
    whole = one_shot_rlvr()
    scores = {}
    for number in sorted({len(curve) for curve in whole.values()}):  # a matrix for each number of visits
        same = {index: curve for index, curve in whole.items() if len(curve) == number}
        frame = scored(Trajectories.from_curves(accuracies=same), "standard_deviation")
        scores |= dict(frame.select("prompt_id", "score").rows())
    order = sorted(scores, key=lambda index: -scores[index])
    assert {place: order[place - 1] for place in (1, 2, 13)} == {place: PI[place] for place in (1, 2, 13)}


@pytest.mark.parametrize(
    ("method", "formula"),
    [
        ("learnability", lambda curve: statistics.fmean(p * (1 - p) for p in curve)),
        ("zero_variance", lambda curve: statistics.fmean(0 < p < 1 for p in curve)),
        ("prioritised", lambda curve: 1 - statistics.fmean(curve)),
        ("slope", lambda curve: statistics.linear_regression(range(len(curve)), curve).slope),
        ("pass_rate_band", lambda curve: min(statistics.fmean(curve) - 0.2, 0.8 - statistics.fmean(curve))),
    ],
)
def test_scores_are_the_formulas(method, formula, trajectories, curves):
    scores = dict(scored(trajectories, method).select("prompt_id", "score").rows())
    assert scores == pytest.approx({index: formula(curve) for index, curve in curves.items()}, abs=1e-12)


def test_never_solved_prompts_have_low_scores_or_no_score_except_with_prioritised(trajectories, curves):
    never = [index for index, curve in curves.items() if not any(curve)]
    assert len(never) > 50
    expected = {"standard_deviation": 0, "learnability": 0, "zero_variance": 0, "slope": 0, "greso": 0.5**VISITS}
    for method, score in (expected | {"pass_rate_band": -0.2, "prioritised": 1}).items():
        rows = scored(trajectories, method).filter(pl.col("prompt_id").is_in(never))
        assert set(rows["score"]) == {score}, method
    for method in ("cosine", "pearson"):
        frame = scored(trajectories, method, signal="accuracy")
        assert frame.filter(pl.col("prompt_id").is_in(never))["score"].null_count() == len(never)
        assert frame.filter(pl.col("score").is_null())["reason"].str.contains("at every visit").all()


def test_cosine_of_accuracies_ranks_almost_like_the_success_rate(trajectories):
    frame = scored(trajectories, "cosine", signal="accuracy").join(
        scored(trajectories, "prioritised"), on="prompt_id", suffix="_of_failures"
    )
    known = frame.drop_nulls("score")
    correlation = known.select(pl.corr("score", -pl.col("score_of_failures"), method="spearman")).item()
    assert round(correlation, 2) == 0.99, "as docs/methods.md warns"


def test_lim_selects_alike_by_reward_and_by_accuracy_if_all_wrong_answers_earn_the_same(curves):
    rewards = {index: [1.5 * accuracy - 0.5 for accuracy in curve] for index, curve in curves.items()}
    both = Trajectories.from_curves(rewards=rewards, accuracies=curves)
    by_reward, by_accuracy = (scored(both, "lim", signal=signal).sort("prompt_id") for signal in ("reward", "accuracy"))
    assert by_reward["score"].to_list() == pytest.approx(by_accuracy["score"].to_list(), abs=1e-12)
    best = [set(frame.filter(pl.col("rank") <= 197)["prompt_id"]) for frame in (by_reward, by_accuracy)]
    assert best[0] == best[1], "as docs/methods.md states"


def test_mopps_without_discount_ranks_by_the_distance_of_the_mean_accuracy_from_one_half(trajectories, curves):
    distances = {index: abs(statistics.fmean(curve) - 0.5) for index, curve in curves.items()}
    ranked = [distances[index] for index in scored(trajectories, "mopps")["prompt_id"]]
    assert ranked == pytest.approx(sorted(distances.values()), abs=1e-12)


@pytest.mark.parametrize(("wanted", "theta", "number"), [(1389, 0.60, 1389), (1324, 0.61, 1324), (1356, 0.61, 1324)])
def test_the_theta_of_the_released_subset_is_found_from_its_size(wanted, theta, number):
    scores = rank_prompts(released_scores().select("prompt_id", "score", reason=pl.lit("")), seed=0)
    chosen = choose(scores, {"theta_for": wanted}, len(scores)).filter("selected")
    assert (chosen["score"].min(), len(chosen)) == (theta, number)
