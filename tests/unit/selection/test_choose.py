"""Selection rules: what each keeps, the reasons of the other prompts, and what is refused."""

import logging

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.selection.choose import check_keep, choose, score_quantiles
from limr.selection.ranking import rank_prompts

A_BEFORE_C = 1  # a seed that puts a before c, which tie in SCORES


def scored(scores: dict[str, float | None]) -> pl.DataFrame:
    rows = [(name, score, "" if score is not None else "no trajectory") for name, score in scores.items()]
    frame = pl.DataFrame(rows, {"prompt_id": pl.String, "score": pl.Float64, "reason": pl.String}, orient="row")
    return rank_prompts(frame, A_BEFORE_C)


def selected(frame: pl.DataFrame) -> list[str]:
    return frame.filter("selected")["prompt_id"].to_list()


def reasons(frame: pl.DataFrame) -> dict[str, str]:
    return dict(frame.select("prompt_id", "reason").rows())


SCORES = scored({"a": 0.6, "b": 0.9, "c": 0.6, "d": 0.1, "e": None})
some_scores = st.dictionaries(st.text("abc", min_size=1), st.none() | st.integers(-3, 3), min_size=1).filter(
    lambda scores: any(score is not None for score in scores.values())
)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("all", ["b", "a", "c", "d"]),
        ({"theta": 0.6}, ["b", "a", "c"]),
        ({"theta": 0.1}, ["b", "a", "c", "d"]),
        ({"top": 2}, ["b", "a"]),
        ({"share": 0.2}, ["b"]),
        ({"share": 0.8}, ["b", "a", "c", "d"]),
        ({"quantile": 0}, ["b", "a", "c", "d"]),
        ({"quantile": 0.3}, ["b", "a", "c"]),
        ({"quantile": 0.5}, ["b", "a", "c"]),
        ({"quantile": 0.7}, ["b"]),
        ({"quantile": 1}, ["b"]),
        ({"theta_for": 1}, ["b"]),
        ({"theta_for": 2}, ["b"]),  # of b and b, a, c, which are equally close, b is smaller
        ({"theta_for": 3}, ["b", "a", "c"]),
        ({"theta_for": 4}, ["b", "a", "c", "d"]),
    ],
)
def test_what_each_selection_rule_keeps(keep, expected):
    assert selected(choose(SCORES, keep, pool_size=5)) == expected


def test_every_prompt_has_a_rank_or_a_reason():
    frame = choose(SCORES, {"top": 1}, pool_size=5)
    assert frame["prompt_id"].to_list() == ["b", "a", "c", "d", "e"]
    assert frame["rank"].to_list() == [1, 2, 3, 4, None]
    assert reasons(frame) == {
        "b": "",
        "a": "not among the best 1: rank 2",
        "c": "not among the best 1: rank 3",
        "d": "not among the best 1: rank 4",
        "e": "no trajectory",
    }


@pytest.mark.parametrize("keep", [{"theta": 0.6}, {"quantile": 0.5}, {"theta_for": 3}])
def test_the_reason_of_a_prompt_below_theta_names_theta_for_every_rule_with_a_theta(keep):
    assert reasons(choose(SCORES, keep, pool_size=5))["d"] == "below theta 0.6: score 0.1"


@pytest.mark.parametrize(
    ("keep", "line"),
    [
        ({"quantile": 0.5}, "keep: quantile 0.5: theta 0.6 selects 3 of 4 scored"),
        ({"theta_for": 2}, "keep: theta_for 2: theta 0.9 selects 1 of 4 scored"),
    ],
)
def test_a_computed_theta_is_logged_with_all_its_digits(keep, line, caplog):
    with caplog.at_level(logging.INFO):
        choose(SCORES, keep, pool_size=5)
    assert line in caplog.text


@given(some_scores)
def test_one_prompt_is_selected_and_every_other_one_has_a_reason(scores):
    frame = choose(scored(scores), {"top": 1}, len(scores))
    assert len(selected(frame)) == 1
    assert frame["score"].max() == frame.filter("selected")["score"][0]
    assert ((frame["reason"] == "") == frame["selected"]).all()


@given(some_scores, st.integers(0, 1000))
def test_a_quantile_keeps_the_scores_at_or_above_the_interpolated_one(scores, thousandths):
    quantile = thousandths / 1000
    known = pl.Series([score for score in scores.values() if score is not None], dtype=pl.Float64)
    theta = known.quantile(quantile, interpolation="linear")
    chosen = choose(scored(scores), {"quantile": quantile}, len(scores)).filter("selected")
    expected = sorted((score for score in known if score >= theta - 1e-9), reverse=True)
    assert chosen["score"].to_list() == expected


@pytest.mark.parametrize("hundredths", range(101))
def test_a_quantile_written_in_hundredths_is_not_shifted_by_rounding(hundredths):
    names = {f"{number:03}": float(number) for number in range(101)}  # 0.07 x 100 = 7.000000000000001
    assert len(selected(choose(scored(names), {"quantile": hundredths / 100}, 101))) == 101 - hundredths


@given(some_scores, st.data())
def test_theta_for_comes_as_close_to_the_number_as_any_theta_and_keeps_ties_together(scores, data):
    known = [score for score in scores.values() if score is not None]
    wanted = data.draw(st.integers(1, len(known)))
    frame = choose(scored(scores), {"theta_for": wanted}, len(scores))
    sizes = {sum(score >= theta for score in known) for theta in known}
    closest = min(abs(size - wanted) for size in sizes)
    assert len(selected(frame)) == min(size for size in sizes if abs(size - wanted) == closest)
    lowest = frame.filter("selected")["score"].min()
    assert selected(choose(scored(scores), {"theta": lowest}, len(scores))) == selected(frame)


def test_theta_for_keeps_all_prompts_if_all_tie():
    assert len(selected(choose(scored(dict.fromkeys("abcde", 1.0)), {"theta_for": 2}, 5))) == 5


RULES = "`all`, or exactly one of theta, top, share, quantile, theta_for"
NUMBER = "a whole number of prompts, at least 1"


@pytest.mark.parametrize(
    ("keep", "parts"),
    [
        ("some", {"where": "keep", "found": '"some"', "expected": RULES}),
        ({"best": 0.5}, {"where": "keep", "found": '{"best": 0.5}', "expected": RULES}),
        ({"top": 1, "theta": 0.5}, {"expected": RULES}),
        ({}, {"found": "{}", "expected": RULES}),
        (0.6, {"found": "0.6", "expected": RULES}),
        ({"top": 0}, {"where": ("keep", "top"), "found": "0", "expected": NUMBER}),
        ({"top": 1.5}, {"where": "top", "found": "1.5", "expected": NUMBER}),
        ({"top": True}, {"where": "top", "found": "true"}),
        ({"share": 1.5}, {"where": "share", "found": "1.5", "expected": "a fraction above 0 and at most 1"}),
        ({"share": 0}, {"where": "share", "found": "0", "expected": "a fraction above 0 and at most 1"}),
        ({"theta": "0.6"}, {"where": "theta", "found": '"0.6"', "expected": "a score"}),
        ({"theta": float("nan")}, {"where": "theta", "found": "NaN", "expected": "a score"}),
        ({"quantile": 90}, {"where": "quantile", "found": "90", "expected": "a fraction from 0 to 1"}),
        ({"theta_for": 2.5}, {"where": "theta_for", "found": "2.5", "expected": NUMBER}),
    ],
)
def test_an_unknown_rule_or_a_number_out_of_range_is_refused(keep, parts):
    with refused(**parts):
        choose(SCORES, keep, pool_size=5)
    with refused(**parts):
        check_keep(keep)


@pytest.mark.parametrize(
    ("keep", "parts"),
    [
        (
            {"share": 0.01},
            {
                "where": "keep",
                "what": "share 0.01 of 5 prompts rounds to none",
                "advice": "One prompt is a share of 0.2",
            },
        ),
        (
            {"top": 5},
            {"where": "keep", "found": "5 prompts", "expected": "at most 4, the number of prompts with a score (of 5)"},
        ),
        (
            {"theta_for": 5},
            {"where": "keep", "found": "5 prompts", "expected": "at most 4, the number of prompts with a score (of 5)"},
        ),
    ],
)
def test_a_rule_that_these_scores_cannot_satisfy_is_refused(keep, parts):
    check_keep(keep)
    with refused(**parts):
        choose(SCORES, keep, pool_size=5)


def test_a_theta_that_selects_no_prompt_is_refused_and_the_advice_lists_thetas_that_do():
    with refused(
        where="keep",
        what="theta 1.5 selects none of the 101 prompts",
        # rounded down, so that the highest can be typed as printed
        advice="50 %: 0.500, 75 %: 0.750, 90 %: 0.900, 95 %: 0.950, 99 %: 0.990, highest: 1.000",
    ):
        choose(scored({str(i): i / 100 for i in range(101)}), {"theta": 1.5}, 101)


def test_every_quantile_of_the_scores_selects_a_prompt_as_theta():
    scores = scored({"a": 0.5999, "b": 0.1})
    with refused(advice="highest: 0.599"):
        choose(scores, {"theta": 0.6}, 2)
    for theta in score_quantiles(scores["score"]).values():
        assert selected(choose(scores, {"theta": theta}, 2))


@pytest.mark.parametrize("keep", ["all", {"top": 1}, {"quantile": 0.5}, {"theta_for": 1}])
def test_an_error_gives_the_reason_if_no_prompt_has_a_score(keep):
    with refused(what="no prompt has a score (prompt a: no trajectory)"):
        choose(scored({"a": None}), keep, 1)
