"""The title of a benchmark reaches the reader of Table 2 as the configuration has it, in the table and its caption."""

import re
from copy import deepcopy
from html import unescape

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from table2_run import CONFIGURATION, write

from limr.files.markdown import as_written, markdown_rows

markdown_it = pytest.importorskip("markdown_it", reason="import-linter installs this renderer of Markdown")

TITLES = [
    "a|b",
    "<script>alert(1)</script>",
    "<b>bold",
    "a & b &lt; &amp;",
    "`code`",
    "*bold* _under_ ~~gone~~",
    "[link](http://x)",
    r"back\slash \| \<",
    "$x_1$",
    "=1+1",
    "![image](x)",
    "a\\",
]


def rendered(text: str) -> str:
    return markdown_it.MarkdownIt("gfm-like", {"linkify": False}).render(text)


def cells(html: str) -> list[str]:
    """The headings of the first table, as a reader sees them. Raises AssertionError if they hold elements."""
    found = re.findall(r"<th(?:\s[^>]*)?>(.*?)</th>", html.partition("</table>")[0], re.DOTALL)
    assert not any("<" in cell for cell in found), found
    return [unescape(cell) for cell in found]


def test_titles_are_shown_as_they_were_written(run, outputs):
    configuration = deepcopy(CONFIGURATION)
    for title in TITLES:
        configuration["benchmarks"]["easy"] |= {"title": title, "mirrors": title}
        html = rendered(write(run, outputs, configuration)["markdown"])
        assert cells(html) == ["Method", "#Questions", title, "Hard-6", "Average"]
        (caption,) = re.findall(r"<p>(Accuracy in percent.*?)</p>", html, re.DOTALL)
        assert "<" not in caption, title
        assert f"{title} (20 problems, mirrors {title}): greedy" in unescape(caption)
        assert "average" in pl.read_csv(outputs["csv"])["benchmark"].to_list()


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8))
def test_any_title_of_visible_characters_is_shown_as_it_was_written(title):
    html = rendered(markdown_rows(["Method", as_written(title), "Average"], [["LIM", "50.0", "50.0"]], aligned=True))
    assert cells(html) == ["Method", title, "Average"]
