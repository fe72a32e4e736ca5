"""Known numbers of the real One-Shot-RLVR trajectories, computed by the stages of the pipeline."""

import polars as pl
import pytest

from limr.files.contracts import write_parquet
from limr.logs.one_shot_rlvr import read_one_shot_rlvr
from limr.report.selection_summary import write_summary
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories, visit_matrix

LIM = {"score": "lim", "keep": {"theta": 0.6}, "options": {"signal": "accuracy"}}
LINEAR = {"score": "linear", "keep": {"theta": 0.7}}


@pytest.fixture(scope="module")
def trajectories(one_shot_rlvr) -> Trajectories:
    return read_one_shot_rlvr(one_shot_rlvr).before(44)


@pytest.fixture(scope="module")
def scores(trajectories) -> pl.DataFrame:
    return score_prompts("lim", LIM, trajectories, None, seed=0)


def test_every_prompt_has_44_visits_and_the_mean_curve_rises_from_335_to_470(trajectories):
    matrix, dropped = visit_matrix(trajectories, "accuracy").without_gaps()
    assert matrix.values.shape == (1209, 44)
    assert not dropped
    curve = matrix.values.mean(axis=0)
    assert (round(curve[0], 3), round(curve[-1], 3)) == (0.335, 0.470)


def test_lim_at_theta_06_keeps_575_of_1209(scores):
    assert (len(scores), scores["selected"].sum()) == (1209, 575)
    assert round(scores["selected"].mean(), 3) == 0.476


def test_never_solved_prompts_score_512_and_always_solved_ones_0(scores, trajectories):
    extremes = (
        trajectories.frame().group_by("prompt_id").agg(best=pl.col("accuracy").max(), worst=pl.col("accuracy").min())
    )
    of_prompt = scores.join(extremes, on="prompt_id")
    never, always = of_prompt.filter(pl.col("best") == 0), of_prompt.filter(pl.col("worst") == 1)
    assert len(never) > 0 and len(always) > 0
    assert set(never["score"].round(3)) == {0.512}
    assert set(always["score"].round(12).abs()) == {0.0}


@pytest.mark.parametrize(("visits", "share"), [(21, 0.10), (44, 0.15)])
def test_linear_at_theta_07_keeps_10_to_15_percent(one_shot_rlvr, visits, share):
    frame = score_prompts("linear", LINEAR, read_one_shot_rlvr(one_shot_rlvr).before(visits), None, seed=0)
    assert round(frame["selected"].mean(), 2) == share


def test_all_visits_of_the_file_can_be_used_and_a_prompt_without_one_is_dropped_with_the_reason(one_shot_rlvr):
    frame = score_prompts("lim", LIM, read_one_shot_rlvr(one_shot_rlvr), None, seed=0)
    unscored = frame.filter(pl.col("score").is_null())
    assert len(frame) == 1209
    assert 0 < len(unscored) <= 0.1 * len(frame), "nine of ten prompts have all visits that count"
    assert unscored["reason"].str.starts_with("missing visits: ").all()


def test_the_summary_needs_the_trajectories_only_and_prints_the_figures(tmp_path, trajectories, scores):
    write_parquet(trajectories.frame(), tmp_path / "trajectories/seed0.parquet", "trajectories")
    write_parquet(scores, tmp_path / "scores/lim/seed0.parquet", "scores")
    output = tmp_path / "selection.md"
    write_summary([tmp_path / "scores/lim/seed0.parquet"], [tmp_path / "trajectories/seed0.parquet"], output)
    text = output.read_text()
    assert "| accuracy | 1,209 | 44 | 0.335 | 0.470 |" in text
    assert "| lim | 1,209 | 1,209 | 575 | 47.6 % |" in text
    assert "| never solved | 0.512 |" in text
    assert "| of these, solved at every visit | 0.000 |" in text
