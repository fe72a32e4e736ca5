"""Trajectories: the mean reward and accuracy of every prompt at each of its visits."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np
import polars as pl

from limr.files.contracts import check, columns, is_ascending, read_parquet


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Columns with one entry per visit, sorted by prompt and epoch; no visit occurs twice.

    ``prompt_ids`` is sorted. ``prompt`` is the visit's index in ``prompt_ids``. ``epoch`` is the 0-based index of the
    visit among the visits of its prompt. ``mean_reward`` and ``accuracy`` are means over the ``n_samples`` samples of
    the visit, NaN where they are unknown. Integers are int64, or int32 where there are millions of them.
    """

    prompt_ids: list[str]
    prompt: np.ndarray
    epoch: np.ndarray
    mean_reward: np.ndarray
    accuracy: np.ndarray
    n_samples: np.ndarray

    def __len__(self) -> int:
        """Number of visits of all prompts together."""
        return len(self.prompt)

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Trajectories":
        """From rows of contract ``trajectories``, in any order. Raises ContractError where they break the contract.

        >>> rows = {"prompt_id": ["b", "a"], "epoch": [0, 0], "mean_reward": [None, None], "n_samples": [8, 8]}
        >>> two = Trajectories.from_frame(pl.DataFrame(rows | {"accuracy": [0.5, 1.0]}))
        >>> two.prompt_ids, two.prompt.tolist(), two.accuracy.tolist(), two.mean_reward.tolist()
        (['a', 'b'], [0, 1], [1.0, 0.5], [nan, nan])
        """
        frame = check(frame, "trajectories", where="trajectories")
        if not is_ascending(frame, ["prompt_id", "epoch"]):
            frame = frame.sort("prompt_id", "epoch")
        prompt = frame["prompt_id"].rle_id().to_numpy().astype(np.int64)
        first = np.flatnonzero(np.diff(prompt, prepend=-1))
        return cls(
            frame["prompt_id"].gather(first).to_list(),
            prompt,
            frame["epoch"].to_numpy(),
            frame["mean_reward"].fill_null(np.nan).to_numpy(),
            frame["accuracy"].fill_null(np.nan).to_numpy(),
            frame["n_samples"].to_numpy(),
        )

    @classmethod
    def from_curves(
        cls,
        rewards: Mapping[str, Sequence[float | None]] | None = None,
        accuracies: Mapping[str, Sequence[float | None]] | None = None,
        n_samples: int = 8,
    ) -> "Trajectories":
        """From Python lists: prompt_id -> the value of each visit, None where there was no visit.

        Raises ContractError for an accuracy outside 0 to 1 and for a value that is not finite.

        >>> Trajectories.from_curves(rewards={"late": [-1.0, 1.0], "absent": [-1.0, None]}).mean_reward.tolist()
        [-1.0, -1.0, 1.0]
        """
        rows = [
            (prompt_id, epoch, reward, accuracy, n_samples)
            for prompt_id in rewards or accuracies or {}
            for epoch, (reward, accuracy) in enumerate(_pairs(prompt_id, rewards, accuracies))
            if not (reward is None and accuracy is None)
        ]
        return cls.from_frame(pl.DataFrame(rows, columns("trajectories"), orient="row"))

    @classmethod
    def read(cls, path: str | Path) -> "Trajectories":
        """From a Parquet file of contract ``trajectories``. Raises ContractError, naming the file."""
        return cls.from_frame(read_parquet(path, "trajectories"))

    def frame(self) -> pl.DataFrame:
        """The rows of contract ``trajectories``, sorted by prompt_id and epoch."""
        return pl.DataFrame(
            {
                "prompt_id": pl.Series(self.prompt_ids, dtype=pl.String).gather(self.prompt),
                "epoch": pl.Series(self.epoch).cast(pl.Int64),
                "mean_reward": pl.Series(self.mean_reward).fill_nan(None),
                "accuracy": pl.Series(self.accuracy).fill_nan(None),
                "n_samples": pl.Series(self.n_samples).cast(pl.Int64),
            }
        )

    def of_prompts(self, prompt_ids: Collection[str]) -> "Trajectories":
        """The trajectories of those prompts that are in ``prompt_ids``."""
        wanted = set(prompt_ids)
        keep = np.array([prompt_id in wanted for prompt_id in self.prompt_ids], dtype=bool)
        renumbered = np.cumsum(keep) - 1  # old index of a kept prompt -> its new index
        visits = keep[self.prompt]
        kept = [prompt_id for prompt_id in self.prompt_ids if prompt_id in wanted]
        return Trajectories(kept, renumbered[self.prompt[visits]], *self._columns(visits))

    def before(self, epoch: int) -> "Trajectories":
        """The visits before ``epoch``, as if the probe had stopped there. Prompts without visits stay."""
        visits = self.epoch < epoch
        return Trajectories(self.prompt_ids, self.prompt[visits], *self._columns(visits))

    def _columns(self, visits: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(column[visits] for column in (self.epoch, self.mean_reward, self.accuracy, self.n_samples))


def _pairs(
    prompt_id: str,
    rewards: Mapping[str, Sequence[float | None]] | None,
    accuracies: Mapping[str, Sequence[float | None]] | None,
) -> Iterable[tuple[float | None, float | None]]:
    return zip_longest(rewards[prompt_id] if rewards else (), accuracies[prompt_id] if accuracies else ())
