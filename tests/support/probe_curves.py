"""Random curves of a probe, and the overlap of two selections in plain Python."""

import numpy as np

from limr.trajectories import Trajectories


def curves(n_prompts: int, n_visits: int, seed: int = 0, samples: int = 8) -> dict[str, list[float | None]]:
    """Mean rewards of prompts that learn at different times, with the noise of a few samples per visit."""
    generator = np.random.default_rng(seed)
    middle = generator.normal(n_visits / 2, n_visits, n_prompts)
    chance = 1 / (1 + np.exp(-(np.arange(n_visits) - middle[:, np.newaxis]) / 3))
    rewards = 2 * generator.binomial(samples, chance) / samples - 1
    return {f"p{row:04}": values for row, values in enumerate(rewards.tolist())}


def with_gaps(n_prompts: int, n_visits: int) -> Trajectories:
    """The same curves, but one prompt in ten lacks a visit, and one of these lacks its last visit."""
    rewards = curves(n_prompts, n_visits)
    for number, prompt_id in enumerate(sorted(rewards)[::10]):
        rewards[prompt_id][-1 - number % n_visits] = None
    return Trajectories.from_curves(rewards=rewards)


def plain_overlap(early: dict[str, float], full: dict[str, float], number: int) -> float:
    """The share of the best ``number`` that two scores have in common; prompts that tie at the cut share the places."""

    def members(scores):
        cut = sorted(scores.values(), reverse=True)[number - 1]
        above, tied = ([name for name in scores if test(scores[name])] for test in (cut.__lt__, cut.__eq__))
        return dict.fromkeys(above, 1.0) | dict.fromkeys(tied, (number - len(above)) / len(tied))

    first, second = members(early), members(full)
    return sum(min(first.get(name, 0), second.get(name, 0)) for name in {*first, *second}) / number
