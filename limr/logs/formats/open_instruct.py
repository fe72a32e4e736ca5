"""The rollouts that open-instruct saves: ``--save_traces``, ``{run}_rollouts_{shard}.jsonl`` in ``rollouts_save_path``.

Source: ``RolloutRecord`` and ``_save_rollouts`` of open_instruct/rl_utils.py, called by ``DataPreparationActor`` of
open_instruct/data_loader.py, in the repository allenai/open-instruct at commit e6c3044 (August 2026); unchanged since
it was added in January 2026. A line is one rollout: step, prompt_tokens, response_tokens, reward, ground_truth, ...
A shard holds 10,000 rollouts, in the order of the steps. A resumed run has another name.

The log has no text. A prompt is identified by its tokens, and its id is a hash of them. The id is the same in all runs
with one tokenizer and chat template, and differs from the id of the text. ``prompt_idx`` is the position in the step's
batch, not an id.

``reward`` is the score of all verifiers. A correct answer gets ``--verification_reward``, 10 by default. With
``--filter_zero_std_samples``, the default, the log lacks a prompt at each step where all its rollouts have the same
reward. Switch the filter off, so that visits can be counted. Evaluation is not saved.
"""

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from limr.logs.format import Format
from limr.logs.json_rows import JsonRow, Rollouts, read_json


class Row(JsonRow, rename={"prompt_id": "prompt_tokens", "answer": "ground_truth"}):
    """A rollout."""

    prompt_id: list[int]
    reward: float
    step: int
    answer: msgspec.Raw = msgspec.Raw()
    response_tokens: list[int] | None = None
    finish_reason: str | None = None

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows as columns; the id of a prompt is the hash of its tokens."""
        tokens = [tuple(row.prompt_id) for row in rows]
        ids = {prompt: _tokens_id(prompt) for prompt in set(tokens)}
        columns = Rollouts(
            reward=[row.reward for row in rows],
            prompt_id=[ids[prompt] for prompt in tokens],
            step=[row.step for row in rows],
            answer=[row.answer for row in rows],
        )
        if with_responses:
            columns.response = [None] * len(rows)  # the log has tokens only, so it cannot be converted
            columns.response_tokens = [len(row.response_tokens or ()) for row in rows]
            columns.truncated = [row.finish_reason == "length" for row in rows]
        return columns


def _tokens_id(tokens: tuple[int, ...]) -> str | None:
    """16 hexadecimal digits of SHA-256 of the tokens as text; None if there are no tokens."""
    return hashlib.sha256(" ".join(map(str, tokens)).encode("ascii")).hexdigest()[:16] if tokens else None


FORMAT = Format(
    name="open_instruct",
    title="open-instruct, --save_traces",
    files=r".*_rollouts_\d+\.jsonl",
    keys=frozenset({"step", "prompt_tokens", "response_tokens", "reward", "finish_reason"}),
    read=partial(read_json, Row),
)
