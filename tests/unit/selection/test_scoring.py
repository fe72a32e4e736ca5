"""From trajectories to scores: every prompt has a row and a reason, and ungradable prompts are left out."""

import polars as pl
import pytest
from refusals import refused

from limr.errors import ContractError
from limr.files.contracts import check
from limr.selection import scoring
from limr.selection.method import Scores
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

LIM = {"score": "lim", "keep": {"theta": 0.5}}  # the score of late in CURVES is 0.6
CURVES = {"late": [-1.0, 1.0], "never": [-1.0, -1.0], "solved": [1.0, 1.0]}


def trajectories(curves: dict[str, list[float]]) -> Trajectories:
    rows = [(name, k, reward, (reward + 1) / 2, 8) for name, curve in curves.items() for k, reward in enumerate(curve)]
    names = ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"]
    return Trajectories.from_frame(pl.DataFrame(rows, names, orient="row"))


def prompts(*prompt_ids: str, ungradable: tuple[str, ...] = ()) -> pl.DataFrame:
    rows = [(name, f"What is {name}?", "1", 3, "Algebra", "test", name not in ungradable) for name in prompt_ids]
    names = ["prompt_id", "prompt", "answer", "level", "subject", "source", "gradable"]
    return pl.DataFrame(rows, names, orient="row")


def selected(frame: pl.DataFrame) -> list[str]:
    return frame.filter("selected")["prompt_id"].to_list()


def reasons(frame: pl.DataFrame) -> dict[str, str]:
    return dict(frame.select("prompt_id", "reason").rows())


def test_scores_hold_every_prompt_with_its_reason():
    frame = score_prompts(
        "chosen",
        LIM,
        trajectories(CURVES | {"unknown": [-1.0, -1.0]}),
        prompts("late", "never", "solved", "unmet", "broken", ungradable=("broken",)),
        seed=0,
    )
    check(frame, "scores", "test")
    assert set(frame["method"]) == {"chosen"}
    assert selected(frame) == ["late"]
    assert reasons(frame) == {
        "late": "",
        "never": "below theta 0.5: score 0.0",
        "solved": "below theta 0.5: score 0.0",
        "unmet": "no trajectory",
        "broken": "gold answer cannot be graded",
    }
    assert frame.filter(pl.col("prompt_id") == "late")["score"][0] == pytest.approx(0.6), "without the unknown prompt"


@pytest.mark.parametrize(
    "settings",
    [
        {"score": "full", "keep": "all"},
        {"score": "rand", "keep": "all"},
        {"score": "lim", "keep": "all"},
        {"score": "linear", "keep": {"share": 1}},
    ],
)
def test_no_method_selects_a_prompt_that_cannot_be_graded(settings):
    curves = trajectories(CURVES | {"broken": [-1.0, -1.0]})
    frame = score_prompts("m", settings, curves, prompts(*CURVES, "broken", ungradable=("broken",)), seed=0)
    assert sorted(selected(frame)) == sorted(CURVES), "and `share` counts those that can be graded"
    assert reasons(frame)["broken"] == "gold answer cannot be graded"


@pytest.mark.parametrize(("ungradable", "pool"), [("drop", 3), ("keep", 4)])
def test_option_ungradable_decides_whether_prompts_that_cannot_be_graded_are_used(ungradable, pool):
    known = prompts(*CURVES, "broken", ungradable=("broken",))
    curves = trajectories(CURVES | {"broken": [-1.0, -1.0]})
    full = score_prompts("full", {"score": "full", "keep": "all"}, None, known, 0, ungradable)
    assert len(selected(full)) == pool
    lim = score_prompts("lim", {"score": "lim", "keep": {"top": 1}}, curves, known, 0, ungradable)
    assert lim["score"].count() == pool


def test_prompts_that_cannot_be_graded_do_not_move_the_mean_curve():
    alone = score_prompts("m", LIM, trajectories(CURVES), prompts(*CURVES), 0)
    broken = trajectories(CURVES | {f"broken{i}": [-1.0, -1.0] for i in range(9)})
    names = [f"broken{i}" for i in range(9)]
    with_broken = score_prompts("m", LIM, broken, prompts(*CURVES, *names, ungradable=tuple(names)), 0)
    assert with_broken.filter(pl.col("score").is_not_null()).equals(alone)


def test_without_a_training_set_the_prompts_of_the_trajectories_are_scored():
    frame = score_prompts("m", LIM, trajectories(CURVES), None, 0)
    assert sorted(frame["prompt_id"]) == sorted(CURVES)
    with refused(what="neither prompts nor trajectories"):
        score_prompts("m", LIM, None, None, 0)


def test_rand_selects_the_same_prompts_in_any_order_of_rows():
    some = prompts(*[f"p{i}" for i in range(40)])
    settings = {"score": "rand", "keep": {"share": 0.163}}
    frame = score_prompts("rand", settings, None, some, seed=5)
    assert frame["selected"].sum() == round(0.163 * 40)
    assert score_prompts("rand", settings, None, some.reverse(), seed=5).equals(frame)
    assert selected(score_prompts("rand", settings, None, some, seed=6)) != selected(frame)


def test_errors_name_the_method():
    with refused(where=("method 'chosen'", "keep"), what="theta 0.99 selects none of the 3 prompts"):
        score_prompts("chosen", LIM | {"keep": {"theta": 0.99}}, trajectories(CURVES), None, 0)
    with refused(where="method 'chosen'", what="unknown score 'limit'"):
        score_prompts("chosen", LIM | {"score": "limit"}, trajectories(CURVES), None, 0)
    with refused(where=("method 'chosen'", "score 'lim'"), what="unknown option 'signals'"):
        score_prompts("chosen", LIM | {"options": {"signals": "reward"}}, trajectories(CURVES), None, 0)


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_is_refused(monkeypatch, score):
    monkeypatch.setattr(scoring, "run_method", lambda *_: Scores({"late": score, "never": 0.5, "solved": 0.0}))
    with refused(ContractError, where=("chosen", "'score'"), expected="a finite number"):
        score_prompts("chosen", LIM, trajectories(CURVES), None, 0)


def test_the_seed_of_the_selection_decides_between_prompts_that_tie():
    curves = {str(number): [1.0, 1.0] for number in range(20)} | {"late": [-1.0, 1.0]}
    settings = {"score": "prioritised", "keep": {"top": 6}}
    chosen = {
        seed: set(selected(score_prompts("weakest", settings, trajectories(curves), None, seed))) for seed in (0, 1)
    }
    assert "late" in chosen[0] & chosen[1], "the only best score"
    assert chosen[0] != chosen[1]
