"""Which prompts each training step meets: an endless stream of shuffled passes over the training set."""

import torch


def step_prompts(prompts: int, per_step: int, step: int, seed: int) -> tuple[list[int], list[int]]:
    """Indices of the prompts of training step ``step``, and the visit (pass over the data) each of them belongs to.

    Passes follow one another without a gap, so a step may end one pass and begin the next; no prompt is left out
    because the number of prompts is not a multiple of ``per_step``. Any step can be computed alone.
    """
    indices, visits = [], []
    for position in range(step * per_step, (step + 1) * per_step):
        visit, offset = divmod(position, prompts)
        if not visits or visits[-1] != visit:
            order = torch.randperm(prompts, generator=torch.Generator().manual_seed(_mix(seed, visit))).tolist()
        indices.append(order[offset])
        visits.append(visit)
    return indices, visits


def _mix(seed: int, visit: int) -> int:
    return seed * 1_000_003 + visit


def step_uniforms(rows: int, length: int, step: int, seed: int) -> torch.Tensor:
    """The random numbers (rows, length) in [0, 1) that drive the sampling of training step ``step``."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step + 500_000)
    return torch.rand(rows, length, generator=generator)
