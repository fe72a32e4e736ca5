"""A stage does not start on solutions, a sweep or a model that is too short or belongs to another run."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from complete_results import change, write_results
from refusals import refused
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.jobs.input_counts import check_inputs

RATES = [0.001, 0.0001]


@pytest.fixture
def results(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A complete folder with one supervised row: three solutions, two rates."""
    folder = tmp_path / "results"
    configuration = write_results(folder)
    solutions = {"source": "miniature", "levels": [5], "share": 0.5}
    configuration["supervised"] = {"sft": {"solutions": solutions, "learning_rates": RATES}}
    row = folder / "supervised" / "sft" / "seed0"
    ids = pl.DataFrame({"prompt_id": ["s0", "s1", "s2"]})
    write_parquet(rows_of("solutions", ids), row / "solutions.parquet", "solutions")
    sweep = pl.DataFrame({"learning_rate": sorted(RATES), "chosen": [True, False]})
    write_parquet(rows_of("sweep", sweep), row / "sweep.parquet", "sweep")
    for name in ("rate0.001", "rate0.0001", "model"):
        (row / name).mkdir()
        (row / name / "config.json").write_text((folder / "base_model" / "config.json").read_text())
    return row, configuration


def test_complete_files_pass(results: tuple[Path, dict[str, Any]]) -> None:
    row, configuration = results
    check_inputs(row.iterdir(), configuration)


def test_too_few_solutions_are_refused(results: tuple[Path, dict[str, Any]]) -> None:
    row, configuration = results
    change(row / "solutions.parquet", lambda table: table.head(2))
    with refused(where=row / "solutions.parquet", found="2 solutions", expected="supervised.sft.solutions.share"):
        check_inputs([row / "solutions.parquet"], configuration)


@pytest.mark.parametrize(
    "how", [lambda table: table.head(1), lambda table: table.with_columns(chosen=pl.lit(value=True))]
)
def test_a_sweep_without_every_rate_or_with_two_chosen_is_refused(
    results: tuple[Path, dict[str, Any]], how: Any
) -> None:
    row, configuration = results
    change(row / "sweep.parquet", how)
    with refused(where=row / "sweep.parquet", expected="one chosen of 0.0001, 0.001", advice="Delete"):
        check_inputs([row / "sweep.parquet"], configuration)


@pytest.mark.parametrize("name", ["rate0.001", "model"])
def test_a_model_of_another_size_is_refused(results: tuple[Path, dict[str, Any]], name: str) -> None:
    row, configuration = results
    sizes = json.loads((row / name / "config.json").read_text())
    (row / name / "config.json").write_text(json.dumps(sizes | {"hidden_size": 16}))
    with refused(where="hidden_size", found="16", advice=f"Delete {row / name},"):
        check_inputs([row / name], configuration)
