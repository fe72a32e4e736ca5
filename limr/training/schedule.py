"""The prompts and the random numbers of each training step. Any step can be computed alone.

All random numbers are derived from (seed, purpose, step or visit). So a resumed run repeats exactly what the
interrupted run would have done, and both engines visit the prompts in the same order.
"""

import torch

_PASSES, _ROLLOUTS, _MINI_BATCHES = range(3)  # purposes: each one has separate random numbers


def step_prompts(prompts: int, per_step: int, step: int, seed: int) -> tuple[list[int], list[int]]:
    """Indices of the ``per_step`` prompts of training step ``step``, and the visit of each.

    ``prompts`` is the number of prompts. A visit is a shuffled pass over all of them, counted from 0. Passes follow one
    another without a gap: a step may end one pass and begin the next, and no prompt is dropped when ``prompts`` is not
    a multiple of ``per_step``.

    >>> [step_prompts(prompts=3, per_step=2, step=step, seed=0)[1] for step in range(3)]
    [[0, 0], [0, 1], [1, 1]]
    """
    indices, visits = [], []
    for position in range(step * per_step, (step + 1) * per_step):  # in the endless sequence of all passes
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


def checkpoint_uniforms(rows: int, length: int, step: int, seed: int) -> torch.Tensor:
    """The random numbers (rows, length) in [0, 1) for samples from the checkpoint after ``step`` training steps.

    Training never draws them: its generators have seeds of 0 or more, these have negative ones.
    """
    generator = torch.Generator().manual_seed(-1 - (seed * 1_000_000 + step))
    return torch.rand(rows, length, generator=generator)


def _generator(seed: int, purpose: int, index: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 3 + purpose) * 1_000_000 + index)
