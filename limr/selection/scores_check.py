"""What a scores file must fulfil beyond its contract: its ranks follow its scores, and its ids can be told apart."""

from typing import Any

import polars as pl

from limr.errors import ContractError, LimrError, counted, one_line, shown
from limr.files.strict_json import whole_characters
from limr.prompts import collapsed

_RESTORE = "Write the file again with `limr score`."
_LARGEST = 2**53  # larger whole numbers do not fit into a 64-bit float
_KINDS = {pl.String: (str, "text"), pl.Float64: ((int, float), "a number"), pl.Int64: (int, "a whole number")}


def check_row(row: dict[str, Any], schema: dict[str, pl.DataType], place: str) -> None:
    """Raise LimrError if ``row`` of JSON has other keys than ``schema``, or a value that would become another one."""
    if set(row) != set(schema):
        raise LimrError(
            where=place,
            found=f"the keys {', '.join(map(one_line, row))}",
            expected=f"{', '.join(schema)}, the keys of a scores file",
        )
    for name, value in row.items():
        kind, expected = _KINDS.get(type(schema[name]), (bool, "true or false"))
        if value is None:  # the contract says where null is allowed
            continue
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise LimrError(where=(place, f"key {name!r}"), found=shown(value), expected=expected)
        if isinstance(value, int) and abs(value) > _LARGEST:
            raise LimrError(where=(place, f"key {name!r}"), found=shown(value), expected=f"at most {_LARGEST:,}")
        if isinstance(value, str):
            whole_characters(value, place, f"key {name!r}")


def check_scores(scores: pl.DataFrame, file: str) -> None:
    """Raise ContractError if ``scores`` (contract ``scores``, one method) contradict themselves.

    A prompt without a score cannot be selected and has no rank. The ranks are 1, 2, 3 ... from the best score to the
    worst. No two ids differ by white space alone.
    """
    has_score = pl.col("score").is_not_null()
    _refuse(scores, pl.col("selected") & ~has_score, "a selected prompt has no score", file)
    _refuse(scores, has_score != pl.col("rank").is_not_null(), "a prompt has a score or a rank, but not both", file)
    _check_ranks(scores, file)
    ids = scores.with_columns(collapsed=pl.col("prompt_id").map_elements(collapsed, return_dtype=pl.String))
    _refuse(ids, pl.col("collapsed") == "", "a prompt_id is empty", file)
    _refuse(ids, pl.col("collapsed").is_duplicated(), "two ids differ by white space alone", file)


def _check_ranks(scores: pl.DataFrame, file: str) -> None:
    ranked = scores.drop_nulls("rank").sort("rank")
    expected = pl.int_range(1, pl.len() + 1)
    wrong = ranked.filter(pl.col("rank") != expected)
    if len(wrong):
        raise ContractError(
            "the ranks are not 1, 2, 3 ... without gaps",
            where=(file, f"prompt {wrong['prompt_id'][0]}"),
            found=f"rank {wrong['rank'][0]}",
            expected=f"each rank from 1 to {len(ranked):,} once, for {counted(len(ranked), 'prompt')} with a score",
            advice=f"Rows are missing or come from several files. {_RESTORE}",
        )
    _refuse(
        ranked, pl.col("score") > pl.col("score").shift(1), "a prompt has a better score than the rank before it", file
    )


def _refuse(scores: pl.DataFrame, wrong: pl.Expr, what: str, file: str) -> None:
    found = scores.filter(wrong)
    if len(found):
        first = found.row(0, named=True)
        raise ContractError(
            what,
            where=(file, f"prompt {shown(first['prompt_id'])}"),
            found=f"score {shown(first['score'])}, rank {shown(first['rank'])}, selected {shown(first['selected'])}",
            advice=_RESTORE,
        )
