"""What the workflow's scripts rely on: logs, errors without noise, threads, and one trainer a directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from limr.errors import LimrError
from limr.workflow import sole_owner

SCRIPT = """
import sys
from types import SimpleNamespace
from limr.errors import LimrError
from limr.workflow import stage

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


def test_torch_runs_with_the_threads_of_the_configuration(tmp_path: Path) -> None:
    done = run(tmp_path / "log", "import torch; print(torch.get_num_threads())")
    assert done.stdout.strip() == "1", done.stderr


def test_a_directory_has_one_owner_and_a_dead_owner_holds_nothing(tmp_path: Path) -> None:
    work = tmp_path / "work" / "lim-seed0"
    code = (
        "import sys, time; from pathlib import Path; from limr.workflow import sole_owner\n"
        "with sole_owner(Path(sys.argv[1])):\n    print('mine', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(work)], stdout=subprocess.PIPE)
    try:
        assert owner.stdout.readline() == b"mine\n"
        with pytest.raises(LimrError, match=f"process {owner.pid} still works here"), sole_owner(work):
            pass
    finally:
        owner.kill()
        owner.wait()
    with sole_owner(work):
        pass
