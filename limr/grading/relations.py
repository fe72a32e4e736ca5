r"""Reads relations: the value of a name, as in ``x=5``, or the interval of a variable, as in ``-2<x\le 7``."""

import re
from collections.abc import Iterable

from limr.grading.numbers import numeral
from limr.grading.structure import Node
from limr.grading.units import split_unit


def is_name(text: str) -> bool:
    r"""Whether one side of an equation only names the value of the other: it has letters and no number to evaluate.

    ``x``, ``f(2)``, ``AB``, ``x_{1}``, ``\angle ABC``, ``(x,y)``, ``a+b``; not ``2x``, ``3+8``, ``x^{2}``, ``-x``, and
    not the ``x!`` of ``x!=5``.
    """
    if text.startswith("-") or text.endswith("!"):
        return False
    text = re.sub(r"_\{[^{}]*\}|(?<=[A-Za-z])\([^()]*\)", "", text)
    return any(letter.isalpha() for letter in text) and not any(digit.isdigit() for digit in text)


def named_value(node: Node) -> str | None:
    """The value at the end of a chain of equations that begins with a name; None without a name, or for two numbers.

    A numeral may come first and the name second.

    >>> named_value(Node("relation", ("n", "2+3", "5"), ("=", "=")))
    '5'
    >>> named_value(Node("relation", ("x", "6", "5"), ("=", "=")))
    """
    if node.mark == ("=",) and is_name(node.parts[1]) and numeral(node.parts[0]) is not None:
        return node.parts[0]
    if not set(node.mark) <= {"=", "\\in"} or not is_name(node.parts[0]):
        return None
    numbers = {numeral(part) for part in node.parts[1:]} - {None}
    return node.parts[-1] if len(numbers) <= 1 else None


def answered_value(node: Node) -> str | None:
    """The value that an answer gives to a name. If the answer also rounds the value, the value before rounding."""
    if "\\approx" in node.mark:
        cut = node.mark.index("\\approx")
        exact = Node("relation", node.parts[: cut + 1], node.mark[:cut])
        if cut == 0:
            return node.parts[1] if not node.parts[0] or is_name(node.parts[0]) else node.parts[0]
        return named_value(exact)
    return named_value(node)


def are_values(parts: Iterable[str]) -> bool:
    """Whether all ``parts`` are numerals, with or without a unit."""
    return all(numeral(split_unit(part)[0]) is not None for part in parts)


def subject_and_value(node: Node) -> tuple[str, str] | None:
    """The name that a relation is about, and its value or its interval."""
    value = answered_value(node)
    if value is not None:
        return node.parts[0], value
    within = interval(node)
    return (next(part for part in node.parts if is_name(part)), within) if within else None


def interval(node: Node) -> str | None:
    r"""The interval that an inequality of one variable between numbers describes: ``-2<x\le 7`` is ``(-2,7]``."""
    if node.kind == "relation" and node.mark == ("\\ne",) and is_name(node.parts[0]):
        return f"(-\\infty,{node.parts[1]})\\cup({node.parts[1]},\\infty)"
    if node.kind != "relation" or not set(node.mark) <= {"<", "\\le"} or len(node.parts) > 3:
        return None
    names = [is_name(part) and "\\infty" not in part for part in node.parts]
    if names.count(True) != 1 or (len(names) == 3 and not names[1]):
        return None
    bounds = [part for part, name in zip(node.parts, names, strict=True) if not name]
    if any(re.search(r"(?<![\\A-Za-z])[A-Za-z]", bound) for bound in bounds):  # a bound with a variable in it
        return None
    position = names.index(True)
    left = node.parts[0] if position == 1 else "-\\infty"
    right = node.parts[-1] if position < len(names) - 1 else "\\infty"
    opening = "[" if position == 1 and node.mark[0] == "\\le" else "("
    closing = "]" if position < len(names) - 1 and node.mark[-1] == "\\le" else ")"
    return f"{opening}{left},{right}{closing}"
