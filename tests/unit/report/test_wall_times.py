"""The time, memory, tokens and hours of the stages, from Snakemake's benchmark files."""

import pytest
from refusals import refused

from limr.report.wall_times import write_wall_times

ALL = "**all stages, one after another**"
BENCHMARK = "s\th:m:s\tmax_rss\tmax_vms\n{}\t0:01:00\t{}\t900\n"


@pytest.fixture
def benchmarks(tmp_path):
    """Benchmark files of two stages."""
    folder = tmp_path / "benchmarks"
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "full-seed0.tsv").write_text(BENCHMARK.format(61.5, 812.3))
    (folder / "pretrain.tsv").write_text(BENCHMARK.format(0.5, "NA"))
    return folder


def table(folder, *stages, **costs):
    """The table: stage -> its numbers."""
    output = folder.parent / "wall_times.md"
    write_wall_times(folder, [folder / f"{stage}.tsv" for stage in stages], output, **costs)
    lines = [line for line in output.read_text().splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name: numbers for name, *numbers in (rows[0], *rows[2:])}


def wall_times(folder, *stages):
    """The table: stage -> its seconds and its memory."""
    return {name: numbers[:2] for name, numbers in table(folder, *stages).items() if name != "Stage"}


def test_wall_times_add_up_and_keep_the_largest_memory(benchmarks):
    (benchmarks / "report.tsv").write_text(BENCHMARK.format(2, "-"))
    assert wall_times(benchmarks, "pretrain", "train/full-seed0", "report") == {
        "pretrain": ["0.5", "-"],
        "train/full-seed0": ["61.5", "812"],
        "report": ["2.0", "-"],
        ALL: ["64.0", "812"],
    }


def test_wall_times_leave_out_the_stages_of_an_earlier_configuration(benchmarks):
    (benchmarks / "train" / "removed-seed7.tsv").write_text(BENCHMARK.format(1000, 9000))
    rows = wall_times(benchmarks, "pretrain", "train/full-seed0")
    assert list(rows) == ["pretrain", "train/full-seed0", ALL]
    assert rows[ALL] == ["62.0", "812"]


def test_a_stage_without_a_benchmark_file_is_shown_without_numbers(benchmarks):
    rows = wall_times(benchmarks, "pretrain", "train/full-seed0", "train/lim-seed0")
    assert rows["train/lim-seed0"] == ["-", "-"]
    assert rows[ALL] == ["62.0", "812"]


def test_a_file_that_is_not_a_benchmark_is_named(benchmarks):
    (benchmarks / "odd.tsv").write_text("name\tvalue\na\t1\n")
    with refused(where="odd.tsv", what="cannot be read", expected="a benchmark file of Snakemake"):
        wall_times(benchmarks, "odd")
    (benchmarks / "empty.tsv").write_text(BENCHMARK.splitlines()[0] + "\n")
    with refused(where="empty.tsv", found="no time", expected="a benchmark file of Snakemake"):
        wall_times(benchmarks, "empty")


def test_tokens_and_hours_add_up(benchmarks):
    timed = "s\tmax_rss\tcpu_time\n{}\t100\t{}\n"
    (benchmarks / "train" / "full-seed0.tsv").write_text(timed.format(7200, 5400))
    (benchmarks / "train" / "lim-seed0.tsv").write_text(timed.format(3600, 1800))
    costs = {"tokens": {"train/full-seed0": 1_000_000, "train/lim-seed0": 500}, "gpus": {"train": 8, "evaluation": 4}}
    rows = table(benchmarks, "pretrain", "train/full-seed0", "train/lim-seed0", **costs)
    assert rows["Stage"][2:] == ["Response tokens", "CPU hours", "GPU hours"]
    assert rows["pretrain"][2:] == ["-", "-", "-"], "this file has no CPU time, and the stage no GPU"
    assert rows["train/full-seed0"][2:] == ["1,000,000", "1.500", "16.000"]
    assert rows[ALL][2:] == ["1,000,500", "2.000", "24.000"]


def test_without_gpus_there_are_no_gpu_hours(benchmarks):
    assert table(benchmarks, "pretrain")["Stage"][-1] == "CPU hours"


def test_cpu_time_that_snakemake_did_not_measure_is_not_counted(benchmarks):
    (benchmarks / "odd.tsv").write_text("s\tmax_rss\tcpu_time\n1\t2\tNA\n")
    assert table(benchmarks, "odd")[ALL][3] == "-"
