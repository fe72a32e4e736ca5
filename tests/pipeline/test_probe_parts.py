"""Methods that score a part of the probe, added to a finished run of the pipeline: no finished run trains again."""

from pathlib import Path
from typing import Any

import polars as pl
from workplace import Workplace

HALF = {"score": "lim", "keep": {"share": 0.25}}
PARTS = {
    "lim_early": {"visits": 5},
    "lim_few": {"samples": 2},
    "lim_fixed": {"measure": "checkpoints"},
    "lim_few_fixed": {"measure": "checkpoints", "samples": 2, "visits": 4},
}


def _add_parts(configuration: dict[str, Any]) -> None:
    configuration["methods"]["lim_all"] = HALF
    for name, part in PARTS.items():
        configuration["methods"][name] = HALF | {"probe": part}


def test_methods_that_score_a_part_of_the_probe_train_only_their_own_runs(finished: Workplace, tmp_path: Path) -> None:
    place = finished.copy(tmp_path / "parts")
    models = {path: path.stat().st_mtime_ns for path in place.results.glob("runs/*/seed0/model")}
    place.configure(_add_parts)
    plan = place.plan("results/table2.md", "results/probe_measure.md")
    once = {f"score_{name}": 1 for name in ("lim_all", *PARTS)} | {
        f"extract_{part}": 1 for part in ("samples2", "probe_checkpoints", "probe_checkpoints_samples2")
    }
    once |= {"measure_checkpoints": 1, "probe_measure": 1, "table2": 1}
    assert plan == once | {"select": 5, "train": 5, "evaluate": 5, "total": len(once) + 15}

    place.make("results/probe_measure.md", *[f"results/subsets/{name}/seed0.parquet" for name in ("lim_all", *PARTS)])
    assert {path: path.stat().st_mtime_ns for path in place.results.glob("runs/*/seed0/model")} == models
    selected = {
        name: set(pl.read_parquet(place.results / f"subsets/{name}/seed0.parquet")["prompt_id"])
        for name in ("lim_all", *PARTS)
    }
    assert {len(prompts) for prompts in selected.values()} == {16}
    assert len(set(map(frozenset, selected.values()))) == 5, "each part of the probe selects other prompts"
    fixed = pl.read_parquet(place.results / "trajectories/probe_checkpoints/seed0.parquet")
    assert fixed["epoch"].unique().sort().to_list() == list(range(10)), "one visit per checkpoint"
    few = pl.read_parquet(place.results / "trajectories/samples2/seed0.parquet")
    assert few["n_samples"].unique().to_list() == [2]
    rows = pl.read_csv(place.results / "probe_measure.csv").filter(comparison="measures", method="lim_all")
    by_hand = len(selected["lim_all"] & selected["lim_fixed"]) / 16
    assert rows["overlap"].to_list() == [by_hand]
