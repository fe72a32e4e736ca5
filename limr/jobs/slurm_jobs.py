"""What SLURM knows of a job, asked from any of its machines."""

import logging
import os
import re
import subprocess

from limr.errors import LimrError

logger = logging.getLogger(__name__)

# https://slurm.schedmd.com/job_state_codes.html: in all other states a job runs, waits, or will run again
ENDED = {
    *("BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL"),
    *("OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"),
}
_UNKNOWN_JOB = "Invalid job id"
_SECONDS_FOR_AN_ANSWER = 60


def is_alive(job: str) -> bool | None:
    """Whether SLURM still has ``job`` before its end; None where SLURM is not at hand, or gives no answer."""
    try:
        done = subprocess.run(
            ["squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T"],
            capture_output=True,
            text=True,
            timeout=_SECONDS_FOR_AN_ANSWER,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        if _UNKNOWN_JOB in done.stderr:  # it ended more than MinJobAge seconds ago
            return False
        logger.warning("squeue cannot say whether SLURM job %s still runs: %s", job, done.stderr.strip())
        return None
    return any(state not in ENDED for state in done.stdout.split())


def other_nodes(job: str) -> list[str]:
    """Names of the nodes of ``job``, but for the one that this process runs on.

    Raises LimrError like ``ask``, and where this process runs on none of them: on the machine of an ``salloc``, say.
    """
    nodes = ask("scontrol", "show", "hostnames", _nodes_of(job)).split()
    here = os.environ.get("SLURMD_NODENAME")  # squeue's %B is the login node where the job is an interactive one
    if here not in nodes:
        raise LimrError(
            f"SLURMD_NODENAME: found {here or 'nothing'}, expected a node of SLURM job {job}, {', '.join(nodes)}. Run "
            "snakemake on a node of the job (`srun --pty bash` goes there), or outside of jobs with `--profile slurm`."
        )
    return [node for node in nodes if node != here]


def _nodes_of(job: str) -> str:
    """The nodes of ``job`` in SLURM's notation, ``gpu[07-10]``."""
    nodes = ask("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    if not nodes:
        raise LimrError(f"SLURM job {job} has no nodes: it has ended. Is SLURM_JOB_ID that of an earlier job?")
    return nodes


def address_of(node: str) -> str:
    """The address, or a name for it, at which SLURM itself reaches ``node``. Raises LimrError like ``ask``."""
    found = re.search(r"NodeAddr=(\S+)", ask("scontrol", "show", "node", node, "--oneliner"))
    return found[1] if found else node


def ask(*command: str) -> str:
    """What one of SLURM's commands writes. Raises LimrError where it fails, or gives no answer within a minute."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_FOR_AN_ANSWER, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LimrError(f"{' '.join(command)}: {error}") from error
    if done.returncode:
        raise LimrError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
