"""The process that OpenRLHF's command runs in: ``python -m limr.openrlhf.launch GPUS ARGUMENTS...``.

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
from limr.openrlhf.cluster import connect, end_when_a_worker_dies
from limr.openrlhf.order import in_order
from limr.openrlhf.rotations import with_exact_rotations

COMMAND = "openrlhf.cli.train_ppo_ray"
PASSED_ON = ("LIMR_", "DS_", "HF_", "NCCL_", "VLLM_", "RAY_ENABLE_", "TORCH", "PYTHONPATH", "TOKENIZERS_PARALLELISM")
_DEFAULTS = {"TOKENIZERS_PARALLELISM": "true", "NCCL_DEBUG": "WARN", "RAY_ENABLE_ZERO_COPY_TORCH_TENSORS": "1"}


def main(arguments: Sequence[str]) -> None:
    """Train; the exit status is that of OpenRLHF's command. An error of ours is said in a line of stderr."""
    _end_with_the_parent()
    gpus, *line = arguments
    passed_on = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
    try:
        connect(int(gpus), _DEFAULTS | passed_on)
    except LimrError as error:
        sys.exit(f"LimrError: {error}")
    end_when_a_worker_dies()
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
