"""Jobs that an earlier snakemake left in SLURM when it was killed or lost its machine.

SLURM keeps these jobs. Running jobs continue. Waiting jobs start later, delete the results of the current run and make
them again. So every run records its name beside the results, and the next run looks for the jobs of dead runs. The
name is the plugin's run id, which is also SLURM's job name.
"""

import atexit
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from limr.jobs.locks import running_owner, sole_owner
from limr.jobs.slurm_jobs import ask

_SECONDS_BETWEEN_CHECKS = 5.0


def take_over(folder: Path, run: str, report: Callable[[str], None]) -> None:
    """Record ``run`` in ``folder``, after dealing with the jobs of dead runs recorded there.

    Their waiting jobs are cancelled. Their running jobs are waited for, because work that they have not saved yet would
    have to be repeated. ``report`` gets messages about both. Raises LimrError if SLURM does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.glob("*.lock")):
        if running_owner(file) is None:
            _wait_for_jobs(file.stem, report)
            file.unlink(missing_ok=True)
    entry = contextlib.ExitStack()
    entry.enter_context(sole_owner(folder / run))
    atexit.register(entry.close)


def _wait_for_jobs(run: str, report: Callable[[str], None]) -> None:
    """Return when no job of ``run`` is left."""
    reported: dict[str, str] = {}
    while jobs := _jobs(run):
        waiting = [job for job, (state, _) in jobs.items() if state == "PENDING"]
        if waiting:
            ask("scancel", *waiting)
            report(f"An earlier snakemake was killed; cancelled its jobs that had not started: {', '.join(waiting)}.")
        running = {job: comment for job, (state, comment) in jobs.items() if state != "PENDING"}
        if running and running != reported:
            listed = ", ".join(f"{job} ({comment})" for job, comment in running.items())
            report(
                "An earlier snakemake was killed; waiting for its running jobs, so that no work is repeated: "
                f"{listed}. To stop waiting: scancel {' '.join(running)} (training resumes from its last checkpoint)."
            )
        reported = running
        time.sleep(_SECONDS_BETWEEN_CHECKS)


def _jobs(run: str) -> dict[str, tuple[str, str]]:
    """Jobs of ``run`` that have not ended: id -> state and comment, which names the rule."""
    lines = ask("squeue", "--noheader", f"--name={run}", "--format=%i|%T|%k").splitlines()
    return {job: (state, comment) for job, state, comment in (line.split("|", 2) for line in lines)}
