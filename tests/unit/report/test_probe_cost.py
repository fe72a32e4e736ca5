"""What the curves of a method cost, from rollouts counted by hand."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from outcome_runs import CONFIGURATION, CURVES, page, write_answers, write_run, write_runs
from refusals import refused
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.report.outcomes import outcomes_of
from limr.report.probe_cost import probe_cost
from limr.report.training_runs import Cost

LIM = {"score": "lim", "keep": {"share": 0.5}}
FIXED = {"measure": "checkpoints"}


def write(folder: Path, visits: int, steps_of_visit: int, last: bool, tokens: int) -> Path:
    """Two samples of two prompts at each visit, in a step for each prompt or, at checkpoints, after the visit."""
    rows = [
        (
            prompt,
            visit,
            sample,
            (visit + 1) * steps_of_visit if last else visit * steps_of_visit + index,
            tokens + visit,
        )
        for visit in range(visits)
        for index, prompt in enumerate(("a", "b"))
        for sample in range(2)
    ]
    frame = pl.DataFrame(rows, ["prompt_id", "visit", "sample", "step", "response_tokens"], orient="row")
    write_parquet(rows_of("rollouts", frame), folder / "0.parquet", "rollouts")
    return folder


@pytest.mark.parametrize(
    ("part", "cost"),
    [
        ({"visits": 3}, Cost(12, 4 * (1 + 2 + 3))),
        ({"visits": 1}, Cost(4, 4)),
        ({"samples": 1}, Cost(12, 24)),  # the probe trained on all its samples
        (FIXED, Cost(12 + 12, 24 + 4 * (10 + 11 + 12))),
        (FIXED | {"visits": 2}, Cost(8 + 8, 12 + 4 * (10 + 11))),
        (FIXED | {"visits": 2, "samples": 1}, Cost(8 + 4, 12 + 2 * (10 + 11))),
    ],
)
def test_the_cost_is_that_of_the_visits_and_samples_that_are_scored(
    tmp_path: Path, part: dict[str, Any], cost: Cost
) -> None:
    full = write(tmp_path / "full", visits=3, steps_of_visit=2, last=False, tokens=1)
    measured = write(tmp_path / "measured", visits=3, steps_of_visit=2, last=True, tokens=10)
    assert probe_cost(LIM | {"probe": part}, full, measured) == cost


def test_a_probe_of_all_visits_costs_as_much_as_one_without_the_key(tmp_path: Path) -> None:
    full = write(tmp_path / "full", visits=3, steps_of_visit=2, last=False, tokens=1)
    assert probe_cost(LIM | {"probe": {"visits": 3}}, full, None) == probe_cost(LIM, full, None) == Cost(12, 24)


def test_missing_rollouts_are_named(tmp_path: Path) -> None:
    full = write(tmp_path / "full", visits=1, steps_of_visit=1, last=False, tokens=1)
    with refused(what="no rollouts from the checkpoints"):
        probe_cost(LIM | {"probe": FIXED}, full, None)
    with refused(where=tmp_path / "nothing", what="cannot be read as rollouts"):
        probe_cost(LIM | {"probe": FIXED}, full, tmp_path / "nothing")


def test_the_outcomes_count_the_part_of_the_probe_of_the_seed_that_is_scored(tmp_path: Path) -> None:
    methods = CONFIGURATION["methods"] | {"lim_next": LIM | {"probe": {"seed": "next"}}}
    configuration = CONFIGURATION | {"methods": methods}
    runs = write_runs(tmp_path, CONFIGURATION)
    for seed in CONFIGURATION["seeds"]:
        runs.append(write_run(tmp_path / f"runs/lim_next/seed{seed}", CURVES["lim"]))
    # the probe of seed 1 had no rollouts after its first four steps
    (tmp_path / "runs/full/seed1/rollouts/4.parquet").unlink()
    found = outcomes_of(runs, configuration)
    extra = {
        method: [run.targets[0.9].with_probe.rollouts - run.targets[0.9].cost.rollouts for run in found[method]]
        for method in ("lim", "lim_next")
    }
    assert extra == {"lim": [18, 12, 18], "lim_next": [12, 18, 18]}


def test_the_page_says_which_methods_score_a_part_of_the_probe(tmp_path: Path) -> None:
    methods = CONFIGURATION["methods"] | {"lim": LIM | {"probe": {"visits": 5, "seed": "next"}}}
    configuration = CONFIGURATION | {"methods": methods}
    runs = write_runs(tmp_path, configuration)
    answers = write_answers(tmp_path, {"base": 0.2, "full": 0.7, "rand": 0.5, "lim": 0.6}, configuration)
    text = page(tmp_path, answers, runs, configuration)
    assert "only the first visits, and pay for no later ones: LIM 5." in text
    assert "LIM: the probe is that of the next seed." in text
