"""The one normaliser behind all readers: it turns columns of rollouts into a ``Part`` and checks every value.

A format only maps its keys to columns (``Rollouts``). This module defines which prompts, ids, gold answers, steps,
rewards and responses are valid, so the rules are the same for JSON, CSV and Parquet.

Every rollout of a log of gigabytes passes through this module (``tests/benchmarks/benchmark_readers.py``), so it avoids
work for each rollout:

- A prompt is decoded, stripped of its chat template and hashed once for all its rollouts, and once in a process.
- A dictionary column of Parquet arrives as ``Encoded``: its distinct texts are never repeated for each row.
- Responses are only decoded for a conversion.
"""

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain
from operator import ne
from typing import Any

import msgspec
import numpy as np

from limr.errors import LimrError, shown
from limr.logs import templates
from limr.logs.json_exact import decode
from limr.logs.log import Part, Prompt
from limr.prompts import has_lone_surrogate, prompt_id

# A process meets the same prompts in every epoch. Data sets for reinforcement learning rarely have more prompts.
_PROMPTS_IN_CACHE = 100_000


@dataclass(frozen=True, eq=False)
class Encoded:
    """A column that holds each distinct value once: rollout ``i`` has ``values[number[i]]``."""

    values: list[Any]
    number: np.ndarray  # int64

    def __getitem__(self, rollout: int) -> Any:
        return self.values[self.number[rollout]]


Values = list[Any] | Encoded
Numbers = list[Any] | np.ndarray


@dataclass
class Rollouts:
    """The rollouts of some rows as columns of one length; None where the rows do not have the column.

    A value of ``prompt``, ``prompt_id``, ``answer`` or ``response`` is JSON text (``bytes`` or ``msgspec.Raw``, empty
    where the row lacks the key), or it is decoded already: text, a number, or None. A prompt of another type must be
    hashable, and the format's ``prompt_text`` must accept it. In ``step``, ``reward`` and ``correct``, None and NaN
    stand for a missing number.
    """

    reward: Numbers
    prompt: Values | None = None
    row: list[int] | None = None  # the row of each rollout, where a row holds several rollouts or none
    prompt_id: Values | None = None
    step: Numbers | None = None
    correct: Numbers | None = None
    answer: Values | None = None
    response: list[Any] | None = None
    response_tokens: list[float | None] | None = None
    truncated: list[bool | None] | None = None


class RowError(Exception):
    """An invalid value in one row. The reader adds the row's place in the file to ``error``.

    ``row`` is the row's number among those that were read, ``column`` is our name of the column.
    """

    def __init__(self, row: int, column: str, what: str = "", **parts: Any) -> None:
        super().__init__(row, column)
        self.row, self.column, self.error = row, column, LimrError(what, **parts)


def to_part(
    rollouts: Rollouts,
    places: np.ndarray,
    with_responses: bool,
    prompt_text: Callable[[Any], str] = templates.prompt_text,
) -> Part:
    """Turn ``rollouts`` into a part; ``places`` (int64) are the lines or rows of the file that they come from.

    ``prompt_text`` takes a decoded prompt and returns the user's turn; it raises LimrError with what was expected.

    Raises RowError for a prompt that is missing, not text or not UTF-8; for a reward that is not a finite number; for a
    step that is missing in some rows; and for a missing response where responses are wanted.
    """
    try:
        if rollouts.row is not None:
            places = places[np.array(rollouts.row, dtype=np.int64)]
        prompts, prompt = _prompts(rollouts, prompt_text)
        correct = np.full(len(places), np.nan) if rollouts.correct is None else _correct(rollouts.correct)
        part = Part(prompts, prompt, _steps(rollouts.step), _rewards(rollouts.reward), correct, places)
        if not with_responses:
            return part
        unknown = [None] * len(places)
        return replace(
            part,
            responses=list(_responses(rollouts.response or unknown)),
            response_tokens=list(_tokens(rollouts.response_tokens or unknown)),
            truncated=list(rollouts.truncated or unknown),
        )
    except RowError as error:
        if rollouts.row is not None:
            error.row = rollouts.row[error.row]
        raise


def _prompts(rollouts: Rollouts, prompt_text: Callable[[Any], str]) -> tuple[list[Prompt], np.ndarray]:
    """The distinct prompts, and for each rollout the row of its prompt among them."""
    by_id = _has_values(rollouts.prompt_id)
    column = rollouts.prompt_id if by_id else rollouts.prompt
    coded = column if isinstance(column, Encoded) else _encoded(column or [None] * len(rollouts.reward))
    # The first rollout of each distinct value. NumPy assigns in order, so of several rollouts with one value, the one
    # that is assigned last stays: the first, because the order is reversed.
    first = np.zeros(len(coded.values), dtype=np.int64)
    first[coded.number[::-1]] = np.arange(len(coded.number))[::-1]
    row_of_id: dict[str, int] = {}
    prompts: list[Prompt] = []
    row_of_value = []  # texts that differ only in white space share an id and are one prompt
    for value, rollout in zip(coded.values, first.tolist(), strict=True):
        text = _at(rollouts.prompt, rollout) if by_id else value
        try:
            prompt = _prompt(by_id, value, text, _at(rollouts.answer, rollout), prompt_text)
        except RowError as error:
            error.row = rollout
            raise
        row_of_value.append(row_of_id.setdefault(prompt.prompt_id, len(prompts)))
        if row_of_value[-1] == len(prompts):
            prompts.append(prompt)
    return prompts, np.array(row_of_value, dtype=np.int64)[coded.number]


def _encoded(values: list[Any]) -> Encoded:
    """A list as distinct values and a number for each rollout.

    The rollouts of one prompt are mostly adjacent. Comparing neighbours is less work than hashing each value, so only
    the first value of each run of equal ones is hashed.
    """
    starts = np.flatnonzero(np.fromiter(chain([True], map(ne, values[1:], values)), dtype=bool, count=len(values)))
    names = [_hashable(values[start]) for start in starts.tolist()]
    number_of = {name: number for number, name in enumerate(dict.fromkeys(names))}
    of_run = np.fromiter(map(number_of.__getitem__, names), dtype=np.int64, count=len(names))
    return Encoded(list(number_of), np.repeat(of_run, np.diff(starts, append=len(values))))


def _has_values(column: Values | None) -> bool:
    if column is None:
        return False
    return any(map(_is_present, column.values if isinstance(column, Encoded) else column))


def _at(column: Values | None, rollout: int) -> Any:
    return None if column is None else _hashable(column[rollout])


def _hashable(raw: Any) -> Any:
    """JSON text as bytes: msgspec's own type is a view into the file's text, and cannot be hashed."""
    return bytes(raw) if type(raw) is msgspec.Raw else raw


@lru_cache(maxsize=_PROMPTS_IN_CACHE, typed=True)
def _prompt(by_id: bool, name: Any, raw_text: Any, raw_answer: Any, prompt_text: Callable[[Any], str]) -> Prompt:
    """A prompt from the values of its columns; ``name`` is its id or its text."""
    text = "" if by_id and not _is_present(raw_text) else _text(raw_text, prompt_text)
    return Prompt(_id(name) if by_id else prompt_id(text), text, _answer(raw_answer))


def _text(raw: Any, prompt_text: Callable[[Any], str]) -> str:
    if not _is_present(raw):
        raise RowError(0, "prompt", "is missing")
    value = _value(raw)
    try:
        return _utf8("prompt", prompt_text(value))
    except LimrError as error:
        parts = {"found": shown(value), "expected": error.expected, "advice": error.advice}
        raise RowError(0, "prompt", error.what, **parts) from error


def _id(raw: Any) -> str:
    if not _is_present(raw):
        raise RowError(0, "prompt_id", "is missing")
    value = _value(raw)
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise RowError(0, "prompt_id", found=shown(value), expected="text or a whole number")
    return _utf8("prompt_id", str(value))


def _answer(raw: Any) -> str | None:
    """A gold answer as text; a list of one answer is that answer."""
    value = _value(raw) if _is_present(raw) else None
    if isinstance(value, float) and math.isinf(value) and not isinstance(raw, float):
        value = bytes(raw).decode()  # the digits of a whole number that is too long to be converted
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if value is None:
        return None
    return _utf8("answer", value if isinstance(value, str) else json.dumps(value, default=str))


def _utf8(column: str, text: str) -> str:
    if has_lone_surrogate(text):
        raise RowError(0, column, found=shown(text), expected="text that is UTF-8")
    return text


def _rewards(rewards: Numbers) -> np.ndarray:
    values = np.array(rewards, dtype=np.float64)  # a copy, because a view would keep a whole batch in memory
    _refuse(~np.isfinite(values), "reward", rewards, "a finite number")
    return values


def _correct(correct: Numbers) -> np.ndarray:
    values = np.array(correct, dtype=np.float64)  # True is 1, and None is NaN
    _refuse(np.isinf(values), "correct", correct, "true, false or a share of 1")
    return values


def _steps(steps: Numbers | None) -> np.ndarray | None:
    if steps is None:
        return None
    if np.asarray(steps).dtype.kind == "i":  # whole numbers of 64 bits, and none is missing
        return np.array(steps, dtype=np.int64)
    is_list = isinstance(steps, list)  # a list may hold whole numbers that are too large for a float
    short = [step if step is None or abs(step) < 2**63 else 2**63 for step in steps] if is_list else steps
    values = np.array(short, dtype=np.float64)
    if np.isnan(values).all():
        return None
    _refuse(np.isnan(values), "step", steps, "a training step, as in other rows", what="is missing")
    _refuse((values != np.floor(values)) | (np.abs(values) >= 2**63), "step", steps, "a training step")
    return values.astype(np.int64)


def _refuse(bad: np.ndarray, column: str, values: Numbers, expected: str, what: str = "") -> None:
    """Raise RowError for the first rollout that is ``bad`` (bool)."""
    if bad.any():
        row = int(np.argmax(bad))
        value = values[row].item() if isinstance(values, np.ndarray) else values[row]
        found = "NaN or nothing" if value is None or value != value else shown(value)
        raise RowError(row, column, what, found=found, expected=expected)


def _tokens(column: list[float | None]) -> Iterator[int | None]:
    for row, number in enumerate(column):
        if number is not None and not 0 <= number < 2**63:
            raise RowError(row, "response_tokens", found=shown(number), expected="a number of tokens")
        yield None if number is None else int(number)


def _responses(column: list[Any]) -> Iterator[bytes]:
    """Responses as UTF-8 for writing; lone surrogates, and so bytes that are not UTF-8, become question marks."""
    for row, raw in enumerate(column):
        if not _is_present(raw):
            raise RowError(row, "response", "is missing", advice="A conversion needs the text of the responses.")
        value = _value(raw)
        if value is not None and not isinstance(value, str):
            raise RowError(row, "response", found=shown(value), expected="text")
        yield (value or "").encode("utf-8", errors="replace")


def _is_present(raw: Any) -> bool:
    """Whether a value is present: JSON text is empty where a row lacks the key."""
    return raw is not None and not (type(raw) in (bytes, msgspec.Raw) and not memoryview(raw).nbytes)


def _value(raw: Any) -> Any:
    return decode(raw) if type(raw) in (bytes, msgspec.Raw) else raw
