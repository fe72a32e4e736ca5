"""Resources that a job on GPUs requests from this machine or a cluster, computed from the configuration.

On this machine, a stage on GPUs takes as many as its engine uses (``gpu_slot``). On a cluster the same rule requests
nodes and GPUs per node (``nodes``, ``gres``), which snakemake-executor-plugin-slurm passes on to SLURM.
"""

from collections.abc import Mapping
from typing import Any

# A site with other nodes overrides these in its own file (docs/slurm.md).
CPUS_PER_GPU = 8
MEMORY_PER_GPU = 96_000  # MB; for 8 GPUs this is 768 GB, enough for 7B parameters with an optimiser on the host
TRAINING_MINUTES = 24 * 60  # many clusters have this limit; a longer run resumes from its checkpoint
EVALUATION_MINUTES = 8 * 60


def training_resources(training: Mapping[str, Any]) -> dict[str, int | str]:
    """Resources of a run with section ``training`` of the configuration; none if its engine needs no GPU."""
    if training["engine"] != "openrlhf":
        return {}
    return gpu_resources(training["gpus_per_node"], training["nodes"]) | {"runtime": TRAINING_MINUTES}


def evaluation_resources(evaluation: Mapping[str, Any]) -> dict[str, int | str]:
    """Resources of an evaluation with section ``evaluation`` of the configuration; none if its engine needs no GPU."""
    if evaluation["engine"] != "vllm":
        return {}
    gpus = evaluation["data_parallel_size"] * evaluation["tensor_parallel_size"]
    return gpu_resources(gpus) | {"runtime": EVALUATION_MINUTES}


def preflight_resources(configuration: Mapping[str, Any]) -> dict[str, int | str]:
    """Resources of the preflight check: the largest node that a stage of ``configuration`` requests."""
    stages = [training_resources(configuration["training"]), evaluation_resources(configuration["evaluation"])]
    return gpu_resources(max(int(resources.get("gpu_slot", 0)) for resources in stages))


def gpu_resources(gpus: int, nodes: int = 1) -> dict[str, int | str]:
    """Resources of a job on ``nodes`` nodes with ``gpus`` GPUs each; memory and processors are those of a node.

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
    if nodes > 1:  # one task per node; with `mpi`, the plugin leaves it to the stage to start processes on other nodes
        resources |= {"mpi": "srun", "tasks": nodes, "tasks_per_gpu": 0}
    return resources
