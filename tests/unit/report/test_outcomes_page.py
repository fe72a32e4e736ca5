"""outcomes.md and outcomes.csv: their numbers, runs that reach no target, and what is missing."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from outcome_runs import CONFIGURATION, CURVES, WHOLE_RUN, page, write_answers, write_run, write_runs
from scipy import stats
from tables_of_page import tables

SHARES = {"base": 0.2, "full": 0.8, "rand": 0.5, "lim": 0.6}


@pytest.fixture
def files(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """The evaluations and the folders of the training runs."""
    return write_answers(tmp_path, SHARES), write_runs(tmp_path)


def test_accuracies_are_means_with_intervals_over_the_seeds(tmp_path, files):
    accuracies = tables(page(tmp_path, *files))[0]
    expected = stats.ttest_1samp([0.6, 0.5, 0.7], 0).confidence_interval(0.95)
    assert accuracies["LIM"][0] == f"60.0 [{100 * expected.low:.1f}, {100 * expected.high:.1f}]"
    assert accuracies["LIM"][1:] == ["68.0 [68.0, 68.0]"] * 2 + ["4", "0.0 [0.0, 0.0]", "47.0 [47.0, 47.0]"]
    assert accuracies["RAND"][1:5] == ["50.0 [50.0, 50.0]", "66.0 [66.0, 66.0]", "2", "16.0 [16.0, 16.0]"]
    assert accuracies["Base model"] == ["20.0 [-4.8, 44.8]", "20.0 [20.0, 20.0]", "-", "-", "-", "-"]


def test_costs_are_shown_without_the_probe_and_with_it(tmp_path, files):
    _, ninety, ninety_five, *_ = tables(page(tmp_path, *files))
    assert ninety["FULL"] == ["3 of 3 seeds", *["12 [12, 12]", "30 [30, 30]"] * 2]
    assert ninety["LIM"] == ["3 of 3 seeds", "12 [12, 12]", "30 [30, 30]", "30 [30, 30]", "93 [93, 93]"]
    assert ninety["RAND"] == ["3 of 3 seeds", *["6 [6, 6]", "9 [9, 9]"] * 2]
    assert ninety_five["RAND"] == ["not reached", "-", "-", "-", "-"]


def test_a_target_that_some_seeds_miss_gives_a_range_and_no_mean(tmp_path, files):
    write_run(tmp_path / "runs/lim/seed1", CURVES["lim"] | {4: 0.5})
    write_run(tmp_path / "runs/lim/seed2", CURVES["lim"] | {2: 0.66})
    text = page(tmp_path, *files)
    _, ninety, _, _, minus_rand, minus_full = tables(text)
    assert ninety["LIM"] == ["2 of 3 seeds", "6-12", "9-30", "24-30", "72-93"]
    assert minus_rand["LIM"][4] == minus_full["LIM"][4] == "not all: 2 of 3"
    assert minus_rand["FULL"][4] == "+6 [+6, +6]"
    assert minus_rand["FULL"][5] == "not all: 0 of 3", "RAND never reaches 95 %"


def test_differences_are_paired_by_seed(tmp_path, files):
    *_, minus_rand, minus_full = tables(page(tmp_path, *files))
    assert list(minus_rand)[-2:] == ["FULL", "LIM"] and list(minus_full)[-2:] == ["RAND", "LIM"]
    # every seed of LIM has one problem in ten more than RAND, though the seeds differ
    assert minus_rand["LIM"][:4] == ["+10.0 [+10.0, +10.0]", "+18.0 [+18.0, +18.0]", "+2.0 [+2.0, +2.0]",
                                     "-3.5 [-3.5, -3.5]"]  # fmt: skip
    assert minus_full["LIM"][4] == "+18 [+18, +18]", "the cost of the probe"


def test_methods_are_compared_by_rliables_statistics(tmp_path, files):
    compared = tables(page(tmp_path, *files))[3]
    runs = {method: np.array([share, share - 0.1, share + 0.1]) for method, share in SHARES.items()}
    for method, title in (("base", "Base model"), ("lim", "LIM")):
        wins = [(first > other) + 0.5 * (first == other) for first in runs[method].round(3)
                for other in runs["rand"].round(3)]  # fmt: skip
        assert compared[title][:2] == [f"{100 * runs[method][0]:.1f}", f"{np.mean(wins):.2f}"]
    assert compared["RAND"][1] == compared["FULL"][2] == "-"


def test_with_fewer_than_three_seeds_there_are_neither_intervals_nor_comparisons(tmp_path):
    for seeds, words in (([0], "one seed, so without intervals"), ([0, 1], "too few for intervals")):
        configuration = CONFIGURATION | {"seeds": seeds}
        files = write_answers(tmp_path, SHARES, configuration), write_runs(tmp_path, configuration)
        text = page(tmp_path, *files, configuration)
        assert words in text and "takes at least 3 seeds" in text
        assert "[" not in text and "In brackets" not in text
        assert tables(text)[1]["LIM"][:2] == ["yes" if len(seeds) == 1 else "2 of 2 seeds", "12"]


def test_the_base_model_with_a_prompt_is_a_row_of_the_page(tmp_path):
    configuration = CONFIGURATION | {"base_model": {"prefix": "Think. "}}
    shares = {"base": 0.2, "base_prompt": 0.4} | SHARES
    text = page(tmp_path, write_answers(tmp_path, shares), write_runs(tmp_path), configuration)
    accuracies, *_ = tables(text)
    assert accuracies["Base model + prompt"][1:] == ["-"] * 5
    assert accuracies["Base model + prompt"][0].startswith("40.0 [")
    assert tables(text)[3]["Base model + prompt"][0] == "40.0"


def test_the_page_names_what_the_metrics_lack(tmp_path, files):
    text = page(tmp_path, *files)
    assert "The last evaluation on the development set comes after 4 of 6 steps." in text
    assert "lacks" not in text
    write_run(tmp_path / "runs/lim/seed1", {0: 0.2, 2: 0.5})
    assert "LIM, seed 1, lacks the evaluation after step 4, which other runs have" in page(tmp_path, *files)


def test_the_page_names_seeds_at_which_full_gained_nothing(tmp_path, files):
    write_run(tmp_path / "runs/full/seed1", {0: 0.2, 2: 0.6, 4: 0.2})
    text = page(tmp_path, *files)
    assert "Seed 1: FULL gained nothing over the base model, so there is no target." in text
    assert tables(text)[1]["LIM"][0] == "2 of 2 seeds"
    for seed in (0, 2):
        write_run(tmp_path / f"runs/full/seed{seed}", {0: 0.2, 4: 0.1})
    text = page(tmp_path, *files)
    assert "Seed 0, 1, 2: FULL gained nothing" in text and "of FULL's gain:" not in text


def test_the_page_says_that_openrlhf_makes_no_evaluation_before_training(tmp_path):
    configuration = CONFIGURATION | {"training": {"engine": "openrlhf", "steps": 6}}
    files = write_answers(tmp_path, SHARES), write_runs(tmp_path)
    text = page(tmp_path, *files, configuration)
    assert "Seed 0, 1, 2: FULL's metrics have no evaluation before training" in text
    assert tables(text)[0]["Base model"][1] == "-"


def test_without_full_or_rand_the_page_has_only_what_it_can_compare(tmp_path):
    configuration = deepcopy(CONFIGURATION)
    configuration["methods"] = {"everything": {"score": "rand", "keep": "all"}}
    runs = [write_run(tmp_path / f"runs/everything/seed{seed}", CURVES["rand"]) for seed in (0, 1, 2)]
    text = page(tmp_path, write_answers(tmp_path, {"base": 0.2, "everything": 0.5}), runs, configuration)
    assert "No method trains on all prompts" in text and "Better than EVERYTHING" in text
    assert "Minus" not in text and "Differences" not in text


def test_the_csv_has_one_row_per_run_and_leaves_out_what_was_not_reached(tmp_path, files):
    page(tmp_path, *files)
    rows = pl.read_csv(tmp_path / "outcomes.csv")
    assert rows.select("method", "seed").rows() == [(name, seed) for name in CURVES for seed in (0, 1, 2)]
    rand = rows.filter(method="rand", seed=0).row(0, named=True)
    assert (rand["development_last"], rand["development_best"], rand["best_step"]) == (0.5, 0.66, 2)
    assert (rand["rollouts"], rand["tokens"]) == WHOLE_RUN
    assert (rand["step_to_90"], rand["rollouts_to_90"], rand["tokens_to_90"]) == (2, 6, 9)
    assert rand["step_to_95"] is rand["rollouts_to_95_with_probe"] is None and rand["target_95"] == 0.675
    lim = rows.filter(method="lim", seed=2).row(0, named=True)
    assert (lim["rollouts_to_90_with_probe"], lim["tokens_to_90_with_probe"]) == (30, 93)
    assert lim["benchmarks"] == pytest.approx(0.7)
