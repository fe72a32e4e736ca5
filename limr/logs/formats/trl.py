"""The completions that TRL logs: ``log_completions=True``, ``completions/completions_{step:05d}.parquet``.

Source: ``GRPOTrainer.log`` of trl/trainer/grpo_trainer.py in the repository huggingface/trl, release 1.16.0. TRL has
written such files since January 2026 (0.28). The columns are step, prompt, completion, one column for each reward
function, those that a reward function adds (``log_extra``), and advantage. Prompts and completions are text or chat
messages, as in the data set. Until at least 1.10 they were decoded text with the chat template in it.

- **TRL does not log the reward that it trains on**, only the values of the reward functions, without their weights.
  With one function, its value is the reward. With several, the user names one column or a sum
  (``accuracy + 0.5*format``). As in training, a function that gave no value (null) adds nothing to a sum.
- A file holds the batch that was generated last before it was written. With ``steps_per_generation`` or
  ``num_iterations`` above one update, several files hold the same batch, which is read once. **With ``logging_steps``
  above 1 (the default is 10) most batches are in no file**, and visits cannot be counted.
- **An evaluation overwrites the file of its step**, with completions of the evaluation, alone or mixed with some from
  training. Nothing in the file shows this. Set ``eval_strategy="no"`` to avoid it.
- A resumed run overwrites the files of the steps that it repeats. There is no gold answer.
"""

import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from limr.errors import Column, LimrError, Setting, one_line, shown
from limr.logs.format import Format, refuse_repeated
from limr.logs.json_exact import decode
from limr.logs.log import LogOptions, Part
from limr.logs.normalise import Rollouts
from limr.logs.table_parquet import batch_to_part, columns_of, numbers, reading, texts
from limr.logs.templates import response_text

if TYPE_CHECKING:
    import pyarrow

logger = logging.getLogger(__name__)

FILES = r"completions_(?P<step>\d+)\.parquet"

_COLUMNS = {"prompt": "prompt", "response": "completion", "step": "step"}
_TERM = re.compile(r"\s*(?:(?P<weight>[^*+]+)\*)?(?P<column>[^*+]+)")


def read(files: Sequence[Path], options: LogOptions, with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read files of completions in the order of their steps; see ``Format.read``.

    Raises LimrError with file and column or row, and where most steps were not logged.
    """
    if options.steps_per_epoch is None:
        _check_steps(files)
    columns = _COLUMNS | dict(options.columns)
    before = weights = None
    repeated = []
    for number, file in enumerate(files):
        with reading(file):
            table = _table(file)
            _check_columns(table, columns)
            weights = _same_weights(_weights(table, columns), weights)
            batch = table.select([columns["prompt"], columns["response"]])
            if before is not None and batch.equals(before):
                repeated.append(file)
                continue
            before = batch
            for part in _parts(table, columns, weights, with_responses):
                yield number, part
    if repeated:
        logger.info(
            "%s of %s files repeat the batch of the file before them (the first: %s): each batch is read once",
            f"{len(repeated):,}", f"{len(files):,}", repeated[0],
        )  # fmt: skip


def _check_steps(files: Sequence[Path]) -> None:
    steps = sorted({int(match["step"]) for file in files if (match := re.fullmatch(FILES, file.name))})
    stride = min((after - step for step, after in pairwise(steps)), default=1)
    if stride > 1:
        raise LimrError(
            where=files[0].parent,
            found=f"steps at least {stride} apart",
            expected="every step (logging_steps=1)",
            advice=[
                "Visits cannot be numbered if the steps between are not logged. If each batch served that many steps,"
                " or if visits are to be numbered by epochs, give the number of these files in an epoch: ",
                Setting("steps_per_epoch"),
                ".",
            ],
        )


def _table(file: Path) -> "pyarrow.Table":
    from pyarrow import parquet

    with parquet.ParquetFile(file) as stream:
        table = stream.read()
    if not len(table):
        raise LimrError(found="no rows", expected="the completions of a step")
    return table.combine_chunks()


def _check_columns(table: "pyarrow.Table", columns: Mapping[str, str]) -> None:
    refuse_repeated(table.column_names, set(table.column_names))
    for name, column in columns.items():
        if name != "reward" and column not in table.column_names:
            raise LimrError(
                f"there is no column {column!r} ({name})", found=", ".join(map(one_line, table.column_names))
            )


def _same_weights(weights: dict[str, float], of_other_files: dict[str, float] | None) -> dict[str, float]:
    """``weights``, after a check that the files before have the reward in the same columns."""
    if of_other_files is not None and weights != of_other_files:
        raise LimrError(
            found=f"the reward in column {', '.join(weights)}",
            expected=f"column {', '.join(of_other_files)}, as in the files before",
            advice="Check whether the file belongs to this run.",
        )
    return weights


def _parts(
    table: "pyarrow.Table", columns: Mapping[str, str], weights: Mapping[str, float], with_responses: bool
) -> Iterator[Part]:
    """The file's rollouts, which are mostly one batch: the reward is computed, all other columns are as logged."""
    logged = {name: column for name, column in columns.items() if name not in ("reward", "response")}
    start = 0
    for batch in table.to_batches():
        rollouts = Rollouts(**columns_of(batch, logged, with_responses), reward=_rewards(batch, weights, start))
        if with_responses:
            completions = texts(batch.column(columns["response"]))  # chat messages are JSON text here
            rollouts.response = [
                response_text(decode(value) if isinstance(value, bytes) else value) for value in completions
            ]
        yield batch_to_part(rollouts, start, columns, with_responses)
        start += len(batch)


def _weights(table: "pyarrow.Table", columns: Mapping[str, str]) -> dict[str, float]:
    """The columns that make up the reward, and the weight of each."""
    from pyarrow import types

    reward = columns.get("reward")
    if reward is None:
        others = {"advantage", *columns.values()}
        numeric = [
            field.name
            for field in table.schema
            if field.name not in others and (types.is_floating(field.type) or types.is_integer(field.type))
        ]
        if len(numeric) != 1:
            listed = ", ".join(map(one_line, numeric)) or "none"
            raise LimrError(
                found=f"{len(numeric)} columns that may be rewards ({listed})",
                expected="one",
                advice=[
                    "TRL does not log the reward that it trains on. Name the reward's column, or the sum that the run's"
                    " reward_weights make: ",
                    Column("reward", "+".join(numeric) or "accuracy+0.5*format"),
                    ".",
                ],
            )
        reward = numeric[0]
    return {reward: 1.0} if reward in table.column_names else _terms(reward, table.column_names)


def _terms(reward: str, columns: Sequence[str]) -> dict[str, float]:
    """The columns of ``accuracy + 0.5*format`` and their weights.

    >>> _terms("accuracy + 0.5*format", ["accuracy", "format"])
    {'accuracy': 1.0, 'format': 0.5}
    """
    weights: dict[str, float] = {}
    for term in reward.split("+"):
        match = _TERM.fullmatch(term)
        column = match["column"].strip() if match else ""
        try:
            weight = float(match["weight"] or 1) if match else 0.0
        except ValueError:
            column = ""
        if column not in columns:
            what = f"{term.strip()!r} is neither a column nor a number times a column"
            raise LimrError(what, where=f"reward {reward!r}", found=", ".join(map(one_line, columns)))
        weights[column] = weights.get(column, 0.0) + weight
    return weights


def _rewards(batch: "pyarrow.RecordBatch", weights: Mapping[str, float], start: int) -> np.ndarray:
    """The weighted sum of the reward columns (float64); null and NaN add nothing, but a row needs a number."""
    given = np.array([numbers(batch, column) for column in weights], dtype=np.float64)  # columns x rows
    bad = np.isinf(given).any(axis=0) | np.isnan(given).all(axis=0)
    if bad.any():
        row = int(np.argmax(bad))
        values = ", ".join(
            f"{column!r}: {shown(float(value))}" for column, value in zip(weights, given[:, row], strict=True)
        )
        raise LimrError(
            where=(f"row {start + row}", f"column {values}"),
            expected="a finite number (NaN: the reward function gave None)",
        )
    return np.nansum(given * np.array(list(weights.values()))[:, None], axis=0)


FORMAT = Format(
    name="trl",
    title="TRL, log_completions=True",
    files=FILES,
    keys=frozenset({"step", "prompt", "completion", "advantage"}),
    read=read,
)
