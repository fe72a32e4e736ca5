"""Table 2 as Markdown, CSV and JSON: scores, gains, and the same bytes from the same input."""

import json
from copy import deepcopy

import numpy as np
import polars as pl
import pytest
from scipy import stats
from table2_run import CONFIGURATION, PROBLEMS, results_of, rows_of, write, write_evaluation, write_inputs

from limr.files.contracts import write_parquet
from limr.report.caption import digest
from limr.report.table2 import lim_against_others, table_rows


def test_scores_are_means_over_samples_problems_and_seeds(run, outputs):
    expected = (
        pl.concat(pl.read_parquet(path) for path in run["evaluations"])
        .group_by("method", "benchmark", "seed", "problem_id")
        .agg(pl.col("correct").mean())
        .group_by("method", "benchmark")
        .agg(pl.col("correct").mean())
    )
    write(run, outputs)
    tidy = pl.read_csv(outputs["csv"])
    found = tidy.join(expected, on=["method", "benchmark"], how="inner")
    assert found.height == 8
    assert found["accuracy"].to_list() == pytest.approx(found["correct"].to_list(), abs=1e-6)
    averages = tidy.filter(pl.col("benchmark") == "average").sort("method")["accuracy"].to_list()
    means = expected.group_by("method").agg(pl.col("correct").mean()).sort("method")["correct"].to_list()
    assert averages == pytest.approx(means, abs=1e-6)
    assert (tidy["low"] <= tidy["accuracy"]).all() and (tidy["accuracy"] <= tidy["high"]).all()


def test_markdown_csv_and_json_hold_the_same_numbers(run, outputs):
    text = write(run, outputs)
    lim = next(method for method in json.loads(text["json"])["methods"] if method["method"] == "lim")
    tidy = pl.read_csv(outputs["csv"]).filter((pl.col("method") == "lim") & (pl.col("benchmark") == "hard"))
    assert tidy.row(0)[3:] == tuple(lim["benchmarks"]["hard"].values())
    cells = [f"{100 * lim['benchmarks'][name]['point']:.1f} [" for name in PROBLEMS]
    line = next(line for line in text["markdown"].splitlines() if line.startswith("| LIM "))
    assert [cell in line for cell in cells] == [True, True]
    assert tidy["questions"][0] == 9.5 and " 8-11 " in line
    assert [run["questions"] for run in lim["runs"]] == [8, 11]


def test_the_json_has_the_accuracy_of_each_seed(run, outputs):
    methods = {method["method"]: method for method in json.loads(write(run, outputs)["json"])["methods"]}
    answers = pl.concat(pl.read_parquet(path) for path in run["evaluations"])
    for name, method in methods.items():
        assert [of_seed["seed"] for of_seed in method["by_seed"]] == CONFIGURATION["seeds"]
        for of_seed in method["by_seed"]:
            for benchmark, accuracy in of_seed["benchmarks"].items():
                key = {"method": name, "seed": of_seed["seed"], "benchmark": benchmark}
                assert accuracy == pytest.approx(answers.filter(**key)["correct"].mean(), abs=1e-6)
            assert of_seed["average"] == pytest.approx(sum(of_seed["benchmarks"].values()) / 2, abs=1e-6)
        for benchmark, interval in method["benchmarks"].items():
            mean = sum(of_seed["benchmarks"][benchmark] for of_seed in method["by_seed"]) / 2
            assert interval["point"] == pytest.approx(mean, abs=1e-6)


def test_rows_are_in_the_order_of_the_configuration_below_the_base_model(run, outputs):
    lines = write(run, outputs)["markdown"].splitlines()
    firsts = [line.split("|")[1].strip() for line in lines if line.startswith("|")]
    assert firsts[0] == "Method" and firsts[2:6] == ["Base model", "FULL", "RAND", "LIM"]
    assert firsts[8:] == ["FULL", "RAND", "LIM"]


def test_gains_are_paired_differences_of_averages(run):
    rows = {row.method: row for row in table_rows(results_of(run), CONFIGURATION)}
    for method in ("full", "rand", "lim"):
        gain = rows[method].gain_over_base
        assert gain.point == pytest.approx(rows[method].average.point - rows["base"].average.point)
    assert rows["lim"].gain_over_rand.point == pytest.approx(rows["lim"].average.point - rows["rand"].average.point)
    share = rows["lim"].gain_over_base.point / rows["full"].gain_over_base.point
    assert rows["lim"].share_of_full_gain.point == pytest.approx(share)
    assert rows["base"].gain_over_base is rows["rand"].gain_over_rand is rows["full"].share_of_full_gain is None


def test_a_copy_of_a_method_gains_exactly_nothing_over_it(run):
    results = results_of(run)
    results["lim"] = results["rand"]
    gain = next(row for row in table_rows(results, CONFIGURATION) if row.method == "lim").gain_over_rand
    assert (gain.point, gain.low, gain.high) == (0, 0, 0)


def test_rand_and_full_are_recognised_by_their_score_method_not_by_their_name(run):
    results = results_of(run)
    renamed = deepcopy(CONFIGURATION)
    renamed["methods"] = {"everything": {"score": "full"}, "dice": {"score": "rand"}, "lim": {"score": "lim"}}
    results = {"base": results["base"], "everything": results["full"], "dice": results["rand"], "lim": results["lim"]}
    row = table_rows(results, renamed)[-1]
    assert row.gain_over_rand is not None and row.share_of_full_gain is not None
    del renamed["methods"]["dice"], results["dice"]
    assert table_rows(results, renamed)[-1].gain_over_rand is None


def test_the_same_input_gives_the_same_bytes_in_any_order_of_the_files(run, outputs):
    first = write(run, outputs)
    run["evaluations"].reverse()
    assert write(run, outputs) == first


def test_the_json_holds_the_whole_configuration_and_any_change_to_it_changes_the_digest(run, outputs):
    table = json.loads(write(run, outputs)["json"])
    assert table["configuration"] == CONFIGURATION
    other = deepcopy(CONFIGURATION)
    other["data"]["seed"] = 2  # does not affect the table
    changed = write(run, outputs, other)
    assert table["configuration_digest"] == digest(CONFIGURATION) != digest(other)
    assert f"digest `{digest(other)}`" in changed["markdown"]


def with_four_seeds(results):
    """``results`` of a run with four seeds."""
    random = np.random.default_rng(1)
    return {
        method: {name: np.vstack([values, random.permuted(values, axis=1)]) for name, values in scores.items()}
        for method, scores in results.items()
    }


def test_with_three_seeds_or_more_intervals_are_those_of_the_t_test_over_seeds(run):
    results = with_four_seeds(results_of(run))
    rows = {row.method: row for row in table_rows(results, CONFIGURATION | {"seeds": [0, 1, 2, 3]})}
    expected = stats.ttest_1samp(results["lim"]["hard"].mean(axis=1), 0).confidence_interval(0.95)
    found = rows["lim"].benchmarks["hard"]
    assert [found.low, found.high] == pytest.approx([expected.low, expected.high])
    averages = {name: np.mean([values.mean(axis=1) for values in results[name].values()], axis=0) for name in results}
    expected = stats.ttest_rel(averages["lim"], averages["rand"]).confidence_interval(0.95)
    gain = rows["lim"].gain_over_rand
    assert [gain.low, gain.high] == pytest.approx([expected.low, expected.high])


def test_lim_is_compared_with_every_other_method_if_there_are_three_seeds(run):
    results = with_four_seeds(results_of(run))
    configuration = CONFIGURATION | {"seeds": [0, 1, 2, 3]}
    compared = lim_against_others(results, configuration)
    names = [*PROBLEMS, "average"]
    assert [(row.first, row.second, row.benchmark) for row in compared] == [
        ("lim", other, name) for other in ("full", "rand") for name in names
    ]
    assert lim_against_others(results, CONFIGURATION) == []
    without_lim = {name: row for name, row in CONFIGURATION["methods"].items() if name != "lim"}
    assert lim_against_others(results, configuration | {"methods": without_lim}) == []


def test_the_differences_of_lim_stand_in_the_page_and_in_the_json(outputs, tmp_path, monkeypatch):
    monkeypatch.setitem(CONFIGURATION, "seeds", [0, 3, 5])
    text = write(write_inputs(tmp_path), outputs)
    contrasts = json.loads(text["json"])["contrasts"]
    page = text["markdown"]
    assert "LIM minus each other method, in points:" in page and "Student's t over the 3 seeds" in page
    lines = [line for line in page.splitlines() if line.startswith(("| LIM - FULL", "| LIM - RAND"))]
    assert len(lines) == len(contrasts) == 6
    for line, row in zip(lines, contrasts, strict=True):
        assert f"{100 * row['difference']['point']:+.1f} [" in line and f"{row['p_holm']:.3f} |" in line
        assert sum(row["per_seed"]) / 3 == pytest.approx(row["difference"]["point"], abs=1e-5)


@pytest.fixture
def prompted(run, tmp_path):
    """The input of a table whose base model answers with a prompt too: only "1" is right, and no answer has a box."""
    random = np.random.default_rng(5)
    for name in PROBLEMS:
        run["problems"][name] = tmp_path / f"{name}.parquet"
        ids = [f"{name}{number:03d}" for number in range(PROBLEMS[name])]
        problems = rows_of("prompts", pl.DataFrame({"prompt_id": ids}), answer="1")
        write_parquet(problems, run["problems"][name], "prompts")
        for seed in CONFIGURATION["seeds"]:
            path = tmp_path / f"evaluation/base_prompt/{seed}/{name}.parquet"
            samples = CONFIGURATION["benchmarks"][name]["samples"]
            write_evaluation(path, "base_prompt", seed, name, random.random((PROBLEMS[name], samples)) < 0.4)
            numbers = pl.when("correct").then(pl.lit(r"\boxed{1}")).otherwise(pl.lit("so 1"))
            write_parquet(pl.read_parquet(path).with_columns(response=numbers), path, "evaluation")
            run["evaluations"].append(path)
    return run


WITH_PREFIX = CONFIGURATION | {"base_model": {"prefix": "Think $ *hard*. "}}


def test_a_prefix_adds_a_row_below_the_base_model_and_changes_no_other(run, outputs, prompted):
    without = run | {"evaluations": [path for path in run["evaluations"] if "base_prompt" not in path.parts]}
    before = write(without, outputs)["csv"].splitlines()
    after = write(prompted, outputs, WITH_PREFIX)["csv"].splitlines()
    added = [line for line in after if line.startswith("base_prompt,")]
    assert [line for line in after if line not in added] == before
    assert after[4:7] == added, "the header and the base model come first"
    assert [line.split(",")[2] for line in added] == ["easy", "hard", "average"]


def test_answers_without_a_box_count_only_in_the_table_of_last_numbers(outputs, prompted):
    text = write(prompted, outputs, WITH_PREFIX)
    table = json.loads(text["json"])
    strict = {row["method"]: row["average"]["point"] for row in table["methods"]}
    counted = {row["method"]: row["average"]["point"] for row in table["last_number"]}
    assert strict["base_prompt"] < 0.6 and counted["base_prompt"] == 1
    assert {name: value for name, value in counted.items() if name != "base_prompt"} == {
        name: value for name, value in strict.items() if name != "base_prompt"
    }, "the other responses have no number"
    scores, gains, last_numbers = [
        line for line in text["markdown"].splitlines() if line.startswith("| Base model + prompt ")
    ]
    assert f" {100 * strict['base_prompt']:.1f} [" in scores and " 100.0 [100.0, 100.0] |" in last_numbers
    assert "+" in gains and "What training, or a prompt alone, adds" in text["markdown"]


def test_without_a_prefix_there_is_no_table_of_last_numbers(run, outputs):
    text = write(run, outputs)
    assert "last_number" not in text["json"] and "last number" not in text["markdown"]
