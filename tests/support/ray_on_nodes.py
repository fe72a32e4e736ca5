"""The first step of a training job alone: start Ray on all nodes. Prints the GPUs of each bundle as JSON.

``python ray_on_nodes.py NODES GPUS_PER_NODE SECONDS HOLD`` waits SECONDS for GPUs, and HOLD seconds at the end.
"""

import json
import os
import sys
import time

from limr.errors import LimrError
from limr.training.openrlhf import cluster
from limr.training.openrlhf.supervisor import MARK


def main(nodes: int, gpus_per_node: int, seconds: float, hold: float) -> None:
    cluster.SECONDS_FOR_NODES = seconds
    os.environ[MARK] = "ray-on-nodes"
    try:
        with cluster.ray_cluster(nodes, gpus_per_node, {}):
            print(json.dumps(bundles(nodes * gpus_per_node)), flush=True)
            time.sleep(hold)
    except LimrError as error:
        sys.exit(f"LimrError: {error}")


def bundles(number: int) -> list[tuple[str, list[str]]]:
    """The node and GPUs that a task sees in each of ``number`` bundles of one GPU, all held at once."""
    import ray
    from ray.util.placement_group import placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    group = placement_group([{"GPU": 1, "CPU": 1}] * number, strategy="PACK")
    ray.get(group.ready())

    @ray.remote(num_gpus=1, num_cpus=1)
    class Bundle:
        def sees(self) -> tuple[str, list[str]]:
            context = ray.get_runtime_context()
            return context.get_node_id(), context.get_accelerator_ids()["GPU"]

    actors = [
        Bundle.options(scheduling_strategy=PlacementGroupSchedulingStrategy(group, index)).remote()
        for index in range(number)
    ]
    return ray.get([actor.sees.remote() for actor in actors])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))
