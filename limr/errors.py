"""Errors for users. An error carries its parts; ``LimrError.render`` turns them into a message when it is shown.

Users of the command line and users of a configuration file see the same error. Its parts may name a ``Setting``, which
the message shows in the form that the user writes: ``--visits 44`` or ``visits: 44``.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from shlex import quote
from typing import Any, Self


class Words(Enum):
    """How a message writes settings: as in a configuration file or as on the command line."""

    CONFIGURATION = "configuration"
    COMMAND_LINE = "command line"


@dataclass(frozen=True)
class Setting:
    """A setting that a message names, with a value where the message proposes one.

    >>> Setting("visits", 44).write(Words.CONFIGURATION), Setting("visits", 44).write(Words.COMMAND_LINE)
    ('`visits: 44`', '`--visits 44`')
    """

    name: str
    value: Any = None

    def write(self, words: Words) -> str:
        """The setting in the form that the user writes."""
        if words is Words.COMMAND_LINE:
            return f"`{self._on_command_line()}`"
        return f"`{self._in_configuration()}`"

    def _on_command_line(self) -> str:
        return f"--{self.name.replace('_', '-')}" + ("" if self.value is None else f" {self.value}")

    def _in_configuration(self) -> str:
        return self.name if self.value is None else f"{self.name}: {self.value}"


@dataclass(frozen=True)
class Names(Setting):
    """A setting that is a list of names; ``value`` is one of them. A command line repeats the option for each name.

    >>> Names("leave_out", "a b").write(Words.CONFIGURATION), Names("leave_out", "a b").write(Words.COMMAND_LINE)
    ('`leave_out: ["a b"]`', "`--leave-out 'a b'`")
    """

    def _on_command_line(self) -> str:
        return f"--{self.name.replace('_', '-')} {'NAME' if self.value is None else quote(self.value)}"

    def _in_configuration(self) -> str:
        return f"{self.name}: [{'NAME' if self.value is None else json.dumps(self.value)}]"


@dataclass(frozen=True)
class MethodOption(Setting):
    """An option of a score method.

    >>> MethodOption("signal", "accuracy").write(Words.CONFIGURATION)
    '`options: {signal: accuracy}`'
    >>> MethodOption("signal", "accuracy").write(Words.COMMAND_LINE)
    '`--option signal=accuracy`'
    """

    def _on_command_line(self) -> str:
        return f"--option {self.name}={'...' if self.value is None else self.value}"

    def _in_configuration(self) -> str:
        return f"options: {{{self.name}: {'...' if self.value is None else self.value}}}"


@dataclass(frozen=True)
class Column(Setting):
    """The name of one of our columns in a log or a data set.

    >>> Column("reward", "score").write(Words.CONFIGURATION), Column("reward", "score").write(Words.COMMAND_LINE)
    ('`columns: {reward: score}`', '`--column reward=score`')
    """

    def _on_command_line(self) -> str:
        return f"--column {self.name}={'NAME' if self.value is None else self.value}"

    def _in_configuration(self) -> str:
        return f"columns: {{{self.name}: {'NAME' if self.value is None else self.value}}}"


Text = str | Setting | Sequence[str | Setting]


def write(text: Text, words: Words = Words.CONFIGURATION) -> str:
    """``text`` as one string; ``words`` decides how its settings are written.

    >>> write(["Lower ", Setting("visits"), "."], Words.COMMAND_LINE)
    'Lower `--visits`.'
    """
    parts = [text] if isinstance(text, str | Setting) else text
    return printable("".join(part.write(words) if isinstance(part, Setting) else part for part in parts))


def printable(text: str) -> str:
    r"""``text`` without control characters: escape sequences from a file must not reach the terminal. ``\n`` stays.

    >>> printable("red: \x1b[31m, half a pair: \ud83d")
    'red: \\x1b[31m, half a pair: \\ud83d'
    """
    # isprintable is false for control, format and private characters, and for all white space but the space
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )


def one_line(text: object) -> str:
    r"""A name from a file as one line of a message: control characters and line breaks are escaped.

    >>> one_line("step\n1.csv")
    'step\\n1.csv'
    """
    return printable(str(text)).replace("\n", "\\n")


class LimrError(Exception):
    """An error in the input, the configuration or the machine, not in the program: shown without a traceback.

    ``where`` lists the places that lead to the fault, the outermost first: file, line, key. ``what`` is a clause,
    ``found`` and ``expected`` are noun phrases; none of the three ends with a full stop. ``advice`` is one or more
    sentences that tell the user what to do next. Every part is optional.

    >>> print(LimrError(where=("step_12.json", "line 4", "key 'reward'"), found="NaN", expected="a finite number",
    ...                 advice="Correct the row or remove it."))
    step_12.json: line 4: key 'reward': found NaN, expected a finite number. Correct the row or remove it.
    """

    def __init__(
        self,
        what: Text = "",
        *,
        where: object = (),
        found: Text = "",
        expected: Text = "",
        advice: Text = "",
    ) -> None:
        super().__init__(what)
        self.what, self.found, self.expected, self.advice = what, found, expected, advice
        self.where = _places(where)

    def render(self, words: Words = Words.CONFIGURATION) -> str:
        """The error as one message."""
        found = self.found and f"found {write(self.found, words)}"
        expected = self.expected and f"expected {write(self.expected, words)}"
        clause = ", ".join(filter(None, [write(self.what, words), found, expected]))
        message = ": ".join(filter(None, [*map(one_line, self.where), clause]))
        advice = write(self.advice, words)
        return f"{message}. {advice}" if advice and message else message or advice

    def inside(self, *where: object) -> Self:
        """Put ``where`` in front of the places of this error and return it: the caller adds the file or the line."""
        self.where = (*_places(where), *self.where)
        return self

    def __str__(self) -> str:
        return self.render()


class ContractError(LimrError):
    """A file breaks its contract: a column, a type, a value or the key is wrong."""


class UsageError(LimrError):
    """A command was called wrongly: exit status 2."""

    @classmethod
    def of(cls, error: LimrError) -> Self:
        """A usage error with the parts of ``error``, which a wrong argument of the command caused."""
        return cls(error.what, where=error.where, found=error.found, expected=error.expected, advice=error.advice)


class ProblemsError(LimrError):
    """Several errors that one check has found; the message has one line for each."""

    def __init__(self, what: Text, problems: Iterable[LimrError]) -> None:
        super().__init__(what)
        self.problems = list(problems)

    def render(self, words: Words = Words.CONFIGURATION) -> str:
        """A heading, and a line for each problem."""
        return "\n  ".join([f"{super().render(words)}:", *(problem.render(words) for problem in self.problems)])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.what, self.problems)


def shown(value: Any, most: int = 60) -> str:
    """``value`` for a message: JSON on one line, cut to ``most`` characters; with its type if JSON has no such type.

    >>> shown("a" * 80, most=8), shown(float("nan")), shown(None), shown(1j)
    ('"aaaa...', 'NaN', 'null', '"complex 1j"')
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    text = json.dumps(value, default=lambda other: f"{type(other).__name__} {other}")
    return text if len(text) <= most else f"{text[: most - 3]}..."


def one_of(names: Iterable[object]) -> str:
    """The ``expected`` of an error when only these names are allowed.

    >>> one_of(["drop", "next"]), one_of(["paper"])
    ('one of drop, next', 'paper')
    """
    listed = list(map(str, names))
    return listed[0] if len(listed) == 1 else f"one of {', '.join(listed)}"


def counted(number: int, noun: str) -> str:
    """``number`` and ``noun``, which gets an s unless the number is 1.

    >>> counted(1, "prompt"), counted(8523, "prompt")
    ('1 prompt', '8,523 prompts')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_line(error: BaseException) -> str:
    """The first line of a library's error message, without full stop; the error's class if it has no message.

    >>> first_line(ValueError("invalid header.\\n  at byte 7")), first_line(KeyError())
    ('invalid header', 'KeyError')
    """
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def suggest(name: object, known: Iterable[str]) -> str:
    """A sentence that suggests what to write instead of ``name``.

    >>> suggest("lmi", ["lim", "rand"]), suggest("x", ["lim", "rand"])
    ("Did you mean 'lim'?", 'Known names: lim, rand.')
    """
    known = list(known)
    close = get_close_matches(str(name), known, n=1)
    return f"Did you mean {close[0]!r}?" if close else f"Known names: {', '.join(known)}."


def _places(where: object) -> tuple[str, ...]:
    """``where`` as a tuple of text: a path or a name is one place."""
    if isinstance(where, tuple | list):
        return tuple(str(place) for place in where if place not in ("", None))
    return (str(where),) if where not in ("", None) else ()


# package -> the extra of pyproject.toml that installs it
EXTRAS = {
    "matplotlib": "figures",
    "scipy": "statistics",
    **dict.fromkeys(("latex2sympy2_extended", "math_verify", "mpmath", "sympy"), "grading"),
    **dict.fromkeys(
        ("huggingface_hub", "jinja2", "safetensors", "tensorboard", "tokenizers", "torch", "transformers"), "training"
    ),
    **dict.fromkeys(("markdown_it", "pydantic", "pydantic_core", "snakemake", "yaml"), "workflow"),
}


def missing_package(error: ModuleNotFoundError, user: str) -> LimrError | None:
    """The error that ``user`` (a command, a stage) needs a package of an extra; None for any other package.

    >>> print(missing_package(ModuleNotFoundError(name="sympy.core"), "`limr grade`"))
    `limr grade` needs the package sympy. Install it: pip install 'limr[grading]'
    """
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return None
    return LimrError(f"{user} needs the package {package}", advice=f"Install it: pip install 'limr[{EXTRAS[package]}]'")
