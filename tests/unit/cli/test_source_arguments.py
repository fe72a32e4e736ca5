"""SOURCE and the options about it."""

import json

import polars as pl
import pytest
from commands import exit_status, run_limr
from refusals import refused

from limr.errors import UsageError
from limr.logs.formats import NAMES


def rows_of_scores(printed):
    return [json.loads(line) for line in printed.splitlines()]


def test_visits_limits_the_visits_that_are_scored(rollouts, capsys):
    assert exit_status("score", rollouts, "-o", "-", "--visits", "2") == 0
    two = [row["score"] for row in rows_of_scores(capsys.readouterr().out)]
    assert exit_status("score", rollouts, "-o", "-") == 0
    assert two != [row["score"] for row in rows_of_scores(capsys.readouterr().out)]


def test_a_table_with_named_columns_has_the_scores_of_the_log(rollouts, tmp_path, capsys):
    rows = [json.loads(line) for file in rollouts.iterdir() for line in file.read_text().splitlines()]
    table = [{"q": row["input"], "mark": row["score"], "at": row["step"]} for row in rows]
    pl.DataFrame(table).sort("at", maintain_order=True).write_csv(tmp_path / "table.csv")
    columns = [word for pair in ("prompt=q", "reward=mark", "step=at") for word in ("--column", pair)]
    assert exit_status("score", tmp_path / "table.csv", "-o", "-", *columns) == 0
    of_table = {row["score"] for row in rows_of_scores(capsys.readouterr().out)}
    assert exit_status("score", rollouts, "-o", "-") == 0
    assert of_table == {row["score"] for row in rows_of_scores(capsys.readouterr().out)}


def test_an_unknown_column_is_refused_before_the_log_is_read():
    with refused(UsageError, where="--column", found="gold", expected="one of prompt, prompt_id, step"):
        run_limr("score", "nowhere", "-o", "-", "--column", "gold=x")


def test_an_unknown_format_is_refused_before_the_log_is_read():
    with pytest.raises(UsageError) as raised:
        run_limr("score", "nowhere", "-o", "-", "--format", "vrel")
    assert all(name in str(raised.value) for name in ["vrel", *NAMES])
