"""The rollouts that NeMo RL logs at every training step: ``train_data_step{N}.jsonl`` in its ``logger.log_dir``.

Source: ``grpo_train`` and ``async_grpo_train`` of nemo_rl/algorithms/grpo.py, ``grpo_sync.py`` and ``ppo.py`` beside
it, and ``Logger.log_batched_dict_as_jsonl``, in the repository NVIDIA-NeMo/RL at commit 7ea279a (August 2026, after
v0.7.0). A row is a slice of length one of a batch, so every value is a list with one element:

- ``content``: the texts of the messages, without their roles. A system message may come first. Then come the user's
  message with the chat template around it, and alternately messages of the model and of the environment. With one turn
  of the model these are three or four messages.
- ``rewards``: after scaling and shaping. With ``grpo.use_dynamic_sampling`` it is the reward of *another* rollout,
  from the batch before prompts without spread were dropped; this rollout's reward is then in ``filtered_rewards``.
- ``token_loss_mask`` (since v0.6): 1 for the model's tokens.

The step is in the file's name; the log has no gold answer. The math environment's message shows whether the response is
correct. A resumed run writes to another folder, ``exp_{K}``. Validation is logged beside it, as
``val_data_step{N}.jsonl``. Rollouts of NeMo Gym are logged without any text and cannot be read. Distillation has no
rewards.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from limr.errors import LimrError
from limr.logs.format import Format
from limr.logs.json_exact import decode
from limr.logs.json_rows import JsonRow, Rollouts, read_json
from limr.logs.templates import user_turn

_VERDICTS = {"Environment: correct": True, "Environment: incorrect": False}  # of the math environment


class Row(JsonRow, rename={"prompt": "content", "reward": "rewards", "filtered": "filtered_rewards"}):
    """One rollout, or none where dynamic sampling kept fewer rollouts than the batch had."""

    prompt: list[list[msgspec.Raw]]
    reward: list[float]
    filtered: list[float] | None = None
    token_loss_mask: msgspec.Raw = msgspec.Raw()

    @classmethod
    def rollouts(cls, rows: Sequence[Any], with_responses: bool) -> Rollouts:
        """The rows that hold a rollout, as columns."""
        full = [(number, row) for number, row in enumerate(rows) if row.prompt and row.prompt[0]]
        chats = [row.prompt[0] for _, row in full]
        columns = Rollouts(
            reward=[_only(row.reward if row.filtered is None else row.filtered) for _, row in full],
            prompt=[
                (tuple(map(bytes, chat[: _opening(chat)])), len(chat), _model_turns(row.token_loss_mask))
                for chat, (_, row) in zip(chats, full, strict=True)
            ],
            row=[number for number, _ in full],
            correct=[_VERDICTS.get(_text(chat[-1])) for chat in chats],
        )
        if with_responses:
            columns.response = ["\n\n".join(map(_text, chat[_opening(chat) :: 2])) for chat in chats]
        return columns

    @staticmethod
    def prompt_text(prompt: Any) -> str:
        """The user's turn, from (messages before the model's first one, number of messages, turns of the model)."""
        opening, messages, turns = prompt
        if not any(map(_text, opening)):
            raise LimrError(
                expected="text", advice="NeMo Gym's rollouts are logged without text: their prompts are unknown."
            )
        if turns not in (None, (messages - len(opening)) // 2):
            raise LimrError(
                f"{messages} messages do not fit {turns} turns of the model",
                expected="the user's message (perhaps after the system's), then the model's and the environment's in"
                " turns",
            )
        return user_turn(_text(opening[-1]))


def _opening(messages: Sequence[Any]) -> int:
    """Number of messages before the model's first one: each message of the model is followed by the environment's."""
    return 1 if len(messages) % 2 else 2


def _model_turns(mask: msgspec.Raw) -> int | None:
    """Number of stretches of ones in the mask; None without a mask (before v0.6)."""
    text = bytes(mask).replace(b" ", b"")
    return text.count(b"0,1") if text else None


def _only(values: list[float]) -> float:
    return values[0] if len(values) == 1 else float("nan")


def _text(raw: bytes | msgspec.Raw) -> str:
    value = decode(raw)
    return value if isinstance(value, str) else ""


FORMAT = Format(
    name="nemo_rl",
    title="NeMo RL, train_data_step{N}.jsonl in logger.log_dir",
    files=r"train_data_step(?P<step>\d+)\.jsonl",
    keys=frozenset({"content", "rewards", "input_lengths", "idx"}),
    read=partial(read_json, Row),
)
