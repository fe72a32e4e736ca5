"""The subset of a log: the selected prompts with the text and answer of the log, or null if the log lacks them."""

import polars as pl
from refusals import refused

from limr.files.contracts import check
from limr.logs.log import Prompt
from limr.selection.scoring import score_prompts
from limr.subsets.subset_of_log import log_prompts, subset_of_log
from limr.trajectories import Trajectories

CURVES = {"a": [0.0, 0.5], "b": [0.5, 1.0], "c": [1.0, 1.0], "d": [0.0, 0.0]}
PROMPTS = [Prompt("d", "four", "4"), Prompt("a", "one", None), Prompt("c", "", "3"), Prompt("b", "two", "2")]


def scores(keep: object = "all") -> pl.DataFrame:
    trajectories = Trajectories.from_curves(rewards=CURVES)
    return score_prompts("lim", {"score": "lim", "keep": keep}, trajectories, None, seed=0)


def test_selected_prompts_come_best_first_with_their_text_and_answer():
    chosen = scores({"top": 3})
    found = subset_of_log(chosen, log_prompts(PROMPTS, sorted(CURVES)))
    check(found, "log_subset", where="test")
    expected = chosen.filter("selected").sort("rank")
    assert found.select("prompt_id", "score").rows() == expected.select("prompt_id", "score").rows()
    of_id = {prompt.prompt_id: (prompt.text or None, prompt.answer) for prompt in PROMPTS}
    assert {
        row["prompt_id"]: (row["prompt"], row["answer"]) for row in found.iter_rows(named=True)
    }.items() <= of_id.items()


def test_a_log_without_prompts_gives_ids_and_scores():
    found = subset_of_log(scores({"top": 2}), log_prompts(None, sorted(CURVES)))
    assert len(found) == 2 and found["score"].null_count() == 0
    assert found["prompt"].null_count() == found["answer"].null_count() == 2


def test_prompts_of_another_log_and_an_empty_selection_are_refused():
    with refused(
        where="scores",
        what="3 of the 4 selected prompts are not among the 1 prompt of the log",
        advice="made from another log",
    ) as caught:
        subset_of_log(scores(), log_prompts(PROMPTS[:1], []))
    assert caught.value.where[-1] in ("prompt a", "prompt b", "prompt c")
    with refused(where="scores", what="none of the 4 prompts is selected"):
        subset_of_log(scores().with_columns(selected=pl.lit(False)), log_prompts(PROMPTS, []))
