"""One process of supervised fine-tuning: it corrects OpenRLHF's strategy object and runs ``openrlhf.cli.train_sft``."""

import runpy
import sys
from collections.abc import Sequence

from limr.training.openrlhf.launch import end_with_the_parent
from limr.training.openrlhf.strategy import with_exact_rotations

COMMAND = "openrlhf.cli.train_sft"


def main(line: Sequence[str]) -> None:
    """Train. The exit status is that of OpenRLHF's command."""
    import openrlhf.utils.deepspeed as deepspeed

    end_with_the_parent()
    # openrlhf.utils.get_strategy takes the class from this module
    deepspeed.DeepspeedStrategy = with_exact_rotations(deepspeed.DeepspeedStrategy)
    sys.argv = [COMMAND, *line]
    runpy.run_module(COMMAND, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
