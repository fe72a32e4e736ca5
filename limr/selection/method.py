"""The registry of score methods. A method is one decorated function in one file of ``methods/``.

    @score_method("standard_deviation", signals=("accuracy", "reward"))
    def standard_deviation(values: np.ndarray) -> np.ndarray:
        ...

The positional parameters of the function are its inputs:

- ``values``: the visit matrix, prompts x visits (float64), of the prompts that have every visit;
- ``prompt_ids``: the prompts, one per score;
- ``signal``: ``reward`` or ``accuracy``, whichever ``values`` holds;
- ``n_samples``: the number of samples that most visits have;
- ``seed``: the seed of the selection.

Its keyword-only parameters are its options. It returns one score per prompt; the higher, the better.

All files in ``methods/`` are imported when a method is first looked up, so a new method needs only a new file there.
"""

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np

from limr.errors import LimrError, one_of
from limr.selection.options import Option, OptionsError, declared_options
from limr.selection.reason import MISSING_VISITS, Reason
from limr.trajectories import MISSING, Trajectories, usual_samples, visit_matrix

logger = logging.getLogger(__name__)

_INPUTS = ("values", "prompt_ids", "signal", "n_samples", "seed")
_OF_CURVES = ("values", "signal", "n_samples")  # inputs that only a method with signals can read


@dataclass(frozen=True)
class Pool:
    """The prompts that can be selected (sorted ids), their trajectories, and the seed."""

    prompt_ids: list[str]
    trajectories: Trajectories | None
    seed: int


@dataclass(frozen=True)
class Scores:
    """The result of a method: the scores, and for each prompt without a score the reason.

    A prompt of the pool that is in neither has no trajectory.
    """

    scores: dict[str, float]
    dropped: dict[str, Reason] = field(default_factory=dict)


ScoreFunction = Callable[..., np.ndarray | Sequence[float]]


@dataclass(frozen=True)
class ScoreMethod:
    """A registered method: its function, the signals it can read, and its options by name.

    Without ``signals`` it reads no trajectories. ``nan_means`` is the reason of a prompt with score NaN.
    """

    name: str
    function: ScoreFunction
    signals: tuple[str, ...]
    nan_means: str
    inputs: tuple[str, ...]
    options: dict[str, Option]


_METHODS: dict[str, ScoreMethod] = {}


def score_method(
    name: str, *, signals: tuple[str, ...] = (), nan_means: str = ""
) -> Callable[[ScoreFunction], ScoreFunction]:
    """Register the decorated function as score method ``name``; the function itself is unchanged.

    ``signals`` are those that the method can read, its default first. With more than one, the method has the option
    ``signal``. Every method with signals has the option ``missing`` (see ``VisitMatrix.without_gaps``).

    ``nan_means`` is the reason of prompts for which the function returns NaN: they have no score. ``{signal}`` in it is
    replaced by the signal. Without ``nan_means``, NaN stays a score, which breaks the contract of the scores file.
    """

    def register(function: ScoreFunction) -> ScoreFunction:
        if name in _METHODS:
            raise ValueError(f"score method {name!r} is defined twice")
        parameters = inspect.signature(function).parameters.values()
        inputs = tuple(parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY)
        for parameter in inputs:
            if parameter not in _INPUTS or (parameter in _OF_CURVES and not signals):
                known = _INPUTS if signals else [known for known in _INPUTS if known not in _OF_CURVES]
                raise ValueError(f"score method {name!r}: found input {parameter!r}, expected {one_of(known)}")
        options = _options_of_curves(signals) | declared_options(function)
        _METHODS[name] = ScoreMethod(name, function, signals, nan_means, inputs, options)
        return function

    return register


def score_names() -> list[str]:
    """Names of all score methods, sorted."""
    return sorted(_methods())


def find_method(score_name: str) -> ScoreMethod:
    """The method with that name. Raises LimrError listing the known names."""
    if score_name not in _methods():
        raise LimrError(f"unknown score {score_name!r}", expected=one_of(score_names()))
    return _METHODS[score_name]


def option_names(score_name: str) -> list[str]:
    """Names of the options that score method ``score_name`` takes."""
    return list(find_method(score_name).options)


def needs_trajectories(score_name: str) -> bool:
    """Whether score method ``score_name`` reads trajectories, and so needs a probe."""
    return bool(find_method(score_name).signals)


def parse_options(score_name: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """The options of a command line (name -> text) as values of the types that the method declares.

    Raises LimrError for an unknown method or option, and for a value that the option does not take.

    >>> parse_options("pass_rate_band", {"lowest": "0.3", "missing": "next"})
    {'lowest': 0.3, 'missing': 'next'}
    """
    method = find_method(score_name)
    with _errors_inside(f"score {score_name!r}"):
        return {name: _option(method, name).parse(text) for name, text in texts.items()}


def check_options(score_name: str, options: Mapping[str, Any]) -> None:
    """Raise OptionsError if ``options`` of method ``score_name``, each valid by itself, contradict each other.

    The method itself finds out: it scores two example curves.
    """
    method = find_method(score_name)
    if not method.signals:
        return
    example = {"values": np.array([[0.0, 0.5], [0.5, 0.75]]), "prompt_ids": ["a", "b"], "n_samples": 8, "seed": 0}
    example["signal"] = options.get("signal", method.signals[0])
    try:
        method.function(**{name: example[name] for name in method.inputs}, **_own_options(method, options))
    except OptionsError:
        raise
    except Exception:
        # a user's method may need other curves than these two, and fail in any way: this says nothing about its options
        logger.debug("%s does not score the example curves", score_name, exc_info=True)


def run_method(score_name: str, pool: Pool, options: Mapping[str, Any]) -> Scores:
    """Score the prompts of ``pool`` with method ``score_name``.

    Raises LimrError for an unknown method or option, for a wrong value of an option, and if trajectories are missing or
    give no scores.
    """
    method, where = find_method(score_name), f"score {score_name!r}"
    with _errors_inside(where):
        for name, value in options.items():
            _option(method, name).check(value)
    inputs: dict[str, Any] = {"prompt_ids": pool.prompt_ids, "seed": pool.seed}
    dropped: dict[str, Reason] = {}
    signal = ""
    if method.signals:
        if pool.trajectories is None:
            raise LimrError("this score needs trajectories", where=where, advice="Run the probe first.")
        signal = options.get("signal", method.signals[0])
        matrix, gaps = visit_matrix(pool.trajectories, signal).without_gaps(options.get("missing", MISSING[0]))
        dropped = {prompt_id: Reason(MISSING_VISITS, visits) for prompt_id, visits in gaps.items()}
        inputs |= {"values": matrix.values, "prompt_ids": matrix.prompt_ids, "signal": signal}
        if "n_samples" in method.inputs:
            inputs["n_samples"] = usual_samples(pool.trajectories)
        where += f" of {signal} curves"
    with _errors_inside(where):
        found = method.function(**{name: inputs[name] for name in method.inputs}, **_own_options(method, options))
    return _named_scores(method, inputs["prompt_ids"], np.asarray(found, dtype=np.float64), signal, dropped)


def _named_scores(
    method: ScoreMethod, prompt_ids: Sequence[str], scores: np.ndarray, signal: str, dropped: dict[str, Reason]
) -> Scores:
    named = dict(zip(prompt_ids, scores.tolist(), strict=True))
    if method.nan_means:
        reason = Reason(method.nan_means.format(signal=signal))
        dropped |= {prompt_ids[row]: reason for row in np.flatnonzero(np.isnan(scores))}
        named = {prompt_id: score for prompt_id, score in named.items() if prompt_id not in dropped}
    return Scores(named, dropped)


def _options_of_curves(signals: tuple[str, ...]) -> dict[str, Option]:
    """The options that every method with these signals has."""
    options = {}
    if len(signals) > 1:
        options["signal"] = Option("signal", signals[0], str, choices=signals)
    if signals:
        options["missing"] = Option("missing", MISSING[0], str, choices=MISSING)
    return options


def _own_options(method: ScoreMethod, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the function takes: without `signal` and `missing`, which select the matrix."""
    return {name: value for name, value in options.items() if name not in _options_of_curves(method.signals)}


def _option(method: ScoreMethod, name: str) -> Option:
    if name not in method.options:
        expected = one_of(method.options) if method.options else "no option"
        raise LimrError(f"unknown option {name!r}", expected=expected)
    return method.options[name]


@contextmanager
def _errors_inside(where: str) -> Iterator[None]:
    """Put ``where`` in front of the places of an error."""
    try:
        yield
    except LimrError as error:
        error.inside(where)
        raise


@cache
def _methods() -> dict[str, ScoreMethod]:
    """All methods by name: importing a method's file registers it."""
    from limr.selection import methods

    for module in iter_modules(methods.__path__, prefix=f"{methods.__name__}."):
        import_module(module.name)
    return _METHODS
