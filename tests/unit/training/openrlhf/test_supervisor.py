"""The supervisor reads progress from a launch's log, explains its failure, and ends all of its processes."""

import sys
import time
from pathlib import Path

import pytest
from refusals import refused

from limr.progress import ProgressLines
from limr.training.openrlhf.supervisor import MARK, run
from limr.training.openrlhf.training_log import last_error, read_metrics, step_metrics

STEP = "\x1b[36m(PPOTrainer pid=7)\x1b[0m INFO 11-21 07:21:17 ppo_trainer.py:551] \u2728 Global step {}: {{{}}}"


def supervised(script: str, folder: Path, patience: float = 60.0) -> ProgressLines:
    progress = ProgressLines("a run", total=3)
    run([sys.executable, "-c", script], {"LIMR_TEST": "1"}, folder / "log", progress, patience)
    return progress


def marked_children(text: str) -> list[str]:
    """Command lines that contain ``text``, of processes with the mark of a launch."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            if text in command and f"{MARK}=".encode() in (folder / "environ").read_bytes():
                found.append(command)
        except OSError:
            continue
    return found


def test_steps_are_counted_and_the_log_is_kept(tmp_path: Path) -> None:
    lines = "\n".join(
        STEP.format(step, "'kl': 0.5, 'policy_loss': 0.1, 'rollout/reward_mean': -1.0") for step in (1, 2)
    )
    progress = supervised(f"print({lines!r})", tmp_path)
    assert progress.done == 2
    assert read_metrics(tmp_path / "log") == {
        step: {"kl": 0.5, "policy_loss": 0.1, "rollout/reward_mean": -1.0} for step in (0, 1)
    }


def test_the_command_runs_in_the_folder_of_its_log(tmp_path: Path) -> None:
    """Ray adds the current folder to its workers' import path, and the user's folder may shadow a module."""
    supervised("import os; print(os.getcwd())", tmp_path)
    assert (tmp_path / "log").read_text(encoding="utf-8").strip() == str(tmp_path)


def test_a_failure_is_explained_by_the_last_error_of_the_log(tmp_path: Path) -> None:
    with refused(what="OpenRLHF stopped: ValueError: the disk of node 3"):
        supervised("print('ValueError: an earlier one'); raise ValueError('the disk of node 3')", tmp_path)


def test_a_failure_without_an_error_in_the_log_names_the_exit_status(tmp_path: Path) -> None:
    with refused(what="it ended with status 7 and its log names no error"):
        supervised("raise SystemExit(7)", tmp_path)


@pytest.mark.parametrize("metric", ["policy_loss", "critic_loss"])
def test_training_that_diverges_to_nan_is_stopped_at_once(tmp_path: Path, metric: str) -> None:
    line = STEP.format(2, f"'{metric}': nan, 'kl': 0.5")
    started = time.monotonic()
    with refused(what="diverged", where=("step 1", metric), found="NaN", expected="a finite number"):
        supervised(f"import time; print({line!r}, flush=True); time.sleep(300)", tmp_path)
    assert time.monotonic() - started < 60


def test_a_run_is_stopped_when_its_log_does_not_grow(tmp_path: Path) -> None:
    with refused(what="it hung", found="no line in its log for 0.02 minutes", expected="training.patience_minutes"):
        supervised("import time; time.sleep(300)", tmp_path, patience=1.2)


def test_processes_that_a_run_leaves_behind_are_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limr.training.openrlhf.supervisor.SECONDS_TO_END", 0.5)
    # it has a separate session, like Ray's daemons, and ignores SIGTERM
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('left-behind'); time.sleep(300)"
    script = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        "time.sleep(1)\n"
    )
    supervised(script, tmp_path)
    assert not marked_children("left-behind")


def test_a_line_without_a_step_or_cut_short_has_no_metrics() -> None:
    for line in ("Generate samples: 10%", "Global step 3: {'kl': 0.", "Global step 3: {'kl': open('x')}"):
        assert step_metrics(line) is None


def test_an_error_of_the_program_takes_precedence_over_ray_s_wrapper() -> None:
    log = [
        "Traceback (most recent call last):",
        "\x1b[36m(RolloutRayActor pid=9)\x1b[0m FileNotFoundError: [Errno 2] No such file: 'x'",
        "ray.exceptions.RayTaskError(FileNotFoundError): \x1b[36mray::PPOTrainer.fit()\x1b[39m (pid=1)",
    ]
    assert last_error(log) == "FileNotFoundError: [Errno 2] No such file: 'x'"
    assert last_error(log[2:]) == "ray.exceptions.RayTaskError(FileNotFoundError): ray::PPOTrainer.fit() (pid=1)"
    assert last_error(["all is well"]) is None
