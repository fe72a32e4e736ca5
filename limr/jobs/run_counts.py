"""Whether the rollouts and the metrics of a training run are complete, and belong to each other and to the subset.

Every rollout of the miniature is recorded, so the configuration gives all counts. OpenRLHF may lose rollouts in a
crash; ``audit.json`` beside its rollouts has their number.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError, counted
from limr.files.contracts import UNREADABLE, read_parquet, unreadable
from limr.jobs.counts import delete, read_json, refuse_count

_TOLERANCE = 1e-6  # of a mean reward, which may be summed in another order


def check_run(run: Path, subset: Path, training: Mapping[str, Any]) -> None:
    """Check ``rollouts`` and ``metrics.parquet`` in the folder ``run``. A missing one is not compared, nor ``subset``.

    ``training`` is the section of the configuration. Raises LimrError with the file that lacks steps, or holds steps
    or prompts that do not belong to the run.
    """
    rollouts, metrics = run / "rollouts", run / "metrics.parquet"
    trained = read_parquet(metrics, "metrics").select("step", "reward") if metrics.exists() else None
    if not rollouts.exists():
        if trained is not None:
            _refuse_steps(metrics, trained["step"], training)
        return
    sampled = pl.concat(_read(shard, run) for shard in _shards(rollouts, run))
    steps = sampled.group_by("step").agg(pl.col("rollouts", "reward").sum()).sort("step")
    steps = steps.with_columns(pl.col("reward") / pl.col("rollouts"))
    _refuse_steps(rollouts, steps["step"], training)
    _refuse_rollouts(rollouts, steps, training)
    if subset.exists():
        _refuse_other_prompts(rollouts, sampled["prompt_id"].unique(), subset, training)
    if trained is not None:
        _refuse_steps(metrics, trained["step"], training)
        _refuse_other_metrics(metrics, trained, steps)


def number_of_solutions(share: float, train: int) -> int:
    """How many worked solutions a row of `supervised` has: what `keep: {share: ...}` keeps of ``train`` prompts.

    >>> number_of_solutions(0.163, 2048)
    334
    """
    return round(share * train)


def checkpoint_steps(training: Mapping[str, Any]) -> list[int]:
    """The numbers of steps after which a run saves its model.

    >>> checkpoint_steps({"steps": 5, "checkpoint_interval": 2})
    [2, 4, 5]
    """
    steps, interval = training["steps"], training["checkpoint_interval"]
    return [*range(interval, steps, interval), steps]


def checkpoint_folders(checkpoints: Path, steps: Sequence[int], run: str, needed_for: str) -> dict[int, Path]:
    """Step -> the folder of the model that a run saved after it.

    Raises LimrError if a checkpoint is missing; ``run`` names the run in the error, ``needed_for`` ends its advice.
    """
    folders = {step: checkpoints / f"step_{step:06d}" for step in steps}
    missing = [step for step, folder in folders.items() if not folder.is_dir()]
    if missing:
        raise LimrError(
            f"checkpoints of {run} are missing",
            where=checkpoints,
            found=f"no checkpoint of step {missing[0]} ({len(missing):,} of {len(folders):,} missing)",
            expected="one for every `training.checkpoint_interval` steps",
            advice=f"Copy them back, or delete {checkpoints.parent} to train this run again. {needed_for}",
        )
    return folders


def _shards(rollouts: Path, run: Path) -> list[Path]:
    shards = sorted(rollouts.glob("*.parquet"))
    if not shards:
        raise LimrError(where=rollouts, found="no rollouts (*.parquet)", advice=delete(run))
    return shards


def _read(shard: Path, run: Path) -> pl.DataFrame:
    """The number of rollouts and the sum of their rewards, by step and prompt. The responses are not read."""
    rows = pl.scan_parquet(shard, hive_partitioning=False, glob=False)
    try:
        return rows.group_by("step", "prompt_id").agg(pl.len().alias("rollouts"), pl.col("reward").sum()).collect()
    except UNREADABLE as error:
        raise unreadable(shard, error, delete(run)) from error


def _refuse_steps(path: Path, steps: pl.Series, training: Mapping[str, Any]) -> None:
    """The miniature has every step. OpenRLHF may lose a step, but has none after the last one."""
    expected = set(range(training["steps"]))
    found = set(steps)
    missing, others = sorted(expected - found), sorted(found - expected)
    if others or (missing and training["engine"] == "miniature"):
        example = f"step {missing[0]} is missing" if missing else f"step {others[0]} does not belong here"
        raise LimrError(
            where=path,
            found=f"{counted(len(found), 'step')} ({example})",
            expected=f"{len(expected):,} (`training.steps`)",
            advice=delete(path.parent),
        )


def _refuse_rollouts(rollouts: Path, steps: pl.DataFrame, training: Mapping[str, Any]) -> None:
    if training["engine"] == "miniature":
        expected = training["prompts_per_step"] * training["samples_per_prompt"]
        source = "`training.prompts_per_step` x `training.samples_per_prompt`"
        for step, number in steps.select("step", "rollouts").iter_rows():
            refuse_count((rollouts, f"step {step}"), number, expected, "rollout", source, rollouts.parent)
    else:
        audit = rollouts / "audit.json"
        number = steps["rollouts"].sum()
        expected = read_json(audit).get("rollouts", number)
        refuse_count(rollouts, number, expected, "rollout", str(audit), rollouts.parent)


def _refuse_other_metrics(metrics: Path, trained: pl.DataFrame, steps: pl.DataFrame) -> None:
    """The mean reward of a step is the same in both, unless one of them belongs to another run."""
    both = trained.join(steps, on="step", how="full", coalesce=True, suffix="_of_rollouts").sort("step")
    difference = (pl.col("reward") - pl.col("reward_of_rollouts")).abs()
    other = both.filter((difference > _TOLERANCE).fill_null(value=True))
    if not other.is_empty():
        step, reward, _, sampled = other.select("step", "reward", "rollouts", "reward_of_rollouts").row(0)
        raise LimrError(
            f"the metrics and the rollouts of {len(other):,} of {len(both):,} steps belong to different runs",
            where=(metrics, f"step {step}"),
            found=f"mean reward {reward:g}" if reward is not None else "no such step",
            expected=f"{sampled:g}, as in the rollouts" if sampled is not None else "none, as in the rollouts",
            advice=delete(metrics.parent),
        )


def _refuse_other_prompts(rollouts: Path, prompts: pl.Series, subset: Path, training: Mapping[str, Any]) -> None:
    """All prompts are in the subset. The first pass of the miniature meets every prompt, if it has enough steps."""
    chosen = read_parquet(subset, "subset")["prompt_id"]
    others = set(prompts) - set(chosen)
    first_pass = min(len(chosen), training["steps"] * training["prompts_per_step"])
    if others or (len(prompts) < first_pass and training["engine"] == "miniature"):
        raise LimrError(
            where=rollouts,
            found=f"{counted(len(prompts), 'prompt')} ({len(others):,} of them not in the subset)",
            expected=f"{first_pass:,}, those of {subset}",
            advice=delete(rollouts.parent),
        )
