"""The stage around every script of the workflow: logs, short errors, threads, and one process per stage."""

import os
import subprocess
import sys
from pathlib import Path

from places import ROOT

SCRIPT = """
import sys
from types import SimpleNamespace
from limr.errors import LimrError
from limr.jobs.stage import stage

with stage(SimpleNamespace(log=[sys.argv[1]]), threads=1):
    {body}
"""


def run(log: Path, body: str) -> "subprocess.CompletedProcess[str]":
    code = SCRIPT.format(body=body)
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}  # as Snakemake sets it for a rule of two threads
    return subprocess.run(
        [sys.executable, "-c", code, str(log)], env=environment, capture_output=True, text=True, check=False
    )


def test_a_limr_error_is_shown_without_a_traceback_in_the_log_and_on_stderr(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "raise LimrError('file.parquet: found 1, expected 2')")
    assert done.returncode == 1
    for text in (done.stderr, (tmp_path / "log").read_text()):
        assert "Error: file.parquet: found 1, expected 2" in text
        assert "Traceback" not in text


def test_any_other_error_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "1 / 0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in (tmp_path / "log").read_text()
    assert done.stderr.count("Traceback") == 1


def test_a_missing_package_is_shown_with_the_command_that_installs_it(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "raise ModuleNotFoundError(name='torch.nn')")
    assert done.returncode == 1
    message = "Error: this stage needs the package torch. Install it: pip install 'limr[training]'"
    assert message in done.stderr and message in (tmp_path / "log").read_text()
    assert "Traceback" not in done.stderr


def test_torch_runs_with_the_threads_of_the_configuration(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "import torch; print(torch.get_num_threads())")
    assert done.stdout.strip() == "1", done.stderr


def test_torch_does_not_use_avx_512_which_rounds_differently(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "import torch; print(torch.backends.cpu.get_cpu_capability())")
    assert done.stdout.strip() not in ("", "AVX512"), done.stderr


def test_a_stage_runs_once_at_a_time_and_a_dead_owner_does_not_block_it(tmp_path: Path) -> None:
    log = tmp_path / "lim-seed0.log"
    code = (
        "import sys, time; from pathlib import Path; from limr.jobs.stage import sole_owner\n"
        "with sole_owner(Path(sys.argv[1])):\n    print('owns', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(log)], stdout=subprocess.PIPE)
    try:
        assert owner.stdout.readline() == b"owns\n"
        log.write_text("the owner's log")
        refused = run(log, "print('ran')")
        assert f"process {owner.pid} still works on this stage" in refused.stderr
        assert refused.returncode == 1 and "ran" not in refused.stdout
        assert log.read_text() == "the owner's log"
    finally:
        owner.kill()
        owner.wait()
    assert "ran" in run(log, "print('ran')").stdout


def test_sigterm_ends_a_stage_and_leaves_neither_a_lock_nor_a_partial_file(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    body = (
        "import pathlib, time; from limr.files.atomic import whole_file\n"
        "    with whole_file(pathlib.Path(sys.argv[1]).with_name('state')) as file:\n"
        "        file.write_text('half'); print('writes', flush=True); time.sleep(60)"
    )
    stage = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(body=body), str(log)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert stage.stdout.readline() == b"writes\n"
    (partial,) = {file.name for file in tmp_path.iterdir()} - {"train.log", "train.log.lock"}
    assert partial.startswith(".state.") and partial.endswith(".partial")
    stage.terminate()
    _, stderr = stage.communicate(timeout=30)
    assert stage.returncode == 143
    assert b"Ended by SIGTERM" in stderr and b"Traceback" not in stderr
    assert "Checkpoints are kept" in log.read_text(encoding="utf-8")
    assert {file.name for file in tmp_path.iterdir()} == {"train.log"}


def test_processes_that_a_stage_starts_find_limr_where_it_is_not_installed(tmp_path: Path) -> None:
    body = "import os; print(os.environ['PYTHONPATH'])"
    assert run(tmp_path / "log", body).stdout.split(os.pathsep)[0].strip() == str(ROOT)
