"""The prompts, answers and ids of the rows that an export has read: a row may not contradict one before it."""

from typing import Any

from limr.errors import LimrError, shown
from limr.prompts import collapsed
from limr.subsets.conversations import conversation

Messages = tuple[tuple[str, str], ...]  # (role, content), white space collapsed


class KnownPrompts:
    """The rows so far. White space does not count."""

    def __init__(self) -> None:
        self._answers: dict[Messages, tuple[str, str]] = {}  # prompt -> its answer and the place
        self._prompts: dict[str, tuple[Messages, str]] = {}  # id -> its prompt and the place

    def add(self, prompt: Any, prompt_id: str | None, answer: str, place: str) -> None:
        """Add a row. Raises LimrError if its prompt had another answer, or its id belongs to another prompt."""
        messages = tuple((message["role"], collapsed(message["content"])) for message in conversation(prompt, place))
        first, first_place = self._answers.setdefault(messages, (collapsed(answer), place))
        if first != collapsed(answer):
            raise LimrError(
                "the prompt has two different answers",
                where=place,
                found=f"{shown(answer)}, and {shown(first)} at {first_place}",
                advice="No response can be right for both. Correct the answers, or remove one of the rows.",
            )
        if prompt_id is None:
            return
        of_id, id_place = self._prompts.setdefault(collapsed(prompt_id), (messages, place))
        if of_id != messages:
            raise LimrError(
                "two different prompts have the same prompt_id (white space does not count)",
                where=place,
                found=f"{shown(prompt_id)}, as at {id_place}",
                advice="Correct the ids, or remove the column prompt_id: the export then makes ids from the prompts.",
            )
