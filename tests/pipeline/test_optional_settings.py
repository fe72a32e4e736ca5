"""Settings that add files or stages: a manipulated pool, benchmarks in other words, the best checkpoint."""

from typing import Any

import polars as pl
from workplace import Workplace


def test_a_manipulated_pool_and_a_reworded_benchmark_reach_the_problem_files(workplace: Workplace) -> None:
    def change(configuration: dict[str, Any]) -> None:
        configuration["data"]["pool"] = {"broken": 0.25, "beyond": 0.5}
        configuration["base_model"]["reworded"] = 0.2
        configuration["benchmarks"]["reworded"] = {
            "title": "Reworded", "problems": 7, "levels": [6], "wording": "other", "samples": 1, "temperature": 0.0,
        }  # fmt: skip

    workplace.configure(change)
    workplace.make("results/data/train.parquet")
    data = workplace.results / "data"
    train, broken = pl.read_parquet(data / "train.parquet"), pl.read_parquet(data / "broken_golds.parquet")
    assert (len(train), len(broken)) == (64, 16)
    assert set(train.filter(pl.col("answer").str.len_chars() == 8)["prompt_id"]) == set(broken["prompt_id"])
    reworded = pl.read_parquet(data / "benchmarks" / "reworded.parquet")
    assert reworded["level"].to_list() == [6] * 7
    assert not reworded["prompt"].str.contains("Compute|Solve|Find|First term").any()
    assert "Nothing to be done" in workplace.make("results/data/train.parquet")


def test_the_best_checkpoint_is_one_more_evaluation_for_each_run(workplace: Workplace) -> None:
    plain = workplace.plan("results/table2.md")
    workplace.configure(lambda configuration: configuration["report"].update(development_selected=True))
    assert workplace.plan("results/table2.md") == plain | {"evaluate_selected": 3, "total": plain["total"] + 3}


def test_worked_solutions_are_drawn_beside_broken_golds(workplace: Workplace) -> None:
    """The record of the broken golds is an output of ``prepare_data`` too, and holds no problems."""

    def change(configuration: dict[str, Any]) -> None:
        configuration["data"]["pool"] = {"broken": 0.25}
        configuration["supervised"] = {
            "sft": {
                "solutions": {"source": "miniature", "levels": [4, 5], "share": 0.25},
                "epochs": 1, "batch_size": 8, "learning_rates": [1e-3],
            }
        }  # fmt: skip

    workplace.configure(change)
    workplace.make("results/supervised/sft/seed0/solutions.parquet")
    solutions = pl.read_parquet(workplace.results / "supervised/sft/seed0/solutions.parquet")
    assert len(solutions) == 16
    assert not set(solutions["prompt_id"]) & set(pl.read_parquet(workplace.results / "data/train.parquet")["prompt_id"])
