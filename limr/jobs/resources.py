"""What a job on GPUs asks of the machine or the cluster that runs it, from the configuration's own numbers.

A stage that runs on GPUs takes as many of this machine's as its engine uses (``gpu_slot``). On a cluster the same rule
asks for nodes and for GPUs on each (``nodes``, ``gres``), which is what snakemake-executor-plugin-slurm passes on.
"""

from collections.abc import Mapping
from typing import Any

# what a site changes in its own file where its nodes are others (docs/slurm.md)
CPUS_PER_GPU = 8
MEMORY_PER_GPU = 96_000  # MB; eight are the 768 GB that 7B parameters with an optimiser on the host fit in
TRAINING_MINUTES = 24 * 60  # a limit that many clusters have; what takes longer goes on from its checkpoint
EVALUATION_MINUTES = 8 * 60


def training_resources(training: Mapping[str, Any]) -> dict[str, int | str]:
    """Resources of a training run with section ``training`` of the configuration; none where it needs no GPU."""
    if training["engine"] != "openrlhf":
        return {}
    return gpu_resources(training["gpus_per_node"], training["nodes"]) | {"runtime": TRAINING_MINUTES}


def evaluation_resources(evaluation: Mapping[str, Any]) -> dict[str, int | str]:
    """Resources of an evaluation with section ``evaluation`` of the configuration; none where it needs no GPU."""
    if evaluation["engine"] != "vllm":
        return {}
    gpus = evaluation["data_parallel_size"] * evaluation["tensor_parallel_size"]
    return gpu_resources(gpus) | {"runtime": EVALUATION_MINUTES}


def preflight_resources(configuration: Mapping[str, Any]) -> dict[str, int | str]:
    """Resources of the look at a machine before anything runs on it: one of those that the stages will run on."""
    wanted = [training_resources(configuration["training"]), evaluation_resources(configuration["evaluation"])]
    return gpu_resources(max(int(resources.get("gpu_slot", 0)) for resources in wanted))


def gpu_resources(gpus: int, nodes: int = 1) -> dict[str, int | str]:
    """Resources of a job on ``gpus`` GPUs of each of ``nodes`` nodes; memory and processors are those of a node.

    >>> gpu_resources(4)["gres"], "mpi" in gpu_resources(4), gpu_resources(4, nodes=2)["tasks"]
    ('gpu:4', False, 2)
    """
    resources: dict[str, int | str] = {
        "gpu_slot": gpus,
        "nodes": nodes,
        "gres": f"gpu:{gpus}",
        "cpus_per_task": CPUS_PER_GPU * gpus,
        "mem_mb": MEMORY_PER_GPU * gpus,
    }
    if nodes > 1:  # one task a node; `mpi` leaves it to the stage to start processes on the others
        resources |= {"mpi": "srun", "tasks": nodes, "tasks_per_gpu": 0}
    return resources
