"""Reasons: the text in a scores file, and the kind that is read back from it."""

import polars as pl
import pytest

from limr.selection.reason import Reason, kind_of, written_reasons


@pytest.mark.parametrize(
    "reason", [Reason("no trajectory"), Reason("missing visits", "3 of 0 to 4"), Reason("odd", "a: b: c")]
)
def test_the_kind_is_read_back_from_a_written_reason(reason):
    written = pl.DataFrame({"reason": [str(reason)]})
    assert written.select(kind_of("reason")).item() == reason.kind


def test_a_kind_that_contains_the_separator_is_refused():
    with pytest.raises(ValueError, match="may not contain ': '"):
        Reason("missing: visits")


def test_reasons_of_a_column_are_written_like_single_reasons():
    written = pl.DataFrame({"rank": [3, 4]}).select(written_reasons("not among the best 2", pl.col("rank"))).to_series()
    assert written.to_list() == [str(Reason("not among the best 2", str(rank))) for rank in (3, 4)]
