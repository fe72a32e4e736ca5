"""early_stopping.md: how early a probe could have stopped, and the table as CSV. Does not need matplotlib."""

from pathlib import Path

import polars as pl

from limr.errors import counted
from limr.files.atomic import whole_file, write_text
from limr.files.markdown import markdown_table, percentage
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


def write_early_stopping(found: EarlyStopping, markdown: Path, csv: Path) -> None:
    """Write ``found`` as a page that begins with the answer, and its table as CSV."""
    write_text(markdown, document(found))
    with whole_file(csv) as temporary:
        found.rows.write_csv(temporary, float_precision=6)


def answer(found: EarlyStopping) -> str:
    """The answer in one sentence: after how many visits the selection stays close to the final one."""
    n_visits, number = found.rows.height, f"{found.number:,}"
    if found.rows[CORRELATION][-1] is None:  # even with itself
        return (
            f"LIM gives all {found.prompts:,} prompts the same score after all visits ({n_visits:,}), so no prompt is"
            " better than another: the overlaps below are those of ties, and say nothing about stopping early."
        )
    parts = []
    for level in LEVELS:
        row = found.reaches(level)
        share, visits = percentage(row["rollouts"], 0), counted(row["visits"], "visit")
        parts.append(
            f"at least {percentage(level, 0)} only after all of them"
            if row["visits"] == n_visits
            else f"at least {percentage(level, 0)} from {visits} on ({share} of the probe's rollouts)"
        )
    return (
        f"LIM's best {number} of {found.prompts:,} prompts after k visits, compared with its best {number} after "
        f"{'the only visit' if n_visits == 1 else f'all {n_visits} visits'}: the overlap is {', and '.join(parts)}."
    )


def document(found: EarlyStopping) -> str:
    """The whole text of early_stopping.md."""
    return (
        "\n\n".join(["# How early could the probe have stopped?", answer(found), _notes(found), _table(found)]) + "\n"
    )


def _notes(found: EarlyStopping) -> str:
    at_theta = f"""
- *At theta*: the prompts that score at least {found.theta or 0:g} after k visits and after all visits. The two
  selections differ in size, so the overlap is twice the number of prompts in both, divided by the sum of the sizes."""
    return f"""\
The table compares LIM of the {found.signal} after the first k visits, as if the probe had stopped there, with:

- *All visits*: the final scores. They include the first k visits, so this agreement is partly built in. It is 1 when k
  is the number of all visits.
- *Later visits*: LIM of the visits after the first k alone. This is the stricter test: do the first visits predict the
  later ones? Near the end few later visits are left, and their noise lowers the agreement again.\
{"" if found.theta is None else at_theta}

Overlap: the share of the best {percentage(found.share)} of the prompts that both selections have in common. For two
random selections it is {percentage(found.chance)}. Prompts that tie at the cut share the remaining places. Rank
correlation: Spearman's. In brackets: {percentage(CONFIDENCE, 0)} bootstrap intervals over the prompts from
{found.resamples:,} resamples. Each resample computes its own mean curves."""


def _table(found: EarlyStopping) -> str:
    rows = found.rows
    columns: dict[str, pl.Series | list[str]] = {
        "visits": rows["visits"],
        "rollouts": rows["rollouts"],
        "scored": rows["scored"],
        "overlap: all visits": _with_bands(rows, OVERLAP),
        "overlap: later visits": _with_bands(rows, LATER_OVERLAP),
        "rank correlation: all visits": _with_bands(rows, CORRELATION),
        "rank correlation: later visits": _with_bands(rows, LATER_CORRELATION),
    }
    if found.theta is not None:
        columns |= {"selected at theta": rows[THETA_SELECTED], "overlap at theta": _with_bands(rows, THETA_OVERLAP)}
    return markdown_table(pl.DataFrame(columns), whole=["visits", "scored", "selected at theta"], percent=["rollouts"])


def _with_bands(rows: pl.DataFrame, measure: str) -> list[str]:
    """The values of a measure with their intervals, a dash where it is undefined."""
    values = rows.select(measure, f"{measure}_low", f"{measure}_high").rows()
    return ["-" if None in row else "{:.3f} [{:.3f}, {:.3f}]".format(*row) for row in values]
