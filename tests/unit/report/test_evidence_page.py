"""The page of the evidence: its numbers against scipy, rliable's definitions and the files of the worlds."""

import json
from copy import deepcopy
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from refusals import refused
from scipy import stats
from tables_of_page import tables
from worlds_of_evidence import change_outcomes, change_table, configuration_of, write_world

from limr.report.contrasts import holm
from limr.report.evidence_page import write_evidence
from limr.report.power import power

KINDS = {"markdown": "md", "csv": "csv", "json": "json", "svg": "svg", "png": "png"}


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two worlds of three seeds."""
    return [write_world(tmp_path / f"world_{number}", number) for number in (1, 2)]


def write(folder: Path, folders: list[Path]) -> str:
    """Write the evidence to ``folder``, and return the page."""
    outputs = {kind: folder / f"evidence.{suffix}" for kind, suffix in KINDS.items()}
    write_evidence(folders, outputs)
    return outputs["markdown"].read_text(encoding="utf-8")


def averages(folder: Path, method: str) -> list[float]:
    """The average of each seed, world after world, from the CSV."""
    rows = pl.read_csv(folder / "evidence.csv").filter(method=method, benchmark="average")
    return rows.sort("world", "seed")["accuracy"].to_list()


def test_accuracies_and_differences_have_the_intervals_of_the_t_test_over_all_seeds(tmp_path, folders):
    accuracies, differences, *_ = tables(write(tmp_path, folders))
    values = np.array(averages(tmp_path, "lim"))
    assert len(values) == 6
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert accuracies["LIM"][-1] == f"{100 * values.mean():.1f} [{100 * expected.low:.1f}, {100 * expected.high:.1f}]"
    paired = stats.ttest_rel(values, averages(tmp_path, "rand"))
    bounds = paired.confidence_interval(0.95)
    difference = np.mean(values - averages(tmp_path, "rand"))
    assert differences["LIM"][1] == f"{100 * difference:+.1f} [{100 * bounds.low:+.1f}, {100 * bounds.high:+.1f}]"
    assert differences["RAND"][1] == differences["FULL"][2] == differences["FULL"][3] == "-"


def test_contrasts_are_corrected_together_and_show_each_world(tmp_path, folders):
    text = write(tmp_path, folders)
    rows = json.loads((tmp_path / "evidence.json").read_text(encoding="utf-8"))["contrasts"]
    assert [(row["second"], row["benchmark"]) for row in rows] == [
        (other, name) for other in ("full", "rand") for name in ("easy", "hard", "average")
    ]
    assert [row["p_holm"] for row in rows] == pytest.approx(holm([row["p_value"] for row in rows]))
    last = rows[-1]
    per_seed = np.subtract(averages(tmp_path, "lim"), averages(tmp_path, "rand"))
    assert last["per_seed"] == pytest.approx(per_seed, abs=1e-6)
    assert last["worlds"] == pytest.approx([per_seed[:3].mean(), per_seed[3:].mean()], abs=1e-6)
    assert last["p_worlds"] == pytest.approx(stats.f_oneway(per_seed[:3], per_seed[3:]).pvalue, abs=1e-4)
    line = next(line for line in text.splitlines() if line.startswith("| RAND") and "Average" in line)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    worlds = [f"{100 * mean:+.1f}" for mean in last["worlds"]]
    assert cells[3:] == [f"{last['p_value']:.3f}", f"{last['p_holm']:.3f}", *worlds, f"{last['p_worlds']:.3f}"]


def test_an_effect_of_the_world_on_both_methods_cancels(tmp_path, folders):
    write(tmp_path, folders)
    before = json.loads((tmp_path / "evidence.json").read_text(encoding="utf-8"))["contrasts"]

    def easier(table):
        for row in table["methods"]:
            for entry in row["by_seed"]:
                entry["benchmarks"] = {name: value + 0.1 for name, value in entry["benchmarks"].items()}

    change_table(folders[1], easier)
    write(tmp_path, folders)
    after = json.loads((tmp_path / "evidence.json").read_text(encoding="utf-8"))["contrasts"]
    assert [row["p_value"] for row in after] == pytest.approx([row["p_value"] for row in before])


def test_the_power_is_that_of_the_spread_over_the_seeds(tmp_path, folders):
    found = next(table for table in tables(write(tmp_path, folders)) if "LIM - RAND" in table)
    spread = np.std(np.subtract(averages(tmp_path, "lim"), averages(tmp_path, "rand")), ddof=1)
    assert found["LIM - RAND"][0] == f"{100 * spread:.2f}"
    assert power(float(found["LIM - RAND"][1]), 100 * spread, 6) == pytest.approx(0.9, abs=0.005)


def test_the_page_shows_the_checkpoints_that_the_development_set_selects(tmp_path, folders):
    assert "The tables of these worlds have none" in write(tmp_path, folders)

    def better(table):
        rows = [row for row in table["methods"] if row["method"] != "base"]
        table["development_selected"] = deepcopy(rows)
        for row in table["development_selected"]:
            for entry in row["by_seed"]:
                entry["benchmarks"]["hard"] += 0.02 * (row["method"] == "lim")

    for folder in folders:
        change_table(folder, better)
    text = write(tmp_path, folders)
    assert "have none" not in text
    last, selected = (table for table in tables(text) if "Average" in table.get("Method", []))
    assert last["RAND"] == selected["RAND"] and last["Base model"] == selected["Base model"]
    rows = pl.read_csv(tmp_path / "evidence.csv").filter(method="lim", benchmark="average").sort("world", "seed")
    values = [rows.filter(checkpoint=name)["accuracy"].to_numpy() for name in ("last", "selected")]
    assert values[1] == pytest.approx(values[0] + 0.01, abs=2e-6)
    assert selected["LIM"][-1].startswith(f"{100 * values[1].mean():.1f} [")
    assert text.count("p (worlds) |") == 2
    page = json.loads((tmp_path / "evidence.json").read_text(encoding="utf-8"))
    assert [row["method"] for row in page["development_selected"]] == ["full", "rand", "lim"]


def test_rliables_statistics_take_the_benchmarks_of_each_world_as_tasks(tmp_path, folders):
    found = next(table for table in tables(write(tmp_path, folders)) if "Interquartile mean" in table.get("Method", []))
    rows = pl.read_csv(tmp_path / "evidence.csv").filter(pl.col("benchmark") != "average")
    wins = []
    for _, task in rows.group_by("world", "benchmark"):
        one, two = (task.filter(method=name)["accuracy"].to_numpy() for name in ("lim", "rand"))
        wins += [(first > second) + 0.5 * (first == second) for first in one for second in two]
    assert found["LIM"][2] == f"{np.mean(wins):.2f}"
    values = rows.filter(method="lim")["accuracy"].to_numpy()
    assert found["LIM"][0] == f"{100 * stats.trim_mean(values, 0.25):.1f}"


def test_costs_stand_with_and_without_the_probe(tmp_path, folders):
    ninety, ninety_five = (table for table in tables(write(tmp_path, folders)) if "Reached" in table.get("Method", []))
    assert ninety["LIM"] == ["6 of 6 seeds", "12 [12, 12]", "30 [30, 30]", "30 [30, 30]", "93 [93, 93]"]
    assert ninety_five["RAND"] == ["0 of 6 seeds", "-", "-", "-", "-"]


def test_a_target_that_some_seeds_miss_has_neither_mean_nor_difference(tmp_path, folders):
    columns = [f"{what}_to_90{words}" for what in ("rollouts", "tokens") for words in ("", "_with_probe")]
    missed = pl.when((pl.col("method") == "lim") & (pl.col("seed") == 1)).then(None)
    change_outcomes(folders[0], lambda rows: rows.with_columns(missed.otherwise(pl.col(columns)).name.keep()))
    text = write(tmp_path, folders)
    ninety = next(table for table in tables(text) if "Reached" in table.get("Method", []))
    assert ninety["LIM"][:2] == ["5 of 6 seeds", "12"]
    difference = next(table for table in tables(text) if "Area" in table.get("Methods", []))["LIM - RAND"]
    assert difference[1:3] == ["not all: 5 of 6"] * 2


def test_seeds_without_a_gain_of_full_have_no_target(tmp_path, folders):
    empty = [name for name in pl.read_csv(folders[0] / "outcomes.csv").columns if "_90" in name]
    lost = pl.when(pl.col("seed") == 0).then(None)
    change_outcomes(folders[0], lambda rows: rows.with_columns(lost.otherwise(pl.col(empty)).name.keep()))
    ninety = next(table for table in tables(write(tmp_path, folders)) if "Reached" in table.get("Method", []))
    assert ninety["LIM"][0] == "5 of 5 seeds"


def test_the_worlds_and_their_configurations_are_listed(tmp_path, folders):
    text = write(tmp_path, folders)
    worlds = tables(text)[-1]
    assert worlds["world 2"][:3] == ["2", "2", "0, 1, 2"]
    assert text.startswith("# Evidence\n\n6 training seeds: 3 seeds of world 1, 3 seeds of world 2.")
    assert text.count("Versions") == 1 and "polars" in text

    change_table(folders[1], lambda table: table["versions"].update(polars="0.1"))
    text = write(tmp_path, folders)
    assert "Versions (world 1)" in text and "Versions (world 2)" in text and "polars 0.1" in text


def test_the_same_results_give_the_same_bytes(tmp_path, folders):
    outputs = [tmp_path / f"evidence.{suffix}" for suffix in KINDS.values()]
    write(tmp_path, folders)
    before = [file.read_bytes() for file in outputs]
    write(tmp_path, folders)
    assert [file.read_bytes() for file in outputs] == before


def test_fewer_than_three_seeds_in_all_are_refused(tmp_path):
    folder = write_world(tmp_path / "world_1", 1, configuration_of(1) | {"seeds": [0, 1]})
    with refused(found="2 training seeds", expected="at least 3"):
        write(tmp_path, [folder])


def test_without_lim_there_are_no_contrasts(tmp_path):
    configuration = configuration_of(1)
    del configuration["methods"]["lim"]
    text = write(tmp_path, [write_world(tmp_path / "world_1", 1, configuration)])
    assert "minus each other method" not in text and "Minus RAND" in text
    assert not (tmp_path / "evidence.svg").exists()
