"""The score methods and selection rules of docs/methods.md in plain loops."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import Any

from campaign.plain import Curves, UnsureError

Values = dict[str, list[float]]

REWARD_METHODS = ("lim", "cosine", "pearson")
BY_ACCURACY = ("standard_deviation", "slope")  # with the option signal, whose default is accuracy
ACCURACY_METHODS = ("linear", "learnability", "zero_variance", "pass_rate_band", "greso", "mopps", "prioritised")


def complete_curves(curves: Curves, signal: str, visits: int | None, missing: str) -> tuple[Values, int]:
    """The curves without gaps, and the number of visits that count."""
    cut = {name: [v for v in curve if visits is None or v.epoch < visits] for name, curve in curves.items()}
    points = [visit for curve in cut.values() for visit in curve]
    sizes = Counter(visit.samples for visit in points)
    usual = max(size for size in sizes if sizes[size] == max(sizes.values()))
    if any((visit.reward if signal == "reward" else visit.accuracy) is None for visit in points):
        raise UnsureError(f"the {signal} is not known")
    whole = Counter(visit.epoch for visit in points if visit.samples >= usual)
    counted = [epoch for epoch, number in whole.items() if number >= 0.9 * len(curves)]
    if not counted:
        raise UnsureError("no visit counts")
    n_visits = max(counted) + 1
    found = {}
    for name, curve in cut.items():
        by_epoch = {v.epoch: v.reward if signal == "reward" else v.accuracy for v in curve if v.samples >= usual}
        row = [by_epoch.get(epoch) for epoch in range(n_visits)]
        if missing == "next":
            row = [
                row[epoch + 1] if value is None and epoch + 1 < n_visits else value for epoch, value in enumerate(row)
            ]
        if None not in row:
            found[name] = row
    if not found:
        raise UnsureError("no prompt has every visit")
    return found, n_visits


def lim(values: Values, best: float = 1.0) -> dict[str, float]:
    """1 - sum (r - c)^2 / sum (b - c)^2."""
    curve = [fmean(column) for column in zip(*values.values(), strict=True)]
    below = math.fsum((best - c) ** 2 for c in curve)
    if below < 1e-6 or max(map(max, values.values())) > best + 1e-6:
        raise UnsureError("LIM refuses this")
    return {
        name: 1 - math.fsum((r - c) ** 2 for r, c in zip(row, curve, strict=True)) / below
        for name, row in values.items()
    }


def scores_by(method: str, values: Values, options: Mapping[str, Any]) -> dict[str, float]:
    """The scores of the prompts that have one."""
    if method == "lim":
        return lim(values, options.get("best_reward", 1.0))
    n_visits = len(next(iter(values.values())))
    if method in ("linear", "slope", "pearson") and n_visits < 2:
        raise UnsureError("one visit")
    mean = [fmean(column) for column in zip(*values.values(), strict=True)]
    if method in ("cosine", "pearson"):
        return {name: value for name, row in values.items() if (value := _cosine(row, mean, method)) is not None}
    line = [k / (n_visits - 1) for k in range(n_visits)] if n_visits > 1 else [0.0]
    formulas: dict[str, Callable[[list[float]], float]] = {
        "linear": lambda row: 1 - _squares(row, line) / _squares([1.0] * n_visits, line),
        "standard_deviation": lambda row: math.sqrt(fmean((r - fmean(row)) ** 2 for r in row)),
        "slope": lambda row: _slope(row, n_visits),
        "learnability": lambda row: fmean(p * (1 - p) for p in row),
        "zero_variance": lambda row: fmean(float(0 < p < 1) for p in row),
        "pass_rate_band": lambda row: min(
            fmean(row) - options.get("lowest", 0.2), options.get("highest", 0.8) - fmean(row)
        ),
        "prioritised": lambda row: 1 - fmean(row),
        "greso": lambda row: options.get("exploration", 0.5) ** _streak(row),
    }
    if method not in formulas:
        raise UnsureError(method)
    return {name: formulas[method](row) for name, row in values.items()}


def _cosine(row: list[float], mean: list[float], method: str) -> float | None:
    if method == "pearson":
        row, mean = [r - fmean(row) for r in row], [c - fmean(mean) for c in mean]
    if max(map(abs, mean)) < 1e-6:
        raise UnsureError("no direction")
    if max(map(abs, row)) < 1e-6:
        return None
    dot = math.fsum(r * c for r, c in zip(row, mean, strict=True))
    return dot / math.sqrt(math.fsum(r * r for r in row) * math.fsum(c * c for c in mean))


def _squares(row: Sequence[float], other: Sequence[float]) -> float:
    return math.fsum((r - o) ** 2 for r, o in zip(row, other, strict=True))


def _slope(row: list[float], n_visits: int) -> float:
    centre = (n_visits - 1) / 2
    return math.fsum((k - centre) * r for k, r in enumerate(row)) / sum((k - centre) ** 2 for k in range(n_visits))


def _streak(row: list[float]) -> int:
    """Visits at the end of the curve at which all samples were right, or all wrong."""
    streak = 0
    for p in reversed(row):
        if 0 < p < 1:
            break
        streak += 1
    return streak


def chosen(ranked: Sequence[tuple[str, float]], rule: str, n_prompts: int) -> set[str]:
    """The ids that ``--keep rule`` selects of the scored prompts, which are given best first."""
    if rule == "all":
        return {name for name, _ in ranked}
    name, _, text = rule.partition("=")
    number = float(text)
    scores = sorted(score for _, score in ranked)
    match name:
        case "top":
            return {prompt_id for prompt_id, _ in ranked[: int(number)]}
        case "share":
            return {prompt_id for prompt_id, _ in ranked[: round(number * n_prompts)]}
        case "theta":
            theta = number
        case "quantile":
            theta = scores[math.ceil(round(number * (len(scores) - 1), 9))]
        case _:  # theta_for: the size closest to the number; of two, the smaller
            sizes = {theta: sum(score >= theta for score in scores) for theta in set(scores)}
            theta = min(sizes, key=lambda theta: (abs(sizes[theta] - number), sizes[theta]))
    return {prompt_id for prompt_id, score in ranked if score >= theta}


def memberships(scores: Mapping[str, float], number: int) -> dict[str, float]:
    """The best ``number`` prompts; those that tie for the last places share them."""
    if len(scores) <= number:
        return dict.fromkeys(scores, 1.0)
    cut = sorted(scores.values(), reverse=True)[number - 1]
    above = [name for name, score in scores.items() if score > cut]
    tied = [name for name, score in scores.items() if score == cut]
    return dict.fromkeys(above, 1.0) | dict.fromkeys(tied, (number - len(above)) / len(tied))


def overlap(first: Mapping[str, float], second: Mapping[str, float], number: int) -> float:
    """The share of one selection that the other contains."""
    one, other = memberships(first, number), memberships(second, number)
    both = sum(min(share, other.get(name, 0.0)) for name, share in one.items())
    return 2 * both / (sum(one.values()) + sum(other.values()))


def spearman(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """The correlation of the ranks; tied scores have the mean of their ranks."""
    both = sorted(set(first) & set(second))
    if len(both) < 2:
        return None
    one, other = (_ranks([scores[name] for name in both]) for scores in (first, second))
    one, other = [r - fmean(one) for r in one], [r - fmean(other) for r in other]
    size = math.sqrt(math.fsum(r * r for r in one) * math.fsum(r * r for r in other))
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / size if size > 1e-9 else None


def _ranks(values: list[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) + 1) / 2 for value in values
    ]
