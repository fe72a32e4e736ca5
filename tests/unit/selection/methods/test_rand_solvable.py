"""RAND-solvable: RAND's numbers for the prompts that were solved at least once, and a reason for the others."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from some_curves import curves_with_gaps, missing_visits, pool_of, whole_curves

from limr.errors import LimrError
from limr.selection.method import run_method
from limr.selection.methods.rand import rand
from limr.selection.scoring import score_prompts

NEVER = "never solved by the probe"
shares = st.sampled_from([0.1, 0.25, 0.5])


def solved(curves) -> set[str]:
    """In plain Python: the prompts without gaps that have a correct sample."""
    return {name for name, curve in whole_curves(curves, "drop").items() if any(value > 0 for value in curve)}


@st.composite
def curves_often_never_solved(draw):
    curves = draw(curves_with_gaps())
    for name in draw(st.sets(st.sampled_from(sorted(curves)), max_size=15)):
        curves[name] = [None if value is None else 0.0 for value in curves[name]]
    return curves


@given(curves_often_never_solved(), missing_visits)
def test_solved_prompts_have_the_number_of_rand_and_the_others_a_reason(curves, missing):
    whole = whole_curves(curves, missing)
    result = run_method("rand_solvable", pool_of(curves), {"missing": missing})
    numbers = dict(zip(whole, rand(list(whole), seed=0), strict=True))
    assert result.scores == {name: numbers[name] for name, curve in whole.items() if max(curve) > 0}
    assert {str(result.dropped[name]) for name, curve in whole.items() if max(curve) == 0} <= {NEVER}


@given(curves_often_never_solved(), shares, st.integers(0, 5))
def test_a_share_counts_all_prompts_and_no_prompt_that_was_never_solved_is_selected(curves, share, seed):
    trajectories = pool_of(curves).trajectories
    pool = len(trajectories.prompt_ids)
    size = round(share * pool)
    settings = {"score": "rand_solvable", "keep": {"share": share}}
    try:
        scored = score_prompts("rand_solvable", settings, trajectories, None, seed)
    except LimrError as error:
        assert len(solved(curves)) < max(size, 1), error
        return
    selected = set(scored.filter("selected")["prompt_id"])
    assert len(selected) == size
    assert selected <= solved(curves)
    drawn = score_prompts("rand", {"score": "rand", "keep": {"share": share}}, trajectories, None, seed)
    assert set(drawn.filter("selected")["prompt_id"]) & solved(curves) <= selected, "it keeps RAND's solvable prompts"


def test_another_seed_draws_other_prompts():
    curves = {f"p{i:02}": [0.0, 0.5] for i in range(40)}
    trajectories = pool_of(curves).trajectories
    settings = {"score": "rand_solvable", "keep": {"top": 10}}
    first, second = (
        score_prompts("mine", settings, trajectories, None, seed).filter(pl.col("selected")) for seed in (0, 1)
    )
    assert set(first["prompt_id"]) != set(second["prompt_id"])
