"""What the curves of a method cost: the rollouts of the part of the probe that it scores, and their tokens.

- Visits of training: the rollouts of these visits, with all their samples, because the probe trained on all of them. A
  probe of five visits costs five visits.
- Fixed checkpoints: FULL's run until the last checkpoint that is scored, and the samples drawn there that are scored.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from limr.configuration.probe_options import is_measured
from limr.errors import ContractError, LimrError
from limr.files.contracts import UNREADABLE
from limr.report.style import method_title
from limr.report.training_runs import Cost


def probe_cost(row: Mapping[str, Any], full: Path, measured: Path | None) -> Cost:
    """The cost of the curves that the method ``row`` scores.

    ``full`` holds the rollouts of the probe's training run, ``measured`` those from its checkpoints, if there are any.
    Raises ContractError for a folder that cannot be read.
    """
    part = row.get("probe") or {}
    trained = _first(_rollouts(full), part.get("visits") if not is_measured(row) else None)
    if not is_measured(row):
        return _total(trained)
    if measured is None:
        raise LimrError("there are no rollouts from the checkpoints of the probe", advice="Run `measure_checkpoints`.")
    scored = _first(_rollouts(measured), part.get("visits"))
    last = scored["step"].max()
    if "samples" in part:
        scored = scored.filter(pl.col("sample") < part["samples"])
    return _total(trained.filter(pl.col("step") < last)) + _total(scored)


def explained(methods: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is added to the cost of each method that scores a part of the probe: a sentence for each kind of part."""
    visits = {name: row["probe"]["visits"] for name, row in _parts(methods).items() if "visits" in row["probe"]}
    early = [f"{method_title(name)} {number:,}" for name, number in visits.items()]
    measured = [method_title(name) for name, row in _parts(methods).items() if is_measured(row)]
    following = [method_title(name) for name, row in _parts(methods).items() if "seed" in row["probe"]]
    sentences = []
    if early:
        sentences.append(f"Some score only the first visits, and pay for no later ones: {_listed(early)}.")
    if measured:
        sentences.append(
            f"The visits of {_listed(measured)} are fixed checkpoints: the cost is FULL's run until the last one that "
            "is scored, and the samples drawn from the checkpoints."
        )
    if following:
        sentences.append(f"{_listed(following)}: the probe is that of the next seed.")
    return sentences


def _parts(methods: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {name: row for name, row in methods.items() if row.get("probe")}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _rollouts(folder: Path) -> pl.DataFrame:
    columns = ["step", "visit", "sample", "response_tokens"]
    try:
        return pl.scan_parquet(folder / "*.parquet", hive_partitioning=False).select(columns).collect()
    except UNREADABLE as error:
        raise ContractError(
            f"cannot be read as rollouts ({error})", where=folder, advice="Delete the folder, and run its stage again."
        ) from error


def _first(rollouts: pl.DataFrame, visits: int | None) -> pl.DataFrame:
    return rollouts if visits is None else rollouts.filter(pl.col("visit") < visits)


def _total(rollouts: pl.DataFrame) -> Cost:
    return Cost(rollouts.height, int(rollouts["response_tokens"].sum()))
