"""Tests match the parts of an error, not its sentences."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from limr.errors import LimrError, ProblemsError, Words, write


@contextmanager
def refused(kind: type[LimrError] = LimrError, **parts: object) -> Iterator[pytest.ExceptionInfo[LimrError]]:
    """Expect an error of ``kind`` with these ``parts`` (where, what, found, expected, advice).

    Each given text must occur in that part of the error; of ``where``, in one of its places. With several problems,
    one of them must have all the parts.

    >>> with refused(where="line 4", found="NaN"):
    ...     raise LimrError(where=("run.jsonl", "line 4"), found="NaN", expected="a number")
    """
    with pytest.raises(kind) as raised:
        yield raised
    errors = raised.value.problems if isinstance(raised.value, ProblemsError) else [raised.value]
    assert any(has(error, parts) for error in errors), f"expected {parts}; the error was: {raised.value!s}"


def has(error: LimrError, parts: dict[str, object]) -> bool:
    """Whether ``error`` has ``parts``, in the words of the configuration or of the command line."""
    where = parts.get("where", ())
    places = where if isinstance(where, tuple) else (where,)
    return all(any(str(place) in known for known in error.where) for place in places) and all(
        any(str(part) in write(getattr(error, name), words) for words in Words)
        for name, part in parts.items()
        if name != "where"
    )
