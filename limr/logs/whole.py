"""Joins the parts of all files into one log in memory, with each prompt once."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from limr.errors import LimrError, counted
from limr.logs.leaving_out import leave_out
from limr.logs.log import Log, LogOptions, Part, Prompt
from limr.logs.recognise import Found, recognise

logger = logging.getLogger(__name__)

MOST_KINDS_OF_REWARD = 3  # a rule has correct, wrong and malformed; a reward model gives many more values


def read_log(path: str | Path, options: LogOptions | None = None) -> Log:
    """Read the log of a run: ``path`` is one file, or a folder that is searched with all folders below it.

    Raises LimrError with file, line or row, and key for an invalid value, and with two files where a folder holds two
    formats.
    """
    options = options or LogOptions()
    return read_found(recognise(Path(path), options), options)


def read_found(found: Found, options: LogOptions) -> Log:
    """Read all files of a log."""
    columns = _Columns()
    for number, part in parts(found, options, with_responses=False):
        columns.add(number, part, found.steps[number])
    log = columns.log(found)
    logger.info(
        "%s: %s files, %s rollouts of %s prompts",
        found.format.title, f"{len(log.files):,}", f"{len(log):,}", f"{len(log.prompts):,}",
    )  # fmt: skip
    return log


def parts(found: Found, options: LogOptions, with_responses: bool) -> Iterator[tuple[int, Part]]:
    """The parts of the log, each with the index of its file; a terminal shows how many files have been read."""
    with tqdm(total=len(found.files), unit="file", desc=found.format.name, disable=None) as bar:
        for number, part in found.format.read(found.files, options, with_responses):
            bar.update(number - bar.n)
            yield number, part
        bar.update(len(found.files) - bar.n)


@dataclass
class _Columns:
    """The columns of the parts that have been read so far."""

    row_of: dict[str, int] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)
    columns: dict[str, list[np.ndarray]] = field(default_factory=dict)
    without_step: int = -1  # the last file with an unknown step

    def add(self, file: int, part: Part, step_in_name: int | None) -> None:
        """Append a part of file number ``file``; it is empty if all of its rollouts failed."""
        if not len(part):
            return
        step = part.step
        if step is None and step_in_name is not None:
            step = np.full(len(part), step_in_name, dtype=np.int64)
        new = {
            "prompt": self._rows(part.prompts)[part.prompt],
            "reward": part.reward,
            "correct": part.correct,
            "place": part.place,
            "file": np.full(len(part), file, dtype=np.int32),
        }
        if step is None:
            self.without_step = file
        else:
            new["step"] = step
        for name, column in new.items():
            self.columns.setdefault(name, []).append(column)

    def log(self, found: Found) -> Log:
        """All parts joined."""
        files = [str(file) for file in found.files]
        if not self.columns:
            raise LimrError(
                where=files[0],
                found=f"no rollouts in {counted(len(files), 'file')} of {found.format.title}",
                advice="Every rollout may have failed. Look for the reason in the log messages of the run.",
            )
        if "step" in self.columns and len(self.columns["step"]) != len(self.columns["prompt"]):
            file = found.files[self.without_step]
            raise LimrError(
                "neither its rows nor its name have the step",
                where=file,
                expected="the step, which other files of this log have",
                advice=leave_out(file, file.parent),
            )
        joined = {name: self._joined(name) for name in list(self.columns)}
        order = sorted(range(len(self.prompts)), key=lambda row: self.prompts[row].prompt_id)
        sorted_row = np.empty(len(order), dtype=np.int64)
        sorted_row[order] = np.arange(len(order))
        joined["prompt"] = sorted_row[joined["prompt"]]
        joined["correct"] = _correct(joined["correct"], joined["reward"])
        prompts = [self.prompts[row] for row in order]
        joined = {"step": None} | joined
        return Log(found.format.name, files, found.left_out, prompts, **joined, on_purpose=found.on_purpose)

    def _joined(self, name: str) -> np.ndarray:
        """A column of all parts; the memory of the parts is freed."""
        return np.concatenate(self.columns.pop(name))

    def _rows(self, prompts: list[Prompt]) -> np.ndarray:
        """The row of each prompt in the log's prompts. If a prompt has several answers, the first one is kept."""
        rows = []
        for prompt in prompts:
            rows.append(self.row_of.setdefault(prompt.prompt_id, len(self.prompts)))
            if rows[-1] == len(self.prompts):
                self.prompts.append(prompt)
        return np.array(rows, dtype=np.int64)


def _correct(correct: np.ndarray, reward: np.ndarray) -> np.ndarray:
    """The logged correctness if it is a share of 1. Otherwise reward 1 is correct, if a rule gives the rewards.

    A rule that gives 1 for a correct response has 1 as its highest reward, and few other values. With a reward
    model, the correctness is unknown (NaN).
    """
    known = correct[~np.isnan(correct)]
    if known.size and known.min() >= 0 and known.max() <= 1:
        return correct
    if known.size:
        logger.warning("correctness is logged as %s to %s, not a share of 1: not used", known.min(), known.max())
    if reward.size and reward.max() == 1 and _few_kinds(reward):
        return (reward == 1).astype(np.float64)
    return np.full(len(reward), np.nan)


def _few_kinds(reward: np.ndarray) -> bool:
    """Whether at most ``MOST_KINDS_OF_REWARD`` values occur; sorting 100 million rewards would take seconds."""
    for _ in range(MOST_KINDS_OF_REWARD):
        reward = reward[reward != reward[0]]
        if not reward.size:
            return True
    return False
