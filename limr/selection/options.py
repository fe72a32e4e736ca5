"""Options of a score method that came as text (from a command line), as the types its signature declares."""

import inspect
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from limr.errors import LimrError
from limr.selection.method import option_parameters

_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "text", types.NoneType: "none"}


def parse_options(score_name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """``texts`` (option -> text) as the keyword arguments of score method ``score_name``.

    Raises LimrError when the method or an option is unknown, and when a text is not of the option's type.

    >>> parse_options("lim", {"signal": "accuracy"})
    {'signal': 'accuracy'}
    """
    known = option_parameters(score_name)
    for name in texts:
        if name not in known:
            raise LimrError(
                f"score {score_name!r}: unknown option {name!r}; it takes {', '.join(known) or 'no option'}"
            )
    return {name: _parse(score_name, known[name], text) for name, text in texts.items()}


def _parse(score_name: str, parameter: inspect.Parameter, text: str) -> Any:
    declared = parameter.annotation
    kinds = get_args(declared) if get_origin(declared) in (Union, types.UnionType) else (declared,)
    for kind in sorted(kinds, key=list(_NAMES).index):
        value = _as_kind(text, kind)
        if value is not None:
            return None if kind is types.NoneType else value
    expected = " or ".join(_NAMES[kind] for kind in kinds)
    raise LimrError(f"score {score_name!r}: option {parameter.name}: found {text!r}, expected {expected}")


def _as_kind(text: str, kind: type) -> Any:
    """``text`` as ``kind``; None where it is none."""
    if kind is bool:
        return {"true": True, "false": False}.get(text.lower())
    if kind is types.NoneType:
        return True if text.lower() == "none" else None
    try:
        return kind(text)
    except ValueError:
        return None
