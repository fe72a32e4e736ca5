"""Learning curves: the drawn numbers are read back from the figure."""

import pytest
from figure_files import write_metrics
from matplotlib.figure import Figure
from refusals import refused

from limr.errors import ContractError
from limr.report import learning_curves
from limr.report.learning_curves import write_learning_curves
from limr.report.looks import method_looks


@pytest.fixture
def drawn(monkeypatch) -> list[Figure]:
    """The figures that would have been saved."""
    figures = []
    monkeypatch.setattr(learning_curves, "save_figure", lambda figure, path: figures.append(figure))
    return figures


def test_learning_curves_draw_each_seed_thin_and_their_mean_bold(tmp_path, drawn):
    runs = [write_metrics(tmp_path / f"{seed}.parquet", [0.0, 0.2 * seed, 0.4 * seed]) for seed in (1, 2)]
    write_learning_curves({"lim": runs}, tmp_path / "figure.png")
    rewards, accuracies = drawn[0].axes
    assert [line.get_ydata().tolist() for line in rewards.lines[:2]] == [[0.0, 0.2, 0.4], [0.0, 0.4, 0.8]]
    bold = max(rewards.lines, key=lambda line: line.get_linewidth())
    assert bold.get_ydata().tolist() == pytest.approx([0.0, 0.3, 0.6])
    assert bold.get_color() == method_looks(["lim"])["lim"].colour
    assert accuracies.lines[-1].get_xdata().tolist() == [0, 2], "steps without an evaluation are left out"


def test_the_same_input_gives_the_same_bytes(tmp_path):
    metrics = {"lim": [write_metrics(tmp_path / "m.parquet", [0.1, 0.2])]}
    for name in ("1.png", "2.png"):
        write_learning_curves(metrics, tmp_path / name)
    assert (tmp_path / "1.png").read_bytes() == (tmp_path / "2.png").read_bytes()
    assert (tmp_path / "1.png").read_bytes().startswith(b"\x89PNG")


def test_a_truncated_file_is_named_and_leaves_the_old_figure(tmp_path):
    output = tmp_path / "figure.png"
    metrics = write_metrics(tmp_path / "m.parquet", [0.1, 0.2])
    write_learning_curves({"lim": [metrics]}, output)
    before = output.read_bytes()
    metrics.write_bytes(metrics.read_bytes()[:100])
    with refused(ContractError, where=metrics, what="cannot be read"):
        write_learning_curves({"lim": [metrics]}, output)
    assert output.read_bytes() == before
