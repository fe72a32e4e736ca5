"""Ray on the other nodes of a SLURM job: each joins the cluster whose head the job's first node is."""

import os
import socket
import subprocess
import sys
from dataclasses import dataclass

from limr.errors import LimrError
from limr.jobs.slurm_jobs import address_of, other_nodes
from limr.training.openrlhf.process_tree import MARK

SECONDS_TO_END = 30.0


@dataclass(frozen=True)
class Node:
    """A node on which Ray runs, by the ``srun`` that runs it there."""

    name: str
    step: subprocess.Popen


def nodes_to_join(number: int) -> list[str]:
    """The ``number`` nodes that this SLURM job has besides this one. Raises LimrError where it has not so many."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        raise LimrError(
            f"training.nodes is {number + 1}, and this is no job of SLURM, whose nodes could be asked for. Run it with "
            "`snakemake --profile slurm`, start Ray on all machines and name it (RAY_ADDRESS=HOST:PORT), or set "
            "training.nodes to 1."
        )
    others = other_nodes(job)
    if len(others) < number:
        raise LimrError(
            f"found {len(others) + 1} nodes in SLURM job {job}, expected training.nodes, {number + 1}. Does the site "
            "file (slurm/site.yaml) set `nodes` of rule train to another number?"
        )
    return others[:number]


def own_address(towards: str) -> str:
    """The address of this machine that the node ``towards`` reaches it by: a machine may be in several networks."""
    name = address_of(towards)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            route.connect((name, 9))  # nothing is sent: the system only looks up the way there
            return route.getsockname()[0]
    except OSError as error:
        raise LimrError(f"node {towards}: no way to its address, {name}: {error}. Ask the cluster's staff.") from error


def join(name: str, head: str, gpus: int) -> Node:
    """Start Ray on node ``name``, with ``gpus`` GPUs of this job's, in the cluster whose head has address ``head``.

    What it says goes to this process's output. SLURM ends it with all of its processes when its ``srun`` is ended, and
    at the latest when the job's script ends. All of its ports are ones that are free there.
    """
    on_node = ["srun", "--overlap", "--nodes=1", "--ntasks=1", f"--nodelist={name}", f"--gres=gpu:{gpus}", "--mem=0"]
    on_node += ["--cpu-bind=none", "--export=ALL"]  # all processors that the job has there
    on_node += ["--mpi=none"]  # whatever MPI a site has by default: its variables are not Ray's workers' to see
    mark = ["env", f"{MARK}={os.environ.get(MARK, '')}@{name}"]  # of its own, should both nodes be one machine
    ray = [
        sys.executable,
        "-m",
        "ray.scripts.scripts",
        "start",
        f"--address={head}",
        "--block",
        "--disable-usage-stats",
    ]
    ray += ["--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
    step = subprocess.Popen([*on_node, *mark, *ray], stdin=subprocess.DEVNULL, env=_of_no_step())
    return Node(name, step)


def _of_no_step() -> dict[str, str]:
    """This process's environment without what ``srun`` would take for its options: those of the job, or of the step of
    an interactive one, are not this step's. (The plugin's jobs have none of them.)
    """
    options = ("SLURM_", "SRUN_")
    kept = ("SLURM_JOB_ID", "SLURM_CONF")
    return {name: value for name, value in os.environ.items() if name in kept or not name.startswith(options)}


def require_all(nodes: list[Node]) -> None:
    """Raise LimrError where Ray has ended on one of ``nodes``."""
    for node in nodes:
        if (status := node.step.poll()) is not None:
            raise LimrError(
                f"Ray on node {node.name} ended with status {status}; above in this log stands what it said. Has the "
                "node the same Python environment, and are its ports open to the other nodes of the job?"
            )


def leave(nodes: list[Node]) -> None:
    """End Ray on ``nodes``, and wait for it."""
    for node in nodes:
        node.step.terminate()  # upon which SLURM kills all that runs in this step
    for node in nodes:
        try:
            node.step.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            node.step.kill()
            node.step.wait()
