"""An option of a score method: how a signature declares it, which values it takes, and how it is read from text.

Every keyword-only parameter of a method is an option. Its annotation is the type (``bool``, ``int``, ``float`` or
``str``), with a range where one is needed: ``target: Annotated[float, Range(0, 1)] = 0.5``.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_type_hints

from limr.errors import LimrError, one_of, shown

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


@dataclass(frozen=True)
class Range:
    """The values that a number may have, both ends included.

    >>> str(Range(0, 1)), str(Range(1)), str(Range())
    (' from 0 to 1', ' of at least 1', '')
    """

    lowest: float = -math.inf
    highest: float = math.inf

    def __contains__(self, value: float) -> bool:
        return self.lowest <= value <= self.highest

    def __str__(self) -> str:
        if math.isinf(self.highest):
            return "" if math.isinf(self.lowest) else f" of at least {self.lowest}"
        return f" of at most {self.highest}" if math.isinf(self.lowest) else f" from {self.lowest} to {self.highest}"


Share = Annotated[float, Range(0, 1)]


@dataclass(frozen=True)
class Option:
    """One option of a score method. With ``choices`` it is one of these texts."""

    name: str
    default: bool | int | float | str
    kind: type
    range: Range = Range()
    choices: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        """The values that the option takes, as an error names them."""
        return one_of(self.choices) if self.choices else f"{_KINDS[self.kind]}{self.range}"

    def check(self, value: Any) -> None:
        """Raise LimrError if the option does not take ``value``. A number must be finite.

        >>> Option("target", 0.5, float, Range(0, 1)).check(1.5)
        Traceback (most recent call last):
        ...
        limr.errors.LimrError: option target: found 1.5, expected a number from 0 to 1
        """
        if not self._takes(value):
            raise self._error(value)

    def parse(self, text: str) -> bool | int | float | str:
        """Convert ``text`` from a command line to a value of the option. Raises LimrError as ``check`` does.

        >>> Option("target", 0.5, float, Range(0, 1)).parse("0.25")
        0.25
        """
        try:
            value = {"true": True, "false": False}[text.lower()] if self.kind is bool else self.kind(text)
        except (KeyError, ValueError):
            raise self._error(text) from None
        self.check(value)
        return value

    def _takes(self, value: Any) -> bool:
        if self.choices:
            return value in self.choices
        if self.kind in (bool, str):
            return isinstance(value, self.kind)
        is_number = isinstance(value, int if self.kind is int else int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and value in self.range

    def _error(self, value: Any) -> LimrError:
        return LimrError(where=f"option {self.name}", found=shown(value), expected=self.expected)


class OptionsError(LimrError):
    """An option has a value that contradicts the other options, whatever the curves are.

    The check of a configuration reports it too, before there are any curves.
    """

    def __init__(self, what: str = "", *, option: str = "", found: str = "", expected: str = "", advice: str = ""):
        super().__init__(what, where=f"option {option}", found=found, expected=expected, advice=advice)
        self.option = option


def declared_options(function: Callable[..., Any]) -> dict[str, Option]:
    """The options that the signature of a score method declares, by name.

    >>> def band(values, *, lowest: Share = 0.2): ...
    >>> declared_options(band)
    {'lowest': Option(name='lowest', default=0.2, kind=<class 'float'>, range=Range(lowest=0, highest=1), choices=())}
    """
    annotations = get_type_hints(function, include_extras=True)
    options = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            kind, *ranges = get_args(annotations[name]) or [annotations[name]]  # Annotated[kind, range], or a type
            options[name] = Option(name, parameter.default, kind, *ranges)
    return options
