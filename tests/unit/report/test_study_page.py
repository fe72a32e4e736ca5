"""Pages of studies: their numbers, and points that cannot be compared."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from figure_files import write_scores
from refusals import refused
from scipy import stats
from tables_of_page import tables
from worlds_of_evidence import change_table, configuration_of, write_world

from limr.configuration.evidence_plan import Study
from limr.errors import ProblemsError
from limr.report.contrasts import holm
from limr.report.study_page import write_study

POINTS = [{"at": 0.1, "run": "low"}, {"at": 0.3, "run": "high"}]
STUDY = {"title": "Rates", "quantity": "learning rate", "scale": "log", "lines": ["lim", "rand", "full"]}


def study(points=POINTS, **keys) -> Study:
    return Study.model_validate(STUDY | {"points": points} | keys)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Two runs of three seeds, with another learning rate."""
    found = {}
    for number, (name, rate) in enumerate([("low", 0.1), ("high", 0.3)], start=1):
        configuration = configuration_of(1)
        configuration["training"]["actor_learning_rate"] = rate
        found[name] = write_world(tmp_path / name, number, configuration)
    return found


def write(folder: Path, asked: Study, folders: dict[str, Path]) -> str:
    """Write the study to ``folder``, and return the page."""
    outputs = {kind: folder / f"rates.{suffix}" for kind, suffix in
               {"markdown": "md", "csv": "csv", "svg": "svg", "png": "png"}.items()}  # fmt: skip
    write_study("rates", asked, folders, folders, outputs)
    assert all(file.stat().st_size for file in outputs.values())
    return outputs["markdown"].read_text(encoding="utf-8")


def averages(folder: Path, at: float, line: str) -> np.ndarray:
    """The average of each seed, from the CSV."""
    rows = pl.read_csv(folder / "rates.csv").filter(at=at, line=line, benchmark="average")
    return rows.sort("seed")["accuracy"].to_numpy()


def test_each_point_has_the_means_and_t_intervals_of_its_lines(tmp_path, folders):
    accuracies, *_ = tables(write(tmp_path, study(), folders))
    for at, place in ((0.1, "0.1"), (0.3, "0.3")):
        values = averages(tmp_path, at, "rand")
        bounds = stats.ttest_1samp(values, 0).confidence_interval(0.95)
        assert accuracies[place][1] == f"{100 * values.mean():.1f} [{100 * bounds.low:.1f}, {100 * bounds.high:.1f}]"
        assert accuracies[place][-1] == "0, 1, 2"


def test_differences_are_paired_and_corrected_over_all_points(tmp_path, folders):
    text = write(tmp_path, study(), folders)
    rows = [line.strip("| ").split("|") for line in text.splitlines() if "LIM - " in line]
    found = [[cell.strip() for cell in row] for row in rows]
    assert [row[:2] for row in found] == [[at, f"LIM - {other}"] for at in ("0.1", "0.3") for other in ("RAND", "FULL")]
    expected = [
        stats.ttest_rel(averages(tmp_path, float(at), "lim"), averages(tmp_path, float(at), other)).pvalue
        for at in ("0.1", "0.3")
        for other in ("rand", "full")
    ]
    assert [float(row[3]) for row in found] == pytest.approx(expected, abs=6e-4)
    assert [float(row[4]) for row in found] == pytest.approx(holm(expected), abs=6e-4)


def test_a_point_may_take_a_line_from_another_method_and_leave_lines_out(tmp_path, folders):
    points = [
        {"at": 0.1, "run": "low", "methods": {"lim": "rand"}},
        {"at": 1.0, "run": "low", "methods": {"full": "full"}},
    ]
    text = write(tmp_path, study(points), folders)
    accuracies = tables(text)[0]
    assert accuracies["0.1"][1:3] == ["-", "-"] and accuracies["1"][:2] == ["-", "-"]
    table = pl.read_json(folders["low"] / "table2.json")["methods"][0].to_list()
    rand = next(row for row in table if row["method"] == "rand")["average"]["point"]
    assert averages(tmp_path, 0.1, "lim").mean() == pytest.approx(rand, abs=1e-5)
    assert "Differences take at least 3 seeds, and two lines at a point." in text


def test_names_instead_of_numbers_and_the_base_model_as_a_line(tmp_path, folders):
    points = [{"at": "own probe", "run": "low"}, {"at": "another one", "run": "high"}]
    text = write(tmp_path, study(points, scale="names", lines=["lim", "base"]), folders)
    assert list(tables(text)[0])[2:] == ["own probe", "another one"] and "LIM - Base model" in text


def test_one_seed_gives_neither_intervals_nor_differences(tmp_path):
    folders = {"low": write_world(tmp_path / "low", 1, configuration_of(1) | {"seeds": [0]})}
    text = write(tmp_path, study(POINTS[:1]), folders)
    assert "[" not in tables(text)[0]["0.1"][0] and "Differences take at least 3 seeds" in text


def test_the_page_names_the_settings_that_differ_and_other_seeds(tmp_path, folders):
    text = write(tmp_path, study(), folders)
    assert "Settings that differ between the runs: `training.actor_learning_rate`." in text
    assert "different seeds" not in text
    write_world(folders["high"], 2, configuration_of(1) | {"seeds": [5, 6, 7]})
    assert "The runs have different seeds" in write(tmp_path, study(), folders)


def test_the_overlap_of_the_selections_stands_beside_chance(tmp_path, folders):
    for seed in range(3):
        write_scores(folders["low"] / f"scores/lim/seed{seed}.parquet", [0.9, 0.8, 0.7, 0.6], kept=2)
        write_scores(folders["low"] / f"scores/rand/seed{seed}.parquet", [0.9, 0.8, 0.7, 0.6], kept=1, method="rand")
    points = [
        {"at": 5, "run": "low", "methods": {"lim": "rand"}},
        {"at": 21, "run": "low", "methods": {"lim": "lim", "full": "full"}},
    ]
    text = write(tmp_path, study(points, overlap="lim", scale="linear"), folders)
    overlaps = next(table for table in tables(text) if "Overlap" in table.get("At", []))
    assert [overlaps[at][0] for at in ("5", "21")] == ["66.7 %", "100.0 %"]
    (folders["low"] / "scores/rand/seed1.parquet").unlink()
    with refused(what="no such file", where=folders["low"] / "scores/rand/seed1.parquet"):
        write(tmp_path, study(points, overlap="lim", scale="linear"), folders)


def test_a_point_without_the_first_line_has_no_overlap(tmp_path, folders):
    for seed in range(3):
        write_scores(folders["low"] / f"scores/lim/seed{seed}.parquet", [0.9, 0.8, 0.7, 0.6], kept=2)
    points = [{"at": 21, "run": "low", "methods": {"lim": "lim"}}, {"at": 1, "run": "low", "methods": {"full": "full"}}]
    text = write(tmp_path, study(points, overlap="lim", scale="linear"), folders)
    overlaps = next(table for table in tables(text) if "Overlap" in table.get("At", []))
    assert "21" in overlaps and "1" not in overlaps


def test_an_unknown_method_and_a_missing_seed_are_named(tmp_path, folders):
    with refused(what="there is no method lin", where="low", advice="Did you mean 'lim'"):
        write(tmp_path, study([{"at": 0.1, "run": "low", "methods": {"lim": "lin"}}]), folders)
    change_table(folders["high"], lambda table: table["methods"][1]["by_seed"].pop())
    with pytest.raises(ProblemsError) as error:
        write(tmp_path, study(), folders)
    assert "high: table2.json: methods: method full: seed 2: there is no accuracy on easy" in str(error.value)


def test_points_with_other_problems_are_refused(tmp_path, folders):
    change_table(folders["high"], lambda table: table["benchmarks"]["hard"].update(problems=7))
    with pytest.raises(ProblemsError) as error:
        write(tmp_path, study(), folders)
    assert [str(one) for one in error.value.problems] == ["high: benchmarks.hard.problems: differs from that of low"]


def test_the_same_results_give_the_same_bytes(tmp_path, folders):
    write(tmp_path, study(), folders)
    before = {file.name: file.read_bytes() for file in tmp_path.glob("rates.*")}
    write(tmp_path, study(), folders)
    assert {file.name: file.read_bytes() for file in tmp_path.glob("rates.*")} == before and len(before) == 4
