"""A launch is watched: progress is read from its log, failures are explained, and nothing of it is left running."""

import sys
import time
from pathlib import Path

import pytest

from limr.errors import LimrError
from limr.progress import ProgressLines
from limr.training.openrlhf.process_tree import MARK
from limr.training.openrlhf.training_log import last_error, read_metrics, step_metrics
from limr.training.openrlhf.watch import run

STEP = "\x1b[36m(PPOTrainer pid=7)\x1b[0m INFO 11-21 07:21:17 ppo_trainer.py:551] \u2728 Global step {}: {{{}}}"


def watched(script: str, folder: Path, patience: float = 60.0) -> ProgressLines:
    progress = ProgressLines("a run", total=3)
    run([sys.executable, "-c", script], {"LIMR_TEST": "1"}, folder / "log", progress, patience)
    return progress


def marked_children(text: str) -> list[str]:
    """Command lines of processes that hold ``text`` and the mark of a launch."""
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
    said = "\n".join(STEP.format(step, "'kl': 0.5, 'policy_loss': 0.1, 'rollout/reward_mean': -1.0") for step in (1, 2))
    progress = watched(f"print({said!r})", tmp_path)
    assert progress.done == 2
    assert read_metrics(tmp_path / "log") == {
        step: {"kl": 0.5, "policy_loss": 0.1, "rollout/reward_mean": -1.0} for step in (0, 1)
    }


def test_a_failure_is_explained_by_the_last_error_of_the_log(tmp_path: Path) -> None:
    with pytest.raises(LimrError, match=r"OpenRLHF stopped: ValueError: the disk of node 3$"):
        watched("print('ValueError: an earlier one'); raise ValueError('the disk of node 3')", tmp_path)


def test_a_failure_without_a_word_tells_the_status(tmp_path: Path) -> None:
    with pytest.raises(LimrError, match="it ended with status 7 and said nothing about it"):
        watched("raise SystemExit(7)", tmp_path)


@pytest.mark.parametrize("metric", ["policy_loss", "critic_loss"])
def test_training_that_turns_to_nan_is_stopped_at_once(tmp_path: Path, metric: str) -> None:
    line = STEP.format(2, f"'{metric}': nan, 'kl': 0.5")
    started = time.monotonic()
    with pytest.raises(LimrError, match=f"broken down: {metric} of step 1 is not a finite number"):
        watched(f"import time; print({line!r}, flush=True); time.sleep(300)", tmp_path)
    assert time.monotonic() - started < 60


def test_a_silent_run_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(LimrError, match=r"said nothing for 0\.02 minutes \(training.patience_minutes\)"):
        watched("import time; time.sleep(300)", tmp_path, patience=1.2)


def test_processes_that_a_run_leaves_behind_are_ended_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("limr.training.openrlhf.process_tree.SECONDS_TO_END", 0.5)
    # in a session of its own, as Ray's daemons are, and deaf to SIGTERM
    child = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('left-behind'); time.sleep(300)"
    script = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        "time.sleep(1)\n"
    )
    watched(script, tmp_path)
    assert not marked_children("left-behind")


def test_a_line_that_is_no_step_or_is_cut_short_says_nothing() -> None:
    for line in ("Generate samples: 10%", "Global step 3: {'kl': 0.", "Global step 3: {'kl': open('x')}"):
        assert step_metrics(line) is None


def test_an_error_of_the_program_explains_more_than_ray_s_around_it() -> None:
    log = [
        "Traceback (most recent call last):",
        "\x1b[36m(RolloutRayActor pid=9)\x1b[0m FileNotFoundError: [Errno 2] No such file: 'x'",
        "ray.exceptions.RayTaskError(FileNotFoundError): \x1b[36mray::PPOTrainer.fit()\x1b[39m (pid=1)",
    ]
    assert last_error(log) == "FileNotFoundError: [Errno 2] No such file: 'x'"
    assert last_error(log[2:]) == "ray.exceptions.RayTaskError(FileNotFoundError): ray::PPOTrainer.fit() (pid=1)"
    assert last_error(["all is well"]) is None
