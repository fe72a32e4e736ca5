"""What SLURM says of a job, from stand-ins for its commands."""

from pathlib import Path

import pytest
from slurm_commands import pretend

from limr.errors import LimrError
from limr.jobs.slurm_jobs import is_alive
from limr.jobs.slurm_runs import take_over


@pytest.mark.parametrize(
    ("body", "alive"),
    [
        ("echo RUNNING", True),
        ("echo SUSPENDED", True),
        ("echo PENDING", True),
        ("echo COMPLETING", True),
        ("echo TIMEOUT", False),
        ("echo NODE_FAIL", False),
        ("true", False),
        ("echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1", False),
        ("echo 'Unable to contact slurm controller (connect failure)' >&2; exit 1", None),
    ],
)
def test_a_job_lives_until_slurm_has_ended_or_forgotten_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, alive: bool | None
) -> None:
    pretend(tmp_path, monkeypatch, "squeue", body)
    assert is_alive("12") is alive


def test_without_slurm_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert is_alive("12") is None


def test_jobs_of_a_dead_run_that_wait_are_cancelled_and_those_that_run_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, calls, said = tmp_path / "looks", tmp_path / "calls", []
    looks.write_text("one\n", encoding="utf-8")
    monkeypatch.setattr("limr.jobs.slurm_runs._SECONDS_BETWEEN_LOOKS", 0.0)
    pretend(tmp_path, monkeypatch, "scancel", f'echo "$@" >> {calls}')
    both = "7|RUNNING|rule_train_wildcards_lim_0\\n8|PENDING|rule_train_wildcards_rand_0\\n"
    queue = f"echo \"$@\" >> {calls}; [ -s {looks} ] && printf '{both}'; : > {looks}"
    pretend(tmp_path, monkeypatch, "squeue", queue)
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "dead-run.lock").write_text("{}", encoding="utf-8")

    take_over(folder, "my-run", said.append)
    assert "not started are cancelled: 8" in said[0]
    assert "7 (rule_train_wildcards_lim_0)" in said[1] and "scancel 7" in said[1]
    asked = calls.read_text(encoding="utf-8").splitlines()
    assert asked == [
        "--noheader --name=dead-run --format=%i|%T|%k",
        "8",
        "--noheader --name=dead-run --format=%i|%T|%k",
    ]
    assert [file.name for file in folder.iterdir()] == ["my-run.lock"]

    take_over(folder, "beside-it", said.append)
    assert len(said) == 2 and len(asked) == 3, "a run that lives keeps its jobs"


def test_a_slurm_that_does_not_answer_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    (tmp_path / "dead-run.lock").write_text("{}", encoding="utf-8")
    with pytest.raises(LimrError, match=r"squeue .*: Unable to contact slurm controller"):
        take_over(tmp_path, "my-run", print)
