"""The subset of a training set: the selected prompts with all columns of the training set."""

import polars as pl

from limr.files.contracts import check
from limr.subsets.selected import selected_rows


def subset_of_prompts(scores: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """The selected prompts with their scores (contract ``subset``), in the order of ``prompts``.

    Raises LimrError as ``selected_rows`` does.
    """
    selected = selected_rows(scores, prompts, "training set").select("prompt_id", "score")
    rows = prompts.join(selected, on="prompt_id", how="inner", maintain_order="left")
    return check(rows, "subset", where="subset")
