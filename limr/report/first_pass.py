"""A prompt's place in the shuffle: the quarter of the first pass in which training met it."""

from pathlib import Path

import polars as pl

from limr.errors import ContractError
from limr.files.contracts import UNREADABLE


def quarters(rollouts: Path) -> pl.DataFrame:
    """``prompt_id`` and ``quarter`` (1 to 4) from a folder of rollouts.

    Prompts of one step count by their id. Raises ContractError if the folder cannot be read.
    """
    rows = pl.scan_parquet(rollouts / "*.parquet", hive_partitioning=False)
    try:
        first = rows.filter(pl.col("visit") == 0).group_by("prompt_id").agg(pl.col("step").min()).collect()
    except UNREADABLE as error:
        raise ContractError(
            f"cannot be read as rollouts ({error})", where=rollouts, advice="Delete the run, and train it again."
        ) from error
    quarter = pl.int_range(pl.len()) * 4 // pl.len() + 1
    return first.sort("step", "prompt_id").select("prompt_id", quarter=quarter)
