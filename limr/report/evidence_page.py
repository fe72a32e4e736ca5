"""evidence.md, evidence.csv and evidence.json: what several worlds and seeds show together."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from limr.configuration.check import probe
from limr.errors import LimrError, shown
from limr.files.atomic import whole_file, write_json, write_text
from limr.files.markdown import as_written, markdown_rows
from limr.report.contrasts import AVERAGE, Contrast, interquartile_mean
from limr.report.evidence_figure import write_evidence_figure
from limr.report.evidence_numbers import as_json, as_rows
from limr.report.pooled_costs import cost_differences, costs, development
from limr.report.pooled_results import Pool, pooled, read_world, units_sentence
from limr.report.pooled_statistics import improvement, world_means, worlds_p
from limr.report.power import LEVEL, POWER, smallest_difference
from limr.report.results import method_scored_by
from limr.report.seed_intervals import FEWEST_SEEDS, SeedIntervals
from limr.report.style import BASE, BASE_PROMPT, method_title, percent
from limr.report.table2 import lim_against_others, minus


def write_evidence(folders: Sequence[Path], outputs: Mapping[str, Path]) -> None:
    """Pool the results in ``folders``, one per world, and write ``outputs``: markdown, csv, json, and svg and png.

    Each folder holds ``table2.json`` and ``outcomes.csv``. The same files give the same bytes. Without LIM there are no
    contrasts, and no figure.

    Raises LimrError as ``read_world`` and ``pooled`` do, and if there are fewer than three seeds in all.
    """
    pool = pooled([read_world(folder) for folder in folders])
    if len(pool.world_of) < FEWEST_SEEDS:
        raise LimrError(found=units_sentence(pool), expected=f"at least {FEWEST_SEEDS}")
    compared = lim_against_others(pool.results, pool.configuration)
    write_text(outputs["markdown"], "\n\n".join(_page(pool, compared)) + "\n")
    with whole_file(outputs["csv"]) as temporary:
        as_rows(pool).write_csv(temporary)
    write_json(outputs["json"], as_json(pool, compared))
    if compared:
        write_evidence_figure(compared, pool, {kind: outputs[kind] for kind in ("svg", "png")})


def _page(pool: Pool, compared: Sequence[Contrast]) -> list[str]:
    pairs = list(dict.fromkeys((row.first, row.second) for row in compared))
    return [
        "# Evidence",
        f"{units_sentence(pool)}. A world has its own problems and its own base model. The unit of all statistics is a "
        "training seed in its world. Differences are paired by seed, so what a world adds to both methods cancels. In "
        f"brackets: {100 * pool.configuration['report']['confidence']:g} % intervals of Student's t over these seeds.",
        "## Accuracy after the last step",
        *_accuracies(pool, pool.results),
        *_contrast_sections(pool, compared),
        "## Accuracy of the checkpoint that is best on the development set",
        *_selected(pool),
        "## All seeds and benchmarks together",
        *_rliable(pool),
        "## Development accuracy",
        *development(pool),
        "## Cost",
        *(costs(pool) if probe(pool.configuration["methods"]) else ["No method trains on all prompts."]),
        *(cost_differences(pool, pairs) if pairs else []),
        "## Worlds",
        *_worlds(pool),
    ]


def _accuracies(pool: Pool, results: Mapping[str, Mapping[str, np.ndarray]]) -> list[str]:
    """The accuracies in ``results``, and their differences to the rows that matter."""
    intervals, configuration = SeedIntervals(pool.configuration["report"]["confidence"]), pool.configuration
    titles = [as_written(benchmark["title"]) for benchmark in configuration["benchmarks"].values()]
    rand, full = (method_scored_by(score, configuration) for score in ("rand", "full"))
    references = [name for name in (BASE, BASE_PROMPT, rand, full) if name in results]
    scores, differences = [], []
    for method, each in results.items():
        cells = [percent(intervals.benchmark(name, values)) for name, values in each.items()]
        scores.append([method_title(method), *cells, percent(intervals.average(each))])
        if method == BASE:
            continue
        over = [
            None if method == other else percent(intervals.average(minus(each, results[other])), signed=True)
            for other in references
        ]
        share = intervals.ratio(minus(each, results[BASE]), minus(results[full], results[BASE])) if full else None
        differences.append([method_title(method), *over, percent(share) if share and method != full else None])
    header = ["Method", *(f"Minus {method_title(name)}" for name in references), "Share of FULL's gain (%)"]
    return [
        markdown_rows(["Method", *titles, "Average"], scores, aligned=True),
        "Differences of the average, in points:",
        markdown_rows(header, differences, aligned=True),
    ]


def _contrast_sections(pool: Pool, compared: Sequence[Contrast]) -> list[str]:
    if not compared:
        return []
    first, name = as_written(pool.worlds[0].title), method_title(compared[0].first)
    return [
        f"## {name} minus each other method",
        _contrast_table(pool, compared),
        "In points. *p*: two-sided paired t test over the seeds. *p (Holm)*: corrected for all rows of this table. "
        f"Read this one, except for an outcome that was named before the results were seen. *{first}* and the "
        "following columns: the mean difference in each world. *p (worlds)*: one-way analysis of variance of the "
        "differences over the worlds. If it is small, worlds change the difference, the seeds of one world agree too "
        "much, and the interval is too narrow for other worlds. With few worlds it often misses this.",
        "![Differences with their intervals; each dot is a training seed](evidence.svg)",
        "### What these seeds can find",
        *_power(pool, compared),
    ]


def _contrast_table(pool: Pool, compared: Sequence[Contrast]) -> str:
    rows = [
        [
            method_title(row.second),
            _benchmark_title(pool, row.benchmark),
            percent(row.difference, signed=True),
            f"{row.p_value:.3f}",
            f"{row.p_holm:.3f}",
            *(f"{100 * mean:+.1f}" for mean in world_means(pool, row.per_seed)),
            _three_decimals(worlds_p(pool, row.per_seed)),
        ]
        for row in compared
    ]
    worlds = [as_written(world.title) for world in pool.worlds]
    header = ["Minus", "Benchmark", "Difference", "p", "p (Holm)", *worlds, "p (worlds)"]
    return markdown_rows(header, rows, aligned=True)


def _selected(pool: Pool) -> list[str]:
    """The tables of accuracies and contrasts once more, for the checkpoints that the development set selects."""
    if not pool.selected:
        return [
            "The tables of these worlds have none: their configuration lacks `report: {development_selected: true}`."
        ]
    bases = {name: scores for name, scores in pool.results.items() if name in (BASE, BASE_PROMPT)}
    compared = lim_against_others(pool.selected, pool.configuration)
    return [
        *_accuracies(pool, bases | dict(pool.selected)),
        *([f"{method_title(compared[0].first)} minus:", _contrast_table(pool, compared)] if compared else []),
        "Of each training run, the checkpoint with the best development accuracy answers the benchmarks. p (Holm) is "
        "corrected for all rows of this table alone.",
    ]


def _power(pool: Pool, compared: Sequence[Contrast]) -> list[str]:
    seeds, rows = len(pool.world_of), []
    for row in compared:
        spread = float(np.std(row.per_seed, ddof=1))
        if row.benchmark == AVERAGE:
            found = f"{100 * smallest_difference(spread, seeds):.2f}" if spread else None
            rows.append([f"{method_title(row.first)} - {method_title(row.second)}", f"{100 * spread:.2f}", found])
    header = ["Difference of the average", "Spread over the seeds", "Smallest difference found"]
    return [
        markdown_rows(header, rows, aligned=True),
        f"In points. *Spread*: the standard deviation of the difference over the {seeds} seeds. *Smallest difference "
        f"found*: a true difference of this size gives p below {LEVEL:g} with a chance of {100 * POWER:g} %, in a "
        "two-sided paired t test without correction, if the spread is the true one. `python -m limr.report.power "
        "SPREAD SEEDS` computes it.",
    ]


def _rliable(pool: Pool) -> list[str]:
    lim, rand, full = (method_scored_by(score, pool.configuration) for score in ("lim", "rand", "full"))
    others = [name for name in (lim, rand, full) if name]
    rows = []
    for method, scores in pool.results.items():
        values = np.concatenate(list(scores.values()), axis=1)
        chances = [None if method == other else f"{improvement(pool, method, other):.2f}" for other in others]
        rows.append([method_title(method), f"{100 * interquartile_mean(values):.1f}", *chances])
    return [
        markdown_rows(
            ["Method", "Interquartile mean", *(f"Better than {method_title(other)}" for other in others)],
            rows,
            aligned=True,
        ),
        "*Interquartile mean*: the mean of the middle half of all seeds and benchmarks, in percent. *Better than*: the "
        "chance that a run of this method beats a run of the other one in the same world on the same benchmark, over "
        "all pairs of their seeds; ties count one half. Both as in rliable (Agarwal et al. 2021, arXiv 2108.13264), "
        "whose tasks are here the benchmarks of each world; without intervals.",
    ]


def _worlds(pool: Pool) -> list[str]:
    rows, versions = [], []
    for world in pool.worlds:
        configuration = world.configuration
        problems = ", ".join(f"{entry['problems']:,}" for entry in world.table["benchmarks"].values())
        seeds = [shown(configuration.get(section, {}).get("seed")) for section in ("data", "base_model")]
        digest = f"`{world.table['configuration_digest']}`"
        rows.append([as_written(world.title), *seeds, ", ".join(map(str, world.seeds)), problems, digest])
        versions.append(", ".join(f"{package} {number}" for package, number in world.table["versions"].items()))
    header = ["World", "Data seed", "Base model's seed", "Training seeds", "Problems", "Configuration"]
    files = dict.fromkeys(file for world in pool.worlds for file in world.table["configuration_files"])
    lines = [
        f"Versions{f' ({as_written(world.title)})' if len(set(versions)) > 1 else ''}: {text}."
        for world, text in zip(pool.worlds, versions, strict=True)
    ]
    return [
        markdown_rows(header, rows, aligned=True),
        f"*Configuration*: the digest of the merged configuration files ({', '.join(f'`{file}`' for file in files)}).",
        *dict.fromkeys(lines),
    ]


def _benchmark_title(pool: Pool, benchmark: str) -> str:
    return "Average" if benchmark == AVERAGE else as_written(pool.configuration["benchmarks"][benchmark]["title"])


def _three_decimals(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
