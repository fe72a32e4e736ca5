"""Methods side by side on the same prompts: do their scores agree, and would they select the same?"""

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
    """What ``compare_scores`` found; with several replicates every number is the mean over them.

    ``methods`` has one row a method: method, prompts, scored, without_score, distinct (different scores), tied_at_cut
    (prompts that share the lowest score at the top, where not all of them have a place there). ``pairs`` has one row
    a pair: first, second, prompts (that both have a score of), spearman and overlap (null where there is none), chance.
    """

    share: float
    replicates: int
    methods: pl.DataFrame
    pairs: pl.DataFrame

    def markdown(self) -> str:
        """As a document: how many each method scored, then a table of pairs for each measure."""
        names = self.methods["method"].to_list()
        methods = self.methods.rename(lambda name: name.replace("_", " "))
        averaged = "" if self.replicates == 1 else f" Every number is the mean over {self.replicates} seeds."
        parts = [
            "# Methods side by side",
            f"Every method scored the same prompts.{averaged} *Tied at the cut*: prompts that share the lowest score "
            f"among the best {percentage(self.share)} of all, where not all of them have a place there.",
            markdown_table(methods, whole=methods.columns),
            f"## Overlap of the best {percentage(self.share)}",
            "How many of the prompts that one method puts at the top the other puts there too. Prompts that tie at the "
            "cut count in part, so that the overlap does not depend on how ties are broken. Two methods that knew "
            f"nothing of each other would share {percentage(self.pairs['chance'].max())}, and so does a method that "
            "scores all prompts alike with any other.",
            markdown_table(_square(self.pairs, names, "overlap"), percent=names),
            "## Rank correlation",
            "Spearman's, over the prompts that both have a score of; tied scores have the mean of their ranks. A "
            "method that scores all prompts alike has none.",
            markdown_table(_square(self.pairs, names, "spearman")),
        ]
        return "\n\n".join(parts) + "\n"

    def write(self, output: str | Path) -> None:
        """Write the document to ``output`` and the pairs as CSV beside it."""
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

    ``prompts`` is as in ``score_prompts``. Raises LimrError as that does, naming the method, and as ``compare_scores``.
    """
    scores = {
        name: score_prompts(name, {**settings, "keep": "all"}, trajectories, prompts, seed)
        for name, settings in methods.items()
    }
    return compare_scores([scores], share)


def compare_scores(replicates: Sequence[Mapping[str, pl.DataFrame]], share: float = PAPER_SHARE) -> Comparison:
    """Compare the scores of some methods (method -> frame of contract ``scores``), one mapping a replicate.

    ``share`` of all prompts are the top. Pairs stand in the order of the methods.

    Raises LimrError when there are fewer than two methods, when two have not the same prompts, and when ``share`` of
    the prompts is none of them, or all.
    """
    found = [_compare(scores, share) for scores in replicates]
    methods = pl.concat(methods for methods, _ in found).group_by("method", maintain_order=True).mean()
    pairs = pl.concat(pairs for _, pairs in found).group_by("first", "second", maintain_order=True).mean()
    return Comparison(share, len(found), methods, pairs)


def _compare(scores: Mapping[str, pl.DataFrame], share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    if len(scores) < 2:
        raise LimrError(f"found {len(scores)} method to compare ({', '.join(scores)}), expected at least two")
    columns = _columns(scores)
    n_prompts = len(next(iter(columns.values())))
    number = round(share * n_prompts)
    if not 0 < number < n_prompts:
        raise LimrError(f"share: found {share:g} of {n_prompts:,} prompts, expected some of them and not all")
    tops = {name: top(values, number) for name, values in columns.items()}
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
            "overlap": overlap(tops[first], tops[second]),
            "chance": number / n_prompts,
        }
        for first, second in combinations(columns, 2)
    ]
    return pl.DataFrame(methods), pl.DataFrame(pairs).fill_nan(None)


def _columns(scores: Mapping[str, pl.DataFrame]) -> dict[str, np.ndarray]:
    """Method -> scores of the prompts in the order of their ids, NaN where there is none."""
    ordered = {name: frame.sort("prompt_id") for name, frame in scores.items()}
    first, ids = next((name, frame["prompt_id"]) for name, frame in ordered.items())
    for name, frame in ordered.items():
        strangers = sorted(set(ids) ^ set(frame["prompt_id"]))
        if strangers:
            raise LimrError(
                f"methods {first!r} and {name!r} do not score the same prompts: {strangers[0]} is in one of them only"
                f" ({len(strangers):,} such); score both from the same trajectories"
            )
    return {name: frame["score"].fill_null(np.nan).to_numpy() for name, frame in ordered.items()}


def _square(pairs: pl.DataFrame, names: Sequence[str], measure: str) -> pl.DataFrame:
    """The pairs as a table with a row and a column a method; nothing on its diagonal."""
    of_pair = {frozenset(row[:2]): row[2] for row in pairs.select("first", "second", measure).rows()}
    columns = {name: [of_pair.get(frozenset((name, other))) for other in names] for name in names}
    return pl.DataFrame(
        {"": list(names)} | {name: pl.Series(column, dtype=pl.Float64) for name, column in columns.items()}
    )
