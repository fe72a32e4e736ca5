"""Results folders of small worlds, written by the functions that write Table 2 and the outcomes."""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from outcome_runs import CURVES, write_run
from table2_run import CONFIGURATION as OF_TABLE2
from table2_run import rows_of, write_evaluation, write_training_set

from limr.files.contracts import write_parquet
from limr.report.outcomes_page import write_outcomes
from limr.report.results import evaluated_methods
from limr.report.table2 import write_table2

PROBLEMS = 25
CONFIGURATION = deepcopy(OF_TABLE2) | {
    "seeds": [0, 1, 2],
    "base_model": {"seed": 1},
    "training": {"engine": "miniature", "steps": 6},
}
ACCURACY = {"base": 0.2, "full": 0.8, "rand": 0.5, "lim": 0.65}


def configuration_of(number: int) -> dict[str, Any]:
    """The configuration of the world ``number``."""
    own = {"data": CONFIGURATION["data"] | {"seed": number}, "base_model": {"seed": number}}
    return deepcopy(CONFIGURATION | own)


def write_world(folder: Path, number: int = 1, configuration: dict[str, Any] | None = None) -> Path:
    """Write ``table2.json`` and ``outcomes.csv`` of one world to ``folder``, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in _files(number, json.dumps(configuration or configuration_of(number))).items():
        (folder / name).write_bytes(content)
    return folder


@cache
def _files(number: int, configuration: str) -> dict[str, bytes]:
    """The files of a world, made once for all tests."""
    with TemporaryDirectory() as folder:
        _write(Path(folder), np.random.default_rng(number), json.loads(configuration))
        return {name: Path(folder, name).read_bytes() for name in ("table2.json", "outcomes.csv")}


def _write(folder: Path, random: np.random.Generator, configuration: dict[str, Any]) -> None:
    answers = []
    for method in evaluated_methods(configuration):
        for seed in configuration["seeds"]:
            for name, benchmark in configuration["benchmarks"].items():
                correct = random.random((PROBLEMS, benchmark["samples"])) < ACCURACY[method]
                answers.append(folder / f"evaluation/{method}/seed{seed}/{name}.parquet")
                write_evaluation(answers[-1], method, seed, name, correct)
    subset = rows_of("subset", pl.DataFrame({"prompt_id": ["p0", "p1"]}))
    write_parquet(subset, folder / "subset.parquet", "subset")
    write_training_set(folder / "train.parquet", gradable=[True] * 4)
    runs = {
        method: [write_run(folder / f"runs/{method}/seed{seed}", CURVES[method]) for seed in configuration["seeds"]]
        for method in configuration["methods"]
    }
    write_table2(
        answers,
        problems={},
        prompts=folder / "train.parquet",
        subsets={method: [folder / "subset.parquet"] * len(each) for method, each in runs.items()},
        rollouts={method: [run / "rollouts" for run in each] for method, each in runs.items()},
        configuration=configuration,
        configuration_files=["world.yaml"],
        outputs={kind: folder / f"table2.{kind}" for kind in ("markdown", "csv", "json")},
    )
    outputs = {"markdown": folder / "outcomes.md", "csv": folder / "outcomes.csv"}
    write_outcomes(answers, [run for each in runs.values() for run in each], configuration, outputs)


def change_table(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the ``table2.json`` of a world in place."""
    file = folder / "table2.json"
    table = json.loads(file.read_text(encoding="utf-8"))
    change(table)
    file.write_text(json.dumps(table), encoding="utf-8")


def change_outcomes(folder: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Change the ``outcomes.csv`` of a world in place."""
    change(pl.read_csv(folder / "outcomes.csv")).write_csv(folder / "outcomes.csv")
