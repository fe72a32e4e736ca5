"""Logs of regular runs, and the curves of a log."""

from small_logs import Row, group

from limr.logs.log import Log
from limr.logs.visits import number_visits, trajectories_of_log


def curves(log: Log, **options) -> dict[str, list[float | None]]:
    """prompt -> mean reward of each visit, None for a missing visit."""
    trajectories = trajectories_of_log(log, number_visits(log, **options))
    found: dict[str, list[float | None]] = {name: [] for name in trajectories.prompt_ids}
    for row, epoch, reward in zip(trajectories.prompt, trajectories.epoch, trajectories.mean_reward, strict=True):
        curve = found[trajectories.prompt_ids[row]]
        curve += [None] * (epoch - len(curve)) + [reward]
    return found


def regular(
    epochs: int = 3, prompts: str = "abcd", a_step: int = 2, samples: int = 2, first: int = 0
) -> list[list[Row]]:
    """The steps of a run that meets each prompt once an epoch, ``a_step`` prompts a step, from step ``first`` on.

    The number of samples with reward 1 depends on the prompt and the epoch; the others have reward 0.
    """
    steps = []
    for epoch in range(epochs):
        for start in range(0, len(prompts), a_step):
            step = first + len(steps)
            rows = [
                row
                for name in prompts[start : start + a_step]
                for row in group(
                    name, step, *[float(sample < (ord(name) + epoch) % (samples + 1)) for sample in range(samples)]
                )
            ]
            steps.append(rows)
    return steps


def flat(steps: list[list[Row]]) -> list[Row]:
    """All rows of ``steps``, as in one file."""
    return [row for rows in steps for row in rows]
