"""SOURCE and the options about it."""

import json
import shutil

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


@pytest.mark.parametrize("command", ["audit", "score", "early", "compare", "rollouts"])
def test_what_is_left_out_is_an_error_or_a_note_on_standard_error(command, rollouts, tmp_path, capsys):
    log = tmp_path / "log"
    shutil.copytree(rollouts, log)
    (log / "99.jsonl").write_text('{"loss": 1}')
    output = {"score": ("-o", tmp_path / "scores.jsonl"), "rollouts": ("-o", tmp_path / "own")}.get(command, ())
    assert exit_status(command, log, *output) == 1
    assert f"{log}/99.jsonl: it looks like a part of the log" in (error := capsys.readouterr().err)
    assert error.endswith("leave it out: `--leave-out 99.jsonl`.\n")
    assert exit_status(command, log, *output, "--leave-out", "99.jsonl") == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines.count(f"limr {command}: 1 file is not read: 1 left out by name (99.jsonl).") == 1
    assert not any("99.jsonl" in line for line in lines[1:])
    if command == "score":
        (finding,) = json.loads((tmp_path / "scores.audit.json").read_text())["findings"]
        assert finding["kind"] == "files of rollouts that are not read"
