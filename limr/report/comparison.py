"""Methods side by side on the same prompts: whether their scores agree and whether they select the same prompts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from limr.errors import LimrError
from limr.files.atomic import whole_file, write_text
from limr.files.markdown import markdown_table, percentage
from limr.selection.agreement import PAPER_SHARE, overlap, spearman, top
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories


@dataclass(frozen=True)
class Comparison:
    """The result of ``compare_scores``. With several replicates, every number is the mean over them.

    ``methods`` has one row per method: method, prompts, scored, without_score, distinct (number of distinct scores) and
    tied_at_cut (prompts with the lowest score of the top, if they are more than the places left). ``pairs`` has one row
    per pair: first, second, prompts (scored by both), spearman and overlap (null if undefined), and chance.
    """

    share: float
    replicates: int
    methods: pl.DataFrame
    pairs: pl.DataFrame

    def markdown(self) -> str:
        """The page: a table of the methods, then a table of pairs for each measure."""
        names = self.methods["method"].to_list()
        methods = self.methods.rename(lambda name: name.replace("_", " "))
        averaged = "" if self.replicates == 1 else f" Every number is the mean over {self.replicates} seeds."
        parts = [
            "# Methods side by side",
            f"Every method scored the same prompts.{averaged} *Tied at the cut*: prompts with the lowest score among "
            f"the best {percentage(self.share)} of all prompts, if they are more than the places left.",
            markdown_table(methods, whole=methods.columns),
            f"## Overlap of the best {percentage(self.share)}",
            "The share of one method's best prompts that are among the other's best prompts. Prompts that tie at the "
            "cut share the remaining places, so the overlap does not depend on how ties are broken. Two independent "
            f"methods have an overlap of {percentage(self.pairs['chance'].max())} on average. A method that gives "
            "every prompt the same score has this overlap with every other method; two such methods have none.",
            markdown_table(_square(self.pairs, names, "overlap"), percent=names),
            "## Rank correlation",
            "Spearman's rank correlation over the prompts that both methods score; tied scores get the mean of their "
            "ranks. A method that gives every prompt the same score has no rank correlation.",
            markdown_table(_square(self.pairs, names, "spearman")),
        ]
        return "\n\n".join(parts) + "\n"

    def write(self, output: str | Path) -> None:
        """Write the document to ``output``, and the pairs to a CSV file of the same name."""
        write_text(output, self.markdown())
        with whole_file(Path(output).with_suffix(".csv")) as temporary:
            self.pairs.write_csv(temporary, float_precision=6)


def compare(
    trajectories: Trajectories,
    methods: Mapping[str, Mapping[str, Any]],
    share: float = PAPER_SHARE,
    seed: int = 0,
    prompts: pl.DataFrame | None = None,
) -> Comparison:
    """Score by each of ``methods`` (name -> ``score`` and perhaps ``options``, as in the configuration) and compare.

    ``prompts`` is as in ``score_prompts``. Raises the errors of ``score_prompts`` and of ``compare_scores``.
    """
    scores = {
        name: score_prompts(name, {**settings, "keep": "all"}, trajectories, prompts, seed)
        for name, settings in methods.items()
    }
    return compare_scores([scores], share)


def compare_scores(replicates: Sequence[Mapping[str, pl.DataFrame]], share: float = PAPER_SHARE) -> Comparison:
    """Compare the scores of several methods (method -> frame of contract ``scores``), one mapping per replicate.

    The overlap compares the best ``share`` of all prompts. Pairs are in the order of the methods.

    Raises LimrError when there are fewer than two methods, when two methods score different prompts, or when ``share``
    rounds to no prompt or to all prompts.
    """
    found = [_compare(scores, share) for scores in replicates]
    methods = pl.concat(methods for methods, _ in found).group_by("method", maintain_order=True).mean()
    pairs = pl.concat(pairs for _, pairs in found).group_by("first", "second", maintain_order=True).mean()
    return Comparison(share, len(found), methods, pairs)


def _compare(scores: Mapping[str, pl.DataFrame], share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    if len(scores) < 2:
        raise LimrError(where="methods to compare", found=", ".join(scores) or "none", expected="at least two methods")
    columns = _columns(scores)
    n_prompts = len(next(iter(columns.values())))
    number = round(share * n_prompts)
    if not 0 < number < n_prompts:
        raise LimrError(
            where="share", found=f"{share:g} of {n_prompts:,} prompts", expected="at least one prompt and not all"
        )
    tops = {name: top(values, number) for name, values in columns.items()}
    constant = {name for name, values in columns.items() if len(np.unique(values[~np.isnan(values)])) < 2}
    methods = [
        {
            "method": name,
            "prompts": n_prompts,
            "scored": int((~np.isnan(values)).sum()),
            "without_score": int(np.isnan(values).sum()),
            "distinct": len(np.unique(values[~np.isnan(values)])),
            "tied_at_cut": int(((tops[name] > 0) & (tops[name] < 1)).sum()),
        }
        for name, values in columns.items()
    ]
    pairs = [
        {
            "first": first,
            "second": second,
            "prompts": int((~np.isnan(columns[first] + columns[second])).sum()),
            "spearman": spearman(columns[first], columns[second]),
            # two methods that both tie all prompts would seem to agree
            "overlap": np.nan if {first, second} <= constant else overlap(tops[first], tops[second]),
            "chance": number / n_prompts,
        }
        for first, second in combinations(columns, 2)
    ]
    return pl.DataFrame(methods), pl.DataFrame(pairs).fill_nan(None)


def _columns(scores: Mapping[str, pl.DataFrame]) -> dict[str, np.ndarray]:
    """Method -> scores of the prompts, sorted by id; NaN for a prompt without a score."""
    ordered = {name: frame.sort("prompt_id") for name, frame in scores.items()}
    first, ids = next((name, frame["prompt_id"]) for name, frame in ordered.items())
    for name, frame in ordered.items():
        only_one = sorted(set(ids) ^ set(frame["prompt_id"]))
        if only_one:
            raise LimrError(
                f"they score different prompts: only one of them has prompt {only_one[0]} ({len(only_one):,} such"
                " prompts)",
                where=f"methods {first!r} and {name!r}",
                advice="Score both from the same trajectories.",
            )
    return {name: frame["score"].fill_null(np.nan).to_numpy() for name, frame in ordered.items()}


def _square(pairs: pl.DataFrame, names: Sequence[str], measure: str) -> pl.DataFrame:
    """The pairs as a table with one row and one column per method; its diagonal is null."""
    of_pair = {frozenset(row[:2]): row[2] for row in pairs.select("first", "second", measure).rows()}
    columns = {name: [of_pair.get(frozenset((name, other))) for other in names] for name in names}
    return pl.DataFrame(
        {"": list(names)} | {name: pl.Series(column, dtype=pl.Float64) for name, column in columns.items()}
    )
