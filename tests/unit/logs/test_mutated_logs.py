"""Logs of every format with random damage: the reader finds what a naive reading finds, or it raises LimrError."""

import csv
import json
import math
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from logs_of_frameworks import JSON_FRAMEWORKS, Rollout
from pyarrow import parquet

from limr.errors import LimrError
from limr.logs.source import read_source
from limr.logs.whole import read_log

ROLLOUTS = [
    Rollout(step, prompt, reward) for step in (1, 2, 3) for prompt in ("2+2?", "3+3?") for reward in (0.0, 1.0, -0.5)
]
TABLE = {
    "prompt": [rollout.prompt for rollout in ROLLOUTS],
    "reward": [rollout.reward for rollout in ROLLOUTS],
    "step": [rollout.step for rollout in ROLLOUTS],
}
MUTATIONS = 60  # of each format: twice as many reach no check that none of these formats reaches

Rewards = list[tuple[int | None, float]]  # (step, reward) of every rollout, in the order of the log

ODD_VALUES: list[Any] = [
    None, True, -1, 0.5, 2**63, 10**30, 1e300, float("nan"), float("inf"), "", "x", "1", "\ud800", "\x00", [], [1.0],
    [[]], {}, {"role": "user", "content": "x"}, [{"role": "user", "content": "x"}],
]  # fmt: skip


def same_or_refused(folder: Path, naive: Callable[[], Rewards]) -> bool:
    """Read the log; compare it with a naive reading where it is read. Returns whether it was read."""
    try:
        log = read_log(folder)
        read_source(folder)
    except LimrError:
        return False
    steps = [None] * len(log) if log.step is None else log.step.tolist()
    assert list(zip(steps, log.reward.tolist(), strict=True)) == naive()
    assert len({prompt.prompt_id for prompt in log.prompts}) == len(log.prompts)
    return True


def changed_bytes(content: bytes, chance: random.Random) -> bytes:
    """Cut at a random place, or with one byte replaced, removed or added, or with a line removed or repeated."""
    at = chance.randrange(len(content))
    lines = content.splitlines(keepends=True)
    line = chance.randrange(len(lines))
    byte = bytes([chance.choice([0, 0x0A, 0x22, 0x2C, 0x30, 0x39, 0x5C, 0x7B, 0xFF, chance.randrange(256)])])
    return chance.choice(
        [
            content[:at],
            content[:at] + byte + content[at + 1 :],
            content[:at] + content[at + 1 :],
            content[:at] + byte + content[at:],
            b"".join(lines[:line] + lines[line + 1 :]),
            b"".join([*lines[:line], lines[line], *lines[line:]]),
        ]
    )


# JSON.


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The keys down to every value inside ``value``."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield (*path, key)
        yield from places(part, (*path, key))


def change_value(row: dict[str, Any], chance: random.Random) -> None:
    """Remove a key, or give it another value."""
    *path, key = chance.choice(list(places(row)))
    inside: Any = row
    for step in path:
        inside = inside[step]
    if chance.random() < 0.3:
        del inside[key]
    else:
        inside[key] = chance.choice(ODD_VALUES)


def naive_json(name: str, files: list[Path]) -> Rewards:
    """Reward and step of every row, by the standard library; rows that a trainer only fills in are left out."""
    framework = JSON_FRAMEWORKS[name]
    found: Rewards = []
    for step, file in enumerate(files, start=1):
        text = file.read_bytes().decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")
        rows = (
            json.loads(text) if framework.is_list else [json.loads(line) for line in text.split("\n") if line.strip()]
        )
        for row in rows:
            if name == "prime_rl":  # an episode may hold several rollouts, and some that failed
                at: int | None = row.get("run", {}).get("work", {}).get("step")
                for trace in row["traces"]:
                    if trace["ok"] and trace.get("agent", {}).get("trainable", True):
                        scores = [s["score"] * s.get("weight", 1.0) for s in trace["rewards"].values() if s is not None]
                        found.append((at, sum(scores)))
                continue
            error = row.get("error")  # NaN is no error, as a table writes a missing one
            is_error = error is not None and not (isinstance(error, float) and not math.isfinite(error))
            if name == "verifiers" and is_error:
                continue
            if (name == "verl" and row["input"] == "") or (
                name == "nemo_rl" and not (row["content"] and row["content"][0])
            ):
                continue
            reward = row
            for key in framework.reward:
                reward = reward[key]
            found.append((row["step"] if name in ("open_instruct", "table", "verl") else step, float(reward)))
    return found


@pytest.mark.parametrize("name", sorted(JSON_FRAMEWORKS))
def test_json(name: str, tmp_path: Path) -> None:
    chance = random.Random(name)
    framework = JSON_FRAMEWORKS[name]
    was_read = 0
    for number in range(MUTATIONS):
        folder = tmp_path / str(number)
        files = framework.write(folder, ROLLOUTS)
        changed = chance.choice(files)
        if chance.random() < 0.5:
            changed.write_bytes(changed_bytes(changed.read_bytes(), chance))
        else:
            text = changed.read_text()
            rows = json.loads(text) if framework.is_list else list(map(json.loads, text.splitlines()))
            for row in rows if chance.random() < 0.3 else [chance.choice(rows)]:
                change_value(row, chance)
            changed.write_bytes(framework.text(rows))
        was_read += same_or_refused(folder, lambda files=files: naive_json(name, files))
    assert 0.1 * MUTATIONS < was_read < 0.9 * MUTATIONS  # some damage is harmless, and most is not


# CSV.


def naive_csv(file: Path) -> Rewards:
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return [(int(row["step"]) if row.get("step") else None, float(row["reward"])) for row in rows]


def test_csv(tmp_path: Path) -> None:
    chance = random.Random("csv")
    good = pl.DataFrame(TABLE).write_csv().encode()
    was_read = 0
    for number in range(2 * MUTATIONS):
        file = tmp_path / str(number) / "table.csv"
        file.parent.mkdir()
        file.write_bytes(changed_bytes(good, chance))
        was_read += same_or_refused(file.parent, lambda file=file: naive_csv(file))
    assert 0.1 * MUTATIONS < was_read < 1.9 * MUTATIONS


# Parquet.

TYPES = [
    pl.String, pl.Categorical, pl.Binary, pl.Float32, pl.Float64, pl.Int8, pl.Int64, pl.UInt8, pl.UInt64, pl.Boolean,
    pl.Date, pl.Datetime, pl.Duration, pl.Decimal(10, 2), pl.List(pl.String), pl.Null,
]  # fmt: skip


VALUES = {
    pl.String: [None, "", "b", "\x00"],
    pl.Float64: [None, math.nan, math.inf, 1e308],
    pl.Int64: [None, -1, 3, 10**9, 2**62, 2**63 - 1],
    pl.Boolean: [None, True],
}


def changed_table(columns: dict[str, list[Any]], chance: random.Random) -> pl.DataFrame:
    """The table of ``columns`` without a column, with another name or type of one, another value, or other rows."""
    frame = pl.DataFrame(columns)
    column = chance.choice(frame.columns)
    match chance.choice(["drop", "rename", "type", "type", "type", "value", "value", "rows"]):
        case "drop":
            return frame.drop(column)
        case "rename":
            return frame.rename({column: chance.choice(["x", column.upper(), f"{column} ", "answer"])})
        case "type":
            kind = chance.choice(TYPES)
            text = pl.col(column).cast(pl.String)
            if kind == pl.List(pl.String):
                return frame.with_columns(pl.concat_list(text))
            number = text.cast(pl.Float64, strict=False).cast(pl.Int64)
            through = dict.fromkeys((pl.Categorical, pl.Binary), text)
            through |= dict.fromkeys((pl.Boolean, pl.Date, pl.Datetime, pl.Duration, pl.Decimal(10, 2)), number)
            return frame.with_columns(through.get(kind, pl.col(column)).cast(kind, strict=False))
        case "value":
            value = pl.lit(chance.choice(VALUES[frame.schema[column]]), frame.schema[column])
            rows = pl.int_range(pl.len()) == chance.randrange(len(frame))
            return frame.with_columns(pl.when(rows).then(value).otherwise(column).alias(column))
    return frame.head(chance.randrange(3))


def naive_parquet(file: Path) -> Rewards:
    names = [name for name in parquet.read_schema(file).names if name in ("reward", "step")]
    columns = parquet.read_table(file, columns=names).to_pydict()
    steps = columns.get("step", [None] * len(columns["reward"]))
    return list(zip(steps, map(float, columns["reward"]), strict=True))


def test_parquet(tmp_path: Path) -> None:
    chance = random.Random("parquet")
    was_read = 0
    for number in range(2 * MUTATIONS):
        file = tmp_path / str(number) / "table.parquet"
        file.parent.mkdir()
        changed_table(TABLE, chance).write_parquet(file)
        if chance.random() < 0.2:
            file.write_bytes(changed_bytes(file.read_bytes(), chance))
        was_read += same_or_refused(file.parent, lambda file=file: naive_parquet(file))
    assert 0.1 * MUTATIONS < was_read < 1.9 * MUTATIONS


# This project's own files.

OWN = {
    "prompt_id": ["a"] * 6 + ["b"] * 6,
    "visit": ([0] * 3 + [1] * 3) * 2,
    "sample": [0, 1, 2] * 4,
    "reward": [0.0, 1.0, -0.5] * 4,
    "correct": [False, True, False] * 4,
}
MEANS = {
    "prompt_id": ["a", "a", "b", "b"],
    "epoch": [0, 1, 0, 1],
    "mean_reward": [0.5, 1.0, 0.25, -0.5],
    "accuracy": [0.5, 1.0, 0.25, 0.0],
    "n_samples": [4, 4, 4, 4],
}


@pytest.mark.parametrize("columns", [OWN, MEANS], ids=["rollouts", "trajectories"])
def test_own_files(columns: dict[str, list[Any]], tmp_path: Path) -> None:
    chance = random.Random("own")
    was_read = 0
    for number in range(MUTATIONS):
        file = tmp_path / str(number) / "own.parquet"
        file.parent.mkdir()
        changed_table(columns, chance).write_parquet(file)
        try:
            found = read_source(file).trajectories
        except LimrError:
            continue
        was_read += 1
        frame = pl.read_parquet(file)
        if "visit" in frame.columns:
            expected = frame.group_by("prompt_id", "visit").agg(pl.mean("reward"), pl.len()).sort("prompt_id", "visit")
        elif "epoch" in frame.columns:
            expected = frame.sort("prompt_id", "epoch").select("prompt_id", "epoch", "mean_reward", "n_samples")
        else:  # a table: the order of its rows is that of training
            expected = None
        if expected is not None:
            rows = found.frame().select("prompt_id", "epoch", "mean_reward", "n_samples").fill_nan(None).rows()
            assert rows == expected.fill_nan(None).rows()
    assert 0.1 * MUTATIONS < was_read < 0.9 * MUTATIONS


def test_accuracies(tmp_path: Path) -> None:
    chance = random.Random("accuracies")
    good = json.dumps({"1": [0.5, 0.25, 1.0], "2": [0.0, 0.5, 0.5]}).encode()
    was_read = 0
    for number in range(2 * MUTATIONS):
        file = tmp_path / f"{number}.json"
        file.write_bytes(changed_bytes(good, chance))
        try:
            found = read_source(file).trajectories
        except LimrError:
            continue
        was_read += 1
        curves = json.loads(file.read_text(encoding="utf-8-sig"))
        assert found.accuracy.tolist() == [value for key in sorted(curves) for value in curves[key]]
    assert 0.1 * MUTATIONS < was_read < 1.9 * MUTATIONS
