"""Evaluation files: the arrays made from them, and errors of incomplete ones."""

import numpy as np
import polars as pl
from refusals import refused
from table2_run import CONFIGURATION, results_of, write, write_evaluation

from limr.files.contracts import write_parquet
from limr.report.results import evaluated_methods, method_scored_by, read_results


def test_a_missing_evaluation_is_named(run, outputs):
    run["evaluations"] = [path for path in run["evaluations"] if path.parts[-3:] != ("lim", "3", "hard.parquet")]
    with refused(what="no evaluation of method lim, seed 3, benchmark hard (1 missing of 16)"):
        write(run, outputs)
    assert not any(path.exists() for path in outputs.values())


def test_an_evaluation_that_occurs_twice_is_named(run):
    run["evaluations"].append(run["evaluations"][0])
    path = run["evaluations"][0]
    with refused(where=path, what=f"and so does {path}"):
        results_of(run)


def test_an_evaluation_of_an_unknown_method_is_named(run, tmp_path):
    unknown = tmp_path / "unknown.parquet"
    write_evaluation(unknown, "cosine", 0, "hard", np.zeros((6, 4)))
    run["evaluations"].append(unknown)
    with refused(where=unknown, what="holds method cosine, seed 0, benchmark hard, which is not part"):
        results_of(run)


def test_evaluations_of_different_problems_are_refused(run, tmp_path):
    write_evaluation(tmp_path / "evaluation/lim/3/hard.parquet", "lim", 3, "hard", np.zeros((7, 4)))
    with refused(where="lim/3/hard.parquet", what="1 differ, such as hard006", advice="Delete the older one"):
        results_of(run)


def test_an_evaluation_with_fewer_samples_than_configured_is_refused(run, tmp_path):
    write_evaluation(tmp_path / "evaluation/lim/3/hard.parquet", "lim", 3, "hard", np.zeros((6, 3)))
    with refused(where=("lim/3/hard.parquet", "problem hard000"), found="3 samples", expected="4 (6 such problems)"):
        results_of(run)


def test_verdicts_decide_what_counts_as_correct(run):
    all_correct = read_results(
        run["evaluations"],
        evaluated_methods(CONFIGURATION),
        CONFIGURATION["seeds"],
        CONFIGURATION["benchmarks"],
        lambda answers: answers["sample"] >= 0,
    )
    assert all((values == 1).all() for scores in all_correct.values() for values in scores.values())


def test_two_evaluations_in_one_file_are_refused(run):
    mixed = run["evaluations"][0]
    both = pl.concat([pl.read_parquet(path) for path in run["evaluations"][:2]])
    write_parquet(both, mixed, "evaluation")
    with refused(where=mixed, found="2 evaluations", expected="one method, seed and benchmark"):
        results_of(run)


def test_lim_is_the_method_that_scores_the_whole_probe_if_there_is_one():
    early = {"score": "lim", "keep": "all", "probe": {"visits": 2}}
    assert method_scored_by("lim", {"methods": {"early": early, "whole": {"score": "lim", "keep": "all"}}}) == "whole"
    assert method_scored_by("lim", {"methods": {"early": early}}) == "early"
    assert method_scored_by("rand", {"methods": {"early": early}}) is None
