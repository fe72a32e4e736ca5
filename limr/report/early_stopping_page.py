"""How early a probe could have stopped: early_stopping.md, and the same as CSV. Needs no matplotlib."""

from pathlib import Path

import polars as pl

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
