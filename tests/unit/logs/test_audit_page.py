"""The audit as a page, as JSON and as lines: findings name settings as on the command line or in a configuration."""

import json

import pytest

from limr.errors import Setting, Words
from limr.logs.audit_page import Audit
from limr.logs.findings import Finding, FindingKind


@pytest.fixture
def audit() -> Audit:
    return Audit(
        source="runs/mine",
        format="a test",
        files=1,
        prompts=40,
        points=118,
        rollouts=1200,
        visits_of_prompt=(2, 3, 3),
        samples_of_visit=(4, 4, 4),
        accuracy="known",
        rewards=(-1.0, 1.03),
        visits=3,
        whole=36,
        whole_with_next=37,
        missing=5,
        dropped={"1 of the 3 visits missing": 4},
        dropped_named={"1 of the 3 visits missing": ["p00", "p07", "p17"]},
        findings=[
            Finding(FindingKind.INCOMPLETE_CURVES, ["Four: ", Setting("visits", 2), "."], 4, examples=["p00"]),
            Finding(FindingKind.REPLAYED_STEPS, "Steps again.", 2, steps=[2, 3]),
        ],
    )


def test_the_page_begins_with_the_findings_and_has_every_number(audit):
    page = audit.markdown()
    assert page.startswith("# Audit\n\n`runs/mine`\n\n**Check this:**\n\n- Four: `visits: 2`.\n- Steps again.\n")
    for row in (
        "| format | a test, 1 file |",
        "| rollouts | 1,200 |",
        "| visits a prompt | 3 (from 2 to 3) |",
        "| samples a visit | 4 |",
        "| visits that count | the first 3; 36 prompts have all of them |",
        "| missing visits | 5 |",
        "| rewards | -1 to 1.03 |",
        "| 1 of the 3 visits missing | 4 | p00, p07, p17, ... |",
    ):
        assert row in page.splitlines()
    assert "| steps |" not in page, "rows without a value are left out"
    assert "1 of them get a score with `options: {missing: next}`" in page


def test_the_page_can_name_options_of_the_command_line(audit):
    page = audit.markdown(Words.COMMAND_LINE)
    assert "- Four: `--visits 2`." in page
    assert "with `--option missing=next`" in page


def test_a_page_without_findings_states_it(audit):
    audit.findings = []
    assert "Nothing to check" in audit.markdown()


@pytest.mark.parametrize(
    ("kinds", "means", "row"),
    [([-1.0, 0.5], False, "-1, 0.5"), (None, True, "-1 to 1.03 (means of visits)"), (None, False, "-1 to 1.03")],
)
def test_rewards_are_listed_if_they_are_few(audit, kinds, means, row):
    audit.kinds_of_reward, audit.means = kinds, means
    assert f"| rewards | {row} |" in audit.markdown()


def test_the_first_of_many_files_that_were_not_read_are_listed(audit):
    audit.left_out = {f"log/{number:02}.csv": "in no known format" for number in range(12)}
    assert "- log/09.csv: in no known format\n- and 2 more\n" in audit.markdown()
    audit.left_out = {"log/00.csv": "empty"}
    assert audit.markdown().endswith("- log/00.csv: empty\n")


def test_the_json_has_every_number_and_the_typed_findings(audit, tmp_path):
    audit.left_out["log/notes.csv"] = "in no known format"
    audit.write(tmp_path / "scores")
    assert (tmp_path / "scores.audit.md").read_text() == audit.markdown()
    found = json.loads((tmp_path / "scores.audit.json").read_text())
    assert (found["prompts"], found["left_out"]) == (40, audit.left_out)
    assert found["findings"] == [
        {
            "kind": "prompts without a complete curve",
            "text": "Four: `visits: 2`.",
            "number": 4,
            "steps": [],
            "examples": ["p00"],
        },
        {"kind": "replayed steps", "text": "Steps again.", "number": 2, "steps": [2, 3], "examples": []},
    ]


def test_the_summary_is_two_lines_and_one_for_each_finding(audit):
    assert audit.summary(Words.COMMAND_LINE) == [
        "a test: 40 prompts, 3 (from 2 to 3) visits each, 4 samples a visit, 1,200 rollouts",
        "visits that count: the first 3, which 36 of 40 prompts have",
        "check: Four: `--visits 2`.",
        "check: Steps again.",
    ]
