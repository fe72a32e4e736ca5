"""Accuracies on the development set, as training runs record them."""

from pathlib import Path

import polars as pl
from table2_run import rows_of

from limr.evaluation.development import development_accuracies
from limr.files.contracts import write_parquet


def test_openrlhf_evaluates_after_the_step_that_its_metrics_name(tmp_path: Path) -> None:
    metrics = pl.DataFrame({"step": [0, 1, 2], "development_accuracy": [None, 0.25, 0.5]})
    path = tmp_path / "metrics.parquet"
    write_parquet(rows_of("metrics", metrics, accuracy=0.5, format_errors=0.5), path, "metrics")
    assert development_accuracies(path, "miniature") == {1: 0.25, 2: 0.5}
    assert development_accuracies(path, "openrlhf") == {2: 0.25, 3: 0.5}
