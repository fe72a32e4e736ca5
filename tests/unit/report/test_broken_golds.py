"""selection.md says how many broken gold answers each method selects."""

import polars as pl

from limr.files.contracts import write_parquet
from limr.report.broken_golds import broken_golds_section

ROWS = pl.DataFrame(
    [
        (method, seed, prompt, prompt in selected)
        for method, of_seeds in {"full": ["abcdefgh", "abcdefgh"], "lim": ["abcd", "defg"]}.items()
        for seed, selected in zip(("seed0", "seed1"), of_seeds, strict=True)
        for prompt in "abcdefgh"
    ],
    ["method", "seed", "prompt_id", "selected"],
    orient="row",
)


def section(tmp_path, broken):
    path = tmp_path / "broken_golds.parquet"
    frame = pl.DataFrame({"prompt_id": list(broken)}, {"prompt_id": pl.String})
    write_parquet(frame.with_columns(right_answer=pl.lit("7")), path, "broken_golds")
    return broken_golds_section(ROWS, path)


def test_the_counts_are_means_over_the_seeds(tmp_path):
    title, text, table = section(tmp_path, "ab")
    assert title == "## Broken gold answers"
    assert text.startswith("2 of the 8 gold answers of the training set (25.0 %) are wrong on purpose")
    assert table.splitlines()[2:] == ["| full | 8 | 2 | 25.0 % |", "| lim | 4 | 1 | 25.0 % |"]


def test_nothing_is_said_if_no_gold_is_broken(tmp_path):
    assert section(tmp_path, "") == []
