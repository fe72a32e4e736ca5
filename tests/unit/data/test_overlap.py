"""Duplicates, and training problems that are the same as or near a benchmark problem."""

from some_problems import problems

from limr.data.overlap import duplicates, ngrams, overlap
from limr.prompts import prompt_id

LONG = (
    "A bag holds three red, four blue and five green marbles; two are drawn without looking. What is the probability of"
)


def test_duplicates_are_found_even_if_they_differ_in_white_space():
    found = duplicates(problems("one  two", "three", "one two", "four"))
    assert [(problem["prompt_id"], problem["same_bytes"]) for problem in found] == [(prompt_id("one two"), False)]
    assert [copy["answer"] for copy in found[0]["copies"]] == ["0", "2"]
    assert duplicates(problems("one", "two")) == []


def test_overlap_finds_the_same_and_near_problems_and_no_others():
    training = problems(
        f"{LONG} two red ones?", "An altogether different problem about the area of a circle with radius 3."
    )
    same = overlap(training, {"bench": problems(f"{LONG}  two red\nones?")})
    assert [(pair["same"], pair["similarity"]) for pair in same] == [(True, 1.0)]
    near = overlap(training, {"bench": problems(f"{LONG} two blue ones?"), "other": problems("What is 1 + 1?")})
    assert [(pair["benchmark"], pair["same"]) for pair in near] == [("bench", False)]
    assert near[0]["prompt_id"] == prompt_id(f"{LONG} two red ones?") and 0.5 <= near[0]["similarity"] < 1


def test_short_problems_that_are_the_same_are_found_too():
    assert overlap(problems("What is 2?"), {"bench": problems(" What  is 2? ")})[0]["same"]
    assert (
        overlap(problems("$+$"), {"bench": problems("$-$")})[0]["same"] is False
    )  # no words at all: near, not the same
    assert len(ngrams("one two")) == 1
