"""Jobs that an earlier snakemake has left behind in SLURM, which was killed or lost its machine.

SLURM goes on with them: those that run work on, those that wait start some day, delete what this run has made and make
it again. So a run leaves its name (SLURM's job name is the plugin's run id) beside the results, and the next one looks.
"""

import atexit
import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from limr.jobs.locks import living_owner, sole_owner
from limr.jobs.slurm_jobs import ask

_SECONDS_BETWEEN_LOOKS = 5.0


def take_over(folder: Path, run: str, say: Callable[[str], None]) -> None:
    """Enter ``run`` among those in ``folder``, after an end was put to those that are dead.

    Their jobs that wait are cancelled; those that run are waited for, because what they have done and not yet saved
    would have to be done again. ``say`` is told what happens. Raises LimrError where SLURM does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(folder.glob("*.lock")):
        if living_owner(file) is None:
            _outlive(file.name.removesuffix(".lock"), say)
            file.unlink(missing_ok=True)
    entry = contextlib.ExitStack()
    entry.enter_context(sole_owner(folder / run))
    atexit.register(entry.close)


def _outlive(run: str, say: Callable[[str], None]) -> None:
    """Return when no job of ``run`` is left."""
    told: dict[str, str] = {}
    while jobs := _jobs(run):
        waiting = [job for job, (state, _) in jobs.items() if state == "PENDING"]
        if waiting:
            ask("scancel", *waiting)
            say(f"An earlier snakemake was killed; its jobs that had not started are cancelled: {', '.join(waiting)}.")
        running = {job: what for job, (state, what) in jobs.items() if state != "PENDING"}
        if running and running != told:
            listed = ", ".join(f"{job} ({what})" for job, what in running.items())
            say(
                "An earlier snakemake was killed; waiting for its jobs that still run, so that nothing is done twice: "
                f"{listed}. To go on at once: scancel {' '.join(running)} (training goes on from its last checkpoint)."
            )
        told = running
        time.sleep(_SECONDS_BETWEEN_LOOKS)


def _jobs(run: str) -> dict[str, tuple[str, str]]:
    """Jobs of ``run`` that have not ended: id -> state, and what the plugin says they do."""
    lines = ask("squeue", "--noheader", f"--name={run}", "--format=%i|%T|%k").splitlines()
    return {job: (state, what) for job, state, what in (line.split("|", 2) for line in lines)}
