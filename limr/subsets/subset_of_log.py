"""The subset of somebody's own training log: the selected prompts with what the log has of them."""

from collections.abc import Sequence

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import check, columns
from limr.logs.log import Prompt


def log_prompts(prompts: Sequence[Prompt] | None, prompt_ids: Sequence[str]) -> pl.DataFrame:
    """The prompts of a log as a frame (contract ``log_prompts``), sorted by prompt_id.

    Where the log holds no prompts (None) the rows are those of ``prompt_ids``; what it does not hold is null.
    """
    rows = (
        [(prompt_id, None, None) for prompt_id in prompt_ids]
        if prompts is None
        else [(prompt.prompt_id, prompt.text or None, prompt.answer) for prompt in prompts]
    )
    frame = pl.DataFrame(rows, columns("log_prompts"), orient="row").sort("prompt_id")
    return check(frame, "log_prompts", where="prompts of the log")


def subset_of_log(scores: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """The selected prompts of ``scores`` (contract ``scores``) with their texts and answers, best first.

    ``prompts`` is to contract ``log_prompts``, the result to contract ``log_subset``. Raises LimrError when a selected
    prompt is not among ``prompts``, or none is selected.
    """
    selected = scores.filter("selected").sort("rank", nulls_last=True)
    if selected.is_empty():
        raise LimrError(f"scores: none of the {len(scores):,} prompts is selected")
    unknown = selected.join(prompts, on="prompt_id", how="anti")
    if not unknown.is_empty():
        raise LimrError(
            f"scores: prompt {unknown['prompt_id'][0]} is selected and is not among the {len(prompts):,} prompts of the"
            f" log ({len(unknown):,} such): were the scores made from another log?"
        )
    rows = selected.join(prompts, on="prompt_id", how="left", maintain_order="left")
    return check(rows.select(list(columns("log_subset"))), "log_subset", where="subset of the log")
