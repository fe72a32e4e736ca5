"""Two corrections of OpenRLHF's strategy object: prompts come in our order, and rotary positions are exact.

OpenRLHF makes one strategy (``DeepspeedStrategy``) in the command's own process and sends it to the workers. Every data
loader and every model passes through it. So subclasses of its class are enough, and OpenRLHF itself stays unmodified.
"""

from typing import Any

import torch

FREQUENCIES = ("inv_freq", "original_inv_freq")


def with_rows_in_order(strategy: type) -> type:
    """A subclass of ``strategy`` with data loaders that yield their rows in order.

    OpenRLHF 0.11.2 always shuffles its prompts, with a generator that no argument seeds. ``prepare_datasets`` asks for
    the shuffling, and ``DeepspeedStrategy.setup_dataloader`` makes the loader. Our data set already holds the prompts
    in the order of the schedule.
    """

    class RowsInOrder(strategy):  # type: ignore[misc, valid-type]
        def setup_dataloader(
            self, rows: Any, batch_size: int, pin_memory: bool = False, shuffle: bool = True, *others: Any, **named: Any
        ) -> Any:
            return super().setup_dataloader(rows, batch_size, pin_memory, False, *others, **named)

    return RowsInOrder


def with_exact_rotations(strategy: type) -> type:
    """A subclass of ``strategy`` that restores the rotary frequencies of each model before it trains.

    transformers 5.15 computes the frequencies as floating-point numbers while it makes a model. With ZeRO-3, DeepSpeed
    makes every such tensor bf16 (``zero.Init``). The frequencies are then off by up to 0.45 %, and the angle between
    tokens 1,000 positions apart by up to 2.7 radians (128 dimensions per head, base 10,000). With the same weights,
    actor, critic and reference would then differ from the policy that vLLM samples from and that is evaluated.
    This was seen to make PPO's loss jump (deepspeedai/DeepSpeed#4932, huggingface/transformers#28596).
    """

    class ExactRotations(strategy):  # type: ignore[misc, valid-type]
        def prepare(self, *models: Any) -> Any:
            for entry in models:  # a model, or a pair of a model and its training options
                restore_rotations(entry[0] if isinstance(entry, tuple) else entry)
            return super().prepare(*models)

    return ExactRotations


def restore_rotations(model: torch.nn.Module) -> None:
    """Compute the frequencies of all rotary embeddings in ``model`` again, in float32, from their configuration."""
    for module in model.modules():
        if isinstance(getattr(module, "inv_freq", None), torch.Tensor) and hasattr(module, "config"):
            exact = type(module)(module.config)
            for name in FREQUENCIES:
                if hasattr(module, name):
                    setattr(module, name, getattr(exact, name).to(getattr(module, name).device))
