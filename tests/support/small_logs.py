"""Logs of training runs in memory, from short lists of rows."""

from collections.abc import Sequence

import numpy as np

from limr.logs.log import Log, Prompt

Row = tuple[str, int | None, float]  # prompt, step, reward


def log_of(*files: Sequence[Row], correct: bool = True) -> Log:
    """A log of one or more files, with the rows in the given order. A reward of 1 is correct, if ``correct``."""
    rows = [(row, file, place) for file, of_file in enumerate(files) for place, row in enumerate(of_file, start=1)]
    names = sorted({row[0] for row, _, _ in rows})
    reward = np.array([row[2] for row, _, _ in rows], dtype=np.float64)
    steps = [row[1] for row, _, _ in rows]
    return Log(
        format="a test",
        files=[f"log/{number}.jsonl" for number in range(len(files))],
        left_out={},
        prompts=[Prompt(name, f"What is {name}?", None) for name in names],
        prompt=np.array([names.index(row[0]) for row, _, _ in rows], dtype=np.int64),
        step=None if not steps or steps[0] is None else np.array(steps, dtype=np.int64),
        reward=reward,
        correct=(reward == 1).astype(np.float64) if correct else np.full(len(rows), np.nan),
        place=np.array([place for _, _, place in rows], dtype=np.int64),
        file=np.array([file for _, file, _ in rows], dtype=np.int32),
    )


def group(prompt: str, step: int | None, *rewards: float) -> list[Row]:
    """The rollouts of a prompt at one step."""
    return [(prompt, step, reward) for reward in rewards]
