"""How early a probe could have stopped: early_stopping.md, the same as CSV, and the figure."""

from pathlib import Path

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from limr.files.atomic import whole_file, write_text
from limr.files.markdown import markdown_table, percentage
from limr.report.style import save_figure
from limr.selection.early_stopping import (
    CONFIDENCE,
    CORRELATION,
    LATER_CORRELATION,
    LATER_OVERLAP,
    OVERLAP,
    THETA_OVERLAP,
    THETA_SELECTED,
    EarlyStopping,
)

LEVELS = (0.9, 0.8)
FULL_COLOUR, LATER_COLOUR = "#0072B2", "#D55E00"  # Okabe and Ito's, as in limr.report.style


def write_early_stopping(found: EarlyStopping, markdown: Path, csv: Path) -> None:
    """Write ``found`` as a document that begins with the answer, and its rows as CSV."""
    write_text(markdown, document(found))
    with whole_file(csv) as temporary:
        found.rows.write_csv(temporary, float_precision=6)


def answer(found: EarlyStopping) -> str:
    """In one sentence: the first number of visits from which the selection stays as it is in the end."""
    n_visits, number = found.rows.height, f"{found.number:,}"
    parts = []
    for level in LEVELS:
        row = found.reaches(level)
        share = percentage(row["rollouts"], 0)
        parts.append(
            f"at least {percentage(level, 0)} only after all of them"
            if row["visits"] == n_visits
            else f"at least {percentage(level, 0)} from {row['visits']} visits on ({share} of the probe's rollouts)"
        )
    return (
        f"Of the {number} prompts (of {found.prompts:,}) that LIM puts first after k visits, those that are also among "
        f"the first {number} after all {n_visits} are {', '.join(parts)}."
    )


def document(found: EarlyStopping) -> str:
    """The whole text of early_stopping.md."""
    return (
        "\n\n".join(["# How early could the probe have stopped?", answer(found), _notes(found), _table(found)]) + "\n"
    )


def _notes(found: EarlyStopping) -> str:
    at_theta = f"""
- *At theta*: the prompts that score at least {found.theta or 0:g} after k visits, and after all. They are not as many,
  so the overlap is twice those in both over the sum of the two numbers."""
    return f"""\
LIM of the {found.signal}, as it would have been had the probe stopped after its first k visits, against:

- *All visits*: what LIM says in the end. The first k visits are part of that, so this agreement is partly built in, and
  it is 1 when k is all of them.
- *Later visits*: LIM of the visits after the first k alone. That is the harder question, whether the first visits
  foretell the others; near the end few later visits are left, and their own noise lowers it again.\
{"" if found.theta is None else at_theta}

Overlap: how many of the best {percentage(found.share)} of the prompts are the same; of two selections made at random,
{percentage(found.chance)}. Prompts that tie at the cut count in part. Rank correlation: Spearman's. In brackets:
{percentage(CONFIDENCE, 0)} bootstrap intervals over the prompts, {found.resamples:,} resamples, each with mean
curves of its own."""


def _table(found: EarlyStopping) -> str:
    rows = found.rows
    columns: dict[str, pl.Series | list[str]] = {
        "visits": rows["visits"],
        "rollouts": rows["rollouts"],
        "scored": rows["scored"],
        "overlap: all visits": _with_bands(rows, OVERLAP),
        "later visits": _with_bands(rows, LATER_OVERLAP),
        "rank correlation: all visits": _with_bands(rows, CORRELATION),
        "later visits ": _with_bands(rows, LATER_CORRELATION),  # a frame has no column twice
    }
    if found.theta is not None:
        columns |= {"selected at theta": rows[THETA_SELECTED], "overlap at theta": _with_bands(rows, THETA_OVERLAP)}
    return markdown_table(pl.DataFrame(columns), whole=["visits", "scored", "selected at theta"], percent=["rollouts"])


def _with_bands(rows: pl.DataFrame, measure: str) -> list[str]:
    values = rows.select(measure, f"{measure}_low", f"{measure}_high").rows()
    return ["-" if None in row else "{:.3f} [{:.3f}, {:.3f}]".format(*row) for row in values]


def draw_early_stopping(found: EarlyStopping, output: Path) -> None:
    """Draw overlap and rank correlation over the visits, each with its band, and where the overlap stays high."""
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw(left, found, OVERLAP, LATER_OVERLAP)
    _draw(right, found, CORRELATION, LATER_CORRELATION)
    left.axhline(found.chance, color="#555555", linestyle=":", label=f"by chance: {percentage(found.chance)}")
    _mark_levels(left, found)
    left.set(ylim=(0, 1.04), title=f"The best {percentage(found.share)}: {found.number:,} of {found.prompts:,} prompts")
    left.set_ylabel("overlap")
    left.yaxis.set_major_formatter(PercentFormatter(1))
    right.set(title="The order of all prompts", ylabel="Spearman's rank correlation")
    right.set_ylim(min(0, right.get_ylim()[0]), 1.04)
    figure.suptitle(f"LIM of the {found.signal} after the first visits: how much of its answer is there already?")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    save_figure(figure, output)


def _draw(axes: Axes, found: EarlyStopping, full: str, later: str) -> None:
    visits = found.rows["visits"].to_numpy()
    for measure, colour, style, label in (
        (full, FULL_COLOUR, "-", "against LIM of all visits (the first ones are among them)"),
        (later, LATER_COLOUR, "--", "against LIM of the later visits alone"),
    ):
        low, value, high = (found.rows[name].to_numpy() for name in (f"{measure}_low", measure, f"{measure}_high"))
        axes.fill_between(visits, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.plot(visits, value, style, color=colour, linewidth=2, label=label)
    axes.set_xlabel("visits of each prompt before the probe stops")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))
    axes.set_xlim(visits[0] - 0.5, visits[-1] + 0.5)
    axes.set_axisbelow(True)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _mark_levels(axes: Axes, found: EarlyStopping) -> None:
    """A mark where the overlap begins to stay at each level; in the legend, the share of the rollouts that it took."""
    for level, marker in zip(LEVELS, "so", strict=True):
        row = found.reaches(level)
        share = percentage(row["rollouts"], 0)
        axes.plot([row["visits"]] * 2, [0, row[OVERLAP]], color="black", linewidth=0.8, alpha=0.5)
        axes.plot(
            [row["visits"]], [row[OVERLAP]], marker, color="black", markersize=6,
            label=f"{percentage(level, 0)} from {row['visits']} visits on: {share} of the rollouts",
        )  # fmt: skip
