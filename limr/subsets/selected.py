"""The selected rows of a scores file, checked against the prompts that they come from."""

import polars as pl

from limr.errors import LimrError, counted


def selected_rows(scores: pl.DataFrame, prompts: pl.DataFrame, source: str) -> pl.DataFrame:
    """The rows of ``scores`` that are selected, best first.

    ``source`` names where ``prompts`` come from, such as "training set". Raises LimrError when no row is selected, or a
    selected prompt is not among ``prompts``.
    """
    selected = scores.filter("selected").sort("rank", nulls_last=True)
    if selected.is_empty():
        raise LimrError(f"none of the {len(scores):,} prompts is selected", where="scores")
    unknown = selected.join(prompts, on="prompt_id", how="anti", maintain_order="left")
    if not unknown.is_empty():
        raise LimrError(
            f"{len(unknown):,} of the {len(selected):,} selected prompts are not among the"
            f" {counted(len(prompts), 'prompt')} of the {source}",
            where=("scores", f"prompt {unknown['prompt_id'][0]}"),
            advice=f"Check whether the scores were made from another {source}.",
        )
    return selected
