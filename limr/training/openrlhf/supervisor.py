"""Run OpenRLHF's command to its end: follow its log, stop it when it hangs or diverges, and end all its processes.

Ray starts daemons in separate sessions, so a process group does not contain them all. Instead, a mark in the
environment identifies each process of a launch.
"""

import logging
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from limr.errors import LimrError
from limr.progress import ProgressLines
from limr.training.openrlhf.training_log import last_error, step_metrics

logger = logging.getLogger(__name__)

MARK = "LIMR_LAUNCH"
"""The environment variable that marks all processes of a launch, those of Ray and vLLM too."""

SECONDS_BETWEEN_READS = 0.5  # of the log
SECONDS_TO_END = 10.0  # after SIGTERM, and again after SIGKILL
LINES_TO_EXPLAIN = 2000  # at the log's end, searched for the cause of a failure
LOSSES = ("policy_loss", "critic_loss")  # finite unless training has diverged


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    progress: ProgressLines,
    patience: float,
) -> None:
    """Run ``command`` to its end, with its output in the file ``log``, and end all processes that it leaves.

    The command runs in the folder of ``log``. Ray adds the current folder to the import path of its workers, and a file
    in the user's folder may have the name of a module.

    Raises LimrError when the command fails, when a loss is not finite, or when the log does not grow for ``patience``
    seconds. The error of a failed command names the cause, if the log shows one.
    """
    mark = f"{os.getpid()}-{time.time_ns()}"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, MARK: mark, "PYTHONUNBUFFERED": "1", "RAY_DEDUP_LOGS": "0"},
        )
    try:
        last_lines = _follow(process, log, progress, patience)
    finally:
        if process.poll() is None:
            process.terminate()
        left = end_marked(mark)
        process.wait()
        if left:
            logger.info("ended %d processes that OpenRLHF had left running", left)
    if process.returncode:
        cause = last_error(last_lines) or f"it ended with status {process.returncode} and its log names no error"
        raise LimrError(f"OpenRLHF stopped: {cause}")


def marked(mark: str) -> list[int]:
    """Ids of the running processes on this machine that carry ``mark``, without this one."""
    wanted, found = f"{MARK}={mark}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it has ended, or belongs to another user
            continue
    return [process for process in found if process != os.getpid()]


def end_marked(mark: str) -> int:
    """End all processes that carry ``mark``, with SIGTERM and then with SIGKILL. Returns how many there were."""
    number = len(marked(mark))
    for number_of_signal in (signal.SIGTERM, signal.SIGKILL):
        for process in marked(mark):
            try:
                os.kill(process, number_of_signal)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + SECONDS_TO_END
        while marked(mark) and time.monotonic() < deadline:
            time.sleep(0.2)
    return number


def _follow(process: subprocess.Popen, log: Path, progress: ProgressLines, patience: float) -> deque[str]:
    """Read ``log`` as it grows until ``process`` ends. Returns its last lines."""
    last_lines: deque[str] = deque(maxlen=LINES_TO_EXPLAIN)
    last_line_at = time.monotonic()
    with log.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        while True:
            ended = process.poll() is not None  # checked before reading, so that the last lines are read too
            lines = stream.readlines()
            for line in lines:
                last_lines.append(line)
                _report(line, progress)
            if ended:
                return last_lines
            if lines:
                last_line_at = time.monotonic()
            elif time.monotonic() - last_line_at > patience:
                raise LimrError(
                    "OpenRLHF was stopped because it hung",
                    found=f"no line in its log for {patience / 60:g} minutes",
                    expected="at least one (training.patience_minutes)",
                )
            time.sleep(SECONDS_BETWEEN_READS)


def _report(line: str, progress: ProgressLines) -> None:
    """Count a step if ``line`` ends one. Raises LimrError if its losses are not finite."""
    found = step_metrics(line)
    if found is None:
        return
    step, metrics = found
    diverged = [name for name in LOSSES if name in metrics and metrics[name] is None]
    if diverged:
        raise LimrError(
            "training has diverged", where=(f"step {step}", ", ".join(diverged)), found="NaN or Infinity",
            expected="a finite number",
        )  # fmt: skip
    progress.update(f"reward {metrics.get('rollout/reward_mean', float('nan')):+.2f}")
