"""Ray: a cluster of this job's own, on one machine or several, or the one that ``RAY_ADDRESS`` names; and its GPUs."""

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from limr.errors import LimrError
from limr.training.openrlhf.nodes import Node, join, leave, nodes_to_join, own_address, require_all

SECONDS_TO_CONNECT = 45.0  # where a cluster runs already
SECONDS_TO_START = 150.0  # a busy machine, or a slow file server, takes its time
SECONDS_FOR_NODES = 240.0  # to load Ray from a file server that many ask at once
SECONDS_BETWEEN_LOOKS = 5.0
SECONDS_TO_SAY_IT = 15.0  # that OpenRLHF has to end by itself, with an error that says more


@contextmanager
def ray_cluster(nodes: int, gpus_per_node: int, environment: Mapping[str, str]) -> Iterator[None]:
    """Be connected to Ray with ``nodes`` x ``gpus_per_node`` GPUs; its workers get the variables of ``environment``.

    Joins the cluster at ``RAY_ADDRESS`` where that is set. Else one is started: on this machine, and on the other
    nodes of the SLURM job where there is more than one node. It ends with this block, and also with this process,
    however that ends. Raises LimrError when Ray cannot be reached, or has not the GPUs within ``SECONDS_TO_CONNECT``
    (``SECONDS_FOR_NODES``): OpenRLHF would wait for them for ever.
    """
    import ray

    address = os.environ.get("RAY_ADDRESS")
    names = [] if address or nodes == 1 else nodes_to_join(nodes - 1)
    started: list[Node] = []
    if names:
        _init(address, environment, _node_ip_address=own_address(names[0]), _temp_dir=_own_folder())
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


def _init(address: str | None, environment: Mapping[str, str], **more: Any) -> None:
    """``ray.init``, with an end to its patience and with its errors explained."""
    import ray

    where = f"cannot be joined at RAY_ADDRESS={address}" if address else "cannot be started"
    # where something listens that is not Ray, it is asked for minutes
    patience = SECONDS_TO_CONNECT if address else SECONDS_TO_START
    silence = threading.Timer(patience, _give_up, [f"Ray {where}: no answer. {_advice(address)}"])
    silence.start()
    try:
        ray.init(
            address=address or "local",  # without it Ray joins whatever cluster was started last on this machine
            include_dashboard=None if address else False,
            runtime_env={"env_vars": dict(environment)},
            **more,
        )
    except Exception as error:  # whatever is wrong with ports, addresses, versions or disks
        raise LimrError(f"Ray {where}: {_first_line(error)}. {_advice(address)}") from error
    finally:
        silence.cancel()


def _own_folder() -> str:
    """Where Ray keeps its files, on all nodes: `ray start` cannot write to the /tmp/ray of another user's."""
    return str(Path(os.environ.get("RAY_TMPDIR", "/tmp"), f"ray-{os.getuid()}"))  # TMPDIR may be of one node alone


def _wait_for_gpus(gpus: int, address: str | None, started: list[Node]) -> None:
    import ray

    # a cluster of this machine alone has all that it will have
    patience = SECONDS_FOR_NODES if started else SECONDS_TO_CONNECT if address else 0.0
    deadline = time.monotonic() + patience
    while int(ray.cluster_resources().get("GPU", 0)) < gpus:
        require_all(started)
        if time.monotonic() > deadline:
            raise LimrError(
                f"found {_gpus_there()}, expected training.nodes x training.gpus_per_node, {gpus}. "
                f"{_gpu_advice(address, [node.name for node in started])}"
            )
        time.sleep(1)


def _gpus_there() -> str:
    """How many GPUs the cluster has, and which of its machines has how many."""
    import ray

    machines = [node for node in ray.nodes() if node["Alive"]]
    gpus = [int(node["Resources"].get("GPU", 0)) for node in machines]
    listed = ", ".join(f"{node['NodeManagerHostname']}: {number}" for node, number in zip(machines, gpus, strict=True))
    return f"{sum(gpus)} GPUs in the Ray cluster ({listed})"


@contextmanager
def ended_when_a_worker_dies() -> Iterator[None]:
    """In this block, end this process when an actor of its Ray job dies.

    OpenRLHF notices a dead worker when it asks for its result. Where the others first wait for it themselves, in the
    middle of sending weights, say, it would wait with them for ever.
    """
    done = threading.Event()
    threading.Thread(target=_look_for_the_dead, args=[done], daemon=True).start()
    try:
        yield
    finally:
        done.set()  # workers end with OpenRLHF, and that is no accident


def _look_for_the_dead(done: threading.Event) -> None:
    import ray
    from ray._private.state import actors  # the public way needs the dashboard's server

    job = ray.get_runtime_context().get_job_id()
    while not done.wait(SECONDS_BETWEEN_LOOKS):
        try:
            table = actors().values()
        except Exception:  # Ray has no error of its own for it: OpenRLHF has ended, and Ray with it
            return
        dead = [actor for actor in table if actor["State"] == "DEAD" and actor["JobID"] == job]
        if dead and not done.wait(SECONDS_TO_SAY_IT):
            _give_up(f"a worker has died: {', '.join(sorted(actor['ActorClassName'] for actor in dead))}")


def _give_up(message: str) -> None:
    """End this process, whatever its other threads wait for: they may not be interrupted where they are."""
    sys.stderr.write(f"LimrError: {message}\n")
    sys.stderr.flush()
    os._exit(1)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def _advice(address: str | None) -> str:
    if address:
        return "Is a Ray head running there, of the same version? Unset RAY_ADDRESS to start Ray on this machine."
    return "Is /tmp writable (RAY_TMPDIR names another folder), and has it room?"


def _gpu_advice(address: str | None, started: list[str]) -> str:
    if address:
        return "Start Ray on the other nodes (`ray start --address ...`), or set training.nodes and gpus_per_node."
    if started:
        return f"Ray was started on the other nodes, {', '.join(started)}, too: above in this log stands what it said."
    return (
        "Run on a machine with as many (`nvidia-smi -L` lists them), set training.gpus_per_node to what there is, "
        "or join a cluster: RAY_ADDRESS=HOST:PORT."
    )
