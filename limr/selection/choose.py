"""The selection rule (``keep``): select some of the ranked prompts, and give a reason for each other prompt."""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from limr.errors import LimrError, one_of, shown
from limr.files.markdown import percentage
from limr.selection.reason import written_reasons

logger = logging.getLogger(__name__)

QUANTILES = (0.5, 0.75, 0.9, 0.95, 0.99, 1.0)

Selection = tuple[pl.Expr, pl.Expr]  # whether a prompt is selected; the reason if it is not


def choose(ranked: pl.DataFrame, keep: str | Mapping[str, Any], pool_size: int) -> pl.DataFrame:
    """Add ``selected`` and missing reasons to ``ranked``, a result of ``rank_prompts`` with the column ``reason``.

    ``keep`` is ``all``, or one of

    - ``{theta: score}``: scores of at least theta;
    - ``{top: number}``: the best prompts by rank, exactly this many;
    - ``{share: fraction}``: as ``top``, with this share of ``pool_size``, rounded;
    - ``{quantile: fraction}``: scores at or above that quantile of all scores;
    - ``{theta_for: number}``: as ``theta``, with the theta that selects closest to this number of prompts. If two are
      equally close, the smaller subset is taken. Prompts that tie stay together, as with ``theta``.

    The result is sorted by rank, as ``ranked`` is.

    Raises LimrError when ``keep`` is none of these, selects no prompt, or asks for more prompts than have a score.

    >>> from limr.selection.ranking import rank_prompts
    >>> scored = pl.DataFrame({"prompt_id": ["a", "b"], "score": [0.2, 0.7], "reason": ["", ""]})
    >>> choose(rank_prompts(scored, seed=0), {"theta": 0.6}, pool_size=2).rows()
    [('b', 0.7, 1, True, ''), ('a', 0.2, 2, False, 'below theta 0.6: score 0.2')]
    """
    if ranked["score"].count() == 0:
        first = next(ranked.iter_rows(named=True), None)
        because = f"prompt {first['prompt_id']}: {first['reason']}" if first else "there are no prompts"
        raise LimrError(f"no prompt has a score ({because})")
    selected, reason = _select(keep, ranked, pool_size)
    scored_but_not_selected = pl.col("rank").is_not_null() & ~pl.col("selected")
    return ranked.with_columns(selected=selected.fill_null(value=False)).select(
        "prompt_id",
        "score",
        "rank",
        "selected",
        reason=pl.when(scored_but_not_selected).then(reason).otherwise("reason"),
    )


def check_keep(keep: str | Mapping[str, Any]) -> None:
    """Raise LimrError when ``keep`` is not a selection rule, or its number is out of range for any scores.

    >>> check_keep({"theta": 0.6})
    """
    if keep == "all":
        return
    if not (isinstance(keep, Mapping) and len(keep) == 1 and next(iter(keep)) in RULES):
        raise LimrError(
            where="keep", found=shown(keep), expected=f"`all`, or exactly {one_of(RULES)}: e.g. {{top: 334}}"
        )
    name, value = next(iter(keep.items()))
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not (is_number and RULES[name].accepts(value)):
        raise LimrError(where=("keep", name), found=shown(value), expected=RULES[name].expected)


def score_quantiles(scores: pl.Series) -> dict[str, float]:
    """Quantiles to choose theta from, rounded down to 3 decimals: each of them, as theta, selects at least one prompt.

    >>> score_quantiles(pl.Series([0.0, 0.5, 1.0]))
    {'50 %': 0.5, '75 %': 0.75, '90 %': 0.9, '95 %': 0.95, '99 %': 0.99, 'highest': 1.0}
    """
    names = ["highest" if quantile == 1 else percentage(quantile, 0) for quantile in QUANTILES]
    values = [math.floor(scores.quantile(quantile, interpolation="linear") * 1000) / 1000 for quantile in QUANTILES]
    return dict(zip(names, values, strict=True))


def _select(keep: str | Mapping[str, Any], ranked: pl.DataFrame, pool_size: int) -> Selection:
    check_keep(keep)
    if keep == "all":
        return pl.col("rank").is_not_null(), pl.lit("")
    name, value = next(iter(keep.items()))
    return RULES[name].select(value, ranked, pool_size)


def _theta(theta: float, ranked: pl.DataFrame, pool_size: int) -> Selection:
    if not (ranked["score"] >= theta).any():
        quantiles = ", ".join(f"{name}: {value:.3f}" for name, value in score_quantiles(ranked["score"]).items())
        raise LimrError(
            f"theta {theta:g} selects none of the {ranked['score'].count():,} prompts that have a score",
            where="keep",
            advice=f"Choose theta by the quantiles of the scores ({quantiles}). A theta does not carry over from one"
            " model to another; `share` keeps a fraction by rank instead.",
        )
    return _at_least(theta)


def _quantile(quantile: float, ranked: pl.DataFrame, pool_size: int) -> Selection:
    scores = ranked["score"].drop_nulls().sort().to_numpy()
    # The position is rounded first, because 0.07 x 100 is 7.000000000000001 in floating point. Between two scores, the
    # upper score is taken, not an interpolated value: both select the same prompts, and a user can type the score.
    theta = float(scores[math.ceil(round(quantile * (len(scores) - 1), 9))])
    return _at_found_theta(f"quantile {quantile:g}", theta, scores)


def _theta_for(wanted: float, ranked: pl.DataFrame, pool_size: int) -> Selection:
    scores = ranked["score"].drop_nulls().sort().to_numpy()
    _check_enough(int(wanted), len(scores), len(ranked))
    thetas, first = np.unique(scores, return_index=True)
    sizes = len(scores) - first  # the size of the subset for each theta: it falls as theta rises
    closest = int(np.abs(sizes - int(wanted))[::-1].argmin())  # the highest theta of those equally close
    return _at_found_theta(f"theta_for {int(wanted):,}", float(thetas[::-1][closest]), scores)


def _at_found_theta(rule: str, theta: float, scores: np.ndarray) -> Selection:
    selected = int((scores >= theta).sum())
    logger.info("keep: %s: theta %r selects %s of %s scored", rule, theta, f"{selected:,}", f"{len(scores):,}")
    return _at_least(theta)


def _at_least(theta: float) -> Selection:
    detail = pl.format("score {}", pl.col("score").round_sig_figs(6))
    return pl.col("score") >= theta, written_reasons(f"below theta {theta}", detail)


def _top(number: float, ranked: pl.DataFrame, pool_size: int) -> Selection:
    _check_enough(int(number), ranked["score"].count(), len(ranked))
    reason = written_reasons(f"not among the best {int(number)}", pl.format("rank {}", "rank"))
    return pl.col("rank") <= int(number), reason


def _share(share: float, ranked: pl.DataFrame, pool_size: int) -> Selection:
    number = round(share * pool_size)
    if number == 0:
        raise LimrError(
            f"share {share:g} of {pool_size:,} prompts rounds to none",
            where="keep",
            advice=f"One prompt is a share of {1 / pool_size:g}.",
        )
    return _top(number, ranked, pool_size)


def _check_enough(number: int, n_scored: int, n_prompts: int) -> None:
    if number > n_scored:
        raise LimrError(
            where="keep",
            found=f"{number:,} prompts",
            expected=f"at most {n_scored:,}, the number of prompts with a score (of {n_prompts:,})",
        )


@dataclass(frozen=True)
class SelectionRule:
    """One rule of ``keep``: how it selects, and which numbers it accepts.

    ``select`` takes the number, the ranked prompts and the size of the pool.
    """

    select: Callable[[float, pl.DataFrame, int], Selection]
    expected: str
    accepts: Callable[[float], bool]


_NUMBER = "a whole number of prompts, at least 1"


def _is_number_of_prompts(value: float) -> bool:
    return value >= 1 and value == int(value)


RULES = {
    "theta": SelectionRule(_theta, "a score", lambda value: True),
    "top": SelectionRule(_top, _NUMBER, _is_number_of_prompts),
    "share": SelectionRule(_share, "a fraction above 0 and at most 1", lambda value: 0 < value <= 1),
    "quantile": SelectionRule(_quantile, "a fraction from 0 to 1", lambda value: 0 <= value <= 1),
    "theta_for": SelectionRule(_theta_for, _NUMBER, _is_number_of_prompts),
}
