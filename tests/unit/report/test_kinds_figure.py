"""Figure 2a: the drawn numbers are read back from the figure and from its CSV."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from figure_files import write_curves
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from readable import assert_readable
from refusals import refused

from limr.files.contracts import write_parquet
from limr.report import column_figure
from limr.report.kinds_figure import write_kinds_figure

KINDS = {"never solved": [0, 0, 0, 0], "solved": [1, 1, 0.75, 1], "learned": [0, 0.25, 0.5, 1], "other": [0.5] * 4}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures: list[Figure] = []
    monkeypatch.setattr(column_figure, "save_figure", lambda figure, path, dpi: figures.append(figure))
    return figures


def write_probe(path: Path, of_each: int = 15, shift: float = 0.0, kinds: dict[str, list[float]] = KINDS) -> Path:
    """Trajectories with ``of_each`` prompts of each kind. Rewards are 2 x accuracy - 1 + ``shift``; lower for p000."""
    accuracies = np.array([curve for curve in kinds.values() for _ in range(of_each)])
    rewards = 2 * accuracies - 1 + shift
    rewards[0] -= 0.3
    frame = pl.read_parquet(write_curves(path, rewards)).with_columns(accuracy=pl.Series(accuracies.ravel()))
    write_parquet(frame, path, "trajectories")
    return path


def write(folder: Path, probes: list[Path]) -> pl.DataFrame:
    outputs = {kind: folder / f"figure.{kind}" for kind in ("svg", "png", "csv")}
    write_kinds_figure(probes, list(range(len(probes))), 0.95, outputs)
    return pl.read_csv(outputs["csv"])


def lines(axes: Axes, width: float) -> list[list[float]]:
    return [line.get_ydata().tolist() for line in axes.lines if line.get_linewidth() == width and len(line.get_ydata())]


def test_each_kind_has_thin_prompts_a_thick_mean_and_the_mean_of_all(tmp_path: Path, drawn: list[Figure]) -> None:
    write(tmp_path, [write_probe(tmp_path / "seed0.parquet")])
    never, solved, learned = drawn[0].axes
    assert [axes.get_title().replace("\n", " ") for axes in drawn[0].axes] == [
        "never solved (25.0 %)", "solved almost from the start (25.0 %)", "learned along the way (25.0 %)"
    ]  # fmt: skip
    assert lines(learned, 0.5) == [pytest.approx([-1, -0.5, 0, 1])] * 6
    assert lines(learned, 1.8) == [pytest.approx([-1, -0.5, 0, 1])]
    assert lines(never, 1.8) == [pytest.approx([-1.02] * 4)]
    assert lines(solved, 1) == lines(never, 1) == [pytest.approx([-0.255, -0.13, -0.13, 0.245])]
    assert not [part for axes in drawn[0].axes for part in axes.collections]


def test_the_mean_over_three_seeds_has_a_t_interval(tmp_path: Path, drawn: list[Figure]) -> None:
    probes = [write_probe(tmp_path / f"seed{seed}.parquet", shift=0.04 * seed) for seed in range(3)]
    rows = write(tmp_path, probes)
    mean = rows.filter(pl.col("prompt_id").is_null(), pl.col("kind") == "learned along the way", pl.col("visit") == 3)
    row = mean.row(0, named=True)
    assert (row["seed_0"], row["seed_1"], row["seed_2"], row["mean"], row["prompts"]) == (1, 1.04, 1.08, 1.04, 15)
    # the 95 % quantile of t with two degrees of freedom is 4.30; the standard error is 0.04 / sqrt(3)
    assert (row["low"], row["high"]) == pytest.approx((1.04 - 0.09937, 1.04 + 0.09937), abs=1e-4)
    bands = [part for part in drawn[0].axes[2].collections if isinstance(part, FillBetweenPolyCollection)]
    assert len(bands) == 2, "of the kind and of all prompts"


def test_the_csv_has_the_drawn_prompts_by_their_id(tmp_path: Path) -> None:
    rows = write(tmp_path, [write_probe(tmp_path / "seed0.parquet")])
    single = rows.filter(pl.col("prompt_id").is_not_null(), pl.col("kind") == "never solved")
    assert single["prompt_id"].unique(maintain_order=True).to_list() == [f"p{number:03d}" for number in range(6)]
    assert single.filter(prompt_id="p000")["seed_0"].to_list() == pytest.approx([-1.3] * 4)
    assert set(rows["kind"]) == {"never solved", "solved almost from the start", "learned along the way", "all prompts"}


def test_a_kind_without_prompts_has_an_empty_panel(tmp_path: Path, drawn: list[Figure]) -> None:
    without = {name: curve for name, curve in KINDS.items() if name != "solved"}
    write(tmp_path, [write_probe(tmp_path / "seed0.parquet", kinds=without)])
    solved = drawn[0].axes[1]
    assert solved.get_title().endswith("(0.0 %)")
    assert lines(solved, 0.5) == lines(solved, 1.8) == []
    assert_readable(drawn[0])


def test_rewards_alone_do_not_tell_kinds_and_the_figure_says_so(tmp_path: Path, drawn: list[Figure]) -> None:
    path = write_probe(tmp_path / "seed0.parquet")
    write_parquet(pl.read_parquet(path).with_columns(accuracy=pl.lit(None, pl.Float64)), path, "trajectories")
    assert write(tmp_path, [path]).is_empty()
    assert "the log has only rewards" in drawn[0].texts[0].get_text()
    assert_readable(drawn[0])


def test_seeds_with_different_visits_are_refused(tmp_path: Path) -> None:
    first, second = write_probe(tmp_path / "seed0.parquet"), tmp_path / "seed1.parquet"
    write_curves(second, np.zeros((8, 3)))
    with refused(where=second, found="3 visits", expected=f"4, as in {first}"):
        write(tmp_path, [first, second])


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    probes = [write_probe(tmp_path / f"seed{seed}.parquet", shift=0.04 * seed) for seed in range(2)]
    write(tmp_path, probes)
    first = [(tmp_path / f"figure.{kind}").read_bytes() for kind in ("svg", "png", "csv")]
    write(tmp_path, probes)
    assert first == [(tmp_path / f"figure.{kind}").read_bytes() for kind in ("svg", "png", "csv")]


def test_it_is_readable_at_the_width_of_a_column(tmp_path: Path, drawn: list[Figure]) -> None:
    write(tmp_path, [write_probe(tmp_path / "seed0.parquet")])
    assert_readable(drawn[0])
