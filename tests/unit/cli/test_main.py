"""The command `limr` as a whole: help, errors with their exit status, and light installations."""

import json
import subprocess
import sys

import pytest
from commands import exit_status, run_limr
from refusals import refused

from limr import __version__
from limr.cli import main
from limr.errors import LimrError, MethodOption, UsageError

COMMANDS = ["audit", "score", "select", "export", "compare", "early", "rollouts", "grade", "preflight"]

# packages that only some commands may import; tests/unit/test_errors.py compares them with pyproject.toml
HEAVY = ["torch", "transformers", "sympy", "math_verify", "snakemake", "pydantic", "jsonschema", "matplotlib"]

# run commands (the arguments of the process, as JSON) where importing these packages fails, as if not installed
WITHOUT = """
import json
import sys

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, NotInstalled())
from limr.cli.main import main
for command in sys.argv[1:]:
    status = main(json.loads(command))
    if status:
        sys.exit(status)
"""


def run_without(packages, *commands):
    """Run ``commands`` one after the other in one process, up to the first that fails."""
    given = [json.dumps([str(argument) for argument in command]) for command in commands]
    program = WITHOUT.format(packages=packages)
    return subprocess.run([sys.executable, "-c", program, *given], capture_output=True, text=True)


def test_the_help_of_every_command_does_not_import_the_library():
    program = f"""
import sys
from limr.cli.main import main
for command in {COMMANDS}:
    try:
        main([command, "--help"])
    except SystemExit:
        pass
print([name for name in ("polars", "numpy", "pyarrow", "msgspec", "tqdm", "torch") if name in sys.modules])
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.split()[2] for line in ended.stdout.splitlines() if line.startswith("usage:")] == COMMANDS
    assert ended.stdout.count("Exit status: 0") == len(COMMANDS)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_the_help_lists_every_command(capsys):
    assert exit_status("--help") == 0
    printed = capsys.readouterr().out
    assert [command for command in COMMANDS if f"    {command}" not in printed] == []


def test_the_version_is_printed(capsys):
    assert exit_status("--version") == 0
    assert capsys.readouterr().out == f"limr {__version__}\n"


def test_an_unknown_option_is_refused_with_the_usage_of_its_command(capsys):
    assert exit_status("score", "rollouts", "-o", "scores.parquet", "--metod", "lim") == 2
    printed = capsys.readouterr().err
    assert printed.startswith("usage: limr score ") and "--method NAME" in printed
    assert printed.endswith("limr score: error: unrecognized arguments: --metod lim\n")


@pytest.mark.parametrize(("kind", "status"), [(LimrError, 1), (UsageError, 2)])
def test_an_error_is_printed_in_the_words_of_the_command_line(capsys, monkeypatch, kind, status):
    def fail(options):
        raise kind("too many visits", where="run.jsonl", advice=["Set ", MethodOption("signal", "accuracy"), "."])

    monkeypatch.setattr("limr.cli.audit.run", fail)
    assert exit_status("audit", "run.jsonl") == status
    assert capsys.readouterr().err == "limr: run.jsonl: too many visits. Set `--option signal=accuracy`.\n"


@pytest.mark.parametrize(
    ("error", "printed"),
    [
        (OSError(28, "No space left on device", "scores.parquet"), "limr: scores.parquet: No space left on device\n"),
        (OSError(28, "No space left on device"), "limr: standard output: No space left on device\n"),
        (OSError("odd"), "limr: a file: odd\n"),
    ],
)
def test_an_error_of_the_disk_is_one_line(capsys, monkeypatch, error, printed):
    def fail(options):
        raise error

    monkeypatch.setattr("limr.cli.audit.run", fail)
    assert exit_status("audit", "run.jsonl") == 1
    assert capsys.readouterr().err == printed


def test_an_interrupt_ends_without_a_message_and_with_status_130(capsys, monkeypatch):
    def interrupt(options):
        raise KeyboardInterrupt

    monkeypatch.setattr("limr.cli.audit.run", interrupt)
    assert exit_status("audit", "run.jsonl") == main.INTERRUPTED
    assert capsys.readouterr().err == ""


def test_a_light_installation_runs_every_command_except_grading_preflight_and_figures(rollouts, tmp_path):
    scores, subset = tmp_path / "scores.parquet", tmp_path / "subset.jsonl"
    ended = run_without(
        HEAVY,
        ["audit", rollouts],
        ["score", rollouts, "-o", scores],
        ["select", scores, "-o", subset],
        ["export", subset, "--to", "trl", "-o", tmp_path / "train.jsonl"],
        ["export", subset, "--to", "verl", "--data-source", "x", "-o", tmp_path / "train.parquet"],
        ["compare", rollouts],
        ["early", rollouts, "--resamples", 2],
        ["rollouts", rollouts, "-o", tmp_path / "converted"],
    )
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "train.parquet").exists() and (tmp_path / "converted").exists()


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (["score", "{rollouts}", "-o", "-", "--figure", "{folder}/scores.png"], "matplotlib", "figures"),
        (["early", "{rollouts}", "--figure", "{folder}/early.png"], "matplotlib", "figures"),
        (["grade", "rows.jsonl"], "math_verify", "grading"),
        (["preflight", "config/paper.yaml"], "pydantic", "workflow"),
    ],
)
def test_a_missing_package_is_named_with_its_extra(rollouts, tmp_path, arguments, package, extra):
    ended = run_without([package], [text.format(rollouts=rollouts, folder=tmp_path) for text in arguments])
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"limr: `limr {arguments[0]}` needs the package {package}. Install it: pip install 'limr[{extra}]'\n"
    )


def test_a_missing_package_without_an_extra_is_not_hidden(monkeypatch):
    def fail(options):
        raise ModuleNotFoundError(name="polars")

    monkeypatch.setattr("limr.cli.audit.run", fail)
    with pytest.raises(ModuleNotFoundError):
        exit_status("audit", "run.jsonl")


def test_a_missing_command_is_wrong_usage(capsys):
    assert exit_status() == 2
    assert "required: COMMAND" in capsys.readouterr().err


def test_a_source_that_does_not_exist_is_an_error(tmp_path):
    with refused(where=tmp_path / "nowhere"):
        run_limr("audit", tmp_path / "nowhere")
