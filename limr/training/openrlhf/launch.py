"""The process that OpenRLHF's command runs in.

``python -m limr.training.openrlhf.launch NODES GPUS_PER_NODE ARGUMENTS...``

It connects to Ray, puts the prompts in our order and rotary positions right, and runs ``openrlhf.cli.train_ppo_ray`` as
it is.
"""

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Sequence

from limr.errors import LimrError
from limr.training.openrlhf.cluster import ended_when_a_worker_dies, ray_cluster
from limr.training.openrlhf.process_tree import MARK
from limr.training.openrlhf.prompt_order import in_order
from limr.training.openrlhf.rotations import with_exact_rotations

COMMAND = "openrlhf.cli.train_ppo_ray"
PASSED_ON = ("LIMR_", "DS_", "HF_", "NCCL_", "VLLM_", "RAY_ENABLE_", "TORCH", "PYTHONPATH", "TOKENIZERS_PARALLELISM")
_DEFAULTS = {"TOKENIZERS_PARALLELISM": "true", "NCCL_DEBUG": "WARN", "RAY_ENABLE_ZERO_COPY_TORCH_TENSORS": "1"}


def main(arguments: Sequence[str]) -> None:
    """Train; the exit status is that of OpenRLHF's command. An error of ours is said in a line of stderr."""
    _end_with_the_parent()
    nodes, gpus_per_node, *line = arguments
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON) and name != MARK}
    try:
        with ray_cluster(int(nodes), int(gpus_per_node), _DEFAULTS | passed_on), ended_when_a_worker_dies():
            _train(line)
    except LimrError as error:
        sys.exit(f"LimrError: {error}")


def _train(line: Sequence[str]) -> None:
    import openrlhf.utils.deepspeed as deepspeed

    # where openrlhf.utils.get_strategy looks
    deepspeed.DeepspeedStrategy = with_exact_rotations(in_order(deepspeed.DeepspeedStrategy))
    sys.argv = [COMMAND, *line]
    runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)


def _end_with_the_parent() -> None:
    """Have Linux kill this process when the one that started it dies, so that no training is left without its watch."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    main(sys.argv[1:])
