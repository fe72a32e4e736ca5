"""Rollouts of Parquet files, a batch of rows at a time: a file may hold many more than fit in memory."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from limr.errors import LimrError
from limr.logs.log import COLUMNS, LogOptions, Part, Prompt
from limr.logs.templates import prompt_text
from limr.prompts import prompt_id

if TYPE_CHECKING:
    import pyarrow

_ROWS_AT_A_TIME = 2**17
_ROWS_WITH_RESPONSES = 2**12


def read_parquet(files: Sequence[Path], options: LogOptions, with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read Parquet files with columns as ``options.columns`` names them.

    Raises LimrError naming file, row (from 0) and column.
    """
    import pyarrow

    for number, file in enumerate(files):
        try:
            for part in _Table(file, options.columns).parts(with_responses):
                yield number, part
        except (pyarrow.ArrowException, OSError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise LimrError(f"{file}: cannot be read as Parquet ({reason}): truncated, or not Parquet") from error


class _Table:
    """One file, and the prompts that were met in it."""

    def __init__(self, file: Path, names: Mapping[str, str]) -> None:
        from pyarrow import parquet

        self.file = file
        self.met: dict[Any, Prompt] = {}  # by what stands in the column
        schema = parquet.read_schema(file)
        for column in names.values():
            if column not in schema.names:
                raise LimrError(f"{file}: no column {column!r}; found {', '.join(schema.names)}")
        self.columns = {name: names.get(name, name) for name in COLUMNS if names.get(name, name) in schema.names}
        self.key = "prompt_id" if "prompt_id" in self.columns else "prompt"
        texts = [self.columns[name] for name in ("prompt", "prompt_id", "answer") if name in self.columns]
        self.stream = parquet.ParquetFile(
            file, read_dictionary=[column for column in texts if _is_text(schema, column)]
        )

    def parts(self, with_responses: bool) -> Iterator[Part]:
        """The file's rollouts, some rows at a time."""
        if self.stream.metadata.num_rows == 0:
            raise LimrError(f"{self.file}: not one row; expected rollouts")
        wanted = [column for name, column in self.columns.items() if with_responses or name != "response"]
        size = _ROWS_WITH_RESPONSES if with_responses else _ROWS_AT_A_TIME
        start = 0
        with self.stream:
            for batch in self.stream.iter_batches(size, columns=wanted):
                yield self._part(batch, start, with_responses)
                start += len(batch)

    def _part(self, batch: "pyarrow.RecordBatch", start: int, with_responses: bool) -> Part:
        prompts, prompt = self._prompts(batch, start)
        unknown = [None] * len(batch) if with_responses else None
        return Part(
            prompts=prompts,
            prompt=prompt,
            step=self._numbers(batch, "step", start).astype(np.int64) if "step" in self.columns else None,
            reward=self._numbers(batch, "reward", start),
            correct=self._numbers(batch, "correct", start, may_be_null=True)
            if "correct" in self.columns
            else np.full(len(batch), np.nan),
            place=np.arange(start, start + len(batch)),
            responses=self._responses(batch, start) if with_responses else None,
            response_tokens=unknown,
            truncated=unknown,
        )

    def _prompts(self, batch: "pyarrow.RecordBatch", start: int) -> tuple[list[Prompt], np.ndarray]:
        """The distinct prompts of the batch, and the row among them of each rollout."""
        values, number = _distinct(batch.column(self.columns[self.key]))
        if (number < 0).any():
            raise self._fault(start + int(np.argmax(number < 0)), self.key, "found nothing, expected a prompt")
        first = np.empty(len(values), dtype=np.int64)
        first[number[::-1]] = np.arange(len(number))[::-1]  # the last to be written is the first row
        rows: dict[str, int] = {}
        prompts: list[Prompt] = []
        row_of = np.empty(len(values), dtype=np.int64)
        for place, (value, row) in enumerate(zip(values, first.tolist(), strict=True)):
            prompt = self.met.get(value)
            if prompt is None:
                prompt = self.met[value] = self._prompt(batch, row, start + row)
            row_of[place] = rows.setdefault(prompt.prompt_id, len(prompts))
            if row_of[place] == len(prompts):
                prompts.append(prompt)
        return prompts, row_of[number]

    def _prompt(self, batch: "pyarrow.RecordBatch", row: int, place: int) -> Prompt:
        found = {
            name: batch.column(self.columns[name])[row].as_py()
            for name in ("prompt", "prompt_id", "answer")
            if name in self.columns
        }
        try:
            text = "" if self.key == "prompt_id" and found.get("prompt") is None else prompt_text(found["prompt"])
        except ValueError as error:
            raise self._fault(place, "prompt", f"found {ascii(found['prompt'])[:60]}, expected {error}") from error
        name = str(found["prompt_id"]) if self.key == "prompt_id" else prompt_id(text)
        answer = found.get("answer")
        return Prompt(
            name, text, answer if answer is None or isinstance(answer, str) else json.dumps(answer, default=str)
        )

    def _numbers(self, batch: "pyarrow.RecordBatch", name: str, start: int, may_be_null: bool = False) -> np.ndarray:
        """A column as float64, whole numbers for steps; NaN for null where that is allowed."""
        import pyarrow

        column = batch.column(self.columns[name])
        kinds = (pyarrow.types.is_integer, pyarrow.types.is_floating, pyarrow.types.is_boolean, pyarrow.types.is_null)
        if not any(is_kind(column.type) for is_kind in kinds) or (name == "reward" and column.type == pyarrow.bool_()):
            raise self._fault(start, name, f"found {column.type}, expected numbers")
        if name == "step" and column.null_count == 0 and pyarrow.types.is_integer(column.type):
            return column.to_numpy(zero_copy_only=False)
        values = np.array(column.cast(pyarrow.float64()))  # a copy: a view would keep the whole batch
        wrong = np.isinf(values) if may_be_null else ~np.isfinite(values)
        if name == "step":
            wrong |= values != np.floor(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            expected = "a whole number" if name == "step" else "a finite number"
            raise self._fault(start + row, name, f"found {column[row].as_py()}, expected {expected}")
        return values

    def _responses(self, batch: "pyarrow.RecordBatch", start: int) -> list[str]:
        if "response" not in self.columns:
            raise self._fault(start, "response", "is missing, and a conversion needs what was said")
        responses = batch.column(self.columns["response"]).to_pylist()
        for row, response in enumerate(responses):
            if not isinstance(response, str):
                raise self._fault(start + row, "response", f"found {ascii(response)[:60]}, expected text")
        return responses

    def _fault(self, row: int, name: str, what: str) -> LimrError:
        return LimrError(f"{self.file}: row {row}: column {self.columns.get(name, name)!r}: {what}")


def _is_text(schema: "pyarrow.Schema", column: str) -> bool:
    import pyarrow

    return schema.field(column).type in (pyarrow.string(), pyarrow.large_string())


def _distinct(column: "pyarrow.Array") -> tuple[list[Any], np.ndarray]:
    """Distinct hashable values, and the number of each row's among them (int64, -1: null)."""
    import pyarrow

    if not pyarrow.types.is_nested(column.type):
        encoded = column if isinstance(column, pyarrow.DictionaryArray) else column.dictionary_encode()
        number = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        used = np.zeros(len(encoded.dictionary) + 1, dtype=bool)  # one more for null, which -1 indexes
        used[number] = True
        used[-1] = False
        renumbered = np.where(used, np.cumsum(used) - 1, -1)
        return encoded.dictionary.filter(pyarrow.array(used[:-1])).to_pylist(), renumbered[number]
    keys = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]  # chat messages
    number_of = {key: number for number, key in enumerate(dict.fromkeys(key for key in keys if key is not None))}
    return list(number_of), np.array([number_of.get(key, -1) for key in keys], dtype=np.int64)
