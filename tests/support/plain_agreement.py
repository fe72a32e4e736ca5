"""Agreement of two scores in plain Python."""


def rank_correlation(first: list[float], second: list[float]) -> float | None:
    """Spearman's rank correlation; equal values have the mean of their ranks. None where it is undefined."""
    both = [(a, b) for a, b in zip(first, second, strict=True) if a == a and b == b]

    def centred(values):
        ranks = [sum(w < v for w in values) + (1 + sum(w == v for w in values)) / 2 for v in values]
        return [rank - sum(ranks) / len(ranks) for rank in ranks]

    x, y = (centred([pair[k] for pair in both]) for k in (0, 1))
    size = (sum(a * a for a in x) * sum(b * b for b in y)) ** 0.5
    return sum(a * b for a, b in zip(x, y, strict=True)) / size if size else None
