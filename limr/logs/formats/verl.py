"""The rollouts that verl dumps: ``trainer.rollout_data_dir``, one file ``{step}.jsonl`` for each step.

Source: ``_dump_generations`` of verl/trainer/ppo/ray_trainer.py and ``_write_generations`` of
verl/trainer/ppo/v1/trainer_base.py. A row has the keys input, output, gts, score and step, and the other values that
the reward function returns; the newer trainer adds ``uid``. ``input`` is the text of the chat template, decoded without
special tokens. A resumed run overwrites a step's file, so no dump holds a step twice. Dumps of validation
(``trainer.validation_data_dir``) have the same names and keys, and always one more key: ``reward``.
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
_LATER_OUTPUT = re.compile(rb'_\d+_0*[1-9]\d*"$')  # {uid}_{session}_{output}; the first output is 0


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
        """The rows as columns, without rows that only fill up a batch: their single token decodes to empty text."""
        kept = [number for number, row in enumerate(rows) if bytes(row.prompt) != _NOTHING]
        for number in kept:
            if _LATER_OUTPUT.search(bytes(rows[number].uid)):
                raise RowError(
                    number, "uid", found="a session with several outputs", expected="one output, the whole rollout"
                )
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
