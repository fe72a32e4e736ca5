"""The report shows every page and figure it is given, each with its caption, in an order that a reader expects."""

import json
import re

import pytest
from html_of_page import PNG, Page
from refusals import refused
from table2_run import CONFIGURATION

from limr.report.report_page import write_report

PAGES = {
    "table2.md": "# Table 2\n\n| a |\n| --- |\n| 1 |\n\nTimes: [wall_times.md](wall_times.md).\n",
    "wall_times.md": "# Wall times, tokens and cost\n\n| s |\n| --- |\n| 2 |\n",
    "selection.md": "# What was selected\n\n## By method\n\nSome.\n",
    "table1.md": "# Table 1\n\nOthers <b>.\n",
    "outcomes.md": "# Outcomes\n\nSteps.\n",
}
FIGURES = ("figures/learning_curves.png", "figures/selection.png", "figures/figure3.png", "figures/figure1a.png")
OTHERS = ("early_stopping.csv", "figures/figure3.svg", "figures/figure3.csv")
ORDER = [
    "Table 1",
    "Table 2",
    "Outcomes",
    "Figure 1a",
    "Figure 3",
    "What was selected",
    "Figure: learning curves",
    "Figure: selection",
    "Wall times, tokens and cost",
]


@pytest.fixture
def given(tmp_path):
    """The arguments of ``write_report``."""
    (tmp_path / "figures").mkdir()
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text)
    for name in FIGURES:
        (tmp_path / name).write_bytes(PNG)
    for name in OTHERS:
        (tmp_path / name).write_text("a\n1\n")
    training = {"engine": "miniature", "steps": 160, "prompts_per_step": 64, "samples_per_prompt": 8}
    table2 = {
        "configuration": CONFIGURATION | {"training": training, "base_model": {"seed": 1}},
        "configuration_files": ["config.yaml"],
        "configuration_digest": "0123456789ab",
        "versions": {"python": "3.11.7", "limr": "0.2.0"},
    }
    (tmp_path / "table2.json").write_text(json.dumps(table2))
    return {
        "pages": [tmp_path / name for name in (*PAGES, *FIGURES, *OTHERS)],
        "table2": tmp_path / "table2.json",
        "captions": {"learning_curves": "Reward and\naccuracy.\n", "table2": "Accuracy.", "unused": "Not shown."},
        "markdown": tmp_path / "report.md",
        "html": tmp_path / "report.html",
    }


@pytest.fixture
def report(given):
    write_report(**given)
    return given["markdown"].read_text(), given["html"].read_text()


def test_the_sections_and_the_contents_have_the_same_order(report):
    text, _ = report
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Contents", *ORDER]
    assert re.findall(r"^- \[(.*)\]\(#", text, re.MULTILINE) == ORDER


def test_every_link_of_the_page_leads_to_a_section_of_it(report):
    page = Page(report[1])
    assert page.values("href")
    assert {target.removeprefix("#") for target in page.values("href")} <= set(page.values("id"))
    assert len(set(page.values("id"))) == len(page.values("id"))


def test_figures_are_linked_in_markdown_and_embedded_in_html(report):
    text, html = report
    assert "![Figure: learning curves](figures/learning_curves.png)\n\n> Reward and accuracy." in text
    assert len(Page(html).values("src")) == len(FIGURES)
    assert not [value for value in Page(html).values("src") if not value.startswith("data:image/png;base64,")]


def test_a_figure_names_its_run_and_its_other_files(report):
    run = "This run: `config.yaml`, digest `0123456789ab`, 160 steps, seeds 0, 3."
    assert (
        f"![Figure 3](figures/figure3.png)\n\n> {run} Also: `figures/figure3.svg`, `figures/figure3.csv`." in report[0]
    )
    assert f"![Figure 1a](figures/figure1a.png)\n\n> {run}\n" in report[0]


def test_pages_have_their_captions_and_their_headings_are_one_level_lower(report):
    text, _ = report
    assert "## Table 2\n\n> Accuracy.\n\n| a |" in text
    assert "### By method" in text
    assert "Not shown." not in text


def test_a_page_and_a_figure_of_one_name_have_each_its_own_caption(given):
    given["captions"] |= {"selection": "Left: curves.", "selection.md": "By kind."}
    write_report(**given)
    text = given["markdown"].read_text()
    assert "## What was selected\n\n> By kind.\n" in text
    assert "(figures/selection.png)\n\n> Left: curves. This run: " in text
    assert text.count("Left: curves.") == 1


def test_the_report_says_what_was_run(report):
    text, _ = report
    for part in ("`config.yaml`", "`0123456789ab`", "0, 3", "160 steps", "limr 0.2.0", "This is the miniature"):
        assert part in text


def test_a_run_on_the_papers_problems_is_not_called_the_miniature(given):
    table2 = json.loads(given["table2"].read_text())
    table2["configuration"]["data"]["source"] = "math"
    table2["configuration"]["training"]["engine"] = "openrlhf"
    table2["configuration"]["base_model"] = {"repository": "Qwen/Qwen2.5-Math-7B"}
    given["table2"].write_text(json.dumps(table2))
    write_report(**given)
    text = given["markdown"].read_text()
    assert "This is the miniature" not in text
    assert "Qwen/Qwen2.5-Math-7B" in text


def test_a_page_without_a_title_is_named(given):
    given["pages"][0].write_text("no title\n")
    with refused(where="table2.md", found="no title in its first line"):
        write_report(**given)


def test_a_missing_figure_is_named_and_no_report_is_written(given):
    (figure,) = (page for page in given["pages"] if page.name == "figure1a.png")
    figure.unlink()
    with refused(where="figure1a.png", found="no PNG file there"):
        write_report(**given)
    assert not given["markdown"].exists() and not given["html"].exists()
