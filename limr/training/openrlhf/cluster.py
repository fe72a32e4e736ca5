"""Ray for one training run: a new cluster on one or several nodes, or the existing one that ``RAY_ADDRESS`` names.

On several nodes of a SLURM job, the head runs on the job's first node, and ``srun`` starts Ray on each of the others.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limr.errors import LimrError, counted, first_line
from limr.jobs.slurm_jobs import address_of, other_nodes
from limr.training.openrlhf.supervisor import MARK

SECONDS_TO_CONNECT = 45.0  # to a cluster that runs already
SECONDS_TO_START = 150.0  # on a busy machine, or from a slow file server
SECONDS_FOR_NODES = 240.0  # many nodes load Ray from one file server at once
SECONDS_TO_END = 30.0
SECONDS_BETWEEN_CHECKS = 5.0  # for dead workers
SECONDS_FOR_OPENRLHF = 15.0  # to end after a worker's death, with a better error


@contextmanager
def ray_cluster(nodes: int, gpus_per_node: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Connect this block to a Ray cluster with ``nodes`` x ``gpus_per_node`` GPUs.

    The workers of Ray get the variables of ``environment``. If ``RAY_ADDRESS`` is set, this process joins that cluster.
    Otherwise it starts a cluster on this machine and, if ``nodes`` is more than 1, on other nodes of the SLURM job. The
    started cluster ends with this block or with this process, even if the process is killed.

    Raises LimrError when Ray cannot be reached or the cluster has too few GPUs: OpenRLHF would wait for them forever.
    It waits ``SECONDS_TO_CONNECT`` for the GPUs of an existing cluster, and ``SECONDS_FOR_NODES`` for several nodes.
    """
    import ray

    address = os.environ.get("RAY_ADDRESS")
    names = [] if address or nodes == 1 else nodes_to_join(nodes - 1)
    started: list[Node] = []
    if names:
        _init(address, environment, _node_ip_address=own_address(names[0]), _temp_dir=_ray_folder())
    else:
        _init(address, environment)
    try:
        head = ray.get_runtime_context().gcs_address
        for name in names:
            started.append(join(name, head, gpus_per_node))
        _wait_for_gpus(nodes * gpus_per_node, address, started)
        yield
    finally:
        ray.shutdown()
        leave(started)


@contextmanager
def ended_when_a_worker_dies() -> Iterator[None]:
    """Within this block, end this process when an actor of its Ray job dies.

    OpenRLHF notices a dead worker when it asks for the worker's result. But other workers may already wait for the dead
    one, for example while they send weights, and OpenRLHF would wait for them forever.
    """
    done = threading.Event()
    threading.Thread(target=_watch_for_dead_actors, args=[done], daemon=True).start()
    try:
        yield
    finally:
        done.set()  # the workers end with OpenRLHF, and that is not a failure


@dataclass(frozen=True)
class Node:
    """A node on which Ray runs, and the ``srun`` that runs it there."""

    name: str
    step: subprocess.Popen


def nodes_to_join(number: int) -> list[str]:
    """``number`` nodes of this SLURM job besides this one. Raises LimrError if the job has fewer."""
    job = os.environ.get("SLURM_JOB_ID")
    if job is None:
        raise LimrError(
            "not running inside a SLURM job",
            where="training.nodes",
            found=str(number + 1),
            expected="1",
            advice="Run it with `snakemake --profile slurm`, or start Ray on all machines and name the cluster "
            "(RAY_ADDRESS=HOST:PORT), or set training.nodes to 1.",
        )
    others = other_nodes(job)
    if len(others) < number:
        raise LimrError(
            where=f"SLURM job {job}",
            found=f"{len(others) + 1} nodes",
            expected=f"training.nodes, {number + 1}",
            advice="Does the site file (slurm/site.yaml) set `nodes` of rule train to another number?",
        )
    return others[:number]


def own_address(towards: str) -> str:
    """This machine's address in the network of the node ``towards``: a machine may be in several networks."""
    name = address_of(towards)
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
            route.connect((name, 9))  # sends nothing: the system only looks up the route
            return route.getsockname()[0]
    except OSError as error:
        raise LimrError(
            f"no route to its address, {name} ({error})", where=f"node {towards}", advice="Ask the cluster's staff."
        ) from error


def join(name: str, head: str, gpus: int) -> Node:
    """Start Ray on node ``name`` with ``gpus`` of this job's GPUs, in the cluster with the head's address ``head``.

    Ray takes free ports, and its output goes to this process's output. SLURM ends all of Ray's processes on the node
    when ``srun`` ends, and at the latest when the job's script ends.
    """
    on_node = ["srun", "--overlap", "--nodes=1", "--ntasks=1", f"--nodelist={name}", f"--gres=gpu:{gpus}", "--mem=0"]
    on_node += ["--cpu-bind=none", "--export=ALL"]  # all processors that the job has there
    on_node += ["--mpi=none"]  # the variables of a site's default MPI would confuse Ray's workers
    mark = ["env", f"{MARK}={os.environ.get(MARK, '')}@{name}"]  # a separate mark, in case both nodes are one machine
    # -P: no Python file in the current folder is imported in place of a module with its name
    ray = [sys.executable, "-P", "-m", "ray.scripts.scripts", "start", f"--address={head}", "--block"]
    ray += ["--disable-usage-stats", "--min-worker-port=0", "--max-worker-port=0", "--dashboard-agent-listen-port=0"]
    step = subprocess.Popen([*on_node, *mark, *ray], stdin=subprocess.DEVNULL, env=_environment_of_a_step())
    return Node(name, step)


def require_all(nodes: list[Node]) -> None:
    """Raise LimrError if Ray has ended on one of ``nodes``."""
    for node in nodes:
        if (status := node.step.poll()) is not None:
            raise LimrError(
                f"Ray on node {node.name} ended with status {status}",
                advice="Its output is above in this log. Does the node have the same Python environment, and are its "
                "ports open to the other nodes of the job?",
            )


def leave(nodes: list[Node]) -> None:
    """End Ray on ``nodes``, and wait until it has ended."""
    for node in nodes:
        node.step.terminate()  # SLURM then kills all processes of the step
    for node in nodes:
        try:
            node.step.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            node.step.kill()
            node.step.wait()


def _environment_of_a_step() -> dict[str, str]:
    """This process's environment without the variables that ``srun`` reads as its options.

    Those of the job, or of the step of an interactive job, are wrong for this step.
    """
    options = ("SLURM_", "SRUN_")
    kept = ("SLURM_JOB_ID", "SLURM_CONF")
    return {name: value for name, value in os.environ.items() if name in kept or not name.startswith(options)}


def _init(address: str | None, environment: Mapping[str, str], **more: Any) -> None:
    """``ray.init`` with a time limit, and with its errors explained."""
    import ray

    failure = f"Ray cannot be joined at RAY_ADDRESS={address}" if address else "Ray cannot be started"
    # Ray waits for minutes if another program listens at the address
    timer = threading.Timer(
        SECONDS_TO_CONNECT if address else SECONDS_TO_START,
        _end_this_process,
        [LimrError(f"{failure}: no answer", advice=_address_advice(address))],
    )
    timer.start()
    try:
        ray.init(
            address=address or "local",  # by default Ray joins the cluster that was last started on this machine
            include_dashboard=None if address else False,
            runtime_env={"env_vars": dict(environment)},
            **more,
        )
    except Exception as error:  # anything may be wrong: ports, addresses, versions, disks
        raise LimrError(f"{failure}: {first_line(error)}", advice=_address_advice(address)) from error
    finally:
        timer.cancel()


def _ray_folder() -> str:
    """The folder of Ray's files on all nodes: `ray start` cannot write to another user's /tmp/ray."""
    return str(Path(os.environ.get("RAY_TMPDIR", "/tmp"), f"ray-{os.getuid()}"))  # TMPDIR may exist on one node only


def _wait_for_gpus(gpus: int, address: str | None, started: list[Node]) -> None:
    import ray

    # a new cluster on one machine has all GPUs from the start
    patience = SECONDS_FOR_NODES if started else SECONDS_TO_CONNECT if address else 0.0
    deadline = time.monotonic() + patience
    while int(ray.cluster_resources().get("GPU", 0)) < gpus:
        require_all(started)
        if time.monotonic() > deadline:
            raise LimrError(
                found=_gpus_in_cluster(),
                expected=f"training.nodes x training.gpus_per_node, {gpus}",
                advice=_gpu_advice(address, [node.name for node in started]),
            )
        time.sleep(1)


def _gpus_in_cluster() -> str:
    """How many GPUs the cluster has, and how many of them each of its machines has."""
    import ray

    machines = [node for node in ray.nodes() if node["Alive"]]
    gpus = [int(node["Resources"].get("GPU", 0)) for node in machines]
    listed = ", ".join(f"{node['NodeManagerHostname']}: {number}" for node, number in zip(machines, gpus, strict=True))
    return f"{counted(sum(gpus), 'GPU')} in the Ray cluster ({listed})"


def _watch_for_dead_actors(done: threading.Event) -> None:
    import ray
    from ray._private.state import actors  # the public function needs the dashboard's server

    job = ray.get_runtime_context().get_job_id()
    while not done.wait(SECONDS_BETWEEN_CHECKS):
        try:
            table = actors().values()
        except Exception:  # Ray has no specific error: OpenRLHF has ended, and Ray with it
            return
        dead = [actor for actor in table if actor["State"] == "DEAD" and actor["JobID"] == job]
        if dead and not done.wait(SECONDS_FOR_OPENRLHF):
            names = ", ".join(sorted(actor["ActorClassName"] for actor in dead))
            _end_this_process(LimrError(f"a worker has died: {names}"))


def _end_this_process(error: LimrError) -> None:
    """Print ``error`` and end this process at once: other threads may wait where nothing can interrupt them."""
    sys.stderr.write(f"LimrError: {error}\n")
    sys.stderr.flush()
    os._exit(1)


def _address_advice(address: str | None) -> str:
    if address:
        return "Is a Ray head running there, of the same version? Unset RAY_ADDRESS to start Ray on this machine."
    return "Can you write to /tmp, and does it have space? RAY_TMPDIR names another folder."


def _gpu_advice(address: str | None, started: list[str]) -> str:
    if address:
        return "Start Ray on the other nodes (`ray start --address ...`), or set training.nodes and gpus_per_node."
    if started:
        return f"Ray was also started on the other nodes, {', '.join(started)}, and its output is above in this log."
    return (
        "Run on a machine with that many (`nvidia-smi -L` lists them), set training.gpus_per_node to the number of "
        "GPUs, or join a cluster: RAY_ADDRESS=HOST:PORT."
    )
