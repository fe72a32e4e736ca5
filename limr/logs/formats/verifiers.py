"""The rollouts of prime-rl until June 2026, ``rollouts/step_{N}/train_rollouts.jsonl``, and of verifiers at that time.

Source: ``save_rollouts`` of src/prime_rl/orchestrator/vf_utils.py in the repository PrimeIntellect-ai/prime-rl from
commit b194a6e (April 2026, before v0.6) until June 2026, and ``RolloutOutput`` of verifiers/types.py in
PrimeIntellect-ai/verifiers at that time. A line is a rollout: example_id, prompt (chat messages without a template),
completion, reward (the weighted sum), answer, error, is_truncated, ... The step is in the folder's name.

A rollout that failed has an error, and a reward that no function computed. It is left out, so its visit is a partial
one. ``eval_rollouts.jsonl`` in the same folder holds the evaluation and is left out. An evaluation of verifiers
(``results.jsonl``) has the same lines without a step: a log of one visit.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from limr.logs.format import Format
from limr.logs.json_exact import decode
from limr.logs.json_rows import JsonRow, Rollouts, read_json
from limr.logs.log import LogOptions, Part
from limr.logs.log_files import whole_step
from limr.logs.templates import response_text


class Row(JsonRow, rename={"response": "completion", "truncated": "is_truncated"}):
    """A rollout."""

    prompt: msgspec.Raw
    reward: float
    answer: msgspec.Raw = msgspec.Raw()
    error: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()
    truncated: bool | None = None

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows that did not fail, as columns."""
        found = [(number, row) for number, row in enumerate(rows) if bytes(row.error) in (b"", b"null")]
        columns = Rollouts(
            reward=[row.reward for _, row in found],
            prompt=[row.prompt for _, row in found],
            row=[number for number, _ in found],
            answer=[row.answer for _, row in found],
        )
        if with_responses:
            columns.response = [_response(row.response) for _, row in found]
            columns.truncated = [row.truncated for _, row in found]
        return columns


def _response(raw: msgspec.Raw) -> str | None:
    return response_text(decode(raw)) if bytes(raw) else None


def read(files: Sequence[Path], options: LogOptions, with_responses: bool) -> Iterator[tuple[int, Part]]:
    """Read files of rollouts; the step is in the name of a file's folder. See ``Format.read``."""
    for number, part in read_json(Row, files, options, with_responses):
        step = re.fullmatch(r"step_(\d+)", files[number].absolute().parent.name)
        yield (
            number,
            replace(part, step=np.full(len(part), whole_step(step[1], files[number]), dtype=np.int64))
            if step
            else part,
        )


FORMAT = Format(
    name="verifiers",
    title="prime-rl until June 2026 and verifiers, train_rollouts.jsonl",
    files=r"train_rollouts\.jsonl",
    keys=frozenset({"example_id", "prompt", "completion", "reward", "is_completed"}),
    read=read,
    set_aside={"eval_rollouts.jsonl": "evaluation"},
)
