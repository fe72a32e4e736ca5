"""The completions that TRL logs: ``log_completions=True``, ``completions/completions_{step:05d}.parquet``.

Source: ``GRPOTrainer.log`` of trl/trainer/grpo_trainer.py in the repository huggingface/trl, release 1.16.0; such files
are written since January 2026 (0.28). The columns are step, prompt, completion, one of each reward function, what a
reward function logged besides (``log_extra``), advantage. Prompts and completions are text or chat messages, as in the
data set; until 1.10 at least they were decoded text, the chat template in it.

- **The reward that was trained on is not logged**, only what the functions gave, and not their weights. Of one function
  that is the reward; of several the person says which one, or which sum (``accuracy + 0.5*format``). To a sum, as in
  training, a function adds nothing where it gave nothing (null).
- A file holds the batch that was generated last when it is written. With ``steps_per_generation`` or
  ``num_iterations`` above one update, several hold the same; it is read once. **With ``logging_steps`` above 1 (its
  default is 10) most batches are in none**, and visits cannot be counted.
- **An evaluation overwrites the file of its step**, with its own completions, or with these and some of training's,
  and nothing in the file says so: to be avoided by ``eval_strategy="no"``.
- A resumed run overwrites the files of the steps that it does again. There is no gold answer.
"""

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from limr.errors import LimrError
from limr.logs.format import Format
from limr.logs.log import LogOptions, Part, Prompt
from limr.logs.templates import prompt_text
from limr.prompts import prompt_id

if TYPE_CHECKING:
    import pyarrow

logger = logging.getLogger(__name__)

FILES = r"completions_(?P<step>\d+)\.parquet"

_COLUMNS = {"prompt": "prompt", "response": "completion", "step": "step"}
_NO_REWARDS = ("step", "advantage")
_TERM = re.compile(r"\s*(?:(?P<weight>[^*+]+)\*)?(?P<column>[^*+]+)")


def read(files: Sequence[Path], options: LogOptions, with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read files of completions in the order of their steps; see ``Format.read``.

    Raises LimrError naming file and column, or row, for what does not fit, and where most steps were not logged.
    """
    if options.steps_per_epoch is None:
        _check_steps(files)
    before = None
    repeated = []
    for number, file in enumerate(files):
        table = _table(file)
        names = _COLUMNS | dict(options.columns)
        _check_columns(table, names, file)
        batch = table.select([names["prompt"], names["response"]])
        if before is not None and batch.equals(before):
            repeated.append(file)
            continue
        before = batch
        yield number, _part(table, file, names, with_responses)
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
            f"{files[0].parent}: found no two steps closer than {stride}, expected every step (logging_steps=1):"
            " without the visits between, those that were logged cannot be numbered. If a batch served that many steps,"
            " or to number visits by epochs, say how many of these files an epoch has (steps per epoch)"
        )


def _table(file: Path) -> "pyarrow.Table":
    import pyarrow
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(file) as stream:
            table = stream.read()
    except (pyarrow.ArrowException, OSError) as error:
        raise LimrError(f"{file}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    if not len(table):
        raise LimrError(f"{file}: has no rows; expected the completions of a step")
    return table


def _check_columns(table: "pyarrow.Table", names: Mapping[str, str], file: Path) -> None:
    for name, column in names.items():
        if name != "reward" and column not in table.column_names:
            raise LimrError(f"{file}: no column {column!r} ({name}); found {', '.join(table.column_names)}")


def _part(table: "pyarrow.Table", file: Path, names: Mapping[str, str], with_responses: bool) -> Part:
    prompts, rows = _prompts(table, file, names)
    unknown = [None] * len(table) if with_responses else None
    return Part(
        prompts=prompts,
        prompt=rows,
        step=_numbers(table, names["step"], file).astype(np.int64),
        reward=_rewards(table, file, names.get("reward")),
        correct=_numbers(table, names["correct"], file) if "correct" in names else np.full(len(table), np.nan),
        place=np.arange(len(table)),
        responses=list(map(_said, _values(table, names["response"], file))) if with_responses else None,
        response_tokens=unknown,
        truncated=unknown,
    )


def _prompts(table: "pyarrow.Table", file: Path, names: Mapping[str, str]) -> tuple[list[Prompt], np.ndarray]:
    """Distinct prompts, and the row among them of each completion."""
    columns = [_values(table, names[name], file) if name in names else None for name in ("prompt", "prompt_id")]
    answers = _values(table, names["answer"], file) if "answer" in names else None
    found: dict[str, Prompt] = {}
    name_of: dict[str, str] = {}  # of a prompt as it stands in the file
    names_of_rows = []
    for row in range(len(table)):
        logged = [None if column is None else column[row] for column in columns]
        key = json.dumps(logged, default=str)
        if key not in name_of:
            text = _text(logged[0], f"{file}: row {row}: column {names['prompt']!r}")
            name_of[key] = prompt_id(text) if columns[1] is None else str(logged[1])
            answer = None if answers is None or answers[row] is None else str(answers[row])
            found.setdefault(name_of[key], Prompt(name_of[key], text, answer))
        names_of_rows.append(name_of[key])
    place = {name: number for number, name in enumerate(found)}
    return list(found.values()), np.array([place[name] for name in names_of_rows], dtype=np.int64)


def _text(prompt: Any, where: str) -> str:
    try:
        text = prompt_text(prompt)
        text.encode("utf-8")
    except ValueError as error:
        raise LimrError(f"{where}: found {ascii(prompt)[:60]}, expected {error}") from error
    return text


def _rewards(table: "pyarrow.Table", file: Path, wanted: str | None) -> np.ndarray:
    """The reward of each completion: a column, or the weighted sum of several."""
    import pyarrow

    if wanted is None:
        numeric = [
            field.name
            for field in table.schema
            if field.name not in _NO_REWARDS
            and (pyarrow.types.is_floating(field.type) or pyarrow.types.is_integer(field.type))
        ]
        if len(numeric) != 1:
            raise LimrError(
                f"{file}: found {len(numeric)} columns that may be rewards ({', '.join(numeric) or 'none'}), expected"
                " one: TRL does not log what it made of them. Name the reward's column, or a sum as the run's"
                f" reward_weights had it (--column reward={'+'.join(numeric) or 'accuracy+0.5*format'}, or"
                " `columns: {reward: ...}`)"
            )
        wanted = numeric[0]
    terms = {wanted: 1.0} if wanted in table.column_names else _terms(wanted, table, file)
    given = np.array([_numbers(table, column, file, may_be_null=True) for column in terms])
    if np.isinf(given).any() or np.isnan(given).all(axis=0).any():
        row = int(np.flatnonzero(np.isinf(given).any(axis=0) | np.isnan(given).all(axis=0))[0])
        values = ", ".join(f"{column!r}: {value}" for column, value in zip(terms, given[:, row], strict=True))
        raise LimrError(f"{file}: row {row}: column {values}, expected a finite number (NaN: the function gave None)")
    return np.nansum(given * np.array(list(terms.values()))[:, None], axis=0)


def _terms(wanted: str, table: "pyarrow.Table", file: Path) -> dict[str, float]:
    """The columns of ``accuracy + 0.5*format`` and their weights."""
    terms: dict[str, float] = {}
    for term in wanted.split("+"):
        match = _TERM.fullmatch(term)
        column = match["column"].strip() if match else ""
        try:
            weight = float(match["weight"] or 1) if match else 0.0
        except ValueError:
            column = ""
        if column not in table.column_names:
            raise LimrError(
                f"{file}: reward {wanted!r}: {term.strip()!r} is no column, nor a number times a column; found"
                f" {', '.join(table.column_names)}"
            )
        terms[column] = terms.get(column, 0.0) + weight
    return terms


def _numbers(table: "pyarrow.Table", column: str, file: Path, may_be_null: bool = False) -> np.ndarray:
    """A column of numbers as float64; NaN for null where that is allowed."""
    import pyarrow

    type_ = table.schema.field(column).type
    if not (pyarrow.types.is_floating(type_) or pyarrow.types.is_integer(type_)):
        raise LimrError(f"{file}: column {column!r}: found {type_}, expected numbers")
    values = table.column(column).to_numpy().astype(np.float64)
    if np.isnan(values).any() and not may_be_null:
        raise LimrError(f"{file}: row {int(np.flatnonzero(np.isnan(values))[0])}: column {column!r}: found no number")
    return values


def _values(table: "pyarrow.Table", column: str, file: Path) -> list[Any]:
    try:
        return table.column(column).to_pylist()
    except UnicodeDecodeError as error:
        raise LimrError(f"{file}: column {column!r}: found bytes that are not UTF-8 ({error})") from error


def _said(completion: Any) -> str:
    """A completion as text: what the model said, of chat messages."""
    if isinstance(completion, str):
        return completion
    messages = completion if isinstance(completion, list) else []
    return "\n\n".join(str(message.get("content") or "") for message in messages if message.get("role") == "assistant")


FORMAT = Format(
    name="trl",
    title="TRL, log_completions=True",
    files=FILES,
    keys=frozenset({"step", "prompt", "completion", "advantage"}),
    read=read,
)
