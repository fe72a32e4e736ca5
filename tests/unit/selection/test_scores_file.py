"""Scores files: written and read alike in every format, selected from again, and summarised."""

import json

import polars as pl
import pytest
from refusals import refused

from limr.errors import ContractError
from limr.selection.scores_file import choose_again, read_scores, selection_summary, thetas, write_scores
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

CURVES = {f"p{number:02}": [0.0, number / 20, number / 40 + 0.5] for number in range(20)} | {"short": [0.5, 0.5, None]}


def prompts(*ungradable: str) -> pl.DataFrame:
    rows = [(name, name, "1", 3, "Algebra", "test", name not in ungradable) for name in [*CURVES, "unmet"]]
    names = ["prompt_id", "prompt", "answer", "level", "subject", "source", "gradable"]
    return pl.DataFrame(rows, names, orient="row")


def scores(keep: object) -> pl.DataFrame:
    settings = {"score": "slope", "keep": keep}
    return score_prompts("rise", settings, Trajectories.from_curves(accuracies=CURVES), prompts("p00"), seed=0)


@pytest.mark.parametrize("name", ["scores.parquet", "scores.jsonl"])
def test_scores_are_read_back_best_first_as_they_were_written(tmp_path, name):
    write_scores(scores({"top": 3}).reverse(), str(tmp_path / name))
    found = read_scores(str(tmp_path / name))
    assert found.filter(pl.col("rank").is_not_null()).equals(
        scores({"top": 3}).filter(pl.col("rank").is_not_null()), null_equal=True
    )
    assert found["rank"].drop_nulls().to_list() == list(range(1, 20))


@pytest.mark.parametrize("keep", ["all", {"theta": 0.3}, {"top": 4}, {"share": 0.2}, {"quantile": 0.5}])
def test_selecting_again_gives_the_same_as_scoring_with_that_rule(keep):
    assert choose_again(scores({"top": 3}), keep).sort("prompt_id").equals(scores(keep).sort("prompt_id"))


def test_selecting_again_breaks_ties_as_the_seed_of_the_scores_did():
    curves = Trajectories.from_curves(accuracies={str(number): [0.5, 0.5] for number in range(20)})
    for seed in range(5):
        all_scores, best = (
            score_prompts("same", {"score": "slope", "keep": keep}, curves, None, seed) for keep in ("all", {"top": 7})
        )
        assert choose_again(all_scores, {"top": 7}).equals(best)


def test_the_summary_counts_the_kinds_of_reasons():
    assert selection_summary(scores({"top": 3})) == [
        "rise: 3 of 22 prompts selected (13.6 %), scores of 0.4625 and more",
        "without a score: 3 (1 gold answer cannot be graded, 1 missing visits, 1 no trajectory)",
    ]


def test_every_proposed_theta_keeps_the_number_of_prompts_that_is_shown():
    known = scores("all")
    for theta, number, share in thetas(known).rows():
        assert number == choose_again(known, {"theta": theta})["selected"].sum()
        assert share == pytest.approx(number / len(known))


def test_a_file_with_the_scores_of_two_methods_is_refused(tmp_path):
    both = pl.concat([scores("all"), scores("all").with_columns(method=pl.lit("other"))])
    write_scores(both, str(tmp_path / "scores.jsonl"))
    with refused(where="scores.jsonl", found="2 methods (other, rise)", expected="the scores of one method"):
        read_scores(str(tmp_path / "scores.jsonl"))


def test_rows_that_are_not_scores_are_refused(tmp_path):
    file = tmp_path / "scores.jsonl"
    row = scores("all").row(0, named=True)
    file.write_text(json.dumps(row) + "\n" + json.dumps({"prompt": "1 + 1?"}) + "\n")
    with refused(where="line 2", found="the keys prompt", expected="method, prompt_id"):
        read_scores(str(file))
    file.write_text(json.dumps(row | {"score": "high"}) + "\n")
    with refused(where=("scores.jsonl: line 1", "'score'"), found='"high"', expected="a number"):
        read_scores(str(file))
    file.write_text(json.dumps(row | {"rank": 0}) + "\n")
    with refused(ContractError, where=("scores.jsonl", "'rank'"), found="0"):
        read_scores(str(file))
