"""Rollouts are averaged to trajectories, and invalid shards are refused."""

import itertools
import random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import refused

from limr.errors import ContractError
from limr.files.contracts import check, columns, write_parquet
from limr.logs import visit_sums
from limr.logs.own_rollouts import from_rollouts


def rollouts(rewards: dict[tuple[str, int], list[float]]) -> pl.DataFrame:
    """Rollouts from {(prompt_id, visit): [reward of each sample]}."""
    rows = [
        (prompt_id, visit, sample, visit, reward, reward == 1, reward > -1, 5, False, "2")
        for (prompt_id, visit), of_visit in rewards.items()
        for sample, reward in enumerate(of_visit)
    ]
    names = list(columns("rollouts"))
    return pl.DataFrame(rows, names, orient="row")


SHARDS = [
    rollouts({("b", 0): [1.0, -0.5], ("a", 0): [-1.0, -1.0]}),
    rollouts({("a", 1): [1.0, -1.0], ("b", 1): [1.0, 1.0]}),
]


@pytest.fixture
def directory(tmp_path):
    for number, shard in enumerate(SHARDS):
        write_parquet(shard, tmp_path / f"step{number}.parquet", "rollouts")
    return tmp_path


def test_rollouts_of_a_visit_are_averaged_across_shards(directory):
    frame = from_rollouts(directory).frame()
    check(frame, "trajectories", "test")
    assert frame.rows() == [
        ("a", 0, -1.0, 0.0, 2),
        ("a", 1, 0.0, 0.5, 2),
        ("b", 0, 0.25, 0.5, 2),
        ("b", 1, 1.0, 1.0, 2),
    ]


def test_samples_of_one_visit_may_be_in_several_shards(tmp_path):
    whole = rollouts({("a", 0): [1.0, -0.5, -1.0, 1.0]})
    write_parquet(whole[:1], tmp_path / "0.parquet", "rollouts")
    write_parquet(whole[1:], tmp_path / "1.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame().rows() == [("a", 0, 0.125, 0.5, 4)]


def test_the_first_samples_of_a_visit_are_those_with_the_lowest_numbers(tmp_path):
    whole = rollouts({("a", 0): [1.0, -0.5, -1.0, 1.0], ("a", 1): [-1.0, 1.0, 1.0, 1.0]})
    write_parquet(whole.reverse(), tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path, samples=2).frame().rows() == [("a", 0, 0.25, 0.5, 2), ("a", 1, 0.0, 0.5, 2)]
    assert from_rollouts(tmp_path, samples=4).frame().equals(from_rollouts(tmp_path).frame())
    damaged = whole.with_columns(sample=pl.when(pl.col("sample") > 0).then("sample"))
    damaged.write_parquet(tmp_path / "0.parquet")
    with refused(found="'sample': None"):
        from_rollouts(tmp_path, samples=2)


def test_files_being_written_are_not_read(directory):
    before = from_rollouts(directory).frame()
    (directory / ".step2.parquet.123.partial").write_bytes(b"half")
    assert from_rollouts(directory).frame().equals(before)


def test_a_truncated_shard_is_named_with_the_run_to_delete(directory):
    shard = directory / "step1.parquet"
    shard.write_bytes(shard.read_bytes()[:-40])
    with refused(
        ContractError,
        where=shard,
        what=f"cannot be read as Parquet ({shard.stat().st_size:,} bytes",
        advice=f"truncated or not Parquet: delete the whole run, {directory.parent}, and",
    ):
        from_rollouts(directory)


def test_a_shard_damaged_inside_is_named(directory):
    shard = directory / "step1.parquet"
    content = bytearray(shard.read_bytes())
    content[4:200] = b"\xff" * 196  # the footer stays intact: only reading the rows shows the damage
    shard.write_bytes(content)
    with refused(ContractError, where="step1.parquet", what="cannot be read as Parquet"):
        from_rollouts(directory)


def test_a_shard_that_makes_polars_panic_is_named(directory, monkeypatch):
    """A few damaged bytes are enough. The panic is no ``Exception``, so nothing else would catch it."""

    def panic(*_, **__):
        raise pl.exceptions.PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(pl.LazyFrame, "collect_batches", panic)
    monkeypatch.setattr(pl.LazyFrame, "collect", panic)
    with refused(ContractError, where="step0.parquet", what="cannot be read as Parquet"):
        from_rollouts(directory)


def test_an_absent_and_an_empty_directory_are_refused(tmp_path):
    with refused(ContractError, where="absent", what="no such directory"):
        from_rollouts(tmp_path / "absent")
    with refused(ContractError, where=tmp_path, found="no .parquet file"):
        from_rollouts(tmp_path)


def test_shards_without_a_rollout_are_refused(tmp_path):
    write_parquet(SHARDS[0].clear(), tmp_path / "0.parquet", "rollouts")
    with refused(ContractError, where=tmp_path, found="no rollouts in 1 shard"):
        from_rollouts(tmp_path)


def test_a_rollout_that_occurs_twice_is_named_with_both_shards(directory):
    write_parquet(SHARDS[1][1:2], directory / "step2.parquet", "rollouts")
    with refused(
        ContractError,
        where=("step1.parquet, ", "step2.parquet", "prompt_id a", "visit 1", "sample 1"),
        found="2 such rollouts",
        advice="rollouts of two runs",
    ):
        from_rollouts(directory)


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), None])
def test_a_reward_that_is_not_finite_is_named(directory, reward):
    bad = rollouts({("c", 3): [1.0, 1.0]}).with_columns(
        reward=pl.when(pl.col("sample") == 1).then(pl.lit(reward, pl.Float64)).otherwise("reward")
    )
    bad.write_parquet(directory / "step2.parquet")
    with refused(
        ContractError, where="step2.parquet", found="'c', 'visit': 3, 'sample': 1", expected="a finite reward"
    ):
        from_rollouts(directory)


@pytest.mark.parametrize("column", ["prompt_id", "visit", "sample"])
def test_a_key_that_is_null_is_named(directory, column):
    bad = rollouts({("c", 3): [1.0, 1.0]}).with_columns(pl.when(pl.col("sample") == 0).then(column).alias(column))
    bad.write_parquet(directory / "step2.parquet")
    with refused(ContractError, where="step2.parquet", found=f"'{column}': None", expected="1 such rollouts"):
        from_rollouts(directory)


def test_a_visit_below_0_is_named(directory):
    rollouts({("c", -3): [1.0]}).write_parquet(directory / "step2.parquet")
    with refused(ContractError, where="step2.parquet", found="'visit': -3", expected="visit and sample of at least 0"):
        from_rollouts(directory)


def test_rewards_too_large_to_add_up_are_refused(tmp_path):
    write_parquet(rollouts({("a", 0): [1e308, 1e308]}), tmp_path / "0.parquet", "rollouts")
    with refused(ContractError, where=tmp_path, what="too large for a floating-point number"):
        from_rollouts(tmp_path)


def test_a_null_in_correct_makes_the_accuracy_of_its_visit_unknown(tmp_path):
    shard = rollouts({("a", 0): [1.0, 1.0], ("a", 1): [1.0, -1.0]})
    shard = shard.with_columns(correct=pl.when(pl.int_range(pl.len()) > 0).then("correct"))
    write_parquet(shard, tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame().rows() == [("a", 0, 1.0, None, 2), ("a", 1, 0.0, 0.5, 2)]
    write_parquet(shard.with_columns(correct=pl.lit(None, pl.Boolean)), tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame()["accuracy"].null_count() == 2


def test_a_duplicate_rollout_is_found_in_a_visit_of_more_than_64_samples(tmp_path):
    whole = rollouts({("a", 0): [1.0, -1.0] * 100, ("b", 0): [1.0] * 64})
    write_parquet(whole, tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame().rows() == [("a", 0, 0.0, 0.5, 200), ("b", 0, 1.0, 1.0, 64)]
    write_parquet(whole[150:151], tmp_path / "1.parquet", "rollouts")
    with refused(
        ContractError,
        where=("0.parquet, ", "1.parquet", "prompt_id a", "visit 0", "sample 150"),
        found="2 such rollouts",
    ):
        from_rollouts(tmp_path)


def test_a_shard_with_ids_that_are_not_utf8_is_named(tmp_path):
    write_parquet(rollouts({("good", 0): [1.0]}), tmp_path / "0.parquet", "rollouts")
    write_parquet(rollouts({("x" * 40, 0): [1.0]}), tmp_path / "1.parquet", "rollouts")
    shard = tmp_path / "1.parquet"
    pl.read_parquet(shard).write_parquet(shard, compression="uncompressed", statistics=False)
    shard.write_bytes(shard.read_bytes().replace(b"x" * 40, b"x" * 39 + b"\xff"))
    with refused(ContractError, where="1.parquet", what="cannot be read as Parquet"):
        from_rollouts(tmp_path)


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.sampled_from(["few visits", "one of many visits", "visits far apart", "many prompts"]))
def test_means_equal_those_of_plain_python_in_any_order_of_rows_and_shards(tmp_path_factory, seed, shape):
    generator = random.Random(seed)
    numbers = {
        "few visits": [(f"p{n}", visit) for n in range(5) for visit in range(3)],
        "one of many visits": [(f"p{n}", visit) for n in range(5) for visit in range(3)]
        + [("p0", v) for v in range(3, 300)],
        "visits far apart": [(f"p{n}", visit * 10**12) for n in range(5) for visit in range(3)],
        "many prompts": [(f"ä prompt, {n}", 0) for n in range(300)],
    }[shape]
    visits = {key: [generator.choice([1.0, -0.5, -1.0]) for _ in range(generator.randint(1, 4))] for key in numbers}
    rows = rollouts(visits).sample(fraction=1, shuffle=True, seed=seed)
    folder = tmp_path_factory.mktemp("shards")
    cuts = sorted(generator.choices(range(len(rows)), k=3))
    for number, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(rows)])):
        write_parquet(rows[start:end], folder / f"{generator.random()}-{number}.parquet", "rollouts")
    with pytest.MonkeyPatch.context() as patch:  # small tables, so that every path is taken
        patch.setattr(visit_sums, "_CELLS", generator.choice([1, 16, 1 << 20]))
        patch.setattr(visit_sums, "_CELLS_A_SUM", generator.choice([1, 4]))
        found = from_rollouts(folder).frame()
    assert found.rows() == [
        (name, visit, sum(of_visit) / len(of_visit), of_visit.count(1.0) / len(of_visit), len(of_visit))
        for (name, visit), of_visit in sorted(visits.items())
    ]


def test_a_shard_of_another_format_is_named(directory):
    pl.DataFrame({"prompt": ["x"]}).write_parquet(directory / "step2.parquet")
    with refused(ContractError, where=("step2.parquet", "column 'prompt_id'"), found="none", expected="String"):
        from_rollouts(directory)
