"""A scores file that contradicts itself, or whose JSON would be read as other values, is refused with its place."""

import json

import polars as pl
import pytest
from refusals import refused

from limr.selection.scores_file import read_scores

FIRST = {"method": "lim", "prompt_id": "a", "score": 0.9, "rank": 1, "selected": True, "reason": ""}
SECOND = {**FIRST, "prompt_id": "b", "score": 0.8, "rank": 2, "selected": False, "reason": "below"}
UNSCORED = {**SECOND, "prompt_id": "c", "score": None, "rank": None, "reason": "missing visits: 3"}


def read(tmp_path, rows, suffix=".jsonl"):
    file = tmp_path / f"scores{suffix}"
    if suffix == ".parquet":
        pl.DataFrame(rows, infer_schema_length=None).write_parquet(file)
    else:
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_scores(str(file))


def changed(number, **values):
    rows = [FIRST, SECOND, UNSCORED]
    return [row | values if place == number else row for place, row in enumerate(rows)]


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_scores_that_agree_with_each_other_are_read(tmp_path, suffix):
    assert read(tmp_path, changed(0), suffix).rows(named=True) == [FIRST, SECOND, UNSCORED]
    tied = changed(1, score=0.9)
    assert read(tmp_path, tied, suffix).rows(named=True) == tied


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize(
    ("rows", "parts"),
    [
        (changed(2, selected=True), {"where": 'prompt "c"', "what": "a selected prompt has no score"}),
        ([UNSCORED | {"selected": True}], {"where": 'prompt "c"', "what": "a selected prompt has no score"}),
        (changed(0, rank=None), {"where": 'prompt "a"', "what": "a score or a rank, but not both"}),
        (changed(2, rank=3), {"where": 'prompt "c"', "what": "a score or a rank, but not both"}),
        (changed(1, rank=3), {"where": "prompt b", "what": "without gaps", "found": "rank 3", "expected": "1 to 2"}),
        (changed(1, rank=1), {"what": "the ranks are not 1, 2, 3", "found": "rank 1"}),
        ([FIRST | {"rank": 2}, SECOND | {"rank": 1}], {"where": 'prompt "a"', "what": "a better score than the rank"}),
        (changed(1, prompt_id=" a\t"), {"what": "two ids differ by white space alone"}),
        (changed(1, prompt_id=" "), {"what": "a prompt_id is empty"}),
        (changed(0, score=float("nan")), {"where": "'score'", "found": "NaN", "expected": "a finite number"}),
        (changed(0, selected=None), {"where": "'selected'", "found": "null"}),
        (changed(1, prompt_id="a"), {"what": "occurs more than once"}),
        (changed(1, method="rand"), {"found": "2 methods (lim, rand)"}),
    ],
)
def test_scores_that_contradict_each_other_are_refused(tmp_path, rows, parts, suffix):
    with refused(**parts) as raised:
        read(tmp_path, rows, suffix)
    assert raised.value.where[0].startswith(str(tmp_path / f"scores{suffix}"))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"prompt_id": 1}, "text"),
        ({"method": ["lim"]}, "text"),
        ({"score": "0.9"}, "a number"),
        ({"score": True}, "a number"),
        ({"score": 2**53 + 1}, "at most 9,007,199,254,740,992"),
        ({"score": 10**400}, "at most 9,007,199,254,740,992"),
        ({"rank": 1.0}, "a whole number"),
        ({"rank": "1"}, "a whole number"),
        ({"rank": True}, "a whole number"),
        ({"rank": 2**63}, "at most 9,007,199,254,740,992"),
        ({"selected": 1}, "true or false"),
        ({"selected": "true"}, "true or false"),
        ({"reason": 0}, "text"),
        ({"prompt_id": "\ud83d"}, "whole characters"),
        ({"method": "\ud83d"}, "whole characters"),
    ],
)
def test_a_value_that_would_be_read_as_another_one_is_refused_with_its_line(tmp_path, values, expected):
    with refused(where=("line 1", f"'{next(iter(values))}'"), expected=expected):
        read(tmp_path, changed(0, **values))


@pytest.mark.parametrize("score", [pl.Series([2**53 + 1]), pl.Series([2**64 - 1], dtype=pl.UInt64)])
def test_a_column_of_whole_numbers_that_float64_would_round_is_refused(tmp_path, score):
    frame = pl.DataFrame([FIRST]).with_columns(score=score)
    frame.write_parquet(tmp_path / "scores.parquet")
    with refused(where=("row 0", "'score'"), found=str(score[0]), expected="Float64, which cannot hold it"):
        read_scores(str(tmp_path / "scores.parquet"))


def test_a_rank_that_int64_cannot_hold_is_refused(tmp_path):
    rank = pl.Series([2**64 - 1], dtype=pl.UInt64)
    pl.DataFrame([FIRST]).with_columns(rank=rank).write_parquet(tmp_path / "scores.parquet")
    with refused(where="'rank'", found="18446744073709551615", expected="Int64, which cannot hold it"):
        read_scores(str(tmp_path / "scores.parquet"))


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_a_file_without_rows_is_refused(tmp_path, suffix):
    file = tmp_path / f"scores{suffix}"
    if suffix == ".parquet":
        pl.DataFrame([FIRST]).clear().write_parquet(file)
    else:
        file.write_text("\n")
    with refused(where=file, what="there are no rows"):
        read_scores(str(file))


def test_keys_with_escape_sequences_do_not_reach_the_terminal(tmp_path):
    with refused(found="red\\x1b[31m\\n") as raised:
        read(tmp_path, [{"red\x1b[31m\n": 1}])
    assert "\x1b" not in str(raised.value)
