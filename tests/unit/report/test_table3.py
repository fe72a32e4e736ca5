"""Table 3: supervised rows beside reinforcement learning, the sweep behind each, and nothing averaged in silence."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from refusals import refused
from table2_run import CONFIGURATION, PROBLEMS, rows_of, write_evaluation

from limr.files.contracts import write_parquet
from limr.report.published_results import published
from limr.report.table3 import write_table3

ROW = {
    "solutions": {"source": "miniature", "levels": [4, 5], "share": 0.5},
    "epochs": 4,
    "batch_size": 8,
    "learning_rates": [0.001, 0.0001],
}


@pytest.fixture
def configuration() -> dict[str, Any]:
    return {**deepcopy(CONFIGURATION), "seeds": [0, 1, 3], "supervised": {"sft": deepcopy(ROW)}}


@pytest.fixture
def arguments(run: dict[str, Any], tmp_path: Path, configuration: dict[str, Any]) -> dict[str, Any]:
    """The arguments of ``write_table3``: Table 2's inputs with one more seed, and those of the supervised row."""
    folder, random = tmp_path / "more", np.random.default_rng(1)
    evaluations = list(run["evaluations"])
    for method, seeds in {"sft": (0, 1, 3), **dict.fromkeys(("base", "full", "rand", "lim"), (1,))}.items():
        for seed in seeds:
            for name, benchmark in configuration["benchmarks"].items():
                path = folder / f"{method}-{seed}-{name}.parquet"
                correct = random.random((PROBLEMS[name], benchmark["samples"])) < 0.5
                write_evaluation(path, method, seed, name, correct)
                evaluations.append(path)
    solutions, sweeps = [], []
    for seed in configuration["seeds"]:
        rows = rows_of("solutions", pl.DataFrame({"prompt_id": [f"q{i}" for i in range(8)]}))
        write_parquet(rows, folder / f"solutions{seed}.parquet", "solutions")
        solutions.append(folder / f"solutions{seed}.parquet")
        table = pl.DataFrame(
            {
                "learning_rate": [0.0001, 0.001],
                "development_accuracy": [0.25 if seed < 3 else 0.4, 0.3],
                "response_tokens": 5.0,
            }
        )
        best = pl.col("development_accuracy") == pl.col("development_accuracy").max()
        write_parquet(table.with_columns(chosen=best), folder / f"sweep{seed}.parquet", "sweep")
        sweeps.append(folder / f"sweep{seed}.parquet")
    three = {key: {name: [a, a, b] for name, (a, b) in run[key].items()} for key in ("subsets", "rollouts")}
    return {
        "evaluations": evaluations,
        "prompts": run["prompts"],
        **three,
        "solutions": {"sft": solutions},
        "sweeps": {"sft": sweeps},
        "configuration_files": ["config.yaml"],
        "outputs": {kind: tmp_path / f"table3.{kind}" for kind in ("markdown", "csv", "json")},
    }


def written(arguments: dict[str, Any], configuration: dict[str, Any]) -> dict[str, str]:
    write_table3(**arguments, configuration=configuration)
    return {kind: path.read_text() for kind, path in arguments["outputs"].items()}


def cells(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


def test_the_rows_are_the_base_model_supervised_and_reinforcement_learning_with_their_questions(
    arguments: dict[str, Any], configuration: dict[str, Any]
) -> None:
    header, _, *rows = cells(written(arguments, configuration)["markdown"])[:7]
    assert header == ["Method", "Training", "#Questions", "Easy-20", "Hard-6", "Average", "Gain over base"]
    assert [row[:3] for row in rows] == [
        ["Base model", "-", "-"],
        ["SFT", "SFT", "8"],
        ["FULL", "RL", "16"],
        ["RAND", "RL", "8"],
        ["LIM", "RL", "8-11"],
    ]
    assert rows[0][-1] == "-" and all("[" in row[-1] for row in rows[1:])


def test_every_learning_rate_is_listed_with_the_seeds_that_chose_it(
    arguments: dict[str, Any], configuration: dict[str, Any]
) -> None:
    text = written(arguments, configuration)["markdown"]
    rows = [row for row in cells(text) if row[0] == "SFT" and len(row) == 5 and row[1].startswith("0.0")]
    assert rows == [
        ["SFT", "0.0001", "30.0 [25.0, 40.0]", "5.0", "3"],
        ["SFT", "0.001", "30.0 [30.0, 30.0]", "5.0", "0, 1"],
    ]
    assert "The benchmarks had no part in it" in text


def test_lim_is_compared_with_the_supervised_row_seed_by_seed(
    arguments: dict[str, Any], configuration: dict[str, Any]
) -> None:
    files = written(arguments, configuration)
    contrasts = json.loads(files["json"])["contrasts"]
    assert {(row["first"], row["second"]) for row in contrasts} == {("lim", "sft")}
    assert [row["benchmark"] for row in contrasts] == ["easy", "hard", "average"]
    assert all(len(row["per_seed"]) == 3 for row in contrasts)
    assert "| LIM - SFT |" in files["markdown"].replace("  ", " ")


def test_the_csv_and_the_json_hold_the_same_numbers(arguments: dict[str, Any], configuration: dict[str, Any]) -> None:
    files = written(arguments, configuration)
    table = pl.read_csv(files["csv"].encode())
    for row in json.loads(files["json"])["rows"]:
        found = table.filter(method=row["method"], benchmark="average")["accuracy"].item()
        mean = sum(seed["average"] for seed in row["by_seed"]) / 3
        assert found == pytest.approx(row["average"]["point"]) == pytest.approx(mean, abs=1e-5)


def test_a_missing_evaluation_is_an_error_and_not_another_average(
    arguments: dict[str, Any], configuration: dict[str, Any]
) -> None:
    arguments["evaluations"] = [path for path in arguments["evaluations"] if path.stem != "sft-1-hard"]
    with refused(what="no evaluation of method sft, seed 1, benchmark hard"):
        written(arguments, configuration)
    assert not arguments["outputs"]["markdown"].exists()


def test_the_papers_numbers_stand_only_in_the_papers_experiment(
    arguments: dict[str, Any], configuration: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration["supervised"]["sft"]["solutions"] = {"source": "limo", "revision": "0" * 40}
    assert "abstract" not in written(arguments, configuration)["markdown"]
    monkeypatch.setattr("limr.report.table3.same_experiment", lambda *_: True)
    text = written(arguments, configuration)["markdown"]
    assert "outperforms LIMO by 13.0 %" in text and "These numbers are the paper's" in text
    assert "s1 by" not in text
    assert published()["supervised"]["s1k"]["math500_below_lim"] == 22.2
