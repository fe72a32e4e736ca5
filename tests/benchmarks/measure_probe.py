"""Prompts that the miniature's model cannot learn, and what a prompt's place in the first visit changes: two tables.

    python tests/benchmarks/measure_probe.py --results results [--seed 0]

Products of large numbers in one step are outside what this model can learn: levels 4 and 5 of counting and
geometry. The kinds of prompts are those of selection.md. The quarters are those of the first pass over the prompts.
"""

import argparse
from pathlib import Path

import polars as pl

from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_table
from limr.report.first_pass import quarters
from limr.report.selection_summary import ALONG, NEVER, START, kinds_of_prompts
from limr.trajectories import Trajectories

PRODUCT = pl.col("subject").is_in(["Counting", "Geometry"]) & (pl.col("level") >= 4)


def products(prompts: pl.DataFrame, benchmarks: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """How many prompts of each file need a large product."""
    rows = {"training set": prompts} | benchmarks
    counts = [frame.select(prompts=pl.len(), products=PRODUCT.sum(), share=PRODUCT.mean()) for frame in rows.values()]
    return pl.concat(counts).insert_column(0, pl.Series("file", list(rows)))


def by_quarter(
    place: pl.DataFrame, trajectories: pl.DataFrame, kinds: pl.DataFrame, selected: pl.DataFrame
) -> pl.DataFrame:
    """For each quarter of the first pass: accuracy at the first and the second visit, kinds, and what LIM selects."""
    first, second = (
        trajectories.filter(pl.col("epoch") == epoch).select("prompt_id", pl.col("accuracy").alias(name))
        for epoch, name in enumerate(("correct", "second"))
    )
    table = place.join(first, on="prompt_id").join(second, on="prompt_id").join(kinds, on="prompt_id")
    shares = {kind: (pl.col("kind") == kind).mean() for kind in (NEVER, START, ALONG)}
    return (
        table.join(selected.select("prompt_id", "selected"), on="prompt_id")
        .group_by("quarter")
        .agg(
            pl.len().alias("prompts"),
            pl.col("correct").mean().alias("accuracy, visit 1"),
            pl.col("second").mean().alias("visit 2"),
            *[share.alias(kind) for kind, share in shares.items()],
            pl.col("selected").mean().alias("selected by LIM"),
        )
        .sort("quarter")
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="of a finished run (results)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the probe (0)")
    options = parser.parse_args()
    results, seed = options.results, f"seed{options.seed}"
    prompts = read_parquet(results / "data" / "train.parquet", "prompts")
    files = {"development": results / "data" / "development.parquet"}
    files |= {file.stem: file for file in sorted((results / "data" / "benchmarks").glob("*.parquet"))}
    trajectories = Trajectories.read(results / "trajectories" / f"{seed}.parquet")
    kinds = kinds_of_prompts(trajectories)
    table = products(prompts, {name: read_parquet(file, "prompts") for name, file in files.items()})
    print(markdown_table(table, whole=["prompts", "products"], percent=["share"]))
    never = prompts.join(kinds, on="prompt_id").filter(pl.col("kind") == NEVER)
    print(f"\n{len(never):,} prompts are never solved; {never.filter(PRODUCT).height:,} of them are products\n")
    scores = read_parquet(results / "scores" / "lim" / f"{seed}.parquet", "scores")
    place = quarters(results / "runs" / "full" / seed / "rollouts")
    by_place = by_quarter(place, trajectories.frame(), kinds, scores)
    percent = [name for name in by_place.columns if name not in ("quarter", "prompts")]
    print(markdown_table(by_place, whole=["quarter", "prompts"], percent=percent))


if __name__ == "__main__":
    main()
