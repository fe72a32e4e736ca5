"""How far two selections of the same prompts agree, beside what chance gives; and how far those of the seeds do."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import polars as pl

from limr.errors import LimrError
from limr.selection.agreement import overlap, overlap_by_chance, spearman

EXPLAINED = (
    "*Overlap*: the share of one selection that the other contains (Dice, for selections of different sizes). "
    "*Chance*: the overlap of two random selections of these sizes. *Rank correlation*: Spearman's, of the scores; a "
    "method that gives every prompt the same score has none."
)


@dataclass(frozen=True)
class Agreement:
    """Of two selections: their overlap, that of chance, and the rank correlation of their scores, if it is defined."""

    overlap: float
    chance: float
    spearman: float | None


def agreement(first: pl.DataFrame, second: pl.DataFrame) -> Agreement:
    """Compare two frames of contract ``scores``. Raises LimrError if they score different prompts."""
    first, second = first.sort("prompt_id"), second.sort("prompt_id")
    if not first["prompt_id"].equals(second["prompt_id"]):
        raise LimrError(
            "two selections are from different prompts, so they cannot be compared",
            where="scores",
            found=f"{len(first):,} and {len(second):,} prompts",
            expected="the same prompts",
        )
    members = [frame["selected"].cast(pl.Float64).to_numpy() for frame in (first, second)]
    scores = [frame["score"].fill_null(np.nan).to_numpy() for frame in (first, second)]
    correlation = spearman(*scores)
    return Agreement(
        overlap(*members),
        overlap_by_chance(*(int(member.sum()) for member in members), len(first)),
        None if np.isnan(correlation) else correlation,
    )


def between_seeds(of_seed: Mapping[str, pl.DataFrame]) -> dict[tuple[str, str], Agreement]:
    """The agreement of one method's selections for each pair of seeds (seed -> frame of contract ``scores``)."""
    return {(one, other): agreement(of_seed[one], of_seed[other]) for one, other in combinations(of_seed, 2)}


def means(found: list[Agreement]) -> Agreement:
    """The mean of each number; the rank correlation is unknown if one of them is."""
    correlations = [one.spearman for one in found]
    return Agreement(
        float(np.mean([one.overlap for one in found])),
        float(np.mean([one.chance for one in found])),
        None if None in correlations else float(np.mean(correlations)),
    )


def seeds_table(rows: pl.DataFrame) -> pl.DataFrame:
    """One line per method: the means over all pairs of seeds. ``rows``: contract ``scores``, with a column ``seed``."""
    lines = []
    for (method,), of_method in rows.group_by("method", maintain_order=True):
        of_seed = {seed: frame for (seed,), frame in of_method.group_by("seed", maintain_order=True)}
        mean = means(list(between_seeds(of_seed).values()))
        lines.append((method, mean.overlap, mean.chance, mean.spearman))
    columns = {"method": pl.String, "overlap": pl.Float64, "chance": pl.Float64, "rank correlation": pl.Float64}
    return pl.DataFrame(lines, columns, orient="row")
