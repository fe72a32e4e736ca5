"""What the audit counts: doubles, overlap with benchmarks, golds that cannot be graded; and the choice of problems."""

import polars as pl
import pytest

from limr.data import gradability, published
from limr.data.data_audit import as_markdown
from limr.data.gradability import WRONG_ANSWER, ungradable, why_ungradable
from limr.data.math import select
from limr.data.overlap import doubles, ngrams, overlap
from limr.errors import LimrError
from limr.grading.reward import Verdict
from limr.prompts import prompt_id

LONG = (
    "A bag holds three red, four blue and five green marbles; two are drawn without looking. What is the probability of"
)


def frame(*prompts, level=3):
    return pl.DataFrame(
        {
            "prompt_id": [prompt_id(prompt) for prompt in prompts],
            "prompt": prompts,
            "answer": [str(number) for number in range(len(prompts))],
            "level": pl.Series([level] * len(prompts), dtype=pl.Int64),
            "source": "MATH train",
        }
    )


def test_doubles_are_found_and_said_to_differ_in_white_space_only():
    found = doubles(frame("one  two", "three", "one two", "four"))
    assert [(double["prompt_id"], double["same_bytes"]) for double in found] == [(prompt_id("one two"), False)]
    assert [copy["answer"] for copy in found[0]["copies"]] == ["0", "2"]
    assert doubles(frame("one", "two")) == []


def test_overlap_finds_the_same_the_near_and_nothing_else():
    problems = frame(
        f"{LONG} two red ones?", "An altogether different problem about the area of a circle with radius 3."
    )
    same = overlap(problems, {"bench": frame(f"{LONG}  two red\nones?")})
    assert [(pair["same"], pair["similarity"]) for pair in same] == [(True, 1.0)]
    near = overlap(problems, {"bench": frame(f"{LONG} two blue ones?"), "other": frame("What is 1 + 1?")})
    assert [(pair["benchmark"], pair["same"]) for pair in near] == [("bench", False)]
    assert near[0]["prompt_id"] == prompt_id(f"{LONG} two red ones?") and 0.5 <= near[0]["similarity"] < 1


def test_short_problems_that_are_the_same_are_found_too():
    assert overlap(frame("What is 2?"), {"bench": frame(" What  is 2? ")})[0]["same"]
    assert overlap(frame("$+$"), {"bench": frame("$-$")})[0]["same"] is False  # no words at all: near, not the same
    assert len(ngrams("one two")) == 1


def test_golds_that_are_no_answers_are_named_and_others_pass():
    golds = ["12", r"\frac{1}{2}", "", "None", " ", r"\text{yes}", "(3, 4]"]
    assert set(ungradable(golds)) == {"", "None", " "}
    assert ungradable(golds)["None"] == "no answer: 'None'"


def test_a_grader_that_refuses_a_gold_itself_or_takes_anything_for_it_fails_the_gold(monkeypatch):
    def strange(response: str, gold: str) -> Verdict:
        takes_anything = gold == "x^2" or WRONG_ANSWER not in response
        correct = takes_anything and gold != "y"
        return Verdict(1.0 if correct else -0.5, gold, correct, True, "correct" if correct else "wrong answer")

    monkeypatch.setattr(gradability, "grade", strange)
    assert why_ungradable("y") == "not equal to itself: wrong answer"
    assert "equal to an obviously wrong answer" in why_ungradable("x^2")
    assert why_ungradable("7") == ""


@pytest.fixture
def small_list(monkeypatch):
    """Ten problems of level 3 and four easier ones; two of the ten are left out of the list."""
    hard, easy = frame(*(f"hard {n}" for n in range(10))), frame(*(f"easy {n}" for n in range(4)), level=1)
    kept = hard["prompt_id"][:8].to_list()
    released = {"rows": 8, "digest": published.ids_digest(kept), "left_out": hard["prompt_id"][8:].to_list()}
    monkeypatch.setattr(published, "_released", lambda: released)
    return pl.concat([hard, easy, frame("tested")])


def test_the_published_list_leaves_its_rest_for_development(small_list):
    steps, chosen, development = select(small_list, frame("tested"), "published")
    assert [len(left) for _, left in steps] == [15, 14, 10, 8]
    assert len(chosen) == 8 and development["prompt"].to_list() == ["hard 8", "hard 9"]


def test_level3plus_takes_all_and_watches_easier_problems(small_list):
    steps, chosen, development = select(small_list, frame("tested"), "level3plus")
    assert [len(left) for _, left in steps] == [15, 14, 10]
    assert len(chosen) == 10 and len(development) == 2
    assert set(development["level"]) == {1}
    assert development["prompt_id"].is_sorted()


def test_problems_of_unknown_level_are_selected(small_list):
    unknown = small_list.with_columns(
        level=pl.when(pl.col("prompt") == "hard 0").then(None).otherwise("level").cast(pl.Int64)
    )
    assert len(select(unknown, frame("tested"), "published")[1]) == 8


def test_other_problems_than_those_of_the_published_list_are_refused(small_list):
    fewer = small_list.filter(pl.col("prompt") != "hard 0")
    with pytest.raises(LimrError, match=r"MATH-FULL: found 7 problems with digest .*, expected the published 8"):
        select(fewer, frame("tested"), "published")


def test_the_audit_says_what_was_asked_for_and_escapes_a_table_s_bars():
    audit = {
        "sources": [{"title": "MATH | train", "problems": 7500, "from": "file", "digest": "0" * 64}],
        "prompts": "level3plus",
        "steps": [
            {"step": "all", "problems": 12500, "distinct": 12498},
            {"step": "less", "problems": 12000, "distinct": 11998},
        ],
        "development": {"step": "easy", "problems": 2, "distinct": 2},
        "levels": {"unknown": 2, "3": 10},
        "doubles": [],
        "benchmarks": {},
        "overlap": [],
        "golds": {"train": {"graded": 10, "gradable": 9}},
        "ungradable": [{"set": "train", "prompt_id": "abc", "gold": "", "reason": "no answer: ''"}],
        "ungradable_rule": "keep",
        "corrected": [],
    }
    text = as_markdown(audit)
    assert "| less | 12,000 | 11,998 | 500 |" in text
    assert r"MATH \| train" in text
    assert "`ungradable: keep`" in text
    assert "| train | `abc` | no answer: '' |" in text
    assert "No problem occurs twice." in text
