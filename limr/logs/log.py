"""The log of a training run in memory: the prompt, the step and the reward of each rollout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

COLUMNS = ("prompt", "prompt_id", "step", "reward", "correct", "answer", "response")
RESTORE = "Put the whole file back or remove it."  # advice where a file is damaged


@dataclass(frozen=True)
class LogOptions:
    """Options for reading a log; all of them are optional."""

    format: str | None = None  # default: recognised by the keys of the first row
    samples: int | None = None  # samples of a visit; default: the most common number
    steps_per_epoch: int | None = None  # steps in an epoch; the visit is then the epoch, and a lost step a gap
    columns: Mapping[str, str] = field(default_factory=dict)  # one of ``COLUMNS`` -> its name in the log
    leave_out: Sequence[str] = ()  # names of files and folders that are not read; ``*`` stands for any text


@dataclass(frozen=True, eq=False)
class Prompt:
    """A prompt of a log."""

    prompt_id: str  # ``limr.prompts.prompt_id`` of the text, or the log's own id
    text: str  # the user's turn without the chat template; empty where the log has ids only
    answer: str | None  # gold answer, if the log has it


@dataclass(frozen=True, eq=False)
class Part:
    """Some rollouts of one file, in its order. The arrays and the last three lists have one entry for each rollout."""

    prompts: list[Prompt]  # distinct
    prompt: np.ndarray  # int64, row in ``prompts``
    step: np.ndarray | None  # int64, training step; None where the rows have none
    reward: np.ndarray  # float64, finite
    correct: np.ndarray  # float64: 1 or 0 (or a share of 1), NaN where unknown
    place: np.ndarray  # int64: line from 1 (JSON Lines, CSV), row from 0 (Parquet, a JSON list)
    responses: list[bytes] | None = None  # as UTF-8; this and the next two only for a conversion
    response_tokens: list[int | None] | None = None
    truncated: list[bool | None] | None = None

    def __len__(self) -> int:
        """Number of rollouts."""
        return len(self.prompt)


@dataclass(frozen=True, eq=False)
class Log:
    """A whole run, its files in time order; the arrays have one entry for each rollout.

    ``prompt`` is the row in ``prompts`` (distinct, sorted by id) and ``file`` the row in ``files``. The other arrays
    are those of ``Part``. ``left_out`` gives the reason for every file that was not read (file -> reason);
    ``on_purpose`` lists those of them that hold rollouts, or that the user has named.
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
    on_purpose: Sequence[str] = ()

    def __len__(self) -> int:
        """Number of rollouts."""
        return len(self.prompt)
