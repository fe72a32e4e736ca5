"""The subset of a user's own training log: the selected prompts with the text and answer that the log has."""

from collections.abc import Sequence

import polars as pl

from limr.files.contracts import check, columns
from limr.logs.log import Prompt
from limr.subsets.selected import selected_rows


def log_prompts(prompts: Sequence[Prompt] | None, prompt_ids: Sequence[str]) -> pl.DataFrame:
    """The prompts of a log as a frame (contract ``log_prompts``), sorted by prompt_id.

    If the log has no prompts (None), the rows are ``prompt_ids``. Texts and answers that the log lacks are null.
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

    ``prompts`` follows contract ``log_prompts``, the result contract ``log_subset``. Raises LimrError as
    ``selected_rows`` does.
    """
    rows = selected_rows(scores, prompts, "log").join(prompts, on="prompt_id", how="left", maintain_order="left")
    return check(rows.select(list(columns("log_subset"))), "log_subset", where="subset of the log")
