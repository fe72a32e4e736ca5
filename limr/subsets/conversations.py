"""A prompt of a data set as messages, and the user's text in it."""

from typing import Any

from limr.errors import LimrError, shown
from limr.files.rows import Row
from limr.files.strict_json import whole_characters


def conversation(prompt: Any, place: str) -> list[Row]:
    """A prompt as messages: a text becomes one message of the user, a list of messages (verl, TRL) stays as it is.

    >>> conversation("2+2?", "row 1")
    [{'role': 'user', 'content': '2+2?'}]
    """
    if isinstance(prompt, str):
        return [{"role": "user", "content": prompt}]
    is_conversation = (
        isinstance(prompt, list)
        and all(isinstance(message, dict) and isinstance(message.get("content"), str) for message in prompt)
        and all(isinstance(message.get("role"), str) for message in prompt)
        and any(message.get("role") == "user" for message in prompt)
    )
    if not is_conversation:
        raise LimrError(
            where=place,
            found=shown(prompt, most=80),
            expected='text, or messages with at least one of the user: [{"role": "user", "content": "..."}]',
        )
    return prompt


def last_of_user(messages: list[Row]) -> Row:
    """The last message of the user."""
    return next(message for message in reversed(messages) if message["role"] == "user")


def user_text(prompt: Any, place: str) -> str:
    """The text of the user's last message.

    >>> user_text([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}], "row 1")
    '2+2?'
    """
    return whole_characters(last_of_user(conversation(prompt, place))["content"], place)
