"""Markdown tables: numbers, escapes, and the layout of Table 2 as it was published."""

import re

import polars as pl
import pytest
from places import ROOT

from limr.files.markdown import markdown_rows, markdown_table

TABLE2 = (ROOT / "docs/default_run/table2.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("published", re.findall(r"(?:^\|.*\n)+", TABLE2, re.MULTILINE))
def test_the_published_tables_are_written_the_same_byte_for_byte(published):
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in published.splitlines()]
    assert markdown_rows(rows[0], rows[2:], aligned=True) + "\n" == published


def test_numbers_are_formatted_by_the_kind_of_their_column():
    table = pl.DataFrame({"mean": [-0.0004, None], "count": [1234.0, 0.5], "share": [0.5, 1.0], "name": ["a", None]})
    lines = markdown_table(table, whole=["count"], percent=["share"]).splitlines()
    assert lines[2:] == ["| 0.000 | 1,234 | 50.0 % | a |", "| - | 0.5 | 100.0 % | - |"]


@pytest.mark.parametrize("aligned", [False, True])
def test_text_cannot_break_a_table(aligned):
    lines = markdown_rows(["a|b"], [["one\ntwo | three"]], aligned=aligned).splitlines()
    assert len(lines) == 3
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 2 for line in lines)
    assert r"one two \| three" in lines[2]


@pytest.mark.parametrize("character", ["<", "|"])
def test_backslashes_in_a_text_do_not_cancel_its_escapes(character):
    """A number of backslashes that is odd escapes the character; an even number would leave it as markup."""
    for backslashes in range(4):
        cell = markdown_rows(["a"], [["\\" * backslashes + character]]).splitlines()[2]
        (before,) = re.findall(rf"(\\*){re.escape(character)}", cell.strip("| ") if character == "<" else cell[2:-2])
        assert len(before) % 2 == 1


def test_the_rule_of_a_narrow_column_has_a_dash():
    assert markdown_rows(["a", "b"], [["1", "2"]], aligned=True).splitlines()[1] == "| -- | -: |"


def test_a_table_without_rows_has_its_header():
    assert markdown_rows(["a", "b"], []) == "| a | b |\n| --- | --- |"
