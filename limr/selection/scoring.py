"""Score every prompt by one method and select some of them: the stage ``scores`` of the pipeline."""

import logging
from collections.abc import Mapping
from typing import Any

import polars as pl

from limr.errors import LimrError
from limr.files.contracts import check, columns
from limr.selection.choose import choose
from limr.selection.method import Pool, Scores, run_method
from limr.selection.ranking import rank_prompts
from limr.selection.reason import NO_TRAJECTORY, NOT_GRADABLE, Reason
from limr.trajectories import Trajectories

logger = logging.getLogger(__name__)


def score_prompts(
    method: str,
    settings: Mapping[str, Any],
    trajectories: Trajectories | None,
    prompts: pl.DataFrame | None,
    seed: int,
    ungradable: str = "drop",
) -> pl.DataFrame:
    """Score, rank and select: one row per prompt (contract ``scores``), best first.

    Each row that is not selected has a reason.

    ``settings`` is the method's entry in the configuration: ``score`` (name of a score method), ``keep`` (see
    ``choose``) and perhaps ``options`` (of the score method). Its section ``probe`` may name a number of ``visits``:
    then only the first ones are scored, exactly those that a probe of so many visits would have had. ``trajectories``
    are already those of the seed, the samples and the measure that the section names. Without ``prompts`` (contract
    ``prompts``) the prompts are those of ``trajectories``.

    ``ungradable`` decides about prompts with a gold answer that cannot be graded: no response to them can be rewarded.
    With ``drop`` such a prompt has no score, and its curve is left out of the mean curve too. With ``keep`` it is
    treated like any other prompt.

    Raises LimrError naming the method when a name or option is unknown, when nothing can be scored, or when nothing
    is selected.
    """
    visits = (settings.get("probe") or {}).get("visits")
    if trajectories is not None and visits is not None:
        trajectories = _first_visits(method, trajectories, visits)
    pool, left_out = pool_of(trajectories, prompts, seed, ungradable)
    try:
        scores = run_method(settings["score"], pool, settings.get("options") or {})
        ranked = rank_prompts(_every_prompt(pool, scores, left_out), seed)
        scored = choose(ranked, settings["keep"], len(pool.prompt_ids))
    except LimrError as error:
        error.inside(f"method {method!r}")
        raise
    logger.info(
        "%s, seed %s: %s of %s prompts selected, %s without a score",
        method, seed, f"{scored['selected'].sum():,}", f"{len(scored):,}", f"{scored['score'].null_count():,}",
    )  # fmt: skip
    return check(scored.with_columns(method=pl.lit(method)).select(list(columns("scores"))), "scores", where=method)


def _first_visits(method: str, trajectories: Trajectories, visits: int) -> Trajectories:
    longest = int(trajectories.epoch.max(initial=-1)) + 1
    if longest < visits:
        raise LimrError(
            where=(f"method {method!r}", "probe.visits"),
            found=str(visits),
            expected=f"at most {longest}, the visits of the trajectories",
        )
    return trajectories.before(visits)


def pool_of(
    trajectories: Trajectories | None, prompts: pl.DataFrame | None, seed: int, ungradable: str
) -> tuple[Pool, dict[str, Reason]]:
    """The prompts that can be selected (see ``score_prompts``), and the reason for each other prompt."""
    if prompts is None:
        if trajectories is None:
            raise LimrError("neither prompts nor trajectories were given, so there is nothing to select from")
        return Pool(trajectories.prompt_ids, trajectories, seed), {}
    prompts = check(prompts, "prompts", where="prompts")
    usable = pl.lit(True) if ungradable == "keep" else pl.col("gradable")
    pool_ids = prompts.filter(usable)["prompt_id"].sort()
    left_out = dict.fromkeys(prompts.filter(~usable)["prompt_id"], NOT_GRADABLE)
    if trajectories is not None:
        unknown = set(trajectories.prompt_ids) - set(prompts["prompt_id"])
        if unknown:
            logger.warning("%s prompts with trajectories are not in the training set, and are left out", len(unknown))
        trajectories = trajectories.of_prompts(pool_ids)
    return Pool(pool_ids.to_list(), trajectories, seed), left_out


def _every_prompt(pool: Pool, scores: Scores, left_out: Mapping[str, Reason]) -> pl.DataFrame:
    """One row per prompt of the training set: prompt_id, score or null, and the reason where there is no score."""
    reasons = {**scores.dropped, **left_out}
    prompt_ids = [*pool.prompt_ids, *left_out]
    return pl.DataFrame(
        {
            "prompt_id": prompt_ids,
            "score": [scores.scores.get(prompt_id) for prompt_id in prompt_ids],
            "reason": [
                "" if prompt_id in scores.scores else str(reasons.get(prompt_id, NO_TRAJECTORY))
                for prompt_id in prompt_ids
            ],
        },
        {"prompt_id": pl.String, "score": pl.Float64, "reason": pl.String},
    )
