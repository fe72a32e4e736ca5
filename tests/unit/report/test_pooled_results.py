"""Worlds that are pooled: the values of their units, and what is refused."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from refusals import refused
from worlds_of_evidence import change_outcomes, change_table, configuration_of, write_world

from limr.errors import ProblemsError
from limr.report.pooled_results import cost_of, pooled, read_world
from limr.report.training_runs import Cost


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two worlds of three seeds."""
    return [write_world(tmp_path / f"world_{number}", number) for number in (1, 2)]


def pool(folders):
    return pooled([read_world(folder) for folder in folders])


def problems(folders) -> list[str]:
    with pytest.raises(ProblemsError) as error:
        pool(folders)
    return [str(problem) for problem in error.value.problems]


def test_the_units_are_the_seeds_of_one_world_after_the_other(folders):
    found = pool(folders)
    assert found.world_of.tolist() == [0, 0, 0, 1, 1, 1]
    assert found.configuration["seeds"][3] == "world_2, seed 0"
    for index, folder in enumerate(folders):
        rows = read_world(folder).table["methods"]
        for row in rows:
            expected = [entry["benchmarks"]["hard"] for entry in row["by_seed"]]
            assert found.results[row["method"]]["hard"][found.world_of == index, 0].tolist() == expected
    assert [run["method"] for run in found.outcomes["lim"]] == ["lim"] * 6


def test_the_cost_is_the_one_of_the_outcomes(folders):
    run = pool(folders).outcomes["lim"][0]
    assert cost_of(run, 0.9, with_probe=False) == Cost(12, 30)
    assert cost_of(run, 0.9, with_probe=True) == Cost(30, 93)
    assert cost_of(pool(folders).outcomes["rand"][0], 0.95, with_probe=False) is None


def test_another_setting_is_named_with_both_values(folders):
    def longer(table):
        table["configuration"]["training"]["steps"] = 7

    change_table(folders[1], longer)
    assert problems(folders) == ["world_2: training.steps: found 7, expected 6, as in world_1"]


def test_a_method_that_one_world_lacks_is_named(tmp_path, folders):
    configuration = configuration_of(2)
    del configuration["methods"]["rand"]
    write_world(tmp_path / "world_2", 2, configuration)
    assert problems(folders) == [
        'world_2: methods.rand: found nothing, expected {"score": "rand", "keep": {"share": 0.5}}, as in world_1'
    ]


def test_a_benchmark_that_one_world_lacks_is_named(tmp_path, folders):
    configuration = configuration_of(2)
    del configuration["benchmarks"]["hard"]
    write_world(tmp_path / "world_2", 2, configuration)
    assert [problem.partition(": found")[0] for problem in problems(folders)] == ["world_2: benchmarks.hard"]


def test_missing_seeds_benchmarks_and_runs_are_all_named(folders):
    def shorter(table):
        rows = {row["method"]: row for row in table["methods"]}
        del rows["lim"]["by_seed"][1]
        del rows["rand"]["by_seed"][2]["benchmarks"]["easy"]

    change_table(folders[0], shorter)
    change_outcomes(folders[1], lambda rows: rows.filter((pl.col("method") != "full") | (pl.col("seed") != 2)))
    found = [problem.partition(". ")[0] for problem in problems(folders)]
    assert found == [
        "world_1: table2.json: methods: method rand: seed 2: there is no accuracy on easy",
        "world_1: table2.json: methods: method lim: seed 1: there is no accuracy on easy",
        "world_1: table2.json: methods: method lim: seed 1: there is no accuracy on hard",
        "world_2: outcomes.csv: method full: seed 2: there is no row",
    ]


def selected_checkpoints(table) -> None:
    """Add the section of the checkpoints that the development set selects: 0.01 better than the last ones."""
    table["development_selected"] = [
        {"method": row["method"], "by_seed": [
            {"seed": entry["seed"], "benchmarks": {name: value + 0.01 for name, value in entry["benchmarks"].items()}}
            for entry in row["by_seed"]
        ]}
        for row in table["methods"] if row["method"] != "base"
    ]  # fmt: skip


def test_checkpoints_that_the_development_set_selects_are_pooled_beside_the_last_ones(folders):
    assert pool(folders).selected == {}
    for folder in folders:
        change_table(folder, selected_checkpoints)
    found = pool(folders)
    assert list(found.selected) == ["full", "rand", "lim"]
    for method in found.selected:
        assert found.selected[method]["hard"] == pytest.approx(found.results[method]["hard"] + 0.01)


def test_a_world_or_a_seed_without_selected_checkpoints_is_named(folders):
    change_table(folders[1], selected_checkpoints)
    assert problems(folders)[0].startswith(
        "world_1: table2.json: development_selected: method full: seed 0: there is no accuracy on easy"
    )
    change_table(folders[0], selected_checkpoints)
    change_table(folders[0], lambda table: table["development_selected"][2]["by_seed"].pop(1))
    found = [problem.partition(". ")[0] for problem in problems(folders)]
    place = "world_1: table2.json: development_selected: method lim: seed 1"
    assert found == [f"{place}: there is no accuracy on {name}" for name in ("easy", "hard")]


def test_a_table_of_an_older_version_lacks_accuracies_by_seed(folders):
    change_table(folders[0], lambda table: [row.pop("by_seed") for row in table["methods"]])
    assert "there is no accuracy on easy" in problems(folders)[0]


def test_the_same_run_does_not_count_twice(tmp_path, folders):
    write_world(tmp_path / "copy", 1)
    found = problems([*folders, tmp_path / "copy"])
    assert found == [f"copy: seed {seed}: this is the same run as that of world_1" for seed in (0, 1, 2)]


def test_more_seeds_of_the_same_world_are_other_runs(tmp_path, folders):
    write_world(tmp_path / "more", 1, configuration_of(1) | {"seeds": [3, 4]})
    found = pool([*folders, tmp_path / "more"])
    assert np.bincount(found.world_of).tolist() == [3, 3, 2]


def test_worlds_may_have_other_numbers_of_seeds(tmp_path, folders):
    write_world(tmp_path / "world_2", 2, configuration_of(2) | {"seeds": [7]})
    assert pool(folders).configuration["seeds"][-1] == "world_2, seed 7"


@pytest.mark.parametrize("name", ["table2.json", "outcomes.csv"])
def test_a_missing_file_is_named(folders, name):
    (folders[1] / name).unlink()
    with refused(what="no such file", where=folders[1] / name, advice="Run snakemake"):
        pool(folders)


def test_files_that_hold_something_else_are_named(folders):
    (folders[0] / "outcomes.csv").write_text("method,seed\nlim,0\n", encoding="utf-8")
    with refused(where=folders[0] / "outcomes.csv", what="has no column area"):
        pool(folders)
    (folders[0] / "outcomes.csv").write_bytes(b"")
    with refused(where=folders[0] / "outcomes.csv", expected="outcomes as CSV"):
        pool(folders)
    (folders[0] / "table2.json").write_text("[]", encoding="utf-8")
    with refused(where=folders[0] / "table2.json", found="other JSON"):
        pool(folders)
    (folders[0] / "table2.json").write_text('{"a": ', encoding="utf-8")
    with refused(where=(folders[0] / "table2.json", "line 1"), expected="Table 2 as JSON"):
        pool(folders)


def test_nothing_to_pool_is_refused():
    with refused(found="no results folder"):
        pooled([])
