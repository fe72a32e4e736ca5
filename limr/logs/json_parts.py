"""Columns of JSON rows as a ``Part``: prompts found and decoded once each, numbers checked."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from operator import ne
from typing import Any

import msgspec
import numpy as np

from limr.errors import LimrError
from limr.logs.json_exact import load
from limr.logs.log import Part, Prompt
from limr.prompts import prompt_id


@dataclass
class Rollouts:
    """The rollouts of some rows as columns: lists of one length, the rollouts. None: the rows do not have it.

    ``prompt``, ``prompt_id``, ``answer`` and ``response`` may be ``msgspec.Raw`` (empty: not there), decoded only where
    that is needed: a prompt once for all its rollouts, a response only for a conversion. A prompt of another type must
    be hashable, and one that the row's ``prompt_text`` takes.
    """

    reward: list[float]
    prompt: list[Any] | None = None
    row: list[int] | None = None  # of each rollout, where rows hold several of them, or none
    prompt_id: list[Any] | None = None
    step: list[int | None] | None = None
    correct: list[bool | float | None] | None = None
    answer: list[Any] | None = None
    response: list[Any] | None = None
    response_tokens: list[float | None] | None = None
    truncated: list[bool | None] | None = None


class RowError(Exception):
    """What ``JsonRow.rollouts`` raises where a row (its number among those it was given) cannot be understood."""

    def __init__(self, row: int, key: str, what: str) -> None:
        super().__init__(row, key, what)
        self.row, self.key, self.what = row, key, what


Fault = Callable[[int, str, str], LimrError]  # of a rollout: its number, a column, what is wrong with it


def to_part(
    rollouts: Rollouts, places: np.ndarray, row: Any, where: Callable[[int], str], with_responses: bool
) -> Part:
    """``rollouts`` of rows at ``places`` (int64), which ``where`` puts into words; ``row`` is their ``JsonRow``.

    Raises LimrError naming place and key: for a prompt that is missing, not text or not UTF-8, a reward that is not a
    finite number, some steps missing, a response that is missing where it is asked for.
    """
    keys = dict(zip(row.__struct_fields__, row.__struct_encode_fields__, strict=True))
    if rollouts.row is not None:
        places = places[np.array(rollouts.row, dtype=np.int64)]

    def fault(number: int, column: str, what: str) -> LimrError:
        return LimrError(f"{where(int(places[number]))}: key {keys.get(column, column)!r}: {what}")

    prompts, prompt = _prompts(rollouts, row.prompt_text, fault)
    reward = np.array(rollouts.reward, dtype=np.float64)
    if not np.isfinite(reward).all():
        number = int(np.flatnonzero(~np.isfinite(reward))[0])
        raise fault(number, "reward", f"found {rollouts.reward[number]}, expected a finite number")
    correct = np.full(len(places), np.nan) if rollouts.correct is None else np.array(rollouts.correct, np.float64)
    part = Part(prompts, prompt, _steps(rollouts.step, fault), reward, correct, places.copy())
    if not with_responses:
        return part
    unknown = [None] * len(places)
    said = enumerate(rollouts.response or unknown)
    return replace(
        part,
        responses=[_response(raw, partial(fault, number, "response")) for number, raw in said],
        response_tokens=[None if number is None else int(number) for number in rollouts.response_tokens or unknown],
        truncated=list(rollouts.truncated or unknown),
    )


def _prompts(rollouts: Rollouts, text_of: Callable[[Any], str], fault: Fault) -> tuple[list[Prompt], np.ndarray]:
    """Distinct prompts, and the row among them of each rollout."""
    ids = rollouts.prompt_id if any(map(_is_there, rollouts.prompt_id or ())) else None
    values = rollouts.prompt if ids is None else ids
    starts = np.flatnonzero(np.fromiter(chain([True], map(ne, values[1:], values)), dtype=bool, count=len(values)))
    runs = [values[start] for start in starts.tolist()]  # compared, which is less work than hashing all of them
    names = list(map(_plain, runs))
    number_of = {name: number for number, name in enumerate(dict.fromkeys(names))}
    of_run = np.fromiter(map(number_of.__getitem__, names), dtype=np.int64, count=len(names))
    of_rollout = np.repeat(of_run, np.diff(starts, append=len(values)))
    found: dict[str, Prompt] = {}
    merged = []  # of each distinct name the prompt's id: texts may differ in white space alone
    for name, number in zip(number_of, starts[np.unique(of_run, return_index=True)[1]].tolist(), strict=True):
        text = name if ids is None else rollouts.prompt and _plain(rollouts.prompt[number])
        answer = rollouts.answer and _plain(rollouts.answer[number])
        try:
            prompt = _prompt(ids is not None, name, text, answer, text_of)
        except _UnfitError as error:
            raise fault(number, error.column, error.what) from error
        merged.append(prompt.prompt_id)
        found.setdefault(prompt.prompt_id, prompt)
    rows = {name: number for number, name in enumerate(found)}
    return list(found.values()), np.array([rows[name] for name in merged], dtype=np.int64)[of_rollout]


def _plain(raw: Any) -> Any:
    """Raw JSON as bytes: msgspec's own kind is a view of the file's text, and not hashable."""
    return bytes(raw) if type(raw) is msgspec.Raw else raw


class _UnfitError(Exception):
    """What is wrong with a column's value."""

    def __init__(self, column: str, what: str) -> None:
        super().__init__(column, what)
        self.column, self.what = column, what


@lru_cache(maxsize=20_000)  # a process meets the same prompts in every epoch
def _prompt(by_id: bool, raw_id: Any, raw_text: Any, raw_answer: Any, text_of: Callable[[Any], str]) -> Prompt:
    """A prompt of raw JSON (bytes, empty where there is none) or of values."""
    text = "" if by_id and not _is_there(raw_text) else _text(raw_text, text_of)
    return Prompt(_id(raw_id) if by_id else prompt_id(text), text, _answer(raw_answer))


def _text(raw: Any, text_of: Callable[[Any], str]) -> str:
    if not _is_there(raw):
        raise _UnfitError("prompt", "is missing")
    try:
        text = text_of(_decoded(raw))
        text.encode("utf-8")
    except ValueError as error:  # which a UnicodeError is too
        expected = "text that is UTF-8" if isinstance(error, UnicodeError) else error
        raise _UnfitError("prompt", f"found {_shown(raw)}, expected {expected}") from error
    return text


def _id(raw: Any) -> str:
    value = _decoded(raw) if _is_there(raw) else None
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise _UnfitError("prompt_id", f"found {_shown(raw)}, expected text or a whole number")
    return str(value)


def _answer(raw: Any) -> str | None:
    """A gold answer as text; a list of one is that one."""
    value = _decoded(raw) if _is_there(raw) else None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _steps(steps: list[int | None] | None, fault: Fault) -> np.ndarray | None:
    if steps is None or all(step is None for step in steps):
        return None
    if None in steps:
        raise fault(steps.index(None), "step", "is missing here, and not in other rows")
    try:
        return np.array(steps, dtype=np.int64)
    except OverflowError as error:
        number = next(number for number, step in enumerate(steps) if not -(2**63) <= step < 2**63)
        raise fault(number, "step", f"found {steps[number]}, expected a training step") from error


def _response(raw: Any, fault: Callable[[str], LimrError]) -> str:
    """What was said; half characters and bytes that are no UTF-8 become the sign for that."""
    if not _is_there(raw):
        raise fault("is missing, and a conversion needs what was said")
    value = _decoded(raw)
    if value is not None and not isinstance(value, str):
        raise fault(f"found {_shown(raw)}, expected text")
    return (value or "").encode("utf-8", errors="replace").decode("utf-8")


def _is_there(raw: Any) -> bool:
    """Whether there is a value: raw JSON is empty where a row lacks the key."""
    return raw is not None and not (type(raw) in (bytes, msgspec.Raw) and not memoryview(raw).nbytes)


def _decoded(raw: Any) -> Any:
    if type(raw) not in (bytes, msgspec.Raw):
        return raw
    return load(bytes(raw).decode("utf-8", errors="surrogateescape"))


def _shown(raw: Any) -> str:
    text = json.dumps(_decoded(raw), default=str) if _is_there(raw) else "nothing"
    return text if len(text) <= 60 else f"{text[:57]}..."
