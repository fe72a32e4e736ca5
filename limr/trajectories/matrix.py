"""The matrix of prompts and visits: which visits count, and how a missing visit is treated."""

import logging
from dataclasses import dataclass

import numpy as np

from limr.errors import LimrError, MethodOption, Setting, one_of
from limr.trajectories.curves import Trajectories

logger = logging.getLogger(__name__)

SIGNALS = {"reward": "mean_reward", "accuracy": "accuracy"}
MISSING = ("drop", "next")

# An epoch counts when nine prompts in ten have it. Training often stops within an epoch, and then only some prompts
# have the last one. Requiring that epoch of every prompt would drop the others.
EPOCH_COVERAGE = 0.9

_MOST_CELLS = 10**8  # a matrix of 800 MB


@dataclass(frozen=True)
class VisitMatrix:
    """One curve per row: ``values[i, k]`` is visit k of ``prompt_ids[i]`` (float64), NaN where it is missing."""

    prompt_ids: list[str]
    values: np.ndarray

    def without_gaps(self, missing: str = "drop") -> tuple["VisitMatrix", dict[str, str]]:
        """The prompts that have every visit, and the visits that each dropped prompt lacks.

        The visits are written as in {"prompt": "1, 2 of 0 to 8"}.

        ``missing`` is how to treat a missing visit. ``drop`` drops the prompt. ``next`` takes the value of the next
        visit, as the paper's run did, and drops the prompt only where the next visit is missing too.

        Raises LimrError when ``missing`` is another word, and when no prompt remains.
        """
        if missing not in MISSING:
            raise LimrError(where="option missing", found=repr(missing), expected=one_of(MISSING))
        values = self.values.copy()
        if missing == "next":
            # read from self.values, so that a value is copied by one visit and no further
            values[:, :-1] = np.where(np.isnan(values[:, :-1]), self.values[:, 1:], values[:, :-1])
        gaps = np.isnan(values)
        complete = ~gaps.any(axis=1)
        dropped = {self.prompt_ids[row]: _missing_visits(gaps[row]) for row in np.flatnonzero(~complete)}
        if not complete.any():
            prompt_id, visits = next(iter(dropped.items()))
            raise LimrError(
                f"none of the {len(dropped):,} prompts has all visits from 0 to {values.shape[1] - 1}"
                f" (prompt {prompt_id} lacks visits {visits})",
                where="trajectories",
                advice="Visits are counted from 0 and without gaps. Check whether a file of rollouts is missing.",
            )
        return VisitMatrix([self.prompt_ids[row] for row in np.flatnonzero(complete)], values[complete]), dropped


def visit_matrix(trajectories: Trajectories, signal: str = "reward") -> VisitMatrix:
    """Lay ``trajectories`` out as a matrix of prompts and visits, prompts sorted by id.

    ``signal`` is ``reward`` (column mean_reward) or ``accuracy``. Two rules decide which visits count:

    - A visit with fewer samples than most visits have is partial. It counts as missing.
    - The last visit is the last one that at least nine prompts in ten have (``EPOCH_COVERAGE``). An epoch that training
      did not finish is left out, instead of the prompts that it did not reach. A visit that a prompt lacks is
      NaN if it counts.

    Raises LimrError when the signal is unknown or not recorded, or when no visit was completed by that many prompts.
    """
    values = _recorded(trajectories, signal)
    complete = trajectories.n_samples >= usual_samples(trajectories)
    n_visits = _visits_that_count(trajectories.epoch[complete], len(trajectories.prompt_ids))
    logger.info("visits 0 to %s of 0 to %s count", n_visits - 1, trajectories.epoch.max())
    used = complete & (trajectories.epoch < n_visits)
    shape = len(trajectories.prompt_ids), n_visits
    _refuse_sparse(trajectories, n_visits)
    # Trajectories are sorted and hold each visit once. With as many values as cells, every cell is filled, in order.
    if np.count_nonzero(used) == values.size == shape[0] * shape[1]:
        return VisitMatrix(trajectories.prompt_ids, values.reshape(shape).copy())
    matrix = np.full(shape, np.nan)
    matrix[trajectories.prompt[used], trajectories.epoch[used]] = values[used]
    return VisitMatrix(trajectories.prompt_ids, matrix)


def _refuse_sparse(trajectories: Trajectories, n_visits: int) -> None:
    """Raise LimrError where the matrix would be mostly empty and fill the memory: a visit's number is wrong."""
    n_prompts = len(trajectories.prompt_ids)
    if n_prompts * n_visits > max(_MOST_CELLS, 100 * len(trajectories)):
        raise LimrError(
            where="trajectories",
            found=f"visits 0 to {n_visits - 1:,}, but {len(trajectories) / n_prompts:,.0f} visits a prompt",
            expected="visits that are numbered 0, 1, 2, ...",
            advice=["If visits are counted by epochs, check ", Setting("steps_per_epoch"), "."],
        )


def usual_samples(trajectories: Trajectories) -> int:
    """The samples of a complete visit: the most common number, the larger of two equally common ones."""
    numbers, counts = _counts(trajectories.n_samples)
    return int(numbers[counts == counts.max()].max())


def known_signals(trajectories: Trajectories) -> list[str]:
    """The signals that are known for every visit, reward first."""
    return [name for name, column in SIGNALS.items() if not np.isnan(getattr(trajectories, column)).any()]


def _recorded(trajectories: Trajectories, signal: str) -> np.ndarray:
    if signal not in SIGNALS:
        raise LimrError(where="option signal", found=repr(signal), expected=one_of(SIGNALS))
    if len(trajectories) == 0:
        raise LimrError(where="trajectories", found="no visits", advice="Check whether the probe has run.")
    values = getattr(trajectories, SIGNALS[signal])
    unknown = np.isnan(values).sum()
    if unknown:
        other = next(iter(known_signals(trajectories)), None)
        advice = ["If the method can, use that signal instead: ", MethodOption("signal", other), "."]
        raise LimrError(
            f"{SIGNALS[signal]} is known for {len(values) - unknown:,} of {len(values):,} visits"
            + (f", {SIGNALS[other]} for all of them" if other else ""),
            where="trajectories",
            advice=advice if other else "",
        )
    return values


def _visits_that_count(epochs: np.ndarray, n_prompts: int) -> int:
    """The number of visits up to the last one that ``EPOCH_COVERAGE`` of the prompts have completed."""
    numbers, counts = _counts(epochs)
    shared = numbers[counts >= EPOCH_COVERAGE * n_prompts]
    if not shared.size:
        raise LimrError(
            f"no visit was completed by {EPOCH_COVERAGE:.0%} of the {n_prompts:,} prompts"
            f" (the most common one by {counts.max(initial=0):,})",
            where="trajectories",
            advice=[
                "Train the probe longer, or check for lost rollouts. If visits are counted by epochs and each epoch"
                " leaves out many prompts, leave out ",
                Setting("steps_per_epoch"),
                ".",
            ],
        )
    return int(shared.max()) + 1


def _counts(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct ``numbers`` (0 or more) and how often each occurs, without sorting where they are small."""
    if numbers.max(initial=0) > len(numbers):
        return np.unique(numbers, return_counts=True)
    counts = np.bincount(numbers)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]


def _missing_visits(gaps: np.ndarray) -> str:
    visits = np.flatnonzero(gaps)
    shown = ", ".join(str(visit) for visit in visits[:3]) + (", ..." if len(visits) > 3 else "")
    return f"{shown} of 0 to {len(gaps) - 1}"
