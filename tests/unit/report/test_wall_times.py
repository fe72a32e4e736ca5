"""The wall times and the memory of the stages, from Snakemake's benchmark files."""

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


def wall_times(folder, *stages):
    """The table: stage -> its seconds and its memory."""
    output = folder.parent / "wall_times.md"
    write_wall_times(folder, [folder / f"{stage}.tsv" for stage in stages], output)
    table = [line for line in output.read_text().splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]
    return {name: numbers for name, *numbers in rows}


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
    table = wall_times(benchmarks, "pretrain", "train/full-seed0")
    assert list(table) == ["pretrain", "train/full-seed0", ALL]
    assert table[ALL] == ["62.0", "812"]


def test_a_stage_without_a_benchmark_file_is_shown_without_numbers(benchmarks):
    table = wall_times(benchmarks, "pretrain", "train/full-seed0", "train/lim-seed0")
    assert table["train/lim-seed0"] == ["-", "-"]
    assert table[ALL] == ["62.0", "812"]


def test_a_file_that_is_not_a_benchmark_is_named(benchmarks):
    (benchmarks / "odd.tsv").write_text("name\tvalue\na\t1\n")
    with refused(where="odd.tsv", what="cannot be read", expected="a benchmark file of Snakemake"):
        wall_times(benchmarks, "odd")
    (benchmarks / "empty.tsv").write_text(BENCHMARK.splitlines()[0] + "\n")
    with refused(where="empty.tsv", found="no time", expected="a benchmark file of Snakemake"):
        wall_times(benchmarks, "empty")
