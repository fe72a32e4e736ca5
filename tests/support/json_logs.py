"""Logs as files of JSON, for tests of the readers."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from limr.logs.log import Log


def write_lines(file: Path, rows: list[dict[str, Any]], **options: bool) -> Path:
    """Write one object a line."""
    file.write_text("".join(json.dumps(row, **options) + "\n" for row in rows), encoding="utf-8")
    return file


def rows_of(n_rows: int) -> list[dict[str, Any]]:
    """Rows with responses that look like rows."""
    return [
        {
            "prompt": f"Prompt {row % 7}\\",
            "step": row // 10,
            "reward": (row % 3) / 2,
            "response": '{"reward": 9}\n' * row,
        }
        for row in range(n_rows)
    ]


def same(one: Log, other: Log) -> bool:
    """Whether two logs have the same rollouts."""
    assert [prompt.prompt_id for prompt in one.prompts] == [prompt.prompt_id for prompt in other.prompts]
    columns = ("prompt", "step", "reward", "correct", "place")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in columns)
