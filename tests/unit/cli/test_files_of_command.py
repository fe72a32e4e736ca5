"""No command overwrites what it reads, under whatever name, and no command reads a device or a pipe."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from a_run import write_run
from commands import exit_status, run_limr
from refusals import refused

from limr.cli import main
from limr.errors import UsageError
from limr.files.overwrites import Output

ROWS = [{"prompt": "1 + 1?", "answer": "2"}]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A log, its scores and prompts, a table, a subset and rows to grade: no test may change them."""
    folder = tmp_path_factory.mktemp("original")
    write_run(folder)  # rollouts/, questions.jsonl
    lines = [json.loads(line) for file in folder.glob("rollouts/*") for line in file.read_text().splitlines()]
    table = pl.DataFrame(lines).select(pl.col("input").alias("prompt"), pl.col("score").alias("reward"), "step")
    (folder / "shards").mkdir()
    for name in ("run.parquet", "s.prompts.parquet", "shards/rollouts_00000.parquet"):
        table.write_parquet(folder / name)
    (folder / "accuracies.audit.json").write_text(json.dumps({str(n): [0.5, n / 40] for n in range(40)}))
    (folder / "rows.jsonl").write_text('{"gold": "1", "response": "1"}\n')
    (folder / "subset.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert exit_status("score", folder / "rollouts", "-o", folder / "scores.parquet") == 0
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch, original):
    """The current folder: a copy of ``original`` with links."""
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for link, target in {
        "symbolic.jsonl": "subset.jsonl",
        "figure.png": "run.parquet",
        "linked": "rollouts",
        "x.prompts.parquet": "x.parquet",
        "x.parquet": "scores.parquet",
    }.items():
        Path(link).symlink_to(target)
    Path("hard.jsonl").hardlink_to("rows.jsonl")
    return tmp_path


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


OVERWRITING = [
    ("score run.parquet -o run.parquet", "SOURCE (run.parquet)"),
    ("score rollouts/ -o rollouts/1.jsonl", "SOURCE (rollouts/1.jsonl)"),
    ("score rollouts -o linked/scores.parquet", "lie inside SOURCE"),
    ("score rollouts -o rollouts/scores.jsonl", "lie inside SOURCE"),
    ("score rollouts -o rollouts/new/scores.jsonl", "lie inside SOURCE"),
    ("score s.prompts.parquet -o s.parquet", "a file beside the output would overwrite SOURCE (s.prompts.parquet)"),
    ("score accuracies.audit.json -o accuracies.jsonl", "a file beside the output would overwrite SOURCE"),
    ("score run.parquet -o - --figure figure.png", "the figure would overwrite SOURCE"),
    ("score rollouts -o x.parquet", "the output and a file beside the output are the same file"),
    ("early run.parquet --figure figure.png", "the figure would overwrite SOURCE"),
    ("select scores.parquet -o scores.parquet", "SCORES (scores.parquet)"),
    ("select scores.parquet -o ./rollouts/../scores.prompts.parquet", "the prompts beside SCORES"),
    ("select scores.parquet --prompts questions.jsonl -o questions.jsonl", "`--prompts` (questions.jsonl)"),
    ("export subset.jsonl --to trl -o subset.jsonl", "SUBSET (subset.jsonl)"),
    ("export symbolic.jsonl --to trl -o subset.jsonl", "SUBSET (symbolic.jsonl)"),
    ("grade rows.jsonl -o rows.jsonl", "FILE (rows.jsonl)"),
    ("grade rows.jsonl -o hard.jsonl", "FILE (rows.jsonl)"),
]


@pytest.mark.parametrize(("command", "what"), OVERWRITING)
def test_an_input_is_not_overwritten(folder, command, what):
    before = contents(folder)
    with refused(UsageError, what=what, advice="."):
        run_limr(*command.split())
    assert contents(folder) == before


@pytest.mark.parametrize("output", ["rollouts", "linked", "rollouts/own", ".", "shards"])
def test_a_folder_with_the_source_is_not_replaced(folder, output):
    before = contents(folder)
    source = "shards/rollouts_00000.parquet" if output == "shards" else "rollouts"
    with refused(UsageError, where=output, expected="a folder beside SOURCE"):
        run_limr("rollouts", source, "-o", output)
    assert contents(folder) == before


def limr_process(*arguments, **streams):
    program = "import sys; from limr.cli.main import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", program, *arguments], stderr=subprocess.PIPE, text=True, **streams)


def test_a_redirected_stream_is_an_input_or_output_too(folder):
    before = contents(folder)
    with Path("subset.jsonl").open("rb") as stream:
        ended = limr_process("export", "-", "--to", "trl", "-o", "subset.jsonl", stdin=stream)
    assert ended.stderr.startswith("limr: subset.jsonl: the output would overwrite standard input")
    with Path("run.parquet").open("ab") as stream:
        ended = limr_process("audit", "run.parquet", stdout=stream)
    assert ended.stderr.startswith("limr: /dev/stdout: standard output would overwrite SOURCE (run.parquet)")
    assert (ended.returncode, contents(folder)) == (2, before)


@pytest.mark.parametrize(
    "command",
    [
        "score rollouts -o again.parquet",
        "select scores.parquet -o again.jsonl",
        "export subset.jsonl --to trl -o again.jsonl",
        "rollouts rollouts -o again",
    ],
)
def test_an_output_of_its_own_is_written_twice(folder, command):
    assert [exit_status(*command.split()) for _ in range(2)] == [0, 0]


def test_the_listed_outputs_of_score_are_all_files_that_it_writes(folder):
    before = set(folder.iterdir())
    arguments = ["score", "rollouts", "-o", str(folder / "new.parquet"), "--figure", str(folder / "new.png")]
    _, outputs = (options := main.parse(arguments)).files(options)
    main.run(options)
    assert {output.path for output in outputs} == set(folder.iterdir()) - before
    assert all(isinstance(output, Output) for output in outputs)


def test_a_device_or_a_pipe_is_no_input(folder):
    os.mkfifo("pipe.jsonl")
    os.mkfifo("pipe.parquet")
    Path("device.jsonl").symlink_to("/dev/null")
    commands = ["audit", "score -o a.jsonl", "compare", "early", "rollouts -o a", "grade -o a.jsonl", "preflight"]
    commands += ["export --to trl -o a.jsonl", "select -o a.jsonl", "select scores.parquet -o a.jsonl --prompts"]
    for command in commands:
        for name, found in {
            "pipe.jsonl": "a pipe",
            "pipe.parquet": "a pipe",
            "device.jsonl": "a device",
            "/dev/null": "a device",
        }.items():
            with refused(where=name, found=found, expected="a file"):
                run_limr(*command.split(), name)
    assert not Path("a.jsonl").exists()


@pytest.mark.parametrize(
    "command",
    ["score {} -o a.jsonl", "score run.parquet -o {}.parquet", "export subset.jsonl --to trl -o a.jsonl --system {}"],
)
def test_arguments_that_are_not_utf8_are_refused(folder, command, capsys):
    argument = os.fsdecode(b"a\xff")
    assert exit_status(*command.format(argument).split()) == 2
    printed = capsys.readouterr().err
    assert r"a\udcff" in printed and "found bytes that are not UTF-8, expected text in UTF-8" in printed


def test_a_file_of_the_log_with_a_name_that_is_not_utf8_is_refused(folder):
    Path("rollouts", os.fsdecode(b"21\xff.jsonl")).write_text("{}\n")
    with refused(where=r"rollouts/21\udcff.jsonl", found="bytes that are not UTF-8", advice="Rename the file."):
        run_limr("audit", "rollouts")
