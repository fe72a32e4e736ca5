"""probe_measure.md and .csv from small probes: the numbers by hand, and which rows count once."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from table2_run import rows_of

from limr.files.contracts import write_parquet
from limr.report.first_pass import quarters
from limr.report.probe_measure import ProbeFiles, write_probe_measure

PROMPTS = [f"p{number}" for number in range(8)]
METHODS = {
    "lim": {"score": "lim", "keep": {"top": 2}},
    "lim_early": {"score": "lim", "keep": {"top": 2}, "probe": {"visits": 1}},
    "learnability": {"score": "learnability", "keep": {"top": 4}},
}


def curves(late: list[str]) -> pl.DataFrame:
    """Prompts that rise early, and those of ``late``; LIM prefers curves like the mean."""
    rows = [
        (prompt, epoch, reward, (reward + 1) / 2, 8)
        for prompt in PROMPTS
        for epoch, reward in enumerate((-1.0, -1.0, 1.0) if prompt in late else (-1.0, 0.5, 0.75))
    ]
    names = ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"]
    return pl.DataFrame(rows, names, orient="row")


def names(seed: int) -> list[str]:
    return [f"v{seed}.parquet", f"c{seed}.parquet", f"rollouts{seed}", f"measured{seed}"]


def write_probe(folder: Path, seed: int, by_visits: list[str], by_checkpoints: list[str]) -> ProbeFiles:
    files = ProbeFiles(*(folder / name for name in names(seed)))
    write_parquet(curves(by_visits), files.visits, "trajectories")
    write_parquet(curves(by_checkpoints), files.checkpoints, "trajectories")
    steps = {prompt: (number // 2 + seed) % 4 for number, prompt in enumerate(PROMPTS)}
    rollouts = pl.DataFrame({"prompt_id": PROMPTS, "step": [steps[prompt] for prompt in PROMPTS]})
    rollouts = pl.concat([rollouts.with_columns(visit=visit) for visit in (0, 1)])
    write_parquet(rows_of("rollouts", rollouts), files.trained / "0.parquet", "rollouts")
    write_parquet(rows_of("rollouts", rollouts[:4], response_tokens=7), files.measured / "0.parquet", "rollouts")
    return files


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Two seeds; the two measures of seed 0 agree."""
    rare = PROMPTS[:3]
    probes = {0: write_probe(tmp_path, 0, rare, rare), 1: write_probe(tmp_path, 1, rare, PROMPTS[:6])}
    write_page(tmp_path, METHODS, probes)
    return tmp_path


def write_page(folder: Path, methods: dict[str, Any], probes: dict[int, ProbeFiles]) -> None:
    prompts = folder / "prompts.parquet"
    write_parquet(rows_of("prompts", pl.DataFrame({"prompt_id": PROMPTS}), gradable=True), prompts, "prompts")
    outputs = {kind: folder / f"probe_measure.{suffix}" for kind, suffix in (("markdown", "md"), ("csv", "csv"))}
    write_probe_measure(methods, probes, prompts, "drop", outputs)


def test_the_first_pass_is_divided_into_quarters_by_step(written: Path) -> None:
    assert quarters(written / "rollouts0").sort("prompt_id")["quarter"].to_list() == [1, 1, 2, 2, 3, 3, 4, 4]
    assert quarters(written / "rollouts1").sort("prompt_id")["quarter"].to_list() == [2, 2, 3, 3, 4, 4, 1, 1]


def test_equal_curves_give_equal_selections_and_others_need_not(written: Path) -> None:
    table = pl.read_csv(written / "probe_measure.csv").filter(comparison="measures", method="lim")
    assert table["seed"].to_list() == [0, 1]
    assert table["chance"].to_list() == [0.25, 0.25]
    assert table["overlap"][0] == 1 and table["spearman"][0] == 1
    assert table["spearman"][1] < 1


def test_a_row_that_differs_in_its_probe_only_counts_once(written: Path) -> None:
    assert pl.read_csv(written / "probe_measure.csv")["method"].unique(maintain_order=True).to_list() == [
        "lim",
        "learnability",
    ]


def test_the_shares_of_the_quarters_add_up_to_the_selection(written: Path) -> None:
    table = pl.read_csv(written / "probe_measure.csv").filter(comparison="first pass")
    selected = table.group_by("method", "measure", "seed").agg(pl.len(), pl.col("selected").mean())
    assert selected["len"].unique().to_list() == [4]
    assert dict(selected.group_by("method").agg(pl.col("selected").unique()).iter_rows()) == {
        "lim": [0.25],
        "learnability": [0.5],
    }


def test_the_page_has_a_line_for_each_method_and_quarter(written: Path) -> None:
    text = (written / "probe_measure.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in lines if "---" not in line] == [
        *["method", "lim", "learnability"] * 2,
        *["quarter", "1", "2", "3", "4"],
        *["generated in", "training the probe", "sampling from its checkpoints"],
    ]
    assert "| sampling from its checkpoints | 4 | 28 |" in text and "| training the probe | 16 | 16 |" in text
    assert "mean over the one pair" in text and "mean over 2 seeds" in text
    assert "25.0 %" in text


def test_writing_twice_gives_the_same_bytes(written: Path, tmp_path: Path) -> None:
    first = [(written / f"probe_measure.{kind}").read_bytes() for kind in ("md", "csv")]
    probes = {seed: ProbeFiles(*(written / name for name in names(seed))) for seed in (0, 1)}
    outputs = {"markdown": written / "probe_measure.md", "csv": written / "probe_measure.csv"}
    write_probe_measure(METHODS, probes, written / "prompts.parquet", "drop", outputs)
    assert [(written / f"probe_measure.{kind}").read_bytes() for kind in ("md", "csv")] == first


def test_fewer_prompts_with_a_score_by_the_checkpoints_are_all_selected(tmp_path: Path) -> None:
    """The visits of training solve all eight prompts, the checkpoints only six of them."""
    files = write_probe(tmp_path, 0, [], [])
    unsolved = pl.col("prompt_id").is_in(PROMPTS[:2])
    rows = curves([]).with_columns(accuracy=pl.when(unsolved).then(0.0).otherwise("accuracy"))
    write_parquet(rows, files.checkpoints, "trajectories")
    write_page(tmp_path, {"solvable": {"score": "rand_solvable", "keep": "all"}}, {0: files})
    found = pl.read_csv(tmp_path / "probe_measure.csv").filter(comparison="measures")
    assert found["selected"].to_list() == [1.0]
    assert found["overlap"].to_list() == pytest.approx([2 * 6 / (8 + 6)], abs=1e-6)


def test_a_mean_of_rank_correlations_needs_that_of_every_seed(tmp_path: Path) -> None:
    """By the checkpoints of seed 1, all curves are the same, and so are their scores."""
    rare = PROMPTS[:3]
    probes = {0: write_probe(tmp_path, 0, rare, rare), 1: write_probe(tmp_path, 1, rare, [])}
    write_page(tmp_path, {"lim": METHODS["lim"]}, probes)
    numbers = pl.read_csv(tmp_path / "probe_measure.csv").filter(comparison="measures")
    assert numbers["spearman"].to_list() == [1.0, None]
    lines = (tmp_path / "probe_measure.md").read_text(encoding="utf-8").splitlines()
    of_lim = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| lim")]
    assert of_lim[0][-1] == "-", "both measures, by seed"
    assert of_lim[1][-2:] == ["1.000", "-"], "between the seeds, by visits and by checkpoints"
