"""Table 2, its caption and the wall times, from small files to the contracts."""

import json
from copy import deepcopy

import numpy as np
import polars as pl
import pytest

from limr.errors import ContractError, LimrError
from limr.files.contracts import columns, write_parquet
from limr.report.caption import digest
from limr.report.results import read_results
from limr.report.table2 import table_rows, write_table2
from limr.report.wall_times import write_wall_times

PROBLEMS = {"easy": 20, "hard": 6}
ACCURACY = {"base": 0.3, "full": 0.8, "rand": 0.6, "lim": 0.7}
CONFIGURATION = {
    "seeds": [0, 3],
    "data": {"source": "miniature", "seed": 1},
    "training": {"engine": "miniature"},
    "benchmarks": {
        "easy": {"title": "Easy-20", "mirrors": "MATH500", "samples": 1, "temperature": 0.0},
        "hard": {"title": "Hard-6", "mirrors": "AIME24", "samples": 4, "temperature": 0.4},
    },
    "methods": {
        "full": {"score": "full", "keep": "all"},
        "rand": {"score": "rand", "keep": {"share": 0.5}},
        "lim": {"score": "lim", "keep": {"share": 0.5}},
    },
    "evaluation": {"engine": "transformers", "top_p": 0.95, "max_response_tokens": 48, "batch_size": 256},
    "report": {"bootstrap_resamples": 1000, "confidence": 0.95},
}


def rows_of(contract, frame, **filler):
    """``frame`` with the contract's other columns filled in."""
    for name, dtype in columns(contract).items():
        if name not in frame.columns:
            value = filler.get(name, {"String": "", "Int64": 1, "Float64": 0.0, "Boolean": True}[str(dtype)])
            frame = frame.with_columns(pl.lit(value, dtype).alias(name))
    return frame


def write_evaluation(path, method, seed, benchmark, correct):
    """``correct``: [problems, samples]."""
    count, samples = correct.shape
    frame = pl.DataFrame(
        {
            "problem_id": [f"{benchmark}{problem:03d}" for problem in range(count) for _ in range(samples)],
            "sample": list(range(samples)) * count,
            "correct": correct.ravel().astype(bool),
        }
    ).sample(fraction=1, shuffle=True, seed=seed)  # the order of rows must not matter
    filled = rows_of("evaluation", frame, method=method, seed=seed, benchmark=benchmark)
    write_parquet(filled, path, "evaluation")


def write_training_set(path, gradable):
    frame = pl.DataFrame({"prompt_id": [f"p{i}" for i in range(len(gradable))], "gradable": gradable})
    write_parquet(rows_of("prompts", frame), path, "prompts")


@pytest.fixture
def run(tmp_path):
    """All input of a table with two benchmarks, two seeds and three methods."""
    random = np.random.default_rng(0)
    files = {"evaluations": [], "prompts": tmp_path / "train.parquet", "subsets": {}, "rollouts": {}}
    write_training_set(files["prompts"], gradable=[True] * 16)
    for method, accuracy in ACCURACY.items():
        for seed in CONFIGURATION["seeds"]:
            for name, benchmark in CONFIGURATION["benchmarks"].items():
                path = tmp_path / f"evaluation/{method}/{seed}/{name}.parquet"
                correct = random.random((PROBLEMS[name], benchmark["samples"])) < accuracy
                write_evaluation(path, method, seed, name, correct)
                files["evaluations"].append(path)
    for method in CONFIGURATION["methods"]:
        files["subsets"][method], files["rollouts"][method] = [], []
        for seed in CONFIGURATION["seeds"]:
            questions = {"full": 16, "rand": 8, "lim": 8 + seed}[method]
            subset = tmp_path / f"subsets/{method}/{seed}.parquet"
            write_parquet(
                rows_of("subset", pl.DataFrame({"prompt_id": [f"p{i}" for i in range(questions)]})), subset, "subset"
            )
            files["subsets"][method].append(subset)
            folder = tmp_path / f"rollouts/{method}/{seed}"
            for step in range(5):
                shard = rows_of("rollouts", pl.DataFrame({"sample": range(8)}), step=step, visit=step)
                write_parquet(shard, folder / f"{step}.parquet", "rollouts")
            files["rollouts"][method].append(folder)
    return files


@pytest.fixture
def outputs(tmp_path):
    return {kind: tmp_path / f"table2.{kind}" for kind in ("markdown", "csv", "json")}


def write(run, outputs, configuration=CONFIGURATION):
    write_table2(**run, configuration=configuration, configuration_files=["config.yaml"], outputs=outputs)
    return {kind: path.read_text() for kind, path in outputs.items()}


def results_of(run, configuration=CONFIGURATION):
    methods = ["base", *configuration["methods"]]
    return read_results(run["evaluations"], methods, configuration["seeds"], configuration["benchmarks"])


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


def test_markdown_csv_and_json_say_the_same(run, outputs):
    text = write(run, outputs)
    lim = next(method for method in json.loads(text["json"])["methods"] if method["method"] == "lim")
    tidy = pl.read_csv(outputs["csv"]).filter((pl.col("method") == "lim") & (pl.col("benchmark") == "hard"))
    assert tidy.row(0)[3:] == tuple(lim["benchmarks"]["hard"].values())
    cells = [f"{100 * lim['benchmarks'][name]['point']:.1f} [" for name in PROBLEMS]
    line = next(line for line in text["markdown"].splitlines() if line.startswith("| LIM "))
    assert [cell in line for cell in cells] == [True, True]
    assert tidy["questions"][0] == 9.5 and " 8-11 " in line
    assert [run["questions"] for run in lim["runs"]] == [8, 11]


def test_rows_stand_in_the_order_of_the_configuration_below_the_base_model(run, outputs):
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


def test_rand_and_full_are_known_by_their_score_not_their_name(run):
    results = results_of(run)
    renamed = deepcopy(CONFIGURATION)
    renamed["methods"] = {"everything": {"score": "full"}, "dice": {"score": "rand"}, "lim": {"score": "lim"}}
    results = {"base": results["base"], "everything": results["full"], "dice": results["rand"], "lim": results["lim"]}
    row = table_rows(results, renamed)[-1]
    assert row.gain_over_rand is not None and row.share_of_full_gain is not None
    del renamed["methods"]["dice"], results["dice"]
    assert table_rows(results, renamed)[-1].gain_over_rand is None


def test_two_tables_from_one_input_are_the_same_bytes_whatever_the_order_of_the_files(run, outputs):
    first = write(run, outputs)
    run["evaluations"].reverse()
    assert write(run, outputs) == first


def test_the_caption_says_what_was_run(run, outputs):
    text = write(run, outputs)["markdown"]
    for words in (
        "This is the miniature",
        f"digest `{digest(CONFIGURATION)}`",
        "`config.yaml`",
        "seeds 0, 3",
        "5 steps, 40 rollouts",
        "Hard-6 (6 problems, mirrors AIME24): 4 samples a problem, temperature 0.4, top-p 0.95",
        "95 % percentile bootstrap intervals over problems (their samples stay together) and seeds",
        "torch ",
        "(wall_times.md)",
    ):
        assert words in text


def test_the_json_holds_the_whole_configuration_and_any_change_to_it_changes_the_digest(run, outputs):
    table = json.loads(write(run, outputs)["json"])
    assert table["configuration"] == CONFIGURATION
    other = deepcopy(CONFIGURATION)
    other["data"]["seed"] = 2  # the table itself reads nothing of it
    changed = write(run, outputs, other)
    assert table["configuration_digest"] == digest(CONFIGURATION) != digest(other)
    assert f"digest `{digest(other)}`" in changed["markdown"]


def test_only_the_miniature_is_called_miniature(run, outputs):
    other = deepcopy(CONFIGURATION) | {"data": {"source": "math"}, "training": {"engine": "openrlhf"}}
    text = write(run, outputs, other)["markdown"]
    assert "This is the miniature" not in text and "Problems: math. Training: openrlhf." in text


def test_the_caption_counts_the_prompts_that_cannot_be_graded_and_says_whether_they_were_trained_on(run, outputs):
    assert "cannot be graded" not in write(run, outputs)["markdown"]
    write_training_set(run["prompts"], gradable=[True] * 14 + [False] * 2)
    dropped = write(run, outputs)["markdown"]
    assert "Of the 16 training prompts 2 have a gold answer that cannot be graded" in dropped
    assert "no arm trains on them" in dropped
    kept = deepcopy(CONFIGURATION)
    kept["data"] = {"source": "math", "ungradable": "keep"}
    assert "in every arm they are trained on like any other" in write(run, outputs, kept)["markdown"]


def test_a_real_benchmark_mirrors_no_other(run, outputs):
    real = deepcopy(CONFIGURATION)
    del real["benchmarks"]["hard"]["mirrors"]
    assert "Hard-6 (6 problems): 4 samples" in write(run, outputs, real)["markdown"]


def test_one_seed_is_said_to_leave_out_the_spread_of_training_runs(run, outputs):
    alone = deepcopy(CONFIGURATION) | {"seeds": [0]}
    run["evaluations"] = [path for path in run["evaluations"] if path.parent.name == "0"]
    for kind in ("subsets", "rollouts"):
        run[kind] = {method: paths[:1] for method, paths in run[kind].items()}
    text = write(run, outputs, alone)["markdown"]
    assert "seed 0." in text and "With one seed" in text and "and seeds" not in text


def test_an_interval_without_width_is_explained(run, outputs, tmp_path):
    assert "without width" not in write(run, outputs)["markdown"]
    for seed in CONFIGURATION["seeds"]:
        write_evaluation(tmp_path / f"evaluation/base/{seed}/hard.parquet", "base", seed, "hard", np.zeros((6, 4)))
    text = write(run, outputs)["markdown"]
    assert "0.0 [0.0, 0.0]" in text and "An interval without width" in text


def test_a_missing_evaluation_is_named(run, outputs):
    run["evaluations"] = [path for path in run["evaluations"] if path.parts[-3:] != ("lim", "3", "hard.parquet")]
    with pytest.raises(LimrError, match=r"method lim, seed 3, benchmark hard \(1 missing of 16\)"):
        write(run, outputs)
    assert not any(path.exists() for path in outputs.values())


def test_a_doubled_evaluation_is_named(run, outputs):
    run["evaluations"].append(run["evaluations"][0])
    with pytest.raises(LimrError, match="and so does"):
        write(run, outputs)


def test_an_evaluation_of_an_unknown_method_is_named(run, outputs, tmp_path):
    stranger = tmp_path / "stranger.parquet"
    write_evaluation(stranger, "cosine", 0, "hard", np.zeros((6, 4)))
    run["evaluations"].append(stranger)
    with pytest.raises(LimrError, match=r"stranger\.parquet: holds method cosine"):
        write(run, outputs)


def test_evaluations_of_different_problems_are_refused(run, outputs, tmp_path):
    write_evaluation(tmp_path / "evaluation/lim/3/hard.parquet", "lim", 3, "hard", np.zeros((7, 4)))
    with pytest.raises(LimrError, match="different problems") as error:
        write(run, outputs)
    assert "lim/3/hard.parquet" in str(error.value) and "hard006" in str(error.value)


def test_an_evaluation_with_fewer_samples_than_configured_is_refused(run, outputs, tmp_path):
    write_evaluation(tmp_path / "evaluation/lim/3/hard.parquet", "lim", 3, "hard", np.zeros((6, 3)))
    with pytest.raises(LimrError, match=r"lim/3/hard\.parquet: problem hard000 has 3 samples, expected 4"):
        write(run, outputs)


def test_two_evaluations_in_one_file_are_refused(run, outputs):
    mixed = run["evaluations"][0]
    both = pl.concat([pl.read_parquet(path) for path in run["evaluations"][:2]])
    write_parquet(both, mixed, "evaluation")
    with pytest.raises(LimrError, match="holds 2 evaluations"):
        write(run, outputs)


def test_truncated_and_absent_rollouts_are_named(run, outputs):
    folder = run["rollouts"]["lim"][1]
    (folder / "2.parquet").write_bytes((folder / "2.parquet").read_bytes()[:50])
    with pytest.raises(ContractError, match=r"lim/3/2\.parquet: cannot be read .*delete the whole run"):
        write(run, outputs)
    for shard in folder.iterdir():
        shard.unlink()
    with pytest.raises(ContractError, match=r"lim/3: no rollouts"):
        write(run, outputs)


BENCHMARK = "s\th:m:s\tmax_rss\tmax_vms\n{}\t0:01:00\t{}\t900\n"


@pytest.fixture
def benchmarks(tmp_path):
    """Benchmark files of two stages."""
    folder = tmp_path / "benchmarks"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "full-seed0.tsv").write_text(BENCHMARK.format(61.5, 812.3))
    (folder / "pretrain.tsv").write_text(BENCHMARK.format(0.5, "NA"))
    return folder


def wall_times(folder, *stages):
    output = folder.parent / "wall_times.md"
    write_wall_times(folder, [folder / f"{stage}.tsv" for stage in stages], output)
    return output.read_text()


def test_wall_times_add_up_and_keep_the_largest_memory(benchmarks):
    (benchmarks / "report.tsv").write_text(BENCHMARK.format(2, "-"))
    text = wall_times(benchmarks, "pretrain", "train/full-seed0", "report")
    assert "| train/full-seed0 | 61.5 | 812 |" in text and "| pretrain | 0.5 | - |" in text
    assert "one after another** | 64.0 | 812 |" in text


def test_wall_times_leave_out_the_stages_of_an_earlier_configuration(benchmarks):
    (benchmarks / "train" / "removed-seed7.tsv").write_text(BENCHMARK.format(1000, 9000))
    text = wall_times(benchmarks, "pretrain", "train/full-seed0")
    assert "removed" not in text and "one after another** | 62.0 | 812 |" in text


def test_a_stage_whose_time_is_lost_is_shown_without_one(benchmarks):
    text = wall_times(benchmarks, "pretrain", "train/full-seed0", "train/lim-seed0")
    assert "| train/lim-seed0 | - | - |" in text and "one after another** | 62.0 | 812 |" in text


def test_wall_times_name_a_file_that_is_no_benchmark(benchmarks):
    (benchmarks / "odd.tsv").write_text("name\tvalue\na\t1\n")
    with pytest.raises(LimrError, match=r"odd\.tsv: not a benchmark file"):
        wall_times(benchmarks, "odd")
