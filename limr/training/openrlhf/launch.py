"""The process in which OpenRLHF's command runs.

``python -P -m limr.training.openrlhf.launch NODES GPUS_PER_NODE ARGUMENTS...``

It connects to Ray, corrects OpenRLHF's strategy (see ``strategy``) and runs the unmodified
``openrlhf.cli.train_ppo_ray``.
"""

import ctypes
import os
import runpy
import signal
import sys
from collections.abc import Sequence

from limr.errors import LimrError
from limr.training.openrlhf.cluster import ended_when_a_worker_dies, ray_cluster
from limr.training.openrlhf.strategy import with_exact_rotations, with_rows_in_order
from limr.training.openrlhf.supervisor import MARK

COMMAND = "openrlhf.cli.train_ppo_ray"
# prefixes of the environment variables that Ray's workers get, and the defaults of some of these variables
PASSED_ON = ("LIMR_", "DS_", "HF_", "NCCL_", "VLLM_", "RAY_ENABLE_", "TORCH", "PYTHONPATH", "TOKENIZERS_PARALLELISM")
_DEFAULTS = {"TOKENIZERS_PARALLELISM": "true", "NCCL_DEBUG": "WARN", "RAY_ENABLE_ZERO_COPY_TORCH_TENSORS": "1"}


def main(arguments: Sequence[str]) -> None:
    """Train. The exit status is that of OpenRLHF's command; a LimrError becomes one line of stderr."""
    end_with_the_parent()
    nodes, gpus_per_node, *line = arguments
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON) and name != MARK}
    try:
        with ray_cluster(int(nodes), int(gpus_per_node), _DEFAULTS | passed_on), ended_when_a_worker_dies():
            _train(line)
    except LimrError as error:
        sys.exit(f"LimrError: {error}")


def _train(line: Sequence[str]) -> None:
    import openrlhf.utils.deepspeed as deepspeed

    # openrlhf.utils.get_strategy takes the class from this module
    deepspeed.DeepspeedStrategy = with_exact_rotations(with_rows_in_order(deepspeed.DeepspeedStrategy))
    sys.argv = [COMMAND, *line]
    runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)


def end_with_the_parent() -> None:
    """Let Linux kill this process when its parent dies, so that no training runs without its supervisor."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    main(sys.argv[1:])
