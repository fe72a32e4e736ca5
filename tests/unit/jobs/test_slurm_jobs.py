"""Queries to SLURM about jobs, with stand-ins for its commands."""

from pathlib import Path

import pytest
from refusals import refused
from slurm_commands import pretend

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
def test_a_job_is_alive_until_slurm_has_ended_or_forgotten_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, alive: bool | None
) -> None:
    pretend(tmp_path, monkeypatch, "squeue", body)
    assert is_alive("12") is alive


def test_without_slurm_the_state_of_a_job_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert is_alive("12") is None


def test_waiting_jobs_of_a_dead_run_are_cancelled_and_running_jobs_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, calls, reports = tmp_path / "queue", tmp_path / "calls", []
    queue.write_text("two jobs\n", encoding="utf-8")
    monkeypatch.setattr("limr.jobs.slurm_runs._SECONDS_BETWEEN_CHECKS", 0.0)
    pretend(tmp_path, monkeypatch, "scancel", f'echo "$@" >> {calls}')
    both = "7|RUNNING|rule_train_wildcards_lim_0\\n8|PENDING|rule_train_wildcards_rand_0\\n"
    squeue = f"echo \"$@\" >> {calls}; [ -s {queue} ] && printf '{both}'; : > {queue}"
    pretend(tmp_path, monkeypatch, "squeue", squeue)
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "dead-run.lock").write_text("{}", encoding="utf-8")

    take_over(folder, "my-run", reports.append)
    assert "cancelled its jobs that had not started: 8." in reports[0]
    assert "7 (rule_train_wildcards_lim_0)" in reports[1] and "scancel 7" in reports[1]
    assert calls.read_text(encoding="utf-8").splitlines() == [
        "--noheader --name=dead-run --format=%i|%T|%k",
        "8",
        "--noheader --name=dead-run --format=%i|%T|%k",
    ]
    assert [file.name for file in folder.iterdir()] == ["my-run.lock"]

    take_over(folder, "another-run", reports.append)
    assert len(reports) == 2 and len(calls.read_text(encoding="utf-8").splitlines()) == 3, (
        "a running run keeps its jobs"
    )


def test_a_slurm_that_does_not_answer_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(tmp_path, monkeypatch, "squeue", "echo 'Unable to contact slurm controller' >&2; exit 1")
    (tmp_path / "dead-run.lock").write_text("{}", encoding="utf-8")
    with refused(where="squeue", what="Unable to contact slurm controller"):
        take_over(tmp_path, "my-run", print)
