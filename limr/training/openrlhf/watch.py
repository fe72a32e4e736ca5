"""Start OpenRLHF, and watch it until it ends: what it says, whether it is alive, and why it failed."""

import logging
import os
import subprocess
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

from limr.errors import LimrError
from limr.progress import ProgressLines
from limr.training.openrlhf.process_tree import MARK, end
from limr.training.openrlhf.training_log import last_error, step_metrics

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 0.5
LINES_TO_EXPLAIN = 2000  # of the log's end are searched for the reason of a failure
TRAINED = ("policy_loss", "critic_loss")  # metrics that are numbers as long as training works


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    progress: ProgressLines,
    patience: float,
) -> None:
    """Run ``command`` to its end; what it says goes to ``log``.

    No process of it is left when this returns or raises. Raises LimrError, with the reason as far as the log has it,
    when it fails, when training turns to NaN, or when it says nothing for ``patience`` seconds.
    """
    mark = f"{os.getpid()}-{time.time_ns()}"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment, MARK: mark, "PYTHONUNBUFFERED": "1", "RAY_DEDUP_LOGS": "0"},
        )
    try:
        tail = _follow(process, log, progress, patience)
    finally:
        if process.poll() is None:
            process.terminate()
        left = end(mark)
        process.wait()
        if left:
            logger.info("ended %d processes that OpenRLHF had left", left)
    if process.returncode:
        reason = last_error(tail) or f"it ended with status {process.returncode} and said nothing about it"
        raise LimrError(f"OpenRLHF stopped: {reason}")


def _follow(process: subprocess.Popen, log: Path, progress: ProgressLines, patience: float) -> deque[str]:
    """Read ``log`` as it grows until ``process`` ends; its last lines."""
    tail: deque[str] = deque(maxlen=LINES_TO_EXPLAIN)
    heard = time.monotonic()
    with log.open(encoding="utf-8", errors="replace", newline="\n") as stream:
        while True:
            ended = process.poll() is not None  # before reading: what it said last is read too
            lines = stream.readlines()
            for line in lines:
                tail.append(line)
                _look(line, progress)
            if ended:
                return tail
            if lines:
                heard = time.monotonic()
            elif time.monotonic() - heard > patience:
                raise LimrError(
                    f"OpenRLHF stopped: it said nothing for {patience / 60:g} minutes (training.patience_minutes)"
                )
            time.sleep(SECONDS_BETWEEN_LOOKS)


def _look(line: str, progress: ProgressLines) -> None:
    found = step_metrics(line)
    if found is None:
        return
    step, metrics = found
    lost = [name for name in TRAINED if name in metrics and metrics[name] is None]
    if lost:
        raise LimrError(f"training has broken down: {', '.join(lost)} of step {step} is not a finite number")
    progress.update(f"reward {metrics.get('rollout/reward_mean', float('nan')):+.2f}")
