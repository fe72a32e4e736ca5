"""Queries to SLURM about a job, from any machine of the cluster."""

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
_TIMEOUT = 60  # seconds


def is_alive(job: str) -> bool | None:
    """Whether ``job`` runs, waits or will run again; None if SLURM is not installed or does not answer."""
    try:
        done = _run("squeue", "--noheader", "--states=all", f"--jobs={job}", "--format=%T")
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        if _UNKNOWN_JOB in done.stderr:  # it ended more than MinJobAge seconds ago
            return False
        logger.warning("squeue failed, so it is unknown whether SLURM job %s still runs: %s", job, done.stderr.strip())
        return None
    return any(state not in ENDED for state in done.stdout.split())


def other_nodes(job: str) -> list[str]:
    """Names of the nodes of ``job``, without the one that this process runs on.

    Raises LimrError like ``ask``, and if this process runs on none of them, e.g. on the machine of an ``salloc``.
    """
    nodes = ask("scontrol", "show", "hostnames", _nodes_of(job)).split()
    here = os.environ.get("SLURMD_NODENAME")  # squeue's %B is the login node if the job is interactive
    if here not in nodes:
        raise LimrError(
            where="SLURMD_NODENAME",
            found=here or "nothing",
            expected=f"a node of SLURM job {job}, {', '.join(nodes)}",
            advice="Run snakemake on a node of the job (`srun --pty bash` opens a shell there), or outside of jobs "
            "with `--profile slurm`.",
        )
    return [node for node in nodes if node != here]


def _nodes_of(job: str) -> str:
    """The nodes of ``job`` in SLURM's notation, ``gpu[07-10]``."""
    nodes = ask("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    if not nodes:
        raise LimrError(
            "it has no nodes, so it has ended",
            where=f"SLURM job {job}",
            advice="Is SLURM_JOB_ID that of an earlier job?",
        )
    return nodes


def address_of(node: str) -> str:
    """The address or host name by which SLURM itself reaches ``node``. Raises LimrError like ``ask``."""
    found = re.search(r"NodeAddr=(\S+)", ask("scontrol", "show", "node", node, "--oneliner"))
    return found[1] if found else node


def ask(*command: str) -> str:
    """The output of one of SLURM's commands. Raises LimrError if it fails or does not answer within a minute."""
    try:
        done = _run(*command)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LimrError(str(error), where=" ".join(command)) from error
    if done.returncode:
        raise LimrError(done.stderr.strip(), where=" ".join(command))
    return done.stdout


def _run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
