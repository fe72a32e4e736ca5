"""Table 1: published rows with their sources, and this run's rows, counted in its subsets."""

import polars as pl
import pytest
import yaml
from places import ROOT
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.report.published_results import published
from limr.report.table1 import write_table1

MINIATURE = {"seed": 1}


@pytest.fixture
def subsets(tmp_path):
    """LIM with two seeds and FULL with one."""
    sizes = {"full": [16], "lim": [3, 5]}
    files = {}
    for method, numbers in sizes.items():
        files[method] = [tmp_path / f"{method}{seed}.parquet" for seed in range(len(numbers))]
        for file, number in zip(files[method], numbers, strict=True):
            prompts = pl.DataFrame({"prompt_id": [f"p{i}" for i in range(number)]})
            write_parquet(rows_of("subset", prompts), file, "subset")
    return files


def table(tmp_path, subsets, base_model):
    outputs = {kind: tmp_path / f"table1.{kind}" for kind in ("markdown", "csv")}
    write_table1(base_model, subsets, outputs)
    text = outputs["markdown"].read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return text, rows[2:], pl.read_csv(outputs["csv"])


def test_published_rows_are_marked_and_each_number_has_a_source_in_the_list_below(tmp_path, subsets):
    text, rows, _ = table(tmp_path, subsets, MINIATURE)
    theirs = [row for row in rows if row[1] == "published"]
    for row, recipe in zip(theirs, published()["recipes"], strict=True):
        assert (row[0], row[4]) == (recipe["method"], f"{recipe['questions']:,}")
        assert f"{row[5].strip('()')}. {recipe['citation']}" in text


def test_rows_of_this_run_are_marked_and_count_the_prompts_of_the_subsets(tmp_path, subsets):
    _, rows, csv = table(tmp_path, subsets, MINIATURE)
    model = "Base (miniature, pre-trained in this run)"
    assert [row for row in rows if row[1] != "published"] == [
        ["FULL", "**this run**", model, "No", "16", "subsets/"],
        ["LIM", "**this run**", model, "No", "3-5", "subsets/"],
    ]
    ours = csv.filter(pl.col("row") == "this run")
    assert ours["questions"].to_list() == [16, 4]
    assert ours["citation"].null_count() == 2
    assert csv.filter(pl.col("row") == "published")["citation"].null_count() == 0


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("paper", ["Base (Qwen/Qwen2.5-Math-7B)", "No"]),
        ("qwen2.5-7b", ["Qwen/Qwen2.5-7B", "-"]),
    ],
)
def test_of_a_model_that_the_paper_does_not_name_nothing_is_claimed(tmp_path, subsets, file, expected):
    base_model = yaml.safe_load((ROOT / f"config/{file}.yaml").read_text(encoding="utf-8"))["base_model"]
    assert table(tmp_path, subsets, base_model)[1][-1][2:4] == expected


def test_a_models_folder_is_named_without_its_path(tmp_path, subsets):
    base_model = {"repository": published()["base_model"], "path": "/home/someone/tuned"}
    text, rows, _ = table(tmp_path, subsets, base_model)
    assert rows[-1][2:4] == ["tuned", "-"]
    assert "someone" not in text
