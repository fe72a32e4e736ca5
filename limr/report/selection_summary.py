"""selection.md: what each method selected, by kind of prompt in the probe."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from polars.dataframe.group_by import GroupBy

from limr.errors import LimrError, one_of
from limr.files.atomic import write_text
from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_table
from limr.report.broken_golds import broken_golds_section
from limr.report.selection_overlap import EXPLAINED, seeds_table
from limr.selection.reason import kind_of
from limr.trajectories import Trajectories, known_signals, visit_matrix

FROM_THE_START_ACCURACY = 0.75  # over the first quarter of the visits
LEARNED_ACCURACY = 0.25  # gain from the first quarter of the visits to the last

NEVER = "never solved"
START = "solved almost from the start"
ALWAYS = "of these, solved at every visit"
ALONG = "learned along the way"
REST = "the rest"
GAPS = "without a complete curve"
KINDS = (NEVER, START, ALWAYS, ALONG, REST, GAPS)

_KINDS_EXPLAINED = f"""\
A prompt is *{NEVER}* if no sample of any visit is correct. It is *{START}* if its accuracy over the first quarter of
the visits is at least {FROM_THE_START_ACCURACY}. It is *{ALONG}* if neither holds and its accuracy over the last
quarter is higher than over the first quarter by at least {LEARNED_ACCURACY}. It is *{GAPS}* if it lacks a visit that
nearly all other prompts have, or has no visit."""

_NO_KINDS = """\
Not shown: kinds of prompts are defined by accuracy, but the log has only rewards and does not show which responses are
correct."""


def write_summary(
    scores: Sequence[str | Path],
    trajectories: Sequence[str | Path],
    output: str | Path,
    broken_golds: str | Path | None = None,
) -> None:
    """Write selection.md from the scores (one file per method and seed) and the trajectories (one file per seed).

    A scores file belongs to the trajectories of the same file name (``seed0.parquet``). Every number is the mean over
    the seeds. Without accuracies the kinds of prompts are unknown, and the page states this. ``broken_golds`` is a file
    of contract broken_golds, if some gold answers were broken on purpose.

    Raises LimrError when there are no scores, or when no trajectories have the name of a scores file.
    """
    probes = {Path(path).stem: Trajectories.read(path) for path in trajectories}
    if not scores:
        raise LimrError("no scores were given, so there is nothing to summarise", where=output)
    kinds = {seed: kinds_of_prompts(probe) for seed, probe in probes.items() if "accuracy" in known_signals(probe)}
    rows = pl.concat([_read_scores(Path(path), probes) for path in scores])
    sections = _sections(rows, [probes[seed] for seed in sorted(set(rows["seed"]))])
    sections += _by_kind_of_prompt(rows, kinds) if len(kinds) == len(probes) else [_NO_KINDS]
    sections += broken_golds_section(rows, Path(broken_golds)) if broken_golds else []
    write_text(output, "\n\n".join(sections) + "\n")


def kinds_of_prompts(trajectories: Trajectories) -> pl.DataFrame:
    """The kind of each prompt: prompt_id, ``kind`` (one of KINDS without ALWAYS), ``always`` (every sample correct)."""
    matrix = visit_matrix(trajectories, "accuracy")
    accuracy = matrix.values
    quarter = -(-accuracy.shape[1] // 4)  # rounded up: at least one visit
    first, last = accuracy[:, :quarter].mean(axis=1), accuracy[:, -quarter:].mean(axis=1)
    conditions = {  # the first one that holds is the kind
        GAPS: np.isnan(accuracy).any(axis=1),
        NEVER: (accuracy == 0).all(axis=1),
        START: first >= FROM_THE_START_ACCURACY,
        ALONG: last - first >= LEARNED_ACCURACY,
    }
    kinds = np.select(list(conditions.values()), list(conditions), default=REST)
    always = (accuracy == 1).all(axis=1)
    return pl.DataFrame({"prompt_id": matrix.prompt_ids, "kind": kinds.tolist(), "always": always})


def _read_scores(path: Path, probes: Mapping[str, Trajectories]) -> pl.DataFrame:
    if path.stem not in probes:
        known = one_of(sorted(probes)) if probes else "trajectories with this name; none were given"
        raise LimrError(f"no trajectories are named {path.stem!r}", where=path, expected=known)
    return read_parquet(path, "scores").with_columns(seed=pl.lit(path.stem))


def _sections(rows: pl.DataFrame, probes: Sequence[Trajectories]) -> list[str]:
    n_seeds = len(probes)
    averaged = "" if n_seeds == 1 else f" Every number below is the mean over {n_seeds} seeds."
    return [
        "# What was selected",
        f"The probe, the training run on all prompts, gives each prompt a curve: one value per visit.{averaged}",
        "## The mean curve",
        markdown_table(_mean_curves(probes), whole=["prompts", "visits"]),
        "## By method",
        "Percentages are quantiles of the scores. *theta to match* is the lowest selected score.",
        markdown_table(_by_method(rows), whole=["prompts", "scored", "selected"], percent=["share"]),
        *_without_score(rows, n_seeds),
        *_between_seeds(rows, probes),
        "## By kind of prompt",
    ]


def _between_seeds(rows: pl.DataFrame, probes: Sequence[Trajectories]) -> list[str]:
    """How far the selections of independent probes agree; nothing if all seeds score the same run."""
    first, *others = (probe.frame() for probe in probes)
    if all(other.equals(first) for other in others):
        return []
    n_pairs = len(probes) * (len(probes) - 1) // 2
    return [
        "## Overlap between seeds",
        "How far the selections of independent probes agree: each seed has its own order of the prompts and its own "
        f"samples. {EXPLAINED} {f'Mean over the {n_pairs} pairs of seeds.' if n_pairs > 1 else ''}".rstrip(),
        markdown_table(seeds_table(rows), percent=["overlap", "chance"]),
    ]


def _by_kind_of_prompt(rows: pl.DataFrame, kinds: Mapping[str, pl.DataFrame]) -> list[str]:
    """``kinds``: seed -> ``kinds_of_prompts``."""
    of_seed = pl.concat(frame.with_columns(seed=pl.lit(seed)) for seed, frame in kinds.items())
    rows = rows.join(of_seed, on=["seed", "prompt_id"], how="left", maintain_order="left")
    rows = rows.with_columns(pl.col("kind").fill_null(GAPS), pl.col("always").fill_null(value=False))
    selected = _selected_by_kind(rows, rows["seed"].n_unique())
    return [
        _KINDS_EXPLAINED,
        "The number of prompts of each kind, and how many of them each method selects:",
        markdown_table(selected, whole=["prompts", *rows["method"].unique()], percent=["share"]),
        "Mean score of each kind:",
        markdown_table(_score_by_kind(rows)),
    ]


def _mean_curves(probes: Sequence[Trajectories]) -> pl.DataFrame:
    """For each known signal, the mean over all prompts without gaps at the first, the last and the highest visit."""
    rows = []
    for probe in probes:
        for signal in known_signals(probe):
            matrix, _ = visit_matrix(probe, signal).without_gaps()
            curve = matrix.values.mean(axis=0)
            rows.append((signal, *map(float, (*matrix.values.shape, curve[0], curve[-1], curve.max()))))
    columns = ["mean", "prompts", "visits", "first visit", "last visit", "highest"]
    return pl.DataFrame(rows, columns, orient="row").group_by("mean", maintain_order=True).mean()


def _by_method(rows: pl.DataFrame) -> pl.DataFrame:
    score = pl.col("score")
    of_seed = rows.group_by("method", "seed", maintain_order=True).agg(
        pl.len().alias("prompts"),
        score.count().alias("scored"),
        pl.col("selected").sum(),
        pl.col("selected").mean().alias("share"),
        *[score.quantile(q, interpolation="linear").alias(f"{q:.0%}") for q in (0.1, 0.5, 0.75, 0.9)],
        score.max().alias("highest"),
        score.filter("selected").min().alias("theta to match"),
    )
    return of_seed.drop("seed").group_by("method", maintain_order=True).mean()


def _without_score(rows: pl.DataFrame, n_seeds: int) -> list[str]:
    """A table of the reasons why prompts have no score, if there are any."""
    because = kind_of("reason").alias("no score, because")
    unscored = rows.filter(pl.col("score").is_null()).group_by("method", because, maintain_order=True).len()
    counts = unscored.with_columns((pl.col("len") / n_seeds).alias("prompts")).drop("len")
    return [] if unscored.is_empty() else [markdown_table(counts, whole=["prompts"])]


def _selected_by_kind(rows: pl.DataFrame, n_seeds: int) -> pl.DataFrame:
    counts = _by_kind(rows).agg(pl.len() / n_seeds, pl.col("selected").sum() / n_seeds)
    n_prompts = counts.group_by("kind").agg(pl.col("len").first().alias("prompts"))
    n_all = n_prompts.filter(pl.col("kind") != ALWAYS)["prompts"].sum()
    selected = counts.pivot("method", index="kind", values="selected")
    return _in_order(n_prompts.with_columns(share=pl.col("prompts") / n_all).join(selected, on="kind"))


def _score_by_kind(rows: pl.DataFrame) -> pl.DataFrame:
    """The mean score of each kind; methods that give every prompt the same score have no column."""
    varied = rows.filter(pl.col("score").n_unique().over("method") > 1)
    of_seed = _by_kind(varied, "seed").agg(pl.col("score").mean())
    means = of_seed.group_by("kind", "method", maintain_order=True).agg(pl.col("score").mean())
    return _in_order(means.pivot("method", index="kind", values="score"))


def _by_kind(rows: pl.DataFrame, *more: str) -> GroupBy:
    always = rows.filter("always").with_columns(kind=pl.lit(ALWAYS))
    return pl.concat([rows, always]).group_by("kind", "method", *more, maintain_order=True)


def _in_order(table: pl.DataFrame) -> pl.DataFrame:
    order = pl.col("kind").replace_strict(list(KINDS), range(len(KINDS)), return_dtype=pl.Int64)
    return table.sort(order).rename({"kind": "prompts that are"})
