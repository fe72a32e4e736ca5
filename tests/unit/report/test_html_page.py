"""Markdown as one HTML file: valid, self-contained, and without anything that a text could smuggle in."""

import pytest
from html_of_page import PNG, Page
from refusals import refused

from limr.report.html_page import anchor, html_page


def page(text, folder):
    return Page(html_page(text, folder, "A & B"))


def test_a_page_has_closed_tags_and_headings_that_links_reach(tmp_path):
    found = page(
        "# One\n\n[to two](#two-or-more)\n\n## Two, or more?\n\n| a | b |\n| --- | --: |\n| 1 | 2 |\n", tmp_path
    )
    assert found.values("id") == ["one", "two-or-more"]
    assert found.values("href") == ["#two-or-more"]
    assert found.tags.count("table") == found.tags.count("div") == 1, "a box around the table lets it scroll"


def test_html_of_a_text_is_shown_and_not_run(tmp_path):
    text = "<script>alert(1)</script>\n\na <img src=x onerror=y> [c](javascript:alert(1)) [d](data:text/html,x)\n"
    found = page(text, tmp_path)
    assert "script" not in found.tags and "img" not in found.tags and "a" not in found.tags
    assert "&lt;script&gt;" in html_page(text, tmp_path, "")


def test_the_page_may_load_nothing_and_the_title_is_escaped(tmp_path):
    text = html_page("text\n", tmp_path, "</title><script>")
    assert "default-src 'none'" in text
    assert "script" not in Page(text).tags
    assert "url(" not in text and "@import" not in text


def test_figures_are_embedded(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "a.png").write_bytes(PNG)
    found = page("![a figure](figures/a.png)\n", tmp_path)
    assert found.values("src") == ["data:image/png;base64,iVBORw0KGgo="]
    assert found.values("alt") == ["a figure"]


@pytest.mark.parametrize("source", ["missing.png", "../a.png", "a.svg", "https://example.org/a.png"])
def test_an_image_that_is_no_figure_of_the_run_is_an_error(tmp_path, source):
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "inner").mkdir()
    with refused(found="no PNG file there", expected="a figure below"):
        html_page(f"![a]({source})\n", tmp_path / "inner", "")


def test_a_page_can_be_read_in_light_in_dark_and_on_paper(tmp_path):
    text = html_page("text\n", tmp_path, "")
    assert "prefers-color-scheme: dark" in text and "@media print" in text


def test_anchors_are_those_of_code_hosts():
    assert anchor("Wall times, tokens and cost") == "wall-times-tokens-and-cost"
