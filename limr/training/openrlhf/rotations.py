"""The frequencies of rotary positions, as exact in training as in vLLM and in evaluation.

transformers 5.15 computes them as floating-point numbers while a model is made, and with ZeRO-3 DeepSpeed makes every
such tensor bf16 meanwhile (``zero.Init``). They are then off by up to 0.45 %, and the angle between tokens that stand
1,000 apart by up to 2.7 radians (128 dimensions a head, base 10,000): actor, critic and reference would be other
functions of their weights than the policy that vLLM samples from and that is evaluated. PPO's loss was seen to leap for
it (deepspeedai/DeepSpeed#4932, huggingface/transformers#28596).

The strategy is an object that is made once and sent to the workers (see ``order``), and every model passes through its
``prepare``: a class of ours that puts the frequencies right there is all that it takes.
"""

from typing import Any

import torch

FREQUENCIES = ("inv_freq", "original_inv_freq")


def with_exact_rotations(strategy: type) -> type:
    """A child of the class ``strategy`` that prepares models with their frequencies put right."""

    class ExactRotations(strategy):  # type: ignore[misc, valid-type]
        def prepare(self, *models: Any) -> Any:
            for entry in models:  # a model, or one and how it is trained
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
