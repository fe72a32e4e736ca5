"""The log of somebody's training run in memory: which prompt each rollout was of, at which step, and what it earned."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

COLUMNS = ("prompt", "prompt_id", "step", "reward", "correct", "answer", "response")


@dataclass(frozen=True)
class LogOptions:
    """What a person can say about a log; all of it optional."""

    format: str | None = None  # else recognised by the keys of the first row
    samples: int | None = None  # of a visit; else the most common number
    steps_per_epoch: int | None = None  # a visit is then step // this, so that a lost step stays a hole
    columns: Mapping[str, str] = field(default_factory=dict)  # one of ``COLUMNS`` -> what the log calls it


@dataclass(frozen=True, eq=False)
class Prompt:
    """A prompt as a log has it."""

    prompt_id: str  # ``limr.prompts.prompt_id`` of the text, or the log's own id
    text: str  # the user's turn without the chat template around it; empty where the log has ids alone
    answer: str | None  # gold answer, where the log has it


@dataclass(frozen=True, eq=False)
class Part:
    """Some rollouts of one file, in the order they stand there; arrays and the last three lists have one length."""

    prompts: list[Prompt]  # distinct
    prompt: np.ndarray  # int64, row in ``prompts``
    step: np.ndarray | None  # int64, training step; None where the rows have none
    reward: np.ndarray  # float64, finite
    correct: np.ndarray  # float64: 1 or 0 (or a share of 1), NaN where the log does not say
    place: np.ndarray  # int64: line from 1 (JSON Lines, CSV), row from 0 (Parquet, a JSON list)
    responses: list[str] | None = None  # this and the next two only where they were asked for
    response_tokens: list[int | None] | None = None
    truncated: list[bool | None] | None = None

    def __len__(self) -> int:
        """Number of rollouts."""
        return len(self.prompt)


@dataclass(frozen=True, eq=False)
class Log:
    """A whole run, its files in time order; the arrays have one length, the rollouts.

    ``prompt`` is the row in ``prompts`` (distinct, sorted by id), ``file`` the row in ``files``; the others as in
    ``Part``. ``left_out`` says of every file that was seen and not read why (file -> reason).
    """

    format: str
    files: list[str]
    left_out: dict[str, str]
    prompts: list[Prompt]
    prompt: np.ndarray
    step: np.ndarray | None
    reward: np.ndarray
    correct: np.ndarray
    place: np.ndarray
    file: np.ndarray  # int32

    def __len__(self) -> int:
        """Number of rollouts."""
        return len(self.prompt)
