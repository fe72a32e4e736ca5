"""Figure 2a: trajectories by kind of prompt: never solved, solved almost from the start, learned along the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from limr.errors import LimrError
from limr.files.markdown import percentage
from limr.report.column_figure import WIDTH, column_style, legend_below, save_with_numbers
from limr.report.selection_summary import ALONG, NEVER, START, kinds_of_prompts
from limr.report.step_curves import Curve
from limr.report.style import plain_axes
from limr.trajectories import Trajectories, known_signals, visit_matrix

_SINGLE = 6  # number of single curves of a kind: more would be illegible
_MARKED = 6  # number of markers on a mean
_HEIGHT = 2.2  # inches
_ALL = "all prompts"
_KINDS = {  # title, colour and marker
    NEVER: ("never solved", "#D55E00", "s"),
    START: ("solved almost\nfrom the start", "#0072B2", "o"),
    ALONG: ("learned along\nthe way", "#009E73", "^"),
}
_UNKNOWN = "Not drawn: kinds of prompts are defined by accuracy,\nbut the log has only rewards."


@dataclass(frozen=True)
class _Probe:
    """One seed: the prompts that have every visit, their kinds, and their curves [prompts, visits]."""

    prompt_ids: np.ndarray
    kinds: np.ndarray
    values: np.ndarray

    def of(self, kind: str) -> np.ndarray:
        """Which prompts are of ``kind``: [prompts]."""
        return np.full(len(self.kinds), fill_value=True) if kind == _ALL else self.kinds == kind


def write_kinds_figure(
    trajectories: Sequence[Path], seeds: Sequence[int], confidence: float, outputs: Mapping[str, Path]
) -> None:
    """Draw some prompts of each kind (thin) and the kind's mean (thick) to ``outputs["svg"]`` and ``outputs["png"]``.

    ``trajectories`` has one file per seed. The single prompts are the first of each kind by ``prompt_id``, a hash, in
    the first seed. Bands over the seeds are those of ``Curve.band``. ``outputs["csv"]`` gets the numbers. Prompts that
    lack a visit are left out. Rewards are drawn if all trajectories have them, otherwise accuracies. Without accuracies
    the kinds are unknown, and the figure says so.

    Raises LimrError when two seeds have different numbers of visits.
    """
    curves = [Trajectories.read(path) for path in trajectories]
    signals = [signal for signal in known_signals(curves[0]) if all(signal in known_signals(each) for each in curves)]
    with column_style():
        figure = Figure(figsize=(WIDTH, _HEIGHT), layout="constrained")
        if "accuracy" not in signals:
            figure.text(0.5, 0.5, _UNKNOWN, ha="center", va="center")
            save_with_numbers(figure, pl.DataFrame(schema={"kind": pl.String}), outputs)
            return
        probes = [_probe(each, signals[0]) for each in curves]
        _refuse_other_visits(probes, trajectories)
        means = {kind: _mean(probes, kind, confidence) for kind in (*_KINDS, _ALL)}
        _draw(figure, probes, means, signals[0])
        save_with_numbers(figure, _numbers(probes, means, seeds), outputs)


def _probe(curves: Trajectories, signal: str) -> _Probe:
    matrix, _ = visit_matrix(curves, signal).without_gaps()
    ids = pl.DataFrame({"prompt_id": matrix.prompt_ids})
    kinds = ids.join(kinds_of_prompts(curves), on="prompt_id", how="left", maintain_order="left")["kind"]
    return _Probe(np.array(matrix.prompt_ids), kinds.to_numpy(), matrix.values)


def _refuse_other_visits(probes: Sequence[_Probe], files: Sequence[Path]) -> None:
    first = probes[0].values.shape[1]
    for probe, file in zip(probes, files, strict=True):
        if (visits := probe.values.shape[1]) != first:
            raise LimrError(
                where=file,
                found=f"{visits} visits",
                expected=f"{first}, as in {files[0]}",
                advice="Delete the file that is wrong, and give the same `snakemake` command again.",
            )


def _mean(probes: Sequence[_Probe], kind: str, confidence: float) -> Curve | None:
    """The kind's mean curve of each seed; None if a seed has no such prompt."""
    groups = [probe.values[probe.of(kind)] for probe in probes]
    if not all(map(len, groups)):
        return None
    values = np.array([group.mean(axis=0) for group in groups])
    return Curve(np.arange(values.shape[1]), values, confidence)


def _draw(figure: Figure, probes: Sequence[_Probe], means: Mapping[str, Curve | None], signal: str) -> None:
    panels = figure.subplots(1, len(_KINDS), sharex=True, sharey=True)
    for axes, (kind, (title, colour, marker)) in zip(panels, _KINDS.items(), strict=True):
        for curve in _single(probes[0], kind).values():
            axes.plot(curve, color=colour, linewidth=0.5, alpha=0.55)
        _draw_mean(axes, means[_ALL], "#000000", linestyle="--", linewidth=1)
        _draw_mean(axes, means[kind], colour, marker=marker, linewidth=1.8, markersize=3.2, markeredgewidth=0)
        share = np.mean([probe.of(kind).mean() for probe in probes])
        axes.set_title(f"{title}\n({percentage(share)})")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=4))
        plain_axes(axes)
    panels[0].set_ylabel(f"mean {signal} of the visit")
    panels[1].set_xlabel("visit to the prompt, from 0")
    labels = {"one prompt": (0.5, "-", ""), "mean of the kind": (1.8, "-", "o"), "mean of all": (1, "--", "")}
    for label, (width, line, marker) in labels.items():
        colour = "#000000" if line == "--" else "#777777"
        panels[0].plot([], [], color=colour, linewidth=width, linestyle=line, marker=marker, markersize=3, label=label)
    legend_below(figure, panels[0])


def _draw_mean(axes: Axes, curve: Curve | None, colour: str, **line: object) -> None:
    if curve is None:
        return
    if curve.band is not None:
        axes.fill_between(curve.steps, *curve.band, color=colour, alpha=0.2, linewidth=0)
    axes.plot(curve.steps, curve.mean, color=colour, markevery=max(1, len(curve.steps) // _MARKED), **line)


def _single(probe: _Probe, kind: str) -> dict[str, np.ndarray]:
    rows = np.flatnonzero(probe.of(kind))[:_SINGLE]
    return {str(probe.prompt_ids[row]): probe.values[row] for row in rows}


def _numbers(probes: Sequence[_Probe], means: Mapping[str, Curve | None], seeds: Sequence[int]) -> pl.DataFrame:
    """One row per curve and visit. ``prompt_id`` is empty for a mean; ``prompts`` is the mean number over the seeds."""
    names = [f"seed_{seed}" for seed in seeds]
    tables = []
    for kind, curve in means.items():
        prompts = float(np.mean([probe.of(kind).sum() for probe in probes]))
        if curve is not None:
            low, high = curve.band or (np.full(len(curve.steps), np.nan),) * 2
            of_seeds = dict(zip(names, curve.values, strict=True))
            tables.append(_table(kind, None, prompts, {"mean": curve.mean, "low": low, "high": high} | of_seeds))
        if kind != _ALL:
            tables += [
                _table(kind, prompt, 1.0, {names[0]: values}) for prompt, values in _single(probes[0], kind).items()
            ]
    order = ["kind", "prompt_id", "prompts", "visit", "mean", "low", "high", *names]
    return pl.concat(tables, how="diagonal").select(order)


def _table(kind: str, prompt_id: str | None, prompts: float, columns: Mapping[str, np.ndarray]) -> pl.DataFrame:
    visits = pl.int_range(len(next(iter(columns.values()))), eager=True)
    fixed = (
        pl.lit(kind).alias("kind"),
        pl.lit(prompt_id, pl.String).alias("prompt_id"),
        pl.lit(prompts).alias("prompts"),
    )
    return pl.DataFrame({"visit": visits, **columns}).select(*fixed, pl.all())
