"""The section of selection.md about broken gold answers: how many of them each method selects."""

from pathlib import Path

import polars as pl

from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_table, percentage


def broken_golds_section(rows: pl.DataFrame, broken_golds: Path) -> list[str]:
    """Markdown paragraphs; none if no gold answer is broken.

    ``rows``: the scores of every method, with the column ``seed``. ``broken_golds``: a file of this contract.
    """
    broken = read_parquet(broken_golds, "broken_golds")["prompt_id"]
    if broken.is_empty():
        return []
    per_seed = rows.group_by("method", "seed", maintain_order=True).agg(
        pl.len().alias("prompts"),
        pl.col("selected").sum(),
        (pl.col("selected") & pl.col("prompt_id").is_in(broken.implode())).sum().alias("of these broken"),
    )
    table = per_seed.drop("seed").group_by("method", maintain_order=True).mean()
    table = table.with_columns((pl.col("of these broken") / pl.col("selected")).alias("share of the selection"))
    n_prompts = round(table["prompts"][0])
    return [
        "## Broken gold answers",
        f"{len(broken):,} of the {n_prompts:,} gold answers of the training set"
        f" ({percentage(len(broken) / n_prompts)}) are wrong on purpose (`data.pool.broken`):"
        " no response to these prompts is rewarded.",
        markdown_table(
            table.drop("prompts"), whole=["selected", "of these broken"], percent=["share of the selection"]
        ),
    ]
