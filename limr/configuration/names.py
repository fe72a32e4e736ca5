"""Names of methods and benchmarks, and the advice about an unknown name."""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from limr.errors import suggest
from limr.jobs.snakemake_api import is_reserved
from limr.settings import refusal

_PATTERN = "^[a-z][a-z0-9_]{0,49}$"


def unknown(kind: str, name: str, known: Iterable[str]) -> PydanticCustomError:
    """The error that a validator raises for a ``name`` that is not ``known``; ``kind``: e.g. score."""
    return refusal(what=f"unknown {kind} {name!r}", advice=suggest(name, known))


def _check(name: Any, taken: tuple[str, ...]) -> str:
    if not isinstance(name, str):
        raise refusal(expected="text", advice="Put the name in quotes, and begin it with a letter.")
    if not re.fullmatch(_PATTERN, name):
        raise refusal(expected="a name of a-z, 0-9 and _ that begins with a letter, of at most 50 characters")
    if name in taken or is_reserved(name):
        raise refusal(what="the workflow itself uses this name", advice="Choose another one.")
    return name


_json_schema = WithJsonSchema({"type": "string", "pattern": _PATTERN})
# `base` and `base_prompt` are the tables' rows of the base model, and score_distribution is a rule. The tables of
# selection.md have the columns kind, prompts and share, and one for each method.
_NOT_A_METHOD = ("base", "base_prompt", "distribution", "kind", "prompts", "share")
# The rule that writes the benchmarks also writes train, development and broken_golds. `average` is a row of table2.csv.
_NOT_A_BENCHMARK = ("train", "development", "broken_golds", "base", "average")
MethodName = Annotated[str, BeforeValidator(lambda name: _check(name, _NOT_A_METHOD)), _json_schema]
BenchmarkName = Annotated[str, BeforeValidator(lambda name: _check(name, _NOT_A_BENCHMARK)), _json_schema]
