"""Gold answers that cannot be graded are found before training."""

from refusals import refused

from limr.data import gradability
from limr.data.gradability import WRONG_ANSWER, ungradable, why_ungradable
from limr.grading.reward import Verdict


def test_golds_that_are_not_answers_are_found_and_others_pass():
    golds = ["12", r"\frac{1}{2}", "", "None", " ", r"\text{yes}", "(3, 4]"]
    assert set(ungradable(golds)) == {"", "None", " "}
    assert ungradable(golds)["None"] == "no answer: 'None'"


def test_a_gold_that_differs_from_itself_or_equals_any_answer_is_not_gradable(monkeypatch):
    def wrong_grade(response: str, gold: str, grader: str) -> Verdict:
        takes_anything = gold == "x^2" or WRONG_ANSWER not in response
        correct = takes_anything and gold != "y"
        return Verdict(1.0 if correct else -0.5, gold, correct, True, "correct" if correct else "wrong answer")

    monkeypatch.setattr(gradability, "grade", wrong_grade)
    assert why_ungradable("y") == "not equal to itself: wrong answer"
    assert "equal to an obviously wrong answer" in why_ungradable("x^2")
    assert why_ungradable("7") == ""


def test_the_grader_of_the_reward_decides_which_golds_can_be_graded():
    assert ungradable(["70,110", ""], "math_verify").keys() == {""}
    with refused(where="grader", found="'other'"):
        why_ungradable("7", "other")
