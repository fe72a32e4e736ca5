"""FULL at several learning rates of the policy, on the problems and the base model of a finished run: a table.

    python tests/benchmarks/measure_learning_rates.py --results results --configfile config.yaml --rates 2e-5 4e-5 8e-5

The learning rate of the configurations was chosen with this table, on FULL's accuracy on the development set alone. A
finished rate is kept in ``<results>/learning_rates`` and not trained again. *Half of the rise* is the first visit where
the probe's mean reward is at least half way from its first visit to its last.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_table
from limr.logs.log import LogOptions
from limr.logs.source import read_source
from limr.report.selection_summary import ALONG, NEVER, START, kinds_of_prompts
from limr.training import train
from limr.trajectories import visit_matrix

OUTPUTS = {"model": "model", "rollouts": "rollouts", "metrics": "metrics.parquet", "checkpoints": "checkpoints"}


def folder(results: Path, rate: str) -> Path:
    """Where the run with the learning rate ``rate`` is kept."""
    return results / "learning_rates" / rate


def train_full(results: Path, settings: dict[str, Any], rate: str, seed: int) -> None:
    """Train FULL with the learning rate ``rate``, or resume it."""
    run = folder(results, rate)
    train(
        settings | {"actor_learning_rate": float(rate)},
        model=results / "base_model",
        subset=results / "subsets" / "full" / f"seed{seed}.parquet",
        development=results / "data" / "development.parquet",
        seed=seed,
        work=run / "work",
        outputs={name: run / file for name, file in (OUTPUTS | {"tensorboard": "tensorboard"}).items()},
    )


def row(results: Path, rate: str) -> dict[str, Any]:
    """The table's row of the learning rate ``rate``."""
    run = folder(results, rate)
    accuracy = read_parquet(run / "metrics.parquet", "metrics")["development_accuracy"].drop_nulls()
    trajectories = read_source(run / "rollouts", LogOptions()).trajectories
    curve = visit_matrix(trajectories, "reward").values.mean(axis=0)
    half = int((curve >= (curve[0] + curve[-1]) / 2).argmax()) + 1
    kinds = kinds_of_prompts(trajectories)["kind"]
    return {
        "learning rate": rate,
        "development, base": accuracy[0],
        "best": accuracy.max(),
        "last": accuracy[-1],
        "first visit's reward": curve[0],
        "last visit's": curve[-1],
        "half of the rise": half,
        **{kind: (kinds == kind).mean() for kind in (NEVER, START, ALONG)},
    }


def main() -> None:
    """Train what is missing, two runs at a time, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="of a run that has a base model (results)"
    )
    parser.add_argument("--configfile", type=Path, nargs="+", default=[Path("config.yaml")], help="(config.yaml)")
    parser.add_argument("--rates", nargs="+", required=True, help="learning rates of the policy")
    parser.add_argument("--seed", type=int, default=0, help="seed of the run (0)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    sections = [yaml.safe_load(path.read_text(encoding="utf-8")).get("training", {}) for path in options.configfile]
    settings = {key: value for section in sections for key, value in section.items()} | {"reward_rule": "paper"}
    if options.one:
        train_full(options.results, settings, options.rates[0], options.seed)
        return
    missing = [rate for rate in options.rates if not (folder(options.results, rate) / "model").exists()]
    files = [str(path) for path in options.configfile]
    command = [sys.executable, __file__, "--one", "--results", str(options.results), "--seed", str(options.seed)]
    with ThreadPoolExecutor(2) as pool:
        jobs = [[*command, "--configfile", *files, "--rates", rate] for rate in missing]
        same_rounding = os.environ | {"ATEN_CPU_CAPABILITY": "avx2"}  # as in the stages (limr/jobs/stage.py)
        list(pool.map(lambda job: subprocess.run(job, check=True, env=same_rounding), jobs))
    table = pl.DataFrame([row(options.results, rate) for rate in options.rates])
    shares = ["development, base", "best", "last", NEVER, START, ALONG]
    print(markdown_table(table, whole=["half of the rise"], percent=shares))


if __name__ == "__main__":
    main()
