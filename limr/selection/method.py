"""The methods by name: a method is one decorated function in a file of its own in ``methods/``.

It takes the ``Pool`` and its own options (keyword-only parameters with a default), and gives a ``Scores``. Every file
in ``methods/`` is imported when a method is first asked for, so a new method needs no other change than a row of
configuration.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from limr.errors import LimrError
from limr.trajectories import Trajectories


@dataclass(frozen=True)
class Pool:
    """What a method may look at: the prompts that can be selected (sorted ids), their trajectories, and the seed."""

    prompt_ids: list[str]
    trajectories: Trajectories | None
    seed: int


@dataclass(frozen=True)
class Scores:
    """What a method says: prompt_id -> score, the higher the better, and prompt_id -> why a prompt has no score."""

    scores: dict[str, float]
    dropped: dict[str, str] = field(default_factory=dict)


ScoreFunction = Callable[..., Scores]


@dataclass(frozen=True)
class ScoreMethod:
    """A registered method."""

    function: ScoreFunction
    needs_trajectories: bool

    @property
    def options(self) -> list[str]:
        """Names of the options it takes."""
        parameters = inspect.signature(self.function).parameters.values()
        return [parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]


_METHODS: dict[str, ScoreMethod] = {}


def score_method(name: str, *, needs_trajectories: bool) -> Callable[[ScoreFunction], ScoreFunction]:
    """Register the decorated function as score method ``name``."""

    def register(function: ScoreFunction) -> ScoreFunction:
        if name in _METHODS:
            raise ValueError(f"score method {name!r} is defined twice")
        _METHODS[name] = ScoreMethod(function, needs_trajectories)
        return function

    return register


def score_names() -> list[str]:
    """Names of all score methods, sorted."""
    return sorted(_methods())


def method_summary(score_name: str) -> str:
    """What score method ``score_name`` does, in a sentence: the first line of its docstring."""
    return (inspect.getdoc(_find(score_name).function) or "").partition("\n")[0]


def option_names(score_name: str) -> list[str]:
    """Names of the options that score method ``score_name`` takes."""
    return _find(score_name).options


def option_parameters(score_name: str) -> dict[str, inspect.Parameter]:
    """The options that score method ``score_name`` takes, as its signature declares them."""
    method = _find(score_name)
    parameters = inspect.signature(method.function).parameters
    return {name: parameters[name] for name in method.options}


def needs_trajectories(score_name: str) -> bool:
    """Whether score method ``score_name`` looks at trajectories, and so needs a probe."""
    return _find(score_name).needs_trajectories


def run_method(score_name: str, pool: Pool, options: Mapping[str, Any]) -> Scores:
    """Score ``pool`` with method ``score_name``.

    Raises LimrError listing what is known when the name or an option is not, and when trajectories are lacking.
    """
    method = _find(score_name)
    for option in options:
        if option not in method.options:
            known = ", ".join(method.options) or "no option"
            raise LimrError(f"score {score_name!r}: unknown option {option!r}; it takes {known}")
    if method.needs_trajectories and pool.trajectories is None:
        raise LimrError(f"score {score_name!r} needs trajectories and was given none: run the probe first")
    return method.function(pool, **options)


def _find(score_name: str) -> ScoreMethod:
    if score_name not in _methods():
        raise LimrError(f"unknown score {score_name!r}; known are {', '.join(score_names())}")
    return _METHODS[score_name]


@cache
def _methods() -> dict[str, ScoreMethod]:
    """All methods by name: importing a method's file registers it."""
    from limr.selection import methods

    for module in iter_modules(methods.__path__, prefix=f"{methods.__name__}."):
        import_module(module.name)
    return _METHODS
