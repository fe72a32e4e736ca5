"""The last number of a response, and answers that count by it."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.report.last_number import last_number, with_last_numbers


@pytest.mark.parametrize(
    ("response", "number"),
    [
        ("19+2->21/3->7-4->3", "3"),
        ("7-4", "4"),
        ("(2)-5", "5"),
        ("x=-4", "-4"),
        ("from 3 to -4.", "-4"),
        ("it costs 1,250,000.50 dollars.", "1,250,000.50"),
        ("1, 2 and 3,4", "4"),
        ("12,3456", "3456"),
        ("3.14.", "3.14"),
        (r"\boxed{12", "12"),
        ("none", None),
        ("", None),
        ("\u0663", None),  # an Arabic digit
    ],
)
def test_the_last_number_is_read_with_its_sign_and_its_decimals(response: str, number: str | None) -> None:
    assert last_number(response) == number


@given(st.text(alphabet="ab (=", max_size=10), st.integers(-(10**9), 10**9))
def test_a_whole_number_at_the_end_is_read_unless_it_is_subtracted(text: str, number: int) -> None:
    assert last_number(f"{text} {number}") == str(number)


def answers(*responses: str, correct: bool = False) -> pl.DataFrame:
    frame = pl.DataFrame({"problem_id": "q", "sample": range(len(responses)), "response": responses})
    return rows_of("evaluation", frame, benchmark="quiz", correct=correct)


@pytest.fixture
def problems(tmp_path: Path) -> dict[str, Path]:
    """One problem, whose answer is 12."""
    path = tmp_path / "quiz.parquet"
    write_parquet(rows_of("prompts", pl.DataFrame({"prompt_id": ["q"], "answer": ["12"]})), path, "prompts")
    return {"quiz": path}


def test_the_last_number_counts_only_where_no_box_is_closed(problems: dict[str, Path]) -> None:
    verdicts = with_last_numbers(problems)
    found = verdicts(answers("so 12", "12 and 13", r"\boxed{13} 12", r"\boxed{12", "none", "12.0"))
    assert found.to_list() == [True, False, False, True, False, True]


def test_an_answer_that_the_reward_counts_as_correct_stays_correct(problems: dict[str, Path]) -> None:
    assert with_last_numbers(problems)(answers("no number", correct=True)).to_list() == [True]


def test_the_grader_of_the_configuration_compares_the_numbers(problems: dict[str, Path]) -> None:
    with refused(where="grader", found="'none such'"):
        with_last_numbers(problems, "none such")(answers("12"))


def test_an_answer_to_a_problem_that_the_file_lacks_is_refused(problems: dict[str, Path]) -> None:
    other = answers("12").with_columns(problem_id=pl.lit("p"))
    with refused(where=problems["quiz"], what="has no problem p", advice="Delete the older one"):
        with_last_numbers(problems)(other)
