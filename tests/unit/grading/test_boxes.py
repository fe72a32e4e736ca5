r"""The box that closes last is found in any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.grading.boxes import find_boxes


@pytest.mark.parametrize(
    ("response", "last", "closed", "unclosed"),
    [
        (r"\boxed{5}", "5", 1, False),
        (r"first \boxed{1}, then \boxed{2}", "2", 2, False),
        (r"\boxed{\{1,2\}}", r"\{1,2\}", 1, False),
        (r"\boxed{\left\{1\right.}", r"\left\{1\right.", 1, False),
        (r"\boxed{\boxed{5}}", r"\boxed{5}", 1, False),
        (r"\boxed {5}", "5", 1, False),
        (r"\fbox{5}", "5", 1, False),
        (r"\boxedanswer{5}", None, 0, False),
        (r"\boxed 5", None, 0, False),
        (r"\boxed{5", None, 0, True),
        (r"\boxed{5 so \boxed{6}", "6", 1, True),
        (r"}} \boxed{5} {{", "5", 1, False),
        (r"\boxed{}", "", 1, False),
        ("", None, 0, False),
    ],
)
def test_the_box_that_closes_last_is_the_answer(response, last, closed, unclosed):
    boxes = find_boxes(response)
    assert (boxes.last, boxes.closed, boxes.unclosed) == (last, closed, unclosed)


@given(
    st.recursive(st.text("ab{}\\ "), lambda inner: inner.map(lambda text: f"\\boxed{{{text}}}") | inner, max_leaves=5)
)
def test_a_text_has_a_last_box_exactly_when_it_has_closed_boxes(response):
    boxes = find_boxes(response)
    assert (boxes.last is None) == (boxes.closed == 0)
    assert boxes.last is None or boxes.last in response


@pytest.mark.parametrize("junk", ["{", "}", "\\boxed{", "\\boxed{}", "\\", "\\boxed"])
def test_long_repetitions_need_no_recursion(junk):
    assert find_boxes(junk * 200_000 + r"\boxed{7}").last == "7"
