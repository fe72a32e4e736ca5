"""`limr rollouts`: which folders it replaces and which it refuses to replace."""

import shutil

from commands import exit_status, run_limr
from refusals import refused

from limr.errors import UsageError


def test_a_folder_with_other_files_is_not_replaced(rollouts, tmp_path):
    (tmp_path / "precious.txt").write_text("")
    with refused(UsageError, where=tmp_path, found="precious.txt", expected="a new folder"):
        run_limr("rollouts", rollouts, "-o", tmp_path)
    assert (tmp_path / "precious.txt").exists()


def test_a_file_is_not_replaced(rollouts, tmp_path):
    (tmp_path / "file").write_text("")
    with refused(UsageError, where=tmp_path / "file", found="a file", expected="a folder"):
        run_limr("rollouts", rollouts, "-o", tmp_path / "file")


def test_the_source_and_other_logs_are_not_replaced(rollouts, tmp_path):
    own = shutil.copytree(rollouts, tmp_path / "log")
    other = tmp_path / "completions" / "completions_00001.parquet"  # of TRL
    other.parent.mkdir()
    other.write_bytes(b"of another run")
    for folder in (own, own / "converted", tmp_path):
        with refused(UsageError, where=folder, found="SOURCE", expected="a folder beside SOURCE"):
            run_limr("rollouts", own, "-o", folder)
    with refused(UsageError, where=other.parent, found="completions_00001.parquet"):
        run_limr("rollouts", own, "-o", other.parent)
    assert other.read_bytes() == b"of another run"


def test_rollouts_that_the_command_wrote_are_replaced(rollouts, tmp_path, capsys):
    for _ in range(2):
        assert exit_status("rollouts", rollouts, "-o", tmp_path / "converted") == 0
        assert "converted: 800 rollouts of 40 prompts, from 20 files (verl)" in capsys.readouterr().err
