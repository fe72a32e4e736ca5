"""The rollouts that verl dumps: ``trainer.rollout_data_dir``, one ``{step}.jsonl`` a step.

Source: ``_dump_generations`` of verl/trainer/ppo/ray_trainer.py and ``_write_generations`` of
verl/trainer/ppo/v1/trainer_base.py: the keys input, output, gts, score, step and whatever else the reward function
returned, or in the newer trainer ``uid``. ``input`` is the chat template's text, decoded with special tokens skipped.
A resumed run writes a step's file anew, so no dump holds a replay. Validation dumps (``trainer.validation_data_dir``)
have the same names and keys, and always one more: ``reward``.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec

from limr.logs.format import Format
from limr.logs.json_rows import JsonRow, Rollouts, RowError, read_json

_KEYS = {"prompt": "input", "response": "output", "reward": "score", "correct": "acc", "answer": "gts"}


_NOTHING = b'""'
_LATER_OUTPUT = re.compile(rb'_\d+_0*[1-9]\d*"$')  # {uid}_{session}_{output}: outputs are counted from 0


class Row(JsonRow, rename=_KEYS):
    """A rollout."""

    prompt: msgspec.Raw
    reward: float
    step: int
    correct: bool | float | None = None
    answer: msgspec.Raw = msgspec.Raw()
    response: msgspec.Raw = msgspec.Raw()

    uid: msgspec.Raw = msgspec.Raw()

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows as columns, without those that fill up a batch: of their one token no text is left."""
        kept = [number for number, row in enumerate(rows) if bytes(row.prompt) != _NOTHING]
        for number in kept:
            if _LATER_OUTPUT.search(bytes(rows[number].uid)):
                raise RowError(number, "uid", "a session with several outputs, of which no one is the rollout")
        columns = super().rollouts([rows[number] for number in kept], with_responses)
        return replace(columns, row=kept)


FORMAT = Format(
    name="verl",
    title="verl, trainer.rollout_data_dir",
    files=r"(?P<step>\d+)\.jsonl",
    keys=frozenset({"input", "output", "score", "step"}),
    read=partial(read_json, Row),
    set_aside={"reward": "a dump of validation"},
)
