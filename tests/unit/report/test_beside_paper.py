"""The paper's numbers stand beside ours for the paper's model and benchmarks, and nowhere else."""

from copy import deepcopy

import pytest
import yaml
from places import ROOT
from table2_run import write

from limr.report.beside_paper import beside_paper, same_experiment
from limr.report.bootstrap import Interval
from limr.report.table2 import Row
from limr.report.training_runs import TrainingRun

PAPER = yaml.safe_load((ROOT / "config/paper.yaml").read_text(encoding="utf-8"))
PROBLEMS = {"math500": 500, "aime24": 30, "amc23": 40}
HALF = Interval(0.5, 0.4, 0.6)
ROWS = [Row(method, dict.fromkeys(PROBLEMS, HALF), HALF, None, None, None) for method in ("base", *PAPER["methods"])]
RUNS = {method: [TrainingRun(1234, 175, 10)] for method in PAPER["methods"]}


def lines(configuration):
    text = beside_paper(ROWS, RUNS, configuration, PROBLEMS)[1]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    return {name: cells for name, *cells in rows}


def test_every_method_has_a_line_of_this_run_and_one_of_the_paper_in_the_order_of_our_columns():
    shown = lines(PAPER)
    assert shown["Method"] == ["#Questions", "MATH500", "AIME24", "AMC23", "Average"]
    assert shown["LIM, this run"] == ["1,234", *["50.0 [40.0, 60.0]"] * 4]
    assert shown["LIM, paper"] == ["1,389", "78.0", "32.5", "63.8", "58.1"]
    assert shown["Base model, paper"] == ["-", "52.4", "16.7", "52.5", "40.5"]
    assert len(shown) == 2 + 2 * 5


def test_the_method_is_found_by_its_score_and_a_method_that_the_paper_lacks_has_no_line():
    configuration = deepcopy(PAPER)
    configuration["methods"]["rand"]["score"] = "slope"
    configuration["methods"]["linear"]["score"] = "rand"
    shown = lines(configuration)
    assert not [name for name in shown if name.startswith("RAND")]
    assert shown["LINEAR, paper"][0] == "1,389"


def test_a_method_that_scores_a_part_of_the_probe_is_not_the_papers():
    configuration = deepcopy(PAPER)
    configuration["methods"]["linear"] = configuration["methods"]["lim"] | {"probe": {"visits": 5}}
    shown = lines(configuration)
    assert "LIM, paper" in shown and not [name for name in shown if name.startswith("LINEAR")]


def _another_model(configuration, problems):
    configuration["base_model"]["repository"] = "Qwen/Qwen2.5-Math-1.5B"


def _a_folder(configuration, problems):
    configuration["base_model"]["path"] = "models/some"


def _other_problems(configuration, problems):
    problems["amc23"] = 39


def _one_benchmark_less(configuration, problems):
    del problems["amc23"]


def _another_benchmark(configuration, problems):
    problems["gsm8k"] = 1319


@pytest.mark.parametrize(
    "change", [_another_model, _a_folder, _other_problems, _one_benchmark_less, _another_benchmark]
)
def test_another_model_or_other_benchmarks_show_nothing(change):
    configuration, problems = deepcopy(PAPER), dict(PROBLEMS)
    assert same_experiment(configuration, problems)
    change(configuration, problems)
    assert not same_experiment(configuration, problems)
    assert beside_paper(ROWS, RUNS, configuration, problems) == []


def test_the_miniatures_table_never_shows_the_papers_numbers(run, outputs):
    text = write(run, outputs)["markdown"]
    assert ", paper" not in text and "78.0 " not in text
    assert not same_experiment(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")), PROBLEMS)
