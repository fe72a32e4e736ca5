"""RAND: uniform numbers that depend on the prompt's id and the seed only."""

import numpy as np

from limr.selection.methods.rand import rand


def test_scores_depend_on_the_ids_and_the_seed_only():
    ids = [f"p{i}" for i in range(50)]
    scores = rand(ids, seed=3)
    assert rand(ids[::-1], seed=3) == scores[::-1]
    assert rand(ids[:10], seed=3) == scores[:10]
    assert all(one != other for one, other in zip(rand(ids, seed=4), scores, strict=True))


def test_scores_are_uniform_and_not_correlated_between_seeds():
    ids = [str(i) for i in range(20_000)]
    first, second = (np.array(rand(ids, seed)) for seed in (0, 1))
    # 5 standard errors each
    assert abs(first.mean() - 0.5) < 5 * np.sqrt(1 / 12 / len(ids))
    assert (np.abs(np.histogram(first, 10, (0, 1))[0] - 2000) < 5 * np.sqrt(1800)).all()
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / np.sqrt(len(ids))
