"""Methods side by side: against plain Python, ties and missing scores, means over seeds, and what is refused."""

import random

import numpy as np
import polars as pl
import pytest
from plain_agreement import rank_correlation
from probe_curves import curves, plain_overlap
from refusals import refused

from limr.report.comparison import compare, compare_scores
from limr.trajectories import Trajectories


def frame(scores: dict[str, float | None], method: str = "m") -> pl.DataFrame:
    """The columns of contract ``scores`` that a comparison reads."""
    return pl.DataFrame(
        {"method": method, "prompt_id": list(scores), "score": pl.Series(scores.values(), dtype=pl.Float64)}
    )


def with_ties_and_gaps(seed: int, size: int = 30) -> dict[str, float | None]:
    generator = random.Random(seed)
    return {f"p{row:02}": generator.choice([None, 0.0, 0.5, 0.75, 1.0, generator.random()]) for row in range(size)}


def test_every_pair_is_compared_as_in_plain_python():
    scores = {name: with_ties_and_gaps(seed) for seed, name in enumerate(("a", "b", "c"))}
    found = compare_scores([{name: frame(of, name) for name, of in scores.items()}], share=0.3)
    assert found.pairs.select("first", "second").rows() == [("a", "b"), ("a", "c"), ("b", "c")]
    for row in found.pairs.iter_rows(named=True):
        one, other = scores[row["first"]], scores[row["second"]]
        assert row["prompts"] == sum(one[name] is not None and other[name] is not None for name in one)
        expected = rank_correlation(*[[np.nan if v is None else v for v in of.values()] for of in (one, other)])
        assert row["spearman"] == pytest.approx(expected, abs=1e-12)
        known = [{name: score for name, score in of.items() if score is not None} for of in (one, other)]
        assert row["overlap"] == pytest.approx(plain_overlap(*known, 9), abs=1e-12)
        assert row["chance"] == 0.3


def test_missing_and_tied_scores_are_counted():
    scores = {
        "a": frame({"w": 1.0, "x": 0.5, "y": 0.5, "z": None}),
        "b": frame({"w": 1.0, "x": 0.5, "y": 0.2, "z": 0.1}),
    }
    rows = compare_scores([scores], share=0.5).methods.rows(named=True)
    assert rows == [
        {"method": "a", "prompts": 4, "scored": 3, "without_score": 1, "distinct": 2, "tied_at_cut": 2},
        {"method": "b", "prompts": 4, "scored": 4, "without_score": 0, "distinct": 4, "tied_at_cut": 0},
    ]


def test_two_methods_that_tie_all_prompts_have_no_overlap():
    same, other = dict.fromkeys("abcd", 0.5), dict.fromkeys("abcd", 0.25)
    scores = {"same": same, "other": other, "ranked": dict(zip("abcd", (1.0, 2.0, 3.0, 4.0), strict=True))}
    found = compare_scores([{name: frame(of, name) for name, of in scores.items()}], share=0.25).pairs
    assert found.select("first", "second", "overlap", "spearman").rows() == [
        ("same", "other", None, None),
        ("same", "ranked", 0.25, None),
        ("other", "ranked", 0.25, None),
    ]


def test_rows_may_be_in_any_order():
    one, other = with_ties_and_gaps(0), with_ties_and_gaps(1)
    shuffled = dict(random.Random(2).sample(list(other.items()), len(other)))
    first, second = (compare_scores([{"a": frame(one), "b": frame(of)}], share=0.3) for of in (other, shuffled))
    assert first.pairs.equals(second.pairs)


def test_methods_are_scored_from_trajectories_and_full_agrees_with_each_by_chance():
    trajectories = Trajectories.from_curves(rewards=curves(100, 4))
    methods = {name: {"score": name} for name in ("lim", "rand", "full")}
    found = compare(trajectories, methods, share=0.2, seed=1)
    of_full = found.pairs.filter(pl.col("second") == "full")
    assert of_full["overlap"].to_list() == pytest.approx([0.2, 0.2])
    assert of_full["spearman"].to_list() == [None, None]
    text = found.markdown()
    assert "| full | 100 | 100 | 0 | 1 | 100 |" in text
    assert "| full | 20.0 % | 20.0 % | - |" in text


def test_several_seeds_are_averaged():
    replicates = [{"a": frame(with_ties_and_gaps(seed)), "b": frame(with_ties_and_gaps(seed + 9))} for seed in (0, 1)]
    alone = [compare_scores([scores], share=0.3).pairs for scores in replicates]
    both = compare_scores(replicates, share=0.3)
    assert both.pairs["spearman"][0] == pytest.approx((alone[0]["spearman"][0] + alone[1]["spearman"][0]) / 2)
    assert "mean over 2 seeds" in both.markdown()


def test_document_and_csv_are_the_same_bytes_twice(tmp_path):
    scores = {"a": frame(with_ties_and_gaps(0)), "b": frame(with_ties_and_gaps(1))}
    found = compare_scores([scores], share=0.3)
    for name in ("one.md", "two.md"):
        found.write(tmp_path / name)
    assert (tmp_path / "one.md").read_bytes() == (tmp_path / "two.md").read_bytes()
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    read = pl.read_csv(tmp_path / "one.csv")
    assert read.columns == found.pairs.columns
    assert read["overlap"].to_list() == pytest.approx(found.pairs["overlap"].to_list(), abs=1e-6)


def test_scores_that_cannot_be_compared_are_refused():
    with refused(where="methods to compare", found="a", expected="at least two"):
        compare_scores([{"a": frame({"x": 1.0})}])
    with refused(where="methods 'a' and 'b'", what="only one of them has prompt x (2 such prompts)"):
        compare_scores([{"a": frame({"x": 1.0}), "b": frame({"y": 1.0})}])
    with refused(where="share", found="0.1 of 2 prompts", expected="at least one prompt and not all"):
        compare_scores([{name: frame({"x": 1.0, "y": 0.0}) for name in "ab"}], share=0.1)
