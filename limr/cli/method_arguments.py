"""How prompts are scored and which of them are selected: ``--method``, ``--option``, ``--keep``, ``--top``."""

import argparse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from limr.cli.arguments import A_NUMBER, add_pairs, note, number
from limr.errors import LimrError, UsageError, shown

if TYPE_CHECKING:
    from limr.trajectories import Trajectories

METHODS = """\
lim, linear, cosine, pearson, slope, standard_deviation, learnability, pass_rate_band, zero_variance,
  greso, mopps, prioritised, rand, rand_solvable, full (docs/methods.md)"""

KEEP = """\
--keep chooses the prompts that are selected:
  share=0.163      the best 16.3 % of all prompts
  top=1000         the best 1,000 prompts
  theta=0.6        every prompt with a score of at least 0.6
  quantile=0.84    every prompt with a score at or above this quantile
  theta_for=1000   like theta, with the theta that selects closest to 1,000 prompts
  all              every prompt that has a score"""

PAPER_SHARE = 0.163  # 1,389 of 8,523, rounded

Settings = dict[str, Any]  # a row of `methods` in a configuration


def add_method(parser: argparse.ArgumentParser) -> None:
    """Add ``--method`` and ``--option``; ``method_settings`` reads them."""
    parser.add_argument("--method", metavar="NAME", default="lim", help="the score method; default: lim")
    add_pairs(parser, "--option", "NAME=VALUE", "an option of the score method, e.g. signal=accuracy or missing=next")


def add_keep(parser: argparse.ArgumentParser, default: Any, shown_default: str) -> None:
    """Add ``--keep``."""
    parser.add_argument(
        "--keep",
        metavar="RULE",
        type=keep,
        default=default,
        help=f"which prompts are selected: see above; default: {shown_default}",
    )


def add_top(parser: argparse.ArgumentParser) -> None:
    """Add ``--top``."""
    parser.add_argument(
        "--top",
        metavar="SHARE",
        type=_share,
        default=PAPER_SHARE,
        help=f"the share of the prompts that a method selects, best first; default: {PAPER_SHARE}, as in the paper",
    )


def method_settings(method: str, options: Iterable[tuple[str, str]]) -> Settings:
    """The settings of a score method, with each option as the type that the method declares.

    Raises UsageError for an unknown method or option, and for a value of the wrong type.
    """
    from limr.selection.method import parse_options

    try:
        return {"score": method, "options": parse_options(method, dict(options))}
    except LimrError as error:
        raise UsageError.of(error) from error


def with_known_signal(
    command: str, methods: Mapping[str, Settings], trajectories: "Trajectories"
) -> dict[str, Settings]:
    """The settings of ``methods``, with ``signal=accuracy`` added if the source has accuracies but no rewards.

    Settings that name a signal stay as they are. A note for the user names the methods that got the signal.
    """
    from limr.selection.method import option_names
    from limr.trajectories import known_signals

    if known_signals(trajectories) != ["accuracy"]:
        return dict(methods)
    by_accuracy = {
        name: {**row, "options": {**row["options"], "signal": "accuracy"}}
        for name, row in methods.items()
        if "signal" in option_names(row["score"]) and "signal" not in row["options"]
    }
    if by_accuracy:
        note(command, f"the source has accuracies and no rewards: signal=accuracy for {', '.join(by_accuracy)}")
    return {**methods, **by_accuracy}


def keep(text: str) -> str | dict[str, float]:
    """``all``, or ``NAME=NUMBER`` as the mapping that ``limr.selection.choose`` takes: a type for argparse."""
    from limr.selection.choose import RULES, check_keep

    if text == "all":
        return text
    name, _, value = text.partition("=")
    if name not in RULES or not value:
        rules = ", ".join(f"{rule}=NUMBER" for rule in RULES)
        raise UsageError(where="--keep", found=shown(text), expected=f"all, or one of {rules}")
    try:
        rule = {name: number(value)}
        check_keep(rule)
    except argparse.ArgumentTypeError:
        raise UsageError(where=("--keep", name), found=shown(value), expected=A_NUMBER) from None
    except LimrError as error:
        raise UsageError.of(error) from error
    return rule


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError(f"found {shown(text)}, expected a share of the prompts between 0 and 1")
    return share
