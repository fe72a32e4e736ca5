"""probe_measure.md and .csv: what methods select by the visits of training, and by fixed checkpoints of the same probe.

A visit of training mixes what a prompt teaches with its place in the shuffle. At a checkpoint, all prompts are sampled
from the same model. Where the two measures disagree, the shuffle or the noise of the samples has chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from limr.files.atomic import whole_file, write_text
from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_table
from limr.report.first_pass import quarters
from limr.report.selection_overlap import EXPLAINED, agreement, between_seeds
from limr.report.training_runs import rollouts_by_step
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

VISITS, CHECKPOINTS = "visits", "checkpoints"
_CSV = {
    "comparison": pl.String,  # measures, seeds or first pass
    "method": pl.String,
    "measure": pl.String,  # empty if both are compared
    "seed": pl.Int64,
    "other_seed": pl.Int64,
    "quarter": pl.Int64,
    "selected": pl.Float64,
    "overlap": pl.Float64,
    "chance": pl.Float64,
    "spearman": pl.Float64,
}

# the mean over the seeds; null if one of them has no rank correlation
_KNOWN_SPEARMAN = pl.when(pl.col("spearman").null_count() == 0).then(pl.col("spearman").mean()).alias("spearman")

# measure -> seed -> frame of contract scores
_Selections = dict[str, dict[int, pl.DataFrame]]


@dataclass(frozen=True)
class ProbeFiles:
    """The files of one seed's probe: the trajectories by both measures, and the folders of rollouts of both."""

    visits: Path
    checkpoints: Path
    trained: Path
    measured: Path


def write_probe_measure(
    methods: Mapping[str, Mapping[str, Any]],
    probes: Mapping[int, ProbeFiles],
    prompts: Path,
    ungradable: str,
    outputs: Mapping[str, Path],
) -> None:
    """Write the page to ``outputs["markdown"]`` and its numbers by seed to ``outputs["csv"]``.

    ``methods``: rows of the configuration that read trajectories; rows with the same score, options and rule count
    once, and their section ``probe`` is not used. ``probes``: seed -> its files. By the checkpoints, a method selects
    as many prompts as by the visits of training, so that a theta does not decide about the overlap. If fewer have a
    score by the checkpoints, it selects all of these.
    """
    table = read_parquet(prompts, "prompts")
    curves = {
        measure: {seed: Trajectories.read(getattr(files, measure)) for seed, files in probes.items()}
        for measure in (VISITS, CHECKPOINTS)
    }
    found = {name: _selections(name, row, curves, table, ungradable) for name, row in _different_rows(methods).items()}
    places = {seed: quarters(files.trained) for seed, files in probes.items()}
    rows = [row for name, selections in found.items() for row in _rows(name, selections, places)]
    numbers = pl.DataFrame(rows, _CSV)
    write_text(outputs["markdown"], "\n\n".join(_page(numbers, curves, places, probes)) + "\n")
    with whole_file(outputs["csv"]) as temporary:
        numbers.write_csv(temporary, float_precision=6)


def _different_rows(methods: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The rows without their section ``probe``, each different one once.

    A row that had one is named by what it scores and keeps.

    >>> lim, half = {"score": "lim", "keep": {"top": 9}}, {"score": "lim", "keep": {"share": 0.5}}
    >>> list(_different_rows({"early": {**lim, "probe": {"visits": 2}}, "lim": lim, "b": {**half, "probe": {}}}))
    ['lim', 'lim, share 0.5']
    """
    rows: dict[str, Mapping[str, Any]] = {}
    for name, row in sorted(methods.items(), key=lambda item: "probe" in item[1]):  # a row of the whole probe first
        whole = {key: value for key, value in row.items() if key != "probe"}
        if whole not in rows.values():
            rows[name if "probe" not in row else _described(row)] = whole
    return rows


def _described(row: Mapping[str, Any]) -> str:
    """What a method scores and keeps, as a name: the name of its row stands for a part of the probe."""
    keep = {} if row["keep"] == "all" else row["keep"]
    return ", ".join([row["score"], *(f"{key} {value}" for key, value in {**row.get("options", {}), **keep}.items())])


def _selections(
    name: str,
    row: Mapping[str, Any],
    curves: Mapping[str, Mapping[int, Trajectories]],
    prompts: pl.DataFrame,
    ungradable: str,
) -> _Selections:
    found: _Selections = {VISITS: {}, CHECKPOINTS: {}}
    for seed, trajectories in curves[VISITS].items():
        found[VISITS][seed] = score_prompts(name, row, trajectories, prompts, seed, ungradable)
        number = found[VISITS][seed]["selected"].sum()
        measured = score_prompts(name, {**row, "keep": "all"}, curves[CHECKPOINTS][seed], prompts, seed, ungradable)
        found[CHECKPOINTS][seed] = measured.with_columns(selected=(pl.col("rank") <= number).fill_null(value=False))
    return found


def _rows(name: str, found: _Selections, places: Mapping[int, pl.DataFrame]) -> list[dict[str, Any]]:
    """The rows of the CSV of one method."""
    rows = []
    for seed in places:
        both = agreement(found[VISITS][seed], found[CHECKPOINTS][seed])
        share = found[VISITS][seed]["selected"].mean()
        rows.append({"comparison": "measures", "method": name, "seed": seed, "selected": share} | vars(both))
    for measure, of_seed in found.items():
        for (one, other), agreed in between_seeds(of_seed).items():
            pair = {"measure": measure, "seed": one, "other_seed": other}
            rows.append({"comparison": "seeds", "method": name} | pair | vars(agreed))
        for seed, place in places.items():
            shares = place.join(of_seed[seed], on="prompt_id").group_by("quarter").agg(pl.col("selected").mean())
            for quarter, share in shares.sort("quarter").iter_rows():
                of_quarter = {"measure": measure, "seed": seed, "quarter": quarter, "selected": share}
                rows.append({"comparison": "first pass", "method": name} | of_quarter)
    return [{column: row.get(column) for column in _CSV} for row in rows]


def _page(
    numbers: pl.DataFrame,
    curves: Mapping[str, Mapping[int, Trajectories]],
    places: Mapping[int, pl.DataFrame],
    probes: Mapping[int, ProbeFiles],
) -> list[str]:
    seeds = len(places)
    averaged = f" Every number is the mean over {seeds} seeds." if seeds > 1 else ""
    page = [
        "# The probe measured at fixed checkpoints",
        "A visit of training comes earlier for some prompts than for others, as the shuffle decides. Here all prompts "
        "are sampled from the same checkpoints of the same probe instead, and each checkpoint counts as a visit. Both "
        f"measures use the same temperature, number of samples and reward.{averaged}",
        "## Selections by visits and by checkpoints",
        f"{EXPLAINED} By the checkpoints, each method selects as many prompts as by the visits, or all that have a "
        "score if these are fewer.",
        _measures(numbers),
    ]
    if seeds > 1:
        page += [
            "## Selections of independent probes",
            f"The overlap and the rank correlation between seeds, {_pairs(seeds)}: how much of a selection comes from "
            "the prompts, and not from one probe's order and samples.",
            _seeds(numbers),
        ]
    return [
        *page,
        "## Place in the shuffle",
        "Prompts by the quarter of the first pass in which training met them: their accuracy at the first visit of "
        "training and at the first checkpoint, and the share of them that each method selects by both measures. "
        "Without an effect of the shuffle, the quarters would differ by chance alone.",
        _first_pass(numbers, curves, places),
        "## Cost",
        _costs(probes),
    ]


def _costs(probes: Mapping[int, ProbeFiles]) -> str:
    """What both measures generated, mean over the seeds. The samples from the checkpoints come on top of training."""
    rows = []
    for measure, folders in (
        ("training the probe", [files.trained for files in probes.values()]),
        ("sampling from its checkpoints", [files.measured for files in probes.values()]),
    ):
        steps = pl.concat(map(rollouts_by_step, folders))
        rows.append((measure, steps["rollouts"].sum() / len(folders), steps["tokens"].sum() / len(folders)))
    table = pl.DataFrame(rows, ["generated in", "rollouts", "response tokens"], orient="row")
    return markdown_table(table, whole=["rollouts", "response tokens"])


def _pairs(seeds: int) -> str:
    number = seeds * (seeds - 1) // 2
    return "mean over the one pair" if number == 1 else f"mean over the {number} pairs"


def _measures(numbers: pl.DataFrame) -> str:
    table = (
        numbers.filter(comparison="measures")
        .group_by("method", maintain_order=True)
        .agg(pl.col("selected", "overlap", "chance").mean(), _KNOWN_SPEARMAN)
        .rename({"spearman": "rank correlation"})
    )
    return markdown_table(table, percent=["selected", "overlap", "chance"])


def _seeds(numbers: pl.DataFrame) -> str:
    table = numbers.filter(comparison="seeds").group_by("method", "measure", maintain_order=True)
    means_of = table.agg(pl.col("overlap", "chance").mean(), _KNOWN_SPEARMAN)
    wide = means_of.pivot("measure", index="method", values=["overlap", "chance", "spearman"])
    columns = {
        "method": "method",
        f"overlap_{VISITS}": "overlap by visits",
        f"overlap_{CHECKPOINTS}": "by checkpoints",
        f"chance_{VISITS}": "chance",
        f"spearman_{VISITS}": "rank correlation by visits",
        f"spearman_{CHECKPOINTS}": "rank correlation by checkpoints",
    }
    return markdown_table(wide.select(columns.keys()).rename(columns), percent=list(columns.values())[1:4])


def _first_pass(
    numbers: pl.DataFrame, curves: Mapping[str, Mapping[int, Trajectories]], places: Mapping[int, pl.DataFrame]
) -> str:
    seed_tables = []
    for seed, place in places.items():
        table = place
        for measure in (VISITS, CHECKPOINTS):
            first = curves[measure][seed].frame().filter(epoch=0).select("prompt_id", pl.col("accuracy").alias(measure))
            table = table.join(first, on="prompt_id", how="left")
        seed_tables.append(table)
    accuracies = pl.concat(seed_tables).group_by("quarter").agg(
        (pl.len() / len(places)).alias("prompts"),
        pl.col(VISITS).mean().alias("accuracy, visit 1"),
        pl.col(CHECKPOINTS).mean().alias("checkpoint 1"),
    )  # fmt: skip
    selected = (
        numbers.filter(comparison="first pass")
        .select("quarter", "selected", column=pl.format("{} by {}", "method", "measure"))
        .group_by("quarter", "column", maintain_order=True)
        .agg(pl.col("selected").mean())
        .pivot("column", index="quarter", values="selected")
    )
    table = accuracies.join(selected, on="quarter").sort("quarter")
    return markdown_table(table, whole=["quarter", "prompts"], percent=table.columns[2:])
