"""Figure 1b: its bars, dots and numbers are those of Table 2."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.figure import Figure
from readable import assert_readable
from refusals import refused

from limr.report import column_figure
from limr.report.accuracy_bars import write_accuracy_bars

METHODS = {"full": 64, "lim": 10}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(column_figure, "save_figure", lambda figure, path, dpi: figures.append(figure))
    return figures


def table(seeds: tuple[int, ...] = (0, 4, 8), methods: dict[str, int] = METHODS) -> dict[str, Any]:
    """What the figure reads of table2.json."""
    rows = []
    for number, method in enumerate(["base", *methods]):
        point = 0.1 + 0.2 * number
        rows.append(
            {
                "method": method,
                "average": {"point": point, "low": point - 0.05, "high": point + 0.05},
                "by_seed": [{"seed": seed, "average": point + 0.01 * (seed - 4)} for seed in seeds],
                "runs": [{"seed": seed, "questions": methods[method]} for seed in seeds if method in methods],
            }
        )
    return {
        "configuration": {
            "seeds": list(seeds),
            "methods": {method: {"score": method} for method in methods},
            "base_model": {"seed": 1},
            "data": {"source": "miniature"},
        },
        "benchmarks": {"easy": {"problems": 20}},
        "methods": rows,
    }


def write(folder: Path, content: dict[str, Any]) -> pl.DataFrame:
    (folder / "table2.json").write_text(json.dumps(content))
    outputs = {kind: folder / f"figure1b.{kind}" for kind in ("svg", "png", "csv")}
    write_accuracy_bars(folder / "table2.json", outputs)
    return pl.read_csv(outputs["csv"])


def labels(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].get_yticklabels()]


def test_each_method_has_a_bar_with_its_interval_its_questions_and_a_dot_for_each_seed(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    rows = write(tmp_path, table())
    axes = drawn[0].axes[0]
    assert labels(drawn[0]) == ["Base model", "FULL (64)", "LIM (10)"]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([0.1, 0.3, 0.5])
    intervals, dots = axes.lines[::2], axes.lines[1::2]
    assert [line.get_xdata() for line in intervals] == [pytest.approx([x - 0.05, x + 0.05]) for x in (0.1, 0.3, 0.5)]
    assert [line.get_xdata() for line in dots] == [pytest.approx([x - 0.04, x, x + 0.04]) for x in (0.1, 0.3, 0.5)]
    assert rows.columns == ["method", "row", "questions", "accuracy", "low", "high", "seed_0", "seed_4", "seed_8"]
    assert rows.row(2) == ("lim", "this run", 10.0, 0.5, 0.45, 0.55, 0.46, 0.5, 0.54)
    assert_readable(drawn[0])


def papers(content: dict[str, Any]) -> dict[str, Any]:
    content["configuration"] |= {"base_model": {"repository": "Qwen/Qwen2.5-Math-7B"}, "data": {"source": "math"}}
    content["benchmarks"] = {"aime24": {"problems": 30}, "math500": {"problems": 500}, "amc23": {"problems": 40}}
    return content


def test_in_a_run_of_the_papers_experiment_the_papers_numbers_are_marked_as_theirs(
    tmp_path: Path, drawn: list[Figure]
) -> None:
    rows = write(tmp_path, papers(table()))
    assert labels(drawn[0]) == [
        "Base model", "Base model, paper", "FULL (64)", "FULL, paper (8,523)", "LIM (10)", "LIM, paper (1,389)"
    ]  # fmt: skip
    theirs = rows.filter(row="paper")
    assert theirs["accuracy"].to_list() == [0.405, 0.57, 0.581]
    assert theirs.select("low", "high", "seed_0").null_count().row(0) == (3, 3, 3)
    hatched = [bar.get_width() for bar in drawn[0].axes[0].patches if bar.get_hatch()]
    assert hatched == pytest.approx([0.405, 0.57, 0.581])
    assert_readable(drawn[0])


def test_a_method_that_scores_a_part_of_the_probe_has_no_bar_of_the_paper(tmp_path: Path) -> None:
    content = papers(table())
    content["configuration"]["methods"]["lim"]["probe"] = {"visits": 5}
    assert write(tmp_path, content).filter(row="paper")["method"].to_list() == ["base", "full"]


def test_the_papers_numbers_are_not_beside_other_runs(tmp_path: Path) -> None:
    content = papers(table())
    content["benchmarks"]["aime24"]["problems"] = 29
    assert set(write(tmp_path, content)["row"]) == {"this run"}


def test_many_methods_with_long_names_are_readable(tmp_path: Path, drawn: list[Figure]) -> None:
    methods = {f"a_name_as_long_as_a_configuration_may_have_it_{number}": 334 for number in range(10, 22)}
    write(tmp_path, table(methods=methods))
    assert_readable(drawn[0])


@pytest.mark.parametrize("part", ["by_seed", "runs"])
def test_a_method_without_a_seed_is_named(tmp_path: Path, part: str) -> None:
    content = table()
    del content["methods"][2][part][1]
    where = (tmp_path / "table2.json", "method lim")
    with refused(where=where, found="the seeds 0, 8", expected="0, 4, 8"):
        write(tmp_path, content)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("1", "2")]
    for folder in folders:
        folder.mkdir()
        write(folder, table())
    for kind in ("svg", "png", "csv"):
        first, second = ((folder / f"figure1b.{kind}").read_bytes() for folder in folders)
        assert first == second
