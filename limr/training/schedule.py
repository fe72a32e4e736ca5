"""Which prompts each training step meets, and its random numbers: any step can be computed alone."""

import torch

_PASSES, _ROLLOUTS, _MINI_BATCHES = range(3)


def step_prompts(prompts: int, per_step: int, step: int, seed: int) -> tuple[list[int], list[int]]:
    """Indices of the prompts of training step ``step``, and the visit (pass over the data) each of them belongs to.

    Passes are shuffled and follow one another without a gap, so a step may end one and begin the next; no prompt is
    left out because the number of prompts is not a multiple of ``per_step``.
    """
    indices, visits = [], []
    for position in range(step * per_step, (step + 1) * per_step):
        visit, offset = divmod(position, prompts)
        if not visits or visits[-1] != visit:
            order = torch.randperm(prompts, generator=_generator(seed, _PASSES, visit)).tolist()
        indices.append(order[offset])
        visits.append(visit)
    return indices, visits


def step_uniforms(rows: int, length: int, step: int, seed: int) -> torch.Tensor:
    """The random numbers (rows, length) in [0, 1) that drive the sampling of training step ``step``."""
    return torch.rand(rows, length, generator=_generator(seed, _ROLLOUTS, step))


def step_generator(step: int, seed: int) -> torch.Generator:
    """The generator that shuffles the mini-batches of training step ``step``."""
    return _generator(seed, _MINI_BATCHES, step)


def _generator(seed: int, purpose: int, index: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 3 + purpose) * 1_000_000 + index)
