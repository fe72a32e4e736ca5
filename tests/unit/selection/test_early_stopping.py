"""How early a probe could have stopped: against LIM itself and plain Python, and the coverage of the bands."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from probe_curves import curves, plain_overlap, with_gaps
from refusals import refused

from limr.selection import early_stopping as module
from limr.selection.early_stopping import early_stopping
from limr.selection.method import Pool, run_method
from limr.trajectories import Trajectories


def lim(trajectories: Trajectories, missing: str = "drop") -> dict[str, float]:
    """The scores of LIM itself."""
    pool = Pool(trajectories.prompt_ids, trajectories, seed=0)
    return run_method("lim", pool, {"missing": missing}).scores


@pytest.mark.parametrize("missing", ["drop", "next"])
def test_each_row_compares_the_lim_scores_after_its_number_of_visits(missing):
    trajectories = with_gaps(60, 5)
    found = early_stopping(trajectories, missing=missing, share=0.2, theta=0.5, resamples=1)

    def scores(visits: int) -> dict[str, float]:
        return lim(trajectories.before(visits), missing)

    full = scores(5)
    for row in found.rows.iter_rows(named=True):
        early = scores(row["visits"])
        assert row["scored"] == len(early)
        assert row["overlap"] == pytest.approx(plain_overlap(early, full, 12), abs=1e-12)
        both = pl.DataFrame([(early[name], full[name]) for name in early.keys() & full.keys()], orient="row")
        expected = both.select(pl.corr("column_0", "column_1", method="spearman")).item()
        assert row["rank_correlation"] == pytest.approx(expected, abs=1e-9)
        selected = [{name for name, score in of.items() if score >= 0.5} for of in (early, full)]
        assert row["selected_theta"] == len(selected[0])
        common = len(selected[0] & selected[1])
        assert row["overlap_theta"] == pytest.approx(2 * common / (len(selected[0]) + len(selected[1])))
    assert found.rows["scored"].n_unique() > 1, "the gaps must change which prompts are scored"


def test_the_later_visits_are_independent_of_the_first_ones():
    rewards = curves(80, 6)
    found = early_stopping(Trajectories.from_curves(rewards=rewards), share=0.2, resamples=1)
    first = lim(Trajectories.from_curves(rewards={name: curve[:2] for name, curve in rewards.items()}))
    later = lim(Trajectories.from_curves(rewards={name: curve[2:] for name, curve in rewards.items()}))
    row = found.rows.row(1, named=True)
    assert row["overlap_later"] == pytest.approx(plain_overlap(first, later, 16))
    assert found.rows["overlap_later"].null_count() == 1, "after all visits no later ones are left"


def test_a_resample_is_lim_of_the_drawn_prompts_with_their_own_mean_curve():
    rewards = curves(40, 4)
    found = early_stopping(Trajectories.from_curves(rewards=rewards), share=0.25, resamples=1, seed=3)
    names, draw = sorted(rewards), module._draws(40, 1, 3)[1]
    drawn = {f"{place:02}": rewards[names[row]] for place, row in enumerate(draw)}
    assert len(set(draw.tolist())) < 40
    expected = early_stopping(Trajectories.from_curves(rewards=drawn), share=0.25, resamples=1)
    for measure in found.measures:
        assert found.rows[f"{measure}_low"].to_list() == pytest.approx(expected.rows[measure].to_list(), nan_ok=True)


def test_the_bands_cover_the_value_of_the_whole_population():
    """Draw 30 samples of 200 prompts from 4,000: nearly all bands contain the value of the 4,000.

    The bands are not much wider than the spread of the samples. (Of 150 samples, 96 to 99 % contain the value.)
    """
    rewards = curves(4000, 3)
    truth = early_stopping(Trajectories.from_curves(rewards=rewards), share=0.2, resamples=1).rows.row(0, named=True)
    names, generator = sorted(rewards), np.random.default_rng(1)
    first_rows = []
    for _ in range(30):
        sample = {names[row]: rewards[names[row]] for row in generator.choice(4000, 200, replace=False)}
        found = early_stopping(Trajectories.from_curves(rewards=sample), share=0.2, resamples=80)
        first_rows.append(found.rows.row(0, named=True))
    for measure in ("overlap", "rank_correlation"):
        value, low, high = (np.array([row[name] for row in first_rows]) for name in band(measure))
        assert ((low <= truth[measure]) & (truth[measure] <= high)).sum() >= 26
        assert 0.7 < (high - low).mean() / np.ptp(np.quantile(value, [0.025, 0.975])) < 2


def band(measure: str) -> list[str]:
    return [measure, f"{measure}_low", f"{measure}_high"]


def test_the_same_trajectories_give_the_same_rows_in_any_order_of_prompts():
    rewards = curves(50, 4)
    backwards = dict(reversed(rewards.items()))
    first, second = (
        early_stopping(Trajectories.from_curves(rewards=each), resamples=20) for each in (rewards, backwards)
    )
    assert first.rows.equals(second.rows)


def test_reaches_gives_the_row_from_which_the_overlap_stays_at_the_level():
    found = early_stopping(Trajectories.from_curves(rewards=curves(60, 6)), share=0.2, resamples=1)
    rows = found.rows.with_columns(overlap=pl.Series([0.5, 0.95, 0.7, 0.9, 0.85, 1.0]))
    stays = {level: replace(found, rows=rows).reaches(level)["visits"] for level in (0.4, 0.8, 0.9, 1.0)}
    assert stays == {0.4: 1, 0.8: 4, 0.9: 6, 1.0: 6}


def test_the_share_of_rollouts_counts_rollouts_and_not_visits():
    trajectories = with_gaps(60, 5)
    found = early_stopping(trajectories, resamples=1).rows["rollouts"].to_list()
    counts = [int((trajectories.epoch <= visit).sum()) for visit in range(5)]
    assert found == pytest.approx([count / counts[-1] for count in counts])


def test_one_visit_constant_curves_and_a_first_visit_that_all_prompts_solve_have_rows():
    one = early_stopping(
        Trajectories.from_curves(rewards={"a": [0.5], "b": [0.25], "c": [0.0]}), share=0.4, resamples=5
    )
    assert one.rows["overlap"].to_list() == [1.0]
    constant = early_stopping(Trajectories.from_curves(rewards={f"{i}": [0.5] * 3 for i in range(10)}), resamples=5)
    assert constant.rows["overlap"].to_list() == pytest.approx([1.0] * 3)
    assert constant.rows["rank_correlation"].null_count() == 3
    solved = {f"{i}": [1.0, i / 10, i / 20] for i in range(10)}
    rows = early_stopping(Trajectories.from_curves(rewards=solved), share=0.3, resamples=5).rows
    assert rows["scored"].to_list() == [0, 10, 10]
    assert rows["rank_correlation"][0] is rows["overlap"][0] is rows["overlap_later"][0] is None


def test_a_share_of_no_or_all_prompts_and_an_unknown_signal_are_refused():
    trajectories = Trajectories.from_curves(rewards=curves(10, 3))
    for share in (0.0, 0.01, 1.0, -1.0):
        with refused(where="share", found=f"{share:g} of 10 prompts", expected="at least one prompt and not all"):
            early_stopping(trajectories, share=share)
    with refused(what="accuracy is known for 0 of 30 visits"):
        early_stopping(trajectories, signal="accuracy")
    with refused(where="option missing", found='"fill"'):
        early_stopping(trajectories, missing="fill")


def test_rewards_of_another_scale_give_the_same_overlap_with_the_right_best_reward():
    rewards = curves(50, 4)
    tenfold = {name: [10 * value for value in curve] for name, curve in rewards.items()}
    found = early_stopping(Trajectories.from_curves(rewards=rewards), resamples=1).rows
    scaled = early_stopping(Trajectories.from_curves(rewards=tenfold), best_reward=10.0, resamples=1).rows
    assert scaled["overlap"].to_list() == pytest.approx(found["overlap"].to_list())
    with refused(expected="at most 1, the reward of a solved prompt"):
        early_stopping(Trajectories.from_curves(rewards=tenfold))


def test_a_visit_with_a_huge_number_takes_no_memory():
    """NumPy's bincount would make room for every number up to it, and corrupt the memory at 2**63 - 1."""
    found = with_gaps(60, 5)
    plain = early_stopping(found, share=0.2, resamples=1).rows
    for huge in (2**40, 2**63 - 1):
        epoch = np.where(np.arange(len(found)) == len(found) - 1, huge, found.epoch)
        rows = early_stopping(replace(found, epoch=epoch), share=0.2, resamples=1).rows
        assert rows["visits"].to_list() == plain["visits"].to_list()
