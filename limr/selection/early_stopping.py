"""How early could the probe have stopped? LIM's selection after the first visits, compared with that after all visits.

The analysis computes LIM for every number of visits and every bootstrap resample. It therefore calls the formula
(``alignment``) on matrices that are built once, instead of running the method thousands of times.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from limr.errors import LimrError
from limr.selection.agreement import PAPER_SHARE, overlap, spearman, top
from limr.selection.method import Pool, run_method
from limr.selection.methods.lim import alignment
from limr.selection.rounding import ROUNDING
from limr.trajectories import Trajectories, VisitMatrix, visit_matrix

RESAMPLES = 200
CONFIDENCE = 0.95

OVERLAP, CORRELATION = "overlap", "rank_correlation"
LATER_OVERLAP, LATER_CORRELATION = "overlap_later", "rank_correlation_later"
THETA_OVERLAP, THETA_SELECTED = "overlap_theta", "selected_theta"


@dataclass(frozen=True)
class EarlyStopping:
    """The result of ``early_stopping``.

    ``rows`` has one row per number of visits, from 1 to all:

    - ``visits``, and ``rollouts``: the share of the probe's rollouts that these visits took;
    - ``scored``: how many prompts have a score;
    - for each of ``measures``: its value, ``{measure}_low`` and ``{measure}_high``, null if undefined;
    - with a theta, ``selected_theta``: how many prompts score at least theta.

    ``number`` is the size of the best ``share`` of the ``prompts``.
    """

    signal: str
    share: float
    theta: float | None
    prompts: int
    number: int
    resamples: int
    measures: list[str]
    rows: pl.DataFrame

    @property
    def chance(self) -> float:
        """The expected overlap of two random selections of ``number`` prompts."""
        return self.number / self.prompts

    def reaches(self, level: float) -> dict[str, float]:
        """The first row from which the overlap stays at or above ``level``; at the latest, the last row."""
        below = (self.rows[OVERLAP].fill_null(0) < level).arg_true()
        return self.rows.row(0 if below.is_empty() else below[-1] + 1, named=True)


def early_stopping(
    trajectories: Trajectories,
    *,
    signal: str = "reward",
    missing: str = "drop",
    best_reward: float = 1.0,
    share: float = PAPER_SHARE,
    theta: float | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[], None] | None = None,
) -> EarlyStopping:
    """Compare LIM after k visits with LIM after all K visits that count (``visit_matrix``), for every k from 1 to K.

    LIM after k visits gives the scores of a probe with k visits: the mean curve, the prompts without gaps and the
    scores use only the first k visits. ``signal``, ``missing`` and ``best_reward`` are LIM's options.

    - *overlap*: of the best ``share`` of all prompts after k visits, how many are among the best after all visits.
      Prompts that tie at the cut count in part (``agreement.top``).
    - *overlap at theta*: the same for the prompts that score at least ``theta`` (``agreement.overlap``).
    - *rank correlation*: Spearman's, over the prompts that have both scores.
    - *later visits*: the same, with LIM of the visits after the first k instead of all visits. The first k visits are
      part of the full score, so agreement with it is partly built in. The later visits are independent of them.

    The bands are 95 % percentile intervals over bootstrap resamples of the prompts. A resample draws as many prompts as
    there are, with replacement, and computes its own mean curves. All scores and all k use the same draws. The bands
    tend to be too wide: in simulations they contain the value of the whole population 96 to 99 % of the time.
    ``progress`` is called after each k.

    Raises LimrError as LIM does, and if ``share`` rounds to no prompt or to all prompts.
    """
    matrix = visit_matrix(trajectories, signal)
    n_prompts, n_visits = matrix.values.shape
    number = round(share * n_prompts)
    if not 0 < number < n_prompts:
        raise LimrError(
            where="share", found=f"{share:g} of {n_prompts:,} prompts", expected="at least one prompt and not all"
        )
    # LIM raises a clear error here if it cannot score all visits
    run_method(
        "lim",
        Pool(trajectories.prompt_ids, trajectories, seed=0),
        {"signal": signal, "missing": missing, "best_reward": best_reward},
    )
    draws = _draws(n_prompts, resamples, seed)

    def scores(values: np.ndarray) -> Iterator[np.ndarray]:
        return _scores(VisitMatrix(matrix.prompt_ids, values), missing, best_reward, draws)

    full = list(scores(matrix.values))
    rows = []
    for visits in range(1, n_visits + 1):
        early, later = scores(matrix.values[:, :visits]), scores(matrix.values[:, visits:])
        rows.append({"visits": visits} | _row(early, later, full, number, theta))
        if progress:
            progress()
    counted = trajectories.epoch < n_visits  # later visits may have any number, and bincount makes room for the highest
    rollouts = np.bincount(trajectories.epoch[counted], trajectories.n_samples[counted], n_visits).cumsum()
    frame = pl.DataFrame(rows, infer_schema_length=None).fill_nan(None)
    frame.insert_column(1, pl.Series("rollouts", rollouts / rollouts[-1]))
    measures = [name for name in frame.columns if f"{name}_low" in frame.columns]
    return EarlyStopping(signal, share, theta, n_prompts, number, resamples, measures, frame)


def _draws(n_prompts: int, resamples: int, seed: int) -> list[np.ndarray]:
    """Row numbers of the matrix: every prompt once, then one array per resample."""
    generator = np.random.default_rng(seed)
    drawn = [generator.integers(n_prompts, size=n_prompts, dtype=np.int32) for _ in range(resamples)]
    return [np.arange(n_prompts, dtype=np.int32), *drawn]


def _scores(matrix: VisitMatrix, missing: str, best: float, draws: list[np.ndarray]) -> Iterator[np.ndarray]:
    """LIM's scores in each of ``draws``: NaN for a prompt without a score, and for all where LIM is undefined."""
    values = np.full(matrix.values.shape, np.nan)  # a prompt that lacks a visit keeps NaN in its whole row
    try:
        whole, dropped = matrix.without_gaps(missing)
        values[[prompt_id not in dropped for prompt_id in matrix.prompt_ids]] = whole.values
    except LimrError:  # no prompt has all of these visits
        pass
    known = ~np.isnan(values).any(axis=1)
    for draw in draws:
        drawn, whole = values[draw], known[draw]
        curve = drawn[whole].mean(axis=0) if whole.any() else np.empty(0)
        # LIM would divide by 0 without visits, or if every prompt was solved at each of them
        unsolved = (best - curve > ROUNDING).any()
        yield alignment(drawn, curve, best) if unsolved else np.full(len(draw), np.nan)


def _row(
    early: Iterator[np.ndarray], later: Iterator[np.ndarray], full: list[np.ndarray], number: int, theta: float | None
) -> dict[str, float]:
    """The measures for one number of visits. The arguments have one array per draw; the first draw is all prompts."""
    row: dict[str, float] = {}
    of_draws = []
    for scores, later_scores, full_scores in zip(early, later, full, strict=True):
        if not row:
            row["scored"] = int((~np.isnan(scores)).sum())
            row |= {} if theta is None else {THETA_SELECTED: int((scores >= theta).sum())}
        of_draws.append(_measures(scores, later_scores, full_scores, number, theta))
    for measure in of_draws[0]:
        row |= _band(measure, np.array([found[measure] for found in of_draws]))
    return row


def _measures(
    early: np.ndarray, later: np.ndarray, full: np.ndarray, number: int, theta: float | None
) -> dict[str, float]:
    measures = {
        OVERLAP: _overlap(early, full, number),
        CORRELATION: spearman(early, full),
        LATER_OVERLAP: _overlap(early, later, number),
        LATER_CORRELATION: spearman(early, later),
    }
    if theta is not None:
        measures[THETA_OVERLAP] = overlap((early >= theta).astype(float), (full >= theta).astype(float))
    return measures


def _overlap(first: np.ndarray, second: np.ndarray, number: int) -> float:
    if np.isnan(first).all() or np.isnan(second).all():
        return np.nan
    return overlap(top(first, number), top(second, number))


def _band(measure: str, of_draws: np.ndarray) -> dict[str, float]:
    """The value for all prompts, and the band over the resamples that have a value."""
    resampled = of_draws[1:][~np.isnan(of_draws[1:])]
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail]) if len(resampled) else (np.nan, np.nan)
    return {measure: of_draws[0], f"{measure}_low": low, f"{measure}_high": high}
