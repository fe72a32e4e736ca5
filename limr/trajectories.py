"""How each prompt fared over training: from the rollouts a run left behind to one curve a prompt.

A *visit* is one time that training met a prompt; its rollouts are averaged into one point of the prompt's curve.
Visit k of every prompt together is epoch k of the paper.
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from limr.contracts import check, columns
from limr.errors import ContractError, LimrError

logger = logging.getLogger(__name__)

SIGNALS = {"reward": "mean_reward", "accuracy": "accuracy"}
MISSING = ("drop", "next")

# An epoch counts when nine prompts in ten have it: training that stops within an epoch leaves a last epoch that only
# some prompts have seen, and asking all prompts for it would drop the others, for no fault of theirs.
EPOCH_COVERAGE = 0.9

ONE_SHOT_RLVR_SAMPLES = 8

_READ = ["prompt_id", "visit", "sample", "reward", "correct"]
_VISIT = ["prompt_id", "visit"]


def from_rollouts(rollouts: str | Path) -> pl.DataFrame:
    """Average the rollouts of every visit: one row a prompt and epoch (contract ``trajectories``), sorted.

    ``rollouts`` is a directory of Parquet shards (contract ``rollouts``). They are streamed: what a run said is never
    in memory, only its visits are. Every visit is kept; ``visit_matrix`` decides which of them count.

    Raises ContractError naming the shard when one is truncated or not to the contract, when a rollout occurs twice or
    a reward is not a finite number, and when there is no rollout at all.
    """
    shards = _shards(Path(rollouts))
    rows = pl.scan_parquet(shards, include_file_paths="shard", hive_partitioning=False, glob=False)
    invalid = pl.any_horizontal(pl.col(_READ).is_null(), ~pl.col("reward").is_finite(), pl.col("visit", "sample") < 0)
    visits = rows.group_by(_VISIT).agg(
        pl.col("reward").mean().alias("mean_reward"),
        pl.col("correct").mean().alias("accuracy"),
        pl.len().cast(pl.Int64).alias("n_samples"),
        pl.col("sample").n_unique().alias("distinct"),
        invalid.any().alias("invalid"),
    )
    try:
        visits = visits.collect(engine="streaming").sort(_VISIT)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ContractError(_unreadable(shards, error)) from error
    if visits.is_empty():
        raise ContractError(f"{rollouts}: {len(shards):,} shards and not one rollout: the run recorded nothing")
    if visits["invalid"].any():
        raise _invalid_rollout(rows.filter(invalid), visits["invalid"].sum())
    doubled = visits.filter(pl.col("distinct") < pl.col("n_samples"))
    if not doubled.is_empty():
        raise _doubled_rollout(rows, doubled)
    _log_counts(visits, len(shards))
    return visits.rename({"visit": "epoch"}).select(list(columns("trajectories")))


def read_one_shot_rlvr(path: str | Path, visits: int) -> pl.DataFrame:
    """Read the first ``visits`` visits of One-Shot-RLVR's trajectories (arXiv 2504.20571) as contract ``trajectories``.

    The file is JSON, ``{prompt index: [accuracy at each visit]}``, each accuracy a share of 8 samples. It holds no
    prompts and no rewards: ``prompt_id`` is the prompt's index as text, and ``mean_reward`` is null.

    Raises ContractError naming the file, and the prompt index where one is at fault.
    """
    path = Path(path)
    if visits < 1:
        raise LimrError(f"visits: found {visits}, expected at least 1")
    curves = _read_json_object(path)
    longest = max(len(curve) for curve in curves.values())
    if longest < visits:
        raise LimrError(f"{path}: no prompt has {visits} visits, the longest has {longest}: lower `visits`")
    rows = [
        (index, epoch, accuracy) for index, curve in curves.items() for epoch, accuracy in enumerate(curve[:visits])
    ]
    frame = pl.DataFrame(
        rows, schema={"prompt_id": pl.String, "epoch": pl.Int64, "accuracy": pl.Float64}, orient="row", strict=True
    ).with_columns(mean_reward=pl.lit(None, pl.Float64), n_samples=pl.lit(ONE_SHOT_RLVR_SAMPLES, pl.Int64))
    logger.info("%s: %s prompts, %s visits each at most", path, f"{len(curves):,}", visits)
    return check(frame, "trajectories", where=str(path)).sort("prompt_id", "epoch")


@dataclass(frozen=True)
class VisitMatrix:
    """Curves side by side: ``values[i, k]`` is visit k of ``prompt_ids[i]`` (float64), NaN where there is none."""

    prompt_ids: list[str]
    values: np.ndarray

    def without_gaps(self, missing: str = "drop") -> tuple["VisitMatrix", dict[str, str]]:
        """The prompts whose curve is whole, and why each other one is not (prompt_id -> reason).

        ``missing`` says what becomes of a gap: ``drop`` drops the prompt; ``next`` takes the value of the next visit,
        as the paper's own run did, and drops the prompt only when that one is missing too.

        Raises LimrError when ``missing`` is neither, and when no prompt remains.
        """
        if missing not in MISSING:
            raise LimrError(f"option missing: found {missing!r}, expected one of {', '.join(MISSING)}")
        values = self.values.copy()
        if missing == "next":
            values[:, :-1] = np.where(np.isnan(values[:, :-1]), self.values[:, 1:], values[:, :-1])
        gaps = np.isnan(values)
        whole = ~gaps.any(axis=1)
        dropped = {self.prompt_ids[row]: _gap_reason(gaps[row]) for row in np.flatnonzero(~whole)}
        if not whole.any():
            name, reason = next(iter(dropped.items()))
            raise LimrError(
                f"trajectories: none of the {len(dropped):,} prompts has all of the visits 0 to {values.shape[1] - 1}"
                f" (prompt {name}: {reason}). Visits are counted from 0 and without gaps: is a shard of rollouts lost?"
            )
        return VisitMatrix([self.prompt_ids[row] for row in np.flatnonzero(whole)], values[whole]), dropped


def visit_matrix(trajectories: pl.DataFrame, signal: str = "reward") -> VisitMatrix:
    """Lay ``trajectories`` out as prompts x visits, prompts sorted by id.

    ``signal`` is ``reward`` (mean_reward) or ``accuracy``. Which visits count:

    - a visit with fewer samples than most visits have is partial, and as good as none;
    - the last visit is the last one that at least nine prompts in ten have (``EPOCH_COVERAGE``), so that a last epoch
      which training did not finish is left out rather than the prompts that it did not reach. A prompt that lacks a
      visit up to there has a NaN.

    Raises LimrError when the signal is unknown or not recorded, or when no visit is shared by that many prompts.
    """
    if signal not in SIGNALS:
        raise LimrError(f"option signal: found {signal!r}, expected one of {', '.join(SIGNALS)}")
    trajectories = check(trajectories, "trajectories", where="trajectories")
    if trajectories.is_empty():
        raise LimrError("trajectories: not one visit: did the probe run?")
    column = SIGNALS[signal]
    if trajectories[column].has_nulls():
        known = trajectories[column].count()
        raise LimrError(
            f"trajectories: {column} is known for {known:,} of {len(trajectories):,} visits:"
            " score accuracies instead with `options: {signal: accuracy}`"
        )
    prompt_ids = trajectories["prompt_id"].unique().sort()
    complete = trajectories.with_columns(row=pl.col("prompt_id").rank("dense") - 1).filter(
        pl.col("n_samples") >= pl.col("n_samples").mode().max()
    )
    visits = _visits_that_count(complete, len(prompt_ids))
    logger.info("visits 0 to %s of 0 to %s count", visits - 1, trajectories["epoch"].max())
    used = complete.filter(pl.col("epoch") < visits)
    values = np.full((len(prompt_ids), visits), np.nan)
    values[used["row"].to_numpy(), used["epoch"].to_numpy()] = used[column].to_numpy()
    return VisitMatrix(prompt_ids.to_list(), values)


def _visits_that_count(complete: pl.DataFrame, n_prompts: int) -> int:
    epochs = complete.group_by("epoch").len()
    shared = epochs.filter(pl.col("len") >= EPOCH_COVERAGE * n_prompts)["epoch"]
    if shared.is_empty():
        raise LimrError(
            f"trajectories: no visit was completed by {EPOCH_COVERAGE:.0%} of the {n_prompts:,} prompts"
            f" (the most common one by {epochs['len'].max():,}): train the probe longer, or look for lost rollouts"
        )
    return shared.max() + 1


def _gap_reason(gaps: np.ndarray) -> str:
    visits = np.flatnonzero(gaps)
    named = ", ".join(str(visit) for visit in visits[:3]) + (", ..." if len(visits) > 3 else "")
    return f"missing {'visit' if len(visits) == 1 else 'visits'} {named} of 0 to {len(gaps) - 1}"


def _shards(rollouts: Path) -> list[Path]:
    if not rollouts.is_dir():
        raise ContractError(f"{rollouts}: no such directory; expected the Parquet shards of a run's rollouts")
    shards = sorted(rollouts.glob("*.parquet"))
    if not shards:
        raise ContractError(f"{rollouts}: no .parquet file in it; expected the shards of a run's rollouts")
    expected = columns("rollouts")
    for shard in shards:
        try:
            found = pl.read_parquet_schema(shard)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise ContractError(_unreadable([shard], error)) from error
        for column in _READ:
            if found.get(column) != expected[column]:
                raise ContractError(
                    f"{shard}: column {column!r}: found {found.get(column, 'none')}, expected {expected[column]}"
                )
    return shards


def _unreadable(shards: list[Path], error: Exception) -> str:
    """Say which shard cannot be read: Polars does not name it when it scans many."""
    for shard in shards:
        try:
            pl.scan_parquet(shard, hive_partitioning=False, glob=False).select(_READ).collect()
        except (pl.exceptions.PolarsError, OSError) as cause:
            reason = str(cause).strip().splitlines()[0]
            return (
                f"{shard}: cannot be read as Parquet ({shard.stat().st_size:,} bytes; {reason})."
                f" It is truncated or not Parquet: delete the whole run, {shard.parent.parent}, and make it again"
                " (a single missing shard would not be made again)."
            )
    return f"{shards[0].parent}: cannot be read: {error}"


def _invalid_rollout(invalid: pl.LazyFrame, n_visits: int) -> ContractError:
    row = invalid.select("shard", *_READ).sort("shard", *_VISIT, "sample").head(1).collect().row(0, named=True)
    shard = row.pop("shard")
    return ContractError(
        f"{shard}: found {row}; expected no empty value, a finite reward, and visit and sample from 0 on"
        f" ({n_visits:,} visits hold such rollouts)"
    )


def _doubled_rollout(rows: pl.LazyFrame, doubled: pl.DataFrame) -> ContractError:
    visit = doubled.row(0, named=True)
    of_visit = rows.filter(pl.col("prompt_id") == visit["prompt_id"], pl.col("visit") == visit["visit"])
    twice = of_visit.select("shard", "sample").collect().filter(pl.col("sample").is_duplicated()).sort("sample")
    twice = twice.filter(pl.col("sample") == twice["sample"][0])
    where = ", ".join(sorted(set(twice["shard"])))
    return ContractError(
        f"{where}: prompt {visit['prompt_id']}, visit {visit['visit']}, sample {twice['sample'][0]} occurs"
        f" {len(twice)} times, expected once ({len(doubled):,} visits hold such rollouts)."
        " Rollouts of two runs in one directory? Remove those that do not belong."
    )


def _read_json_object(path: Path) -> dict[str, list[float]]:
    try:
        curves = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ContractError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise ContractError(f"{path}: not JSON, or truncated ({error})") from error
    if not isinstance(curves, dict) or not curves:
        raise ContractError(f"{path}: expected a JSON object {{prompt index: [accuracy at each visit]}}")
    for index, curve in curves.items():
        if not isinstance(curve, list) or not curve:
            raise ContractError(f"{path}: prompt {index}: expected a list of accuracies, found {str(curve)[:40]!r}")
        for visit, accuracy in enumerate(curve):
            is_share = isinstance(accuracy, int | float) and 0 <= accuracy <= 1
            if not is_share or accuracy * ONE_SHOT_RLVR_SAMPLES % 1:
                raise ContractError(
                    f"{path}: prompt {index}, visit {visit}: found {accuracy!r},"
                    f" expected a share of {ONE_SHOT_RLVR_SAMPLES} samples"
                )
    return {index: [float(accuracy) for accuracy in curve] for index, curve in curves.items()}


def _log_counts(visits: pl.DataFrame, n_shards: int) -> None:
    of_prompt = visits.group_by("prompt_id").len()["len"]
    logger.info(
        "%s rollouts in %s shards: %s prompts, %s to %s visits each, %s to %s samples a visit",
        f"{visits['n_samples'].sum():,}", n_shards, f"{len(of_prompt):,}", of_prompt.min(), of_prompt.max(),
        visits["n_samples"].min(), visits["n_samples"].max(),
    )  # fmt: skip
