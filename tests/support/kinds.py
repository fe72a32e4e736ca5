r"""Shared by all kinds of forms: the registration of a kind, and functions that examine a gold."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy
from golds import read, split_outside

Build = Callable[[str], list[str]]

INTEGER = re.compile(r"-?\d+")
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
FRACTION = re.compile(r"(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}")
MIXED = re.compile(r"(-?)(\d+)\s*\\[dt]?frac\s*(?:\{(\d+)\}\{(\d+)\}|(\d)(\d))")
GROUPED = re.compile(r"-?\d{1,3}(?:(?:,\\!|\{,\})\d{3})+")
BASE = re.compile(r"(-?\d+)_(?:\{(\d+)\}|(\d))")
WITH_UNIT = re.compile(r"(.*\d.*?)(?:\\,|\\ )?\s*\\(text|mbox|textnormal)\s*\{\s*([a-z. ]+)\}")
WORD = re.compile(r"\\text\{([A-Za-z]{2,}(?: [a-z]+)*)\}")
CHOICE = re.compile(r"\\text\{\(?([A-F])\)?\}")
DEGREES = re.compile(r"(-?\d+(?:\.\d+)?)\^(?:\\circ|\{\\circ\})")
BRACKETED = re.compile(r"(?:\\left)?\s*([(\[])(.*?)(?:\\right)?\s*([)\]])", re.DOTALL)
MATRIX = re.compile(r"\\begin\{pmatrix\}(.*)\\end\{pmatrix\}", re.DOTALL)
EQUATION = re.compile(r"([^=<>]+)=([^=<>]+)")
NAMED = re.compile(r"([a-zA-Z])\s*=\s*([^=a-zA-Z]*(?:\\[dt]?frac|\\sqrt)?[^=a-zA-Z]*)")


@dataclass(frozen=True)
class Form:
    """One answer to one gold, and whether it is right; ``equal`` is None where good graders disagree."""

    kind: str
    gold: str
    answer: str
    equal: bool | None


def kind(name: str, kinds: dict[str, Build]) -> Callable[[Build], Build]:
    """Register a function as the kind ``name`` of ``kinds``."""

    def register(build: Build) -> Build:
        assert name not in kinds
        kinds[name] = build
        return build

    return register


def rational(gold: str) -> Fraction | None:
    """The value of a gold that is a plain number, a fraction or a mixed number."""
    if mixed := MIXED.fullmatch(gold):
        sign, whole, top, bottom, top_digit, bottom_digit = mixed.groups()
        value = int(whole) + Fraction(int(top or top_digit), int(bottom or bottom_digit))
        return -value if sign else value
    value = read(gold)
    return Fraction(int(value.p), int(value.q)) if isinstance(value, sympy.Rational) else None


def decimal(value: Fraction, places: int = 6) -> str | None:
    """The decimal of ``value`` if it ends within ``places``."""
    scaled = value * 10**places
    if scaled.denominator != 1:
        return None
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    return ("-" if value < 0 else "") + f"{digits[:-places]}.{digits[-places:]}".rstrip("0").rstrip(".")


def frac(value: Fraction, command: str = "frac") -> str:
    sign = "-" if value < 0 else ""
    return f"{sign}\\{command}{{{abs(value.numerator)}}}{{{value.denominator}}}"


def inside_brackets(gold: str) -> tuple[str, list[str], str] | None:
    """Opening bracket, entries and closing bracket of one tuple or interval."""
    match = BRACKETED.fullmatch(gold)
    if match is None:
        return None
    entries = split_outside(match[2].replace("\\left", "").replace("\\right", ""), ",")
    if len(entries) < 2 or any(len(piece) != 1 for piece in (match[1], match[3])) or "cup" in gold or "" in entries:
        return None
    return match[1], entries, match[3]


def solutions(gold: str) -> list[str]:
    """The entries of a gold that lists several solutions, or []."""
    gold = re.sub(r"\\[,;]", " ", gold)
    if re.search(r"text|mbox|[{\[(,]\s*,|,\s*\\!|\{,\}|=|matrix|cup|\d,\d{3}(?!\d)", gold) or gold.startswith(
        ("(", "[", "\\l")
    ):
        return []
    bare = gold.removeprefix("\\{").removesuffix("\\}")
    entries = split_outside(bare, ",")
    return entries if len(entries) > 1 and all(entries) else []


def summands(gold: str) -> list[str]:
    """The signed terms of a sum that the small reader can read, or []."""
    if read(gold) is None:
        return []
    marked = re.sub(r"(?<=[^\s({^+\-*/=])\s*([+-])", r"\n\1", gold)
    terms = [part.replace("\n", "") for part in split_outside(marked, "\n")]
    return terms if len(terms) > 1 and all(terms) else []


def joined(terms: list[str]) -> str:
    """A sum of signed terms, without the plus sign at its start."""
    signed = [term if term.startswith("-") else "+" + term.removeprefix("+") for term in terms]
    return "".join(signed).removeprefix("+")


def matrix_rows(gold: str) -> list[list[str]] | None:
    match = MATRIX.fullmatch(gold.strip())
    if match is None:
        return None
    return [[entry.strip() for entry in row.split("&")] for row in match[1].split("\\\\") if row.strip()]


def matrix(rows: list[list[str]], style: str = "pmatrix") -> str:
    return f"\\begin{{{style}}}" + " \\\\ ".join(" & ".join(row) for row in rows) + f"\\end{{{style}}}"


def simple(gold: str) -> bool:
    """Whether the answer is short and in one piece, so that delimiters around it do not change its meaning."""
    return len(gold) < 60 and not re.search(r"\\text|\\mbox|\$|%|[.,]$", gold)
