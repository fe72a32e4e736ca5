"""early_stopping.md and its CSV hold the numbers of the analysis."""

from dataclasses import replace

import polars as pl
import pytest
from probe_curves import curves, with_gaps

from limr.report.early_stopping_page import answer, document, write_early_stopping
from limr.selection.early_stopping import EarlyStopping, early_stopping
from limr.trajectories import Trajectories


@pytest.fixture(scope="module")
def found() -> EarlyStopping:
    return early_stopping(with_gaps(60, 5), share=0.2, theta=0.5, resamples=20)


def test_the_answer_is_the_first_row_from_which_the_overlap_stays(found):
    rows = found.rows.with_columns(overlap=pl.Series([0.9, 0.7, 0.85, 0.95, 1.0]))
    rollouts = [f"{100 * share:.0f} %" for share in rows["rollouts"]]
    assert answer(replace(found, rows=rows)) == (
        "LIM's best 12 of 60 prompts after k visits, compared with its best 12 after all 5 visits:"
        f" the overlap is at least 90 % from 4 visits on ({rollouts[3]} of the probe's rollouts),"
        f" and at least 80 % from 3 visits on ({rollouts[2]} of the probe's rollouts)."
    )


def test_the_answer_names_an_overlap_that_only_the_last_visit_reaches():
    one = early_stopping(Trajectories.from_curves(rewards=curves(40, 1)), share=0.2, resamples=2)
    assert "after the only visit: the overlap" in answer(one)
    assert "at least 90 % only after all of them, and at least 80 % only after all of them" in answer(one)


def test_the_answer_says_when_all_prompts_have_the_same_score():
    same = {f"p{number}": [0.5] * 3 for number in range(10)}
    answered = answer(early_stopping(Trajectories.from_curves(rewards=same), resamples=2))
    assert answered.startswith("LIM gives all 10 prompts the same score after all visits (3)")
    assert "90 %" not in answered


def test_every_row_is_printed_with_its_bands_and_theta_only_if_it_was_given(found):
    rows = [line for line in document(found).splitlines() if line.startswith("| ")][2:]
    assert len(rows) == found.rows.height
    first = found.rows.row(0, named=True)
    overlap = "{overlap:.3f} [{overlap_low:.3f}, {overlap_high:.3f}]".format(**first)
    assert rows[0].startswith(
        f"| 1 | {first['rollouts']:.1%}".replace("%", " %") + f" | {first['scored']} | {overlap} |"
    )
    assert " - " in rows[-1] and " - " not in rows[-2], "there are no later visits after the last"
    assert "20.0 %" in document(found), "the overlap expected by chance"
    without = early_stopping(with_gaps(60, 5), share=0.2, resamples=2)
    assert "theta" in document(found) and "theta" not in document(without)


def test_page_and_csv_are_the_same_bytes_twice_and_the_csv_holds_the_rows(found, tmp_path):
    for name in ("one", "two"):
        write_early_stopping(found, tmp_path / f"{name}.md", tmp_path / f"{name}.csv")
    for suffix in ("md", "csv"):
        assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()
    read = pl.read_csv(tmp_path / "one.csv")
    assert read.columns == found.rows.columns
    assert read["overlap"].to_list() == pytest.approx(found.rows["overlap"].to_list(), abs=1e-6)
