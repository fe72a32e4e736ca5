"""Scores files (Parquet or JSON Lines): read and write them, select again from them, and summarise them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError, counted
from limr.files.contracts import check, columns, read_parquet, write_parquet
from limr.files.markdown import percentage
from limr.files.rows import STANDARD, read_rows, write_rows
from limr.selection.choose import QUANTILES, choose
from limr.selection.reason import NOT_GRADABLE, kind_of
from limr.selection.scores_check import check_row, check_scores


def read_scores(file: str) -> pl.DataFrame:
    """The scores of one method (contract ``scores``) from ``*.parquet``, ``*.jsonl`` or ``-``, best first.

    Raises LimrError with the file if it breaks the contract, has no rows, holds the scores of several methods, or
    contradicts itself (see ``check_scores``).
    """
    name = "standard input" if file == STANDARD else file
    scores = read_parquet(file, "scores") if Path(file).suffix == ".parquet" else _from_rows(file, name)
    if scores.is_empty():
        raise LimrError("there are no rows", where=name, expected="the scores of one method")
    methods = scores["method"].unique().sort().to_list()
    if len(methods) != 1:
        found = f"{len(methods)} methods ({', '.join(methods)})"
        raise LimrError(where=name, found=found, expected="the scores of one method")
    check_scores(scores, name)
    return scores.sort("rank", "prompt_id", nulls_last=True)


def write_scores(scores: pl.DataFrame, file: str) -> None:
    """Write ``scores`` as Parquet or, to ``*.jsonl`` and ``-``, as JSON Lines; whole or not at all."""
    if Path(file).suffix == ".parquet":
        write_parquet(scores, file, "scores")
    else:
        write_rows(scores.iter_rows(named=True), file)


def companion_file(file: str, name: str) -> Path:
    """The path of a companion file in the folder of a scores file.

    >>> companion_file("run/scores.parquet", "prompts.parquet").as_posix()
    'run/scores.prompts.parquet'
    """
    return Path(file).with_suffix(f".{name}")


def choose_again(scores: pl.DataFrame, keep: str | Mapping[str, Any]) -> pl.DataFrame:
    """The same ``scores`` with another selection, as ``score_prompts`` gives it for this ``keep``.

    Prompts that tie stay in the order of their ranks, so the seed of the scores decides here too.

    Raises LimrError as ``choose`` does.
    """
    # a prompt with a score that was not selected still has the reason of the previous selection
    scored = scores.with_columns(reason=pl.when(pl.col("score").is_null()).then("reason").otherwise(pl.lit("")))
    pool_size = scores.select((kind_of("reason") != NOT_GRADABLE.kind).sum()).item()
    chosen = choose(scored.sort("rank", "prompt_id", nulls_last=True), keep, pool_size)
    return chosen.with_columns(method=pl.lit(scores["method"][0])).select(list(columns("scores")))


def thetas(scores: pl.DataFrame) -> pl.DataFrame:
    """How many prompts some thetas would keep. Columns: theta (a quantile, rounded down to 3 decimals), prompts, share.

    >>> scores = pl.DataFrame({"score": [0.1, 0.2, 0.3, 0.9]})
    >>> thetas(scores).rows()[-1]
    (0.9, 1, 0.25)
    """
    known = scores["score"].drop_nulls()
    quantiles = [known.quantile(quantile, interpolation="lower") for quantile in QUANTILES]
    table = pl.DataFrame({"theta": [math.floor(value * 1000) / 1000 for value in quantiles]}).unique().sort("theta")
    kept = [int((known >= theta).sum()) for theta in table["theta"]]
    return table.with_columns(prompts=pl.Series(kept), share=pl.Series(kept) / len(scores))


def selection_summary(scores: pl.DataFrame) -> list[str]:
    """Lines for the user: how many prompts are selected, and how many have no score, by reason."""
    selected, unscored = scores.filter("selected"), scores.filter(pl.col("score").is_null())
    lines = [
        f"{scores['method'][0]}: {len(selected):,} of {counted(len(scores), 'prompt')} selected"
        f" ({percentage(len(selected) / len(scores))}), scores of {selected['score'].min():.4g} and more"
    ]
    if len(unscored):
        kinds = unscored.group_by(reason=kind_of("reason")).len("count")
        kinds = kinds.select("reason", "count").sort("count", "reason", descending=[True, False])
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in kinds.iter_rows())
        lines.append(f"without a score: {len(unscored):,} ({reasons})")
    return lines


def _from_rows(file: str, name: str) -> pl.DataFrame:
    schema = columns("scores")
    rows = []
    for place, row in read_rows(file):
        check_row(row, schema, place)
        rows.append(row)
    return check(pl.DataFrame(rows, schema, orient="row"), "scores", where=name)
