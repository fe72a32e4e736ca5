"""A plain reading of logs, tables and scores: short loops over rows, and none of the library's code.

The campaign compares what the commands write with what these functions find. They raise ``UnreadableError`` for a file
that no command may accept in silence, and ``UnsureError`` where the plain rules do not say what a visit is.
"""

import csv
import hashlib
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pyarrow
from pyarrow import ArrowException, parquet

SUFFIXES = (".json", ".jsonl", ".csv", ".parquet")


class UnreadableError(Exception):
    """The file holds something that is not a rollout."""


class UnsureError(Exception):
    """What a visit is depends on rules that this plain reading does not have."""


class Read(NamedTuple):
    """One rollout of a log."""

    prompt_id: str
    step: int | None
    reward: float
    correct: float | None


class Visit(NamedTuple):
    """One point of a prompt's curve."""

    epoch: int
    reward: float | None
    accuracy: float | None
    samples: int


Curves = dict[str, list[Visit]]


def id_of(text: str) -> str:
    """The id of a prompt."""
    return hashlib.sha256(" ".join(text.split()).encode("utf-8")).hexdigest()[:16]


def read_table(file: Path) -> pyarrow.Table:
    """A Parquet file; pyarrow itself cannot open a name that is not UTF-8."""
    with file.open("rb") as stream:
        return parquet.ParquetFile(stream).read()


def rows_of(file: Path) -> list[dict[str, Any]]:
    """The rows of a table or of JSON text."""
    try:
        match file.suffix:
            case ".parquet":
                return read_table(file).to_pylist()
            case ".csv":
                rows = list(csv.DictReader(io.StringIO(_text_of(file), newline=""), strict=True))
                if any(None in row or None in row.values() for row in rows):
                    raise UnreadableError("a row has another number of fields")
                return rows
            case ".json":
                return json.loads(_text_of(file))
            case _:
                lines = _text_of(file).split("\n")
                return [json.loads(line) for line in lines if line.strip()]
    except (ArrowException, csv.Error, ValueError, RecursionError, OSError) as error:
        raise UnreadableError(str(error)) from error


def _text_of(file: Path) -> str:
    """Bytes that are not UTF-8 do no harm in a key that is not read; in a prompt, ``id_of`` refuses them."""
    return file.read_bytes().decode("utf-8-sig", errors="surrogateescape")


def data_files(source: Path) -> list[Path]:
    """The files of a source that may hold rollouts, links resolved, in the order of their names."""
    if source.is_file():
        return [source]
    found: dict[str, Path] = {}
    folders = [source]
    while folders:
        folder = folders.pop(0)
        for entry in sorted(folder.iterdir(), key=lambda path: (path.is_symlink(), path.name)):
            if entry.name.startswith("."):
                continue
            if entry.is_dir() and not any(entry.resolve() == seen.resolve() for seen in entry.parents):
                folders.append(entry)
            elif entry.is_file() and entry.suffix in SUFFIXES:
                found.setdefault(os.path.realpath(entry), entry)
    return sorted(found.values(), key=_natural)


def _natural(path: Path) -> list[tuple[int, int, str]]:
    pieces = re.split(r"(\d+)", str(path))
    return [(1, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in pieces]


def rollouts_of(file: Path, kind: str, columns: dict[str, str]) -> list[Read]:
    """The rollouts of one file of a log written by ``runs.write_source``, whatever has happened to it since."""
    rows = rows_of(file)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnreadableError("not a list of objects")
    try:
        return [_read(row, file, kind, columns) for row in rows]
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}") from error


def _read(row: dict[str, Any], file: Path, kind: str, columns: dict[str, str]) -> Read:
    correct: float | None = None
    match kind:
        case "verl":
            prompt, step, reward = _user_turn(row["input"]), row["step"], row["score"]
            correct = row.get("acc")
        case "trl":
            prompt, step, reward = row["prompt"], row["step"], row["accuracy_reward"]
        case "nemo_rl":
            if not row["content"] or not row["content"][0]:
                raise UnsureError("no rollout: dynamic sampling kept fewer than the batch had")
            chat = row["content"][0]
            (reward,) = row["rewards"]
            prompt, step = _user_turn(chat[0]), _step_of(file.name)
            correct = {"Environment: correct": 1.0, "Environment: incorrect": 0.0}.get(str(chat[-1]))
        case "open_instruct":
            tokens = row["prompt_tokens"]
            name = hashlib.sha256(" ".join(str(int(token)) for token in tokens).encode()).hexdigest()[:16]
            return Read(name, _whole(row["step"]), _number(row["reward"]), None)
        case "prime_rl":
            if len(row["traces"]) != 1:
                raise UnsureError("not one trace")
            (trace,) = row["traces"]
            if trace["ok"] is not True or trace.get("agent", {}).get("trainable", True) is not True:
                raise UnsureError("a trace that failed")
            prompt, step = trace["task"]["data"]["prompt"], row["run"]["work"]["step"]
            parts = [_number(part["score"]) * _number(part.get("weight", 1.0)) for part in trace["rewards"].values()]
            reward = sum(parts) if parts else math.nan
        case "verifiers":
            if row.get("error") is not None:
                raise UnsureError("a rollout that failed")
            if [message.get("role") for message in row["prompt"]] != ["system", "user"]:
                raise UnsureError("other roles")
            users = [message["content"] for message in row["prompt"] if message["role"] == "user"]
            prompt, step, reward = users[-1], _step_of(file.parent.name), row["reward"]
        case "limr_fork":
            prompt, step, reward = row["prompt"], _step_of(file.name), row["reward"]
        case _:
            names = {name: columns.get(name, name) for name in ("prompt", "prompt_id", "step", "reward", "correct")}
            if names["prompt_id"] in row:
                raise UnsureError("a column of ids")
            prompt, reward = row[names["prompt"]], row[names["reward"]]
            step = row[names["step"]] if names["step"] in row else _step_of(file.name)
            correct = row.get(names["correct"])
    if not isinstance(prompt, str):
        raise UnreadableError(f"prompt {prompt!r}")
    return Read(id_of(prompt), _whole(step), _number(reward), None if correct is None else float(correct))


def _user_turn(text: str) -> str:
    turn = re.fullmatch(r"<\|im_start\|>user\n(.*)<\|im_end\|>\n<\|im_start\|>assistant\n", text, re.DOTALL)
    if turn is None or "<|im_" in turn[1]:
        raise UnsureError("a template that was changed")
    return turn[1]


def _step_of(name: str) -> int | None:
    found = re.search(r"step[_=-]?(\d+)", name)
    return int(found[1]) if found else None


def _number(value: Any) -> float:
    if isinstance(value, bool) or value is None:
        raise UnreadableError(f"a reward of {value!r}")
    number = float(value)
    if not math.isfinite(number):
        raise UnreadableError(f"a reward of {value!r}")
    return number


def _whole(value: Any) -> int | None:
    if value is None:
        return None
    number = float(value)
    if isinstance(value, bool) or number != int(number):
        raise UnreadableError(f"step {value!r}")
    return int(value) if isinstance(value, str | int) and str(value).strip().lstrip("+-").isdigit() else int(number)


def curves_of_log(rollouts: Sequence[Read], steps_per_epoch: int | None, samples: int | None) -> Curves:
    """The curves of a log that is in the order of its steps, has every step, and no prompt twice in a step."""
    steps = [read.step for read in rollouts]
    if None in steps:
        raise UnsureError("no steps")
    if steps != sorted(steps):
        raise UnsureError("steps go back")
    distinct = sorted(set(steps))
    if steps_per_epoch is None and distinct != list(range(distinct[0], distinct[-1] + 1)):
        raise UnsureError("steps are missing")
    correct = _correct(rollouts)
    groups: dict[tuple[str, int], list[int]] = {}
    for number, read in enumerate(rollouts):
        groups.setdefault((read.prompt_id, read.step), []).append(number)
    sizes = Counter(map(len, groups.values()))
    usual = max(size for size in sizes if sizes[size] == max(sizes.values()))
    if max(sizes) > usual or samples not in (None, usual):
        raise UnsureError("samples")
    curves: Curves = {}
    for (prompt_id, step), numbers in sorted(groups.items()):
        curve = curves.setdefault(prompt_id, [])
        epoch = len(curve) if steps_per_epoch is None else (step - distinct[0]) // steps_per_epoch
        if any(visit.epoch == epoch for visit in curve):
            raise UnsureError("met twice in an epoch")
        known = [correct[number] for number in numbers]
        accuracy = None if None in known else fmean(known)
        curve.append(Visit(epoch, fmean(rollouts[number].reward for number in numbers), accuracy, len(numbers)))
    if steps_per_epoch is not None and min(visit.epoch for curve in curves.values() for visit in curve):
        raise UnsureError("no first epoch")
    return curves


def _correct(rollouts: Sequence[Read]) -> list[float | None]:
    logged = [read.correct for read in rollouts if read.correct is not None]
    if logged and min(logged) >= 0 and max(logged) <= 1:
        return [read.correct for read in rollouts]
    rewards = {read.reward for read in rollouts}
    if max(rewards) == 1 and len(rewards) <= 3:
        return [float(read.reward == 1) for read in rollouts]
    return [None] * len(rollouts)


def curves_of_file(source: Path, kind: str) -> tuple[Curves, int]:
    """The curves of a source with numbered visits, and its number of rollouts."""
    curves: Curves = {}
    if kind == "one_shot_rlvr":
        values = json.loads(_text_of(source))
        for name, curve in values.items():
            curves[name] = [Visit(epoch, None, float(value), 8) for epoch, value in enumerate(curve)]
    elif kind == "trajectories":
        for row in rows_of(source):
            visit = Visit(row["epoch"], row["mean_reward"], row["accuracy"], row["n_samples"])
            curves.setdefault(row["prompt_id"], []).append(visit)
    else:
        visits: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for file in [file for file in data_files(source) if file.suffix == ".parquet"]:
            try:
                rows = rows_of(file)
            except UnreadableError as error:  # perhaps in a column that scoring does not read
                raise UnsureError(str(error)) from error
            for row in rows:
                visits.setdefault((row["prompt_id"], row["visit"]), []).append(row)
        for (name, epoch), rows in sorted(visits.items()):
            known = [row["correct"] for row in rows]
            accuracy = None if None in known else fmean(known)
            point = Visit(epoch, fmean(row["reward"] for row in rows), accuracy, len(rows))
            curves.setdefault(name, []).append(point)
    return curves, sum(visit.samples for curve in curves.values() for visit in curve)
