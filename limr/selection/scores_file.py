"""Files of scores: read from Parquet or JSON Lines, chosen from again, and what lies beside them."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import check, columns, read_parquet, write_parquet
from limr.files.markdown import percentage
from limr.files.rows import STANDARD, read_rows, write_rows
from limr.selection.choose import QUANTILES, choose
from limr.selection.scoring import NOT_GRADABLE


def read_scores(file: str) -> pl.DataFrame:
    """The scores of one method (contract ``scores``) from ``*.parquet``, ``*.jsonl`` or ``-``, best first.

    Raises LimrError naming the file where it is not to the contract, and where it holds several methods' scores.
    """
    scores = read_parquet(file, "scores") if Path(file).suffix == ".parquet" else _from_rows(file)
    methods = scores["method"].unique().sort().to_list()
    if len(methods) != 1:
        raise LimrError(f"{file}: found the scores of {len(methods)} methods ({', '.join(methods)}), expected one's")
    return scores.sort("rank", "prompt_id", nulls_last=True)


def write_scores(scores: pl.DataFrame, file: str) -> None:
    """Write ``scores`` as Parquet or, to ``*.jsonl`` and ``-``, as JSON Lines; whole or not at all."""
    if Path(file).suffix == ".parquet":
        write_parquet(scores, file, "scores")
    else:
        write_rows(scores.iter_rows(named=True), file)


def beside(file: str, name: str) -> Path:
    """The file that lies beside a scores file.

    >>> beside("run/scores.parquet", "prompts.parquet").as_posix()
    'run/scores.prompts.parquet'
    """
    return Path(file).with_suffix(f".{name}")


def choose_again(scores: pl.DataFrame, keep: str | Mapping[str, Any]) -> pl.DataFrame:
    """The same ``scores`` with another choice, as ``score_prompts`` would have made it with this ``keep``.

    Raises LimrError as ``choose`` does.
    """
    # why a scored prompt was left out was the old choice's reason
    scored = scores.with_columns(reason=pl.when(pl.col("score").is_null()).then("reason").otherwise(pl.lit("")))
    pool_size = (scores["reason"] != NOT_GRADABLE).sum()
    chosen = choose(scored.select("prompt_id", "score", "reason"), keep, pool_size)
    return chosen.with_columns(method=pl.lit(scores["method"][0])).select(list(columns("scores")))


def thetas(scores: pl.DataFrame) -> pl.DataFrame:
    """What some thetas would keep: theta (a quantile of the scores, rounded down to 3 decimals), prompts, share of all.

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
    """In lines: how many prompts have a score, why others have none, and how many are selected."""
    selected, unscored = scores.filter("selected"), scores.filter(pl.col("score").is_null())
    lines = [
        f"{scores['method'][0]}: {len(selected):,} of {len(scores):,} prompts selected"
        f" ({percentage(len(selected) / len(scores))}), scores of {selected['score'].min():.4g} and more"
    ]
    if len(unscored):
        kinds = unscored.group_by(reason=kind_of_reason("reason")).len("count")
        kinds = kinds.select("reason", "count").sort("count", "reason", descending=[True, False])
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in kinds.iter_rows())
        lines.append(f"without a score: {len(unscored):,} ({reasons})")
    return lines


def kind_of_reason(column: str) -> pl.Expr:
    """The reasons in ``column`` without their numbers, so that those of a kind can be counted.

    >>> reasons = pl.DataFrame({"reason": ["missing visit 7 of 0 to 8", "missing visits 1, 2 of 8", "no trajectory"]})
    >>> reasons.select(kind_of_reason("reason"))["reason"].to_list()
    ['missing visits', 'missing visits', 'no trajectory']
    """
    return pl.col(column).str.replace(r"\d.*", "").str.replace(r"visit\s*$", "visits").str.strip_chars()


def _from_rows(file: str) -> pl.DataFrame:
    schema = columns("scores")
    rows = []
    for place, row in read_rows(file):
        if set(row) != set(schema):
            raise LimrError(
                f"{place}: found the keys {', '.join(row)}, expected {', '.join(schema)}: is this a scores file?"
            )
        rows.append(row)
    name = "standard input" if file == STANDARD else file
    try:
        frame = pl.DataFrame(rows, schema, orient="row", strict=True)
    except (pl.exceptions.PolarsError, TypeError) as error:
        raise LimrError(f"{name}: not the rows of a scores file: {error}") from error
    return check(frame, "scores", where=name)
