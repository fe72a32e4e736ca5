"""Score every prompt by one method and select some: the stages ``scores`` and ``subsets`` of the pipeline."""

import logging
from collections.abc import Mapping
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import check, columns
from limr.selection.choose import choose
from limr.selection.method import Pool, Scores, run_method
from limr.trajectories import Trajectories

logger = logging.getLogger(__name__)

NOT_GRADABLE = "gold answer cannot be graded"
NO_TRAJECTORY = "no trajectory"


def score_prompts(
    method: str,
    settings: Mapping[str, Any],
    trajectories: Trajectories | None,
    prompts: pl.DataFrame | None,
    seed: int,
    ungradable: str = "drop",
) -> pl.DataFrame:
    """Score, rank and select: one row a prompt (contract ``scores``), best first, each one left out with its reason.

    ``settings`` is the method's row of configuration: ``score`` (name of a score method), ``keep`` (see ``choose``)
    and perhaps ``options`` (keyword arguments of the score method). Without ``prompts`` (contract ``prompts``) the
    prompts are those of ``trajectories``. A prompt whose gold answer cannot be graded is not scored (``ungradable``
    is ``drop``): no response to it can be rewarded. Its curve is left out of the mean curve too. With ``keep`` it is a
    prompt like any other.

    Raises LimrError naming the method when a name or option is unknown, when nothing can be scored, or when nothing
    is selected.
    """
    pool, left_out = pool_of(trajectories, prompts, seed, ungradable)
    try:
        scores = run_method(settings["score"], pool, settings.get("options") or {})
        scored = choose(_every_prompt(pool, scores, left_out), settings["keep"], len(pool.prompt_ids))
    except LimrError as error:
        raise LimrError(f"method {method!r}: {error}") from error
    logger.info(
        "%s, seed %s: %s of %s prompts selected, %s without a score",
        method, seed, f"{scored['selected'].sum():,}", f"{len(scored):,}", f"{scored['score'].null_count():,}",
    )  # fmt: skip
    return check(scored.with_columns(method=pl.lit(method)).select(list(columns("scores"))), "scores", where=method)


def subset(scores: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """The selected prompts with their scores (contract ``subset``), in the order of ``prompts``.

    Raises LimrError when a selected prompt is not among ``prompts``, or none is selected.
    """
    selected = scores.filter("selected").select("prompt_id", "score")
    if selected.is_empty():
        raise LimrError(f"scores: none of the {len(scores):,} prompts is selected")
    unknown = selected.join(prompts, on="prompt_id", how="anti")
    if not unknown.is_empty():
        raise LimrError(
            f"scores: prompt {unknown['prompt_id'][0]} is selected and is not among the {len(prompts):,} prompts"
            f" ({len(unknown):,} such): were the scores made from another training set?"
        )
    chosen = prompts.join(selected, on="prompt_id", how="inner", maintain_order="left")
    return check(chosen, "subset", where="subset")


def pool_of(
    trajectories: Trajectories | None, prompts: pl.DataFrame | None, seed: int, ungradable: str
) -> tuple[Pool, dict[str, str]]:
    """The prompts that can be selected (see ``score_prompts``), and why each other one cannot."""
    if prompts is None:
        if trajectories is None:
            raise LimrError("neither prompts nor trajectories were given: there is nothing to select from")
        return Pool(trajectories.prompt_ids, trajectories, seed), {}
    prompts = check(prompts, "prompts", where="prompts")
    usable = pl.lit(True) if ungradable == "keep" else pl.col("gradable")
    pool_ids = prompts.filter(usable)["prompt_id"].sort()
    left_out = dict.fromkeys(prompts.filter(~usable)["prompt_id"], NOT_GRADABLE)
    if trajectories is not None:
        strangers = set(trajectories.prompt_ids) - set(prompts["prompt_id"])
        if strangers:
            logger.warning("%s prompts have trajectories and are not in the training set: left out", len(strangers))
        trajectories = trajectories.of_prompts(pool_ids)
    return Pool(pool_ids.to_list(), trajectories, seed), left_out


def _every_prompt(pool: Pool, scores: Scores, left_out: Mapping[str, str]) -> pl.DataFrame:
    reasons = {**scores.dropped, **left_out}
    prompt_ids = [*pool.prompt_ids, *left_out]
    return pl.DataFrame(
        {
            "prompt_id": prompt_ids,
            "score": [scores.scores.get(prompt_id) for prompt_id in prompt_ids],
            "reason": [
                "" if prompt_id in scores.scores else reasons.get(prompt_id, NO_TRAJECTORY) for prompt_id in prompt_ids
            ],
        },
        {"prompt_id": pl.String, "score": pl.Float64, "reason": pl.String},
    )
