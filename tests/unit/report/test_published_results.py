"""The paper's numbers: the file agrees with itself and with the released data, and every row names its source."""

from math import comb

import pytest
from refusals import refused

from limr.data.published import _released
from limr.report.published_results import compare, correct_answers, published

METHODS, BENCHMARKS = published()["methods"], published()["benchmarks"]


@pytest.mark.parametrize("method", METHODS)
def test_every_printed_accuracy_is_a_whole_number_of_answers_and_the_average_is_their_mean(method):
    shares = [
        100 * correct_answers(method, name) / (row["problems"] * row["samples"]) for name, row in BENCHMARKS.items()
    ]
    assert sum(shares) / len(shares) == pytest.approx(METHODS[method]["average"], abs=0.05)


def test_an_accuracy_that_no_number_of_answers_gives_is_an_error(monkeypatch):
    monkeypatch.setitem(METHODS["lim"], "aime24", 32.1)  # 38 of 120 are 31.7 %, 39 are 32.5 %
    with refused(where="published_results.toml, lim, aime24", found="32.1 %", expected="a share of 120 answers"):
        correct_answers("lim", "aime24")


def test_full_has_as_many_questions_as_the_released_list():
    assert METHODS["full"]["questions"] == _released()["rows"]


def test_every_published_row_names_its_source():
    for recipe in published()["recipes"]:
        assert recipe["citation"].strip()
        assert set(recipe) == {"method", "initial_model", "long_cot_distillation", "questions", "citation"}


def test_lim_leads_full_by_0_7_and_3_answers_and_no_difference_is_significant():
    rows = {row.benchmark: row for row in compare("lim", "full")}
    assert {name: row.first - row.second for name, row in rows.items()} == {"aime24": 0, "math500": 7, "amc23": 3}
    assert {name: row.answers for name, row in rows.items()} == {"aime24": 120, "math500": 500, "amc23": 160}
    assert rows["aime24"].p_value == pytest.approx(1)
    assert min(row.p_value for row in rows.values()) > 0.6


def test_the_p_value_is_the_sum_over_all_tables_that_are_as_unlikely():
    row = next(row for row in compare("lim", "rand") if row.benchmark == "amc23")
    n, total = row.answers, row.first + row.second
    chances = [comb(n, k) * comb(n, total - k) for k in range(max(0, total - n), min(n, total) + 1)]
    unlikely = sum(chance for chance in chances if chance <= comb(n, row.first) * comb(n, row.second))
    assert row.p_value == pytest.approx(unlikely / sum(chances))
