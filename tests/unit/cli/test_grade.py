"""`limr grade`: rows are graded in order, as `grade` does, and errors name the file and the line."""

import csv
import io
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import polars as pl
import pytest
from commands import run_limr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusals import refused

from limr.cli import grade as command
from limr.cli.main import main
from limr.errors import UsageError
from limr.files.rows import count_rows
from limr.grading.equivalence import GRADERS
from limr.grading.reward import RULES, grade

ROWS = [
    {"id": "a", "gold": r"\frac{1}{2}", "response": r"Half of it: \boxed{0.5}"},
    {"id": "b", "gold": "11", "response": '3+8=11,\nso, "at last", \\boxed{12}'},
    {"id": "c", "gold": "11", "response": "11"},
]
GRADED = [{**row, **asdict(grade(row["response"], row["gold"]))} for row in ROWS]


def write(path, rows):
    match path.suffix:
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        case ".csv":
            with path.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        case ".parquet":
            pl.DataFrame(rows).write_parquet(path)
    return str(path)


def read(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
def test_every_format_is_graded_in_order_and_summarised(tmp_path, capsys, suffix):
    assert main(["grade", write(tmp_path / f"rows{suffix}", ROWS)]) == 0
    printed = capsys.readouterr()
    assert read(printed.out) == GRADED
    assert printed.err == "limr grade: 3 responses: 1 correct (33.3 %), 1 wrong, 1 malformed\n"


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_graded_rows_can_be_written_to_a_file(tmp_path, capsys, suffix):
    output = tmp_path / f"graded{suffix}"
    assert main(["grade", write(tmp_path / "rows.jsonl", ROWS), "--output", str(output)]) == 0
    assert capsys.readouterr().out == ""
    rows = read(output.read_text()) if suffix == ".jsonl" else pl.read_parquet(output).to_dicts()
    assert rows == GRADED
    assert {path.name for path in tmp_path.iterdir()} == {"rows.jsonl", output.name}


def test_columns_may_have_other_names_and_a_gold_answer_called_answer_is_kept(tmp_path, capsys):
    rows = [{"answer": "11", "text": r"\boxed{12}", "reward": "old"}]
    assert main(["grade", "--gold", "answer", "--response", "text", write(tmp_path / "rows.csv", rows)]) == 0
    graded = read(capsys.readouterr().out)
    assert graded == [
        {"answer": "12", "text": r"\boxed{12}", "reward": -0.5, "gold": "11", "correct": False}
        | {"formatted": True, "reason": "wrong answer"}
    ]


@pytest.mark.parametrize(("suffix", "flag"), [(".jsonl", True), (".csv", "true"), (".csv", "True"), (".parquet", True)])
def test_truncated_responses_are_malformed(tmp_path, capsys, suffix, flag):
    assert main(["grade", write(tmp_path / f"rows{suffix}", [{**ROWS[0], "truncated": flag}])]) == 0
    assert read(capsys.readouterr().out)[0]["reason"] == "truncated"


@pytest.mark.parametrize(("suffix", "count"), [(".jsonl", 3), (".csv", None), (".parquet", 3)])
def test_the_rows_of_a_file_are_counted_for_the_progress_bar_except_in_csv(tmp_path, suffix, count):
    assert count_rows(write(tmp_path / f"rows{suffix}", ROWS)) == count


def test_the_rule_can_be_chosen(tmp_path, capsys):
    file = write(tmp_path / "rows.jsonl", [{"gold": "1", "response": "-" * 30 + r"\boxed{1}"}])
    assert main(["grade", "--rule", "released_code", file]) == 0
    assert read(capsys.readouterr().out)[0]["reason"] == "degenerate repetition"


@pytest.mark.parametrize(("grader", "correct"), [("limr", False), ("math_verify", True)])
def test_the_grader_can_be_chosen(tmp_path, capsys, grader, correct):
    file = write(tmp_path / "rows.jsonl", [{"gold": "4343_6", "response": r"\boxed{4343_7}"}])
    assert main(["grade", "--grader", grader, file]) == 0
    assert read(capsys.readouterr().out)[0]["correct"] is correct


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.text(st.characters(), max_size=12), min_size=1, max_size=4))
def test_any_text_passes_through_unchanged(tmp_path, capsys, texts):
    rows = [{"gold": text, "response": f"\\boxed{{{text}}}"} for text in texts]
    assert main(["grade", write(tmp_path / "rows.jsonl", rows)]) == 0
    assert [{key: row[key] for key in ("gold", "response")} for row in read(capsys.readouterr().out)] == rows


def test_the_help_lists_the_rules_and_graders_of_the_reward():
    assert tuple(RULES) == command.RULES
    assert command.GRADERS == GRADERS


@pytest.mark.parametrize(
    ("name", "content", "parts"),
    [
        (
            "rows.jsonl",
            b'{"gold": "1", "response": ""}\n\n{"gold": "1"}\n',
            {"where": "line 3", "what": "no key 'response'", "found": "the keys gold", "advice": "`--response NAME`"},
        ),
        (
            "rows.jsonl",
            b'{"gold": 11, "response": ""}\n',
            {"where": ("line 1", "key 'gold'"), "found": "11", "expected": "text"},
        ),
        ("rows.jsonl", b'{"gold": "1", "response"\n', {"where": "line 1", "what": "not JSON"}),
        ("rows.jsonl", b'["gold"]\n', {"where": "line 1", "found": '["gold"]', "expected": "object"}),
        ("rows.jsonl", b'{"gold": "\xff"}\n', {"where": "line 1", "what": "not UTF-8"}),
        ("rows.jsonl", b"[" * 100_000, {"where": "line 1", "what": "nested too deeply"}),
        (
            "rows.jsonl",
            b'{"gold": "1", "response": "", "truncated": 3}\n',
            {"where": ("line 1", "key 'truncated'"), "found": "3", "expected": "true or false"},
        ),
        ("rows.csv", b"gold,response\n1,2\n1,2,3\n", {"where": "line 3", "expected": "2 fields"}),
        ("rows.csv", b"gold,response\n1\n", {"where": "line 2", "expected": "2 fields"}),
        ("rows.csv", b'gold,response\n1,"2\n', {"what": "not CSV"}),
        ("rows.csv", b"gold,response\n1,\xff\n", {"what": "not UTF-8"}),
        ("rows.parquet", b"PAR1", {"what": "cannot be read as Parquet"}),
        ("rows.txt", b"", {"found": "the suffix '.txt'", "expected": ".jsonl, .json, .csv, .parquet"}),
    ],
)
def test_an_error_in_the_input_names_its_place_and_nothing_is_written(tmp_path, name, content, parts):
    file = tmp_path / name
    file.write_bytes(content)
    with refused(**parts) as raised:
        run_limr("grade", file, "-o", tmp_path / "graded.jsonl")
    assert raised.value.where[0].startswith(str(file))
    assert not (tmp_path / "graded.jsonl").exists()


def test_a_missing_file_and_an_output_of_an_unknown_format_are_errors(tmp_path):
    with refused(where=tmp_path / "rows.jsonl", what="No such file"):
        run_limr("grade", tmp_path / "rows.jsonl")
    with refused(UsageError, where="graded.csv", found="the suffix '.csv'", expected=".jsonl, .parquet, or -"):
        run_limr("grade", write(tmp_path / "rows.jsonl", ROWS), "-o", "graded.csv")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_an_output_that_cannot_be_written_is_an_error_before_a_row_is_graded(tmp_path, capsys, monkeypatch, suffix):
    (tmp_path / "file").write_text("")
    (tmp_path / f"folder{suffix}").mkdir()
    monkeypatch.setattr("limr.grading.reward.grade", lambda *arguments: pytest.fail("a row was graded"))
    rows = write(tmp_path / "rows.jsonl", ROWS)
    for output in (tmp_path / "file" / f"graded{suffix}", tmp_path / f"folder{suffix}"):
        assert main(["grade", rows, "-o", str(output)]) == 2
        assert capsys.readouterr().err.startswith(f"limr: {output}: cannot be written: ")


def test_a_full_disk_behind_standard_output_is_an_error(tmp_path):
    command = [sys.executable, "-c", "import sys; from limr.cli.main import main; sys.exit(main())", "grade"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([*command, write(tmp_path / "rows.jsonl", ROWS)], stdout=full, stderr=subprocess.PIPE)
    assert (ended.returncode, ended.stderr) == (
        1,
        b"limr: standard output: cannot be written: No space left on device\n",
    )


@pytest.mark.parametrize("odd", ["\ud800", {"a": 1}])
def test_rows_that_only_json_lines_can_hold_are_refused_for_parquet(tmp_path, capsys, odd):
    file = write(tmp_path / "rows.jsonl", [{**ROWS[0], "id": value} for value in ("text", odd)])
    assert main(["grade", file, "-o", str(tmp_path / "graded.parquet")]) == 1
    assert "graded.parquet: Parquet cannot hold these rows" in capsys.readouterr().err
    assert main(["grade", file, "-o", str(tmp_path / "graded.jsonl")]) == 0


def test_wrong_usage_is_exit_status_2(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["grade"])
    assert ended.value.code == 2
    assert "required: FILE" in capsys.readouterr().err


def test_the_example_of_the_help_prints_the_output_shown_there(tmp_path, capsys, monkeypatch):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    lines = capsys.readouterr().out.splitlines()
    rows = [line.strip() for line in lines if line.startswith('  {"gold": "')]
    promised = [line.strip() for line in lines if line.startswith('  {"gold": ...')]
    summary = next(line.strip() for line in lines if line.startswith("  limr grade: "))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(rows).encode())))
    assert main(["grade", "-"]) == 0
    printed = capsys.readouterr()
    for line, promise in zip(printed.out.splitlines(), promised, strict=True):
        assert line.endswith(promise.removeprefix('{"gold": ...'))
    assert printed.err.strip() == summary


def test_a_closed_pipe_ends_the_command_without_a_message(tmp_path):
    file = write(tmp_path / "rows.jsonl", ROWS * 2000)
    command = [sys.executable, "-c", "import sys; from limr.cli.main import main; sys.exit(main())", "grade", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline()) == GRADED[0]
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1
