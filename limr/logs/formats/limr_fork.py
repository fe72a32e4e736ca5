"""The rollouts of LIMR's own fork of OpenRLHF: ``train/step_{N}.json`` in its ``samples_save_path``.

Source: ``fit`` of openrlhf/trainer/ppo_trainer.py in the repository GAIR-NLP/LIMR. The file of a step is a JSON list of
objects with prompt, response, reward and response_length. The fork itself strips the chat template. The files
``test/step_{N}.json`` beside them have no rewards and are left out.
"""

from functools import partial

import msgspec

from limr.logs.format import Format
from limr.logs.json_rows import JsonRow, read_json


class Row(JsonRow, rename={"response_tokens": "response_length"}):
    """A rollout."""

    prompt: msgspec.Raw
    reward: float
    response: msgspec.Raw = msgspec.Raw()
    response_tokens: float | None = None


FORMAT = Format(
    name="limr_fork",
    title="LIMR's fork of OpenRLHF, samples_save_path",
    files=r"step_(?P<step>\d+)\.json",
    keys=frozenset({"prompt", "response", "reward", "response_length"}),
    read=partial(read_json, Row),
)
