"""From rollouts to curves: what is averaged, which visits count, and what is refused."""

import itertools
import json
import random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.errors import ContractError, LimrError
from limr.files.contracts import check, columns, write_parquet
from limr.logs import visit_sums
from limr.logs.one_shot_rlvr import read_one_shot_rlvr
from limr.logs.own_rollouts import from_rollouts
from limr.trajectories import Trajectories, VisitMatrix, visit_matrix


def rollouts(rewards: dict[tuple[str, int], list[float]]) -> pl.DataFrame:
    """Rollouts from {(prompt_id, visit): [reward of each sample]}."""
    rows = [
        (prompt_id, visit, sample, visit, reward, reward == 1, reward > -1, 5, False, "2")
        for (prompt_id, visit), of_visit in rewards.items()
        for sample, reward in enumerate(of_visit)
    ]
    names = list(columns("rollouts"))
    return pl.DataFrame(rows, names, orient="row")


def trajectories(curves: dict[str, list[float | None]], samples: int = 8) -> pl.DataFrame:
    """Trajectories from {prompt_id: [accuracy at each visit, None where there is none]}; rewards are 2 a - 1."""
    rows = [
        (prompt_id, epoch, 2 * accuracy - 1, accuracy, samples)
        for prompt_id, curve in curves.items()
        for epoch, accuracy in enumerate(curve)
        if accuracy is not None
    ]
    return pl.DataFrame(rows, ["prompt_id", "epoch", "mean_reward", "accuracy", "n_samples"], orient="row")


def matrix_of(frame: pl.DataFrame, signal: str = "reward") -> VisitMatrix:
    return visit_matrix(Trajectories.from_frame(frame), signal)


SHARDS = [
    rollouts({("b", 0): [1.0, -0.5], ("a", 0): [-1.0, -1.0]}),
    rollouts({("a", 1): [1.0, -1.0], ("b", 1): [1.0, 1.0]}),
]


@pytest.fixture
def directory(tmp_path):
    for number, shard in enumerate(SHARDS):
        write_parquet(shard, tmp_path / f"step{number}.parquet", "rollouts")
    return tmp_path


def test_rollouts_are_averaged_a_visit_across_shards(directory):
    frame = from_rollouts(directory).frame()
    check(frame, "trajectories", "test")
    assert frame.rows() == [
        ("a", 0, -1.0, 0.0, 2),
        ("a", 1, 0.0, 0.5, 2),
        ("b", 0, 0.25, 0.5, 2),
        ("b", 1, 1.0, 1.0, 2),
    ]


def test_samples_of_one_visit_may_lie_in_several_shards(tmp_path):
    whole = rollouts({("a", 0): [1.0, -0.5, -1.0, 1.0]})
    write_parquet(whole[:1], tmp_path / "0.parquet", "rollouts")
    write_parquet(whole[1:], tmp_path / "1.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame().rows() == [("a", 0, 0.125, 0.5, 4)]


def test_files_being_written_are_not_read(directory):
    before = from_rollouts(directory).frame()
    (directory / ".step2.parquet.123.partial").write_bytes(b"half")
    assert from_rollouts(directory).frame().equals(before)


def test_a_truncated_shard_is_named_with_the_run_to_make_again(directory):
    shard = directory / "step1.parquet"
    shard.write_bytes(shard.read_bytes()[:-40])
    with pytest.raises(ContractError, match=r"step1\.parquet: cannot be read as Parquet .*truncated") as error:
        from_rollouts(directory)
    assert f"delete the whole run, {directory.parent}, and" in str(error.value)


def test_a_shard_damaged_inside_is_named(directory):
    shard = directory / "step1.parquet"
    content = bytearray(shard.read_bytes())
    content[4:200] = b"\xff" * 196  # the footer stays whole: only reading the rows can tell
    shard.write_bytes(content)
    with pytest.raises(ContractError, match=r"step1\.parquet: cannot be read as Parquet"):
        from_rollouts(directory)


def test_an_absent_and_an_empty_directory_are_refused(tmp_path):
    with pytest.raises(ContractError, match="no such directory"):
        from_rollouts(tmp_path / "absent")
    with pytest.raises(ContractError, match=r"no \.parquet file"):
        from_rollouts(tmp_path)


def test_shards_without_a_rollout_are_refused(tmp_path):
    write_parquet(SHARDS[0].clear(), tmp_path / "0.parquet", "rollouts")
    with pytest.raises(ContractError, match="1 shards and not one rollout"):
        from_rollouts(tmp_path)


def test_a_rollout_that_occurs_twice_is_named_with_both_shards(directory):
    write_parquet(SHARDS[1][1:2], directory / "step2.parquet", "rollouts")
    with pytest.raises(ContractError, match=r"step1\.parquet, .*step2\.parquet: prompt a, visit 1, sample 1 occurs 2 "):
        from_rollouts(directory)


@pytest.mark.parametrize("reward", [float("nan"), float("inf"), None])
def test_a_reward_that_is_no_number_is_named(directory, reward):
    bad = rollouts({("c", 3): [1.0, 1.0]}).with_columns(
        reward=pl.when(pl.col("sample") == 1).then(pl.lit(reward, pl.Float64)).otherwise("reward")
    )
    bad.write_parquet(directory / "step2.parquet")
    with pytest.raises(ContractError, match=r"step2\.parquet: found .*'c', 'visit': 3, 'sample': 1.*a finite reward"):
        from_rollouts(directory)


@pytest.mark.parametrize("column", ["prompt_id", "visit", "sample"])
def test_a_key_that_is_null_is_named(directory, column):
    bad = rollouts({("c", 3): [1.0, 1.0]}).with_columns(pl.when(pl.col("sample") == 0).then(column).alias(column))
    bad.write_parquet(directory / "step2.parquet")
    with pytest.raises(ContractError, match=rf"step2\.parquet: found .*'{column}': None.*1 such rollouts"):
        from_rollouts(directory)


def test_a_visit_below_0_is_named(directory):
    rollouts({("c", -3): [1.0]}).write_parquet(directory / "step2.parquet")
    with pytest.raises(ContractError, match=r"step2\.parquet: found .*'visit': -3.*visit and sample from 0 on"):
        from_rollouts(directory)


def test_rewards_too_large_to_add_up_are_refused(tmp_path):
    write_parquet(rollouts({("a", 0): [1e308, 1e308]}), tmp_path / "0.parquet", "rollouts")
    with pytest.raises(ContractError, match="add up to more than a number can hold"):
        from_rollouts(tmp_path)


def test_correct_that_is_null_once_makes_the_accuracy_of_its_visit_unknown(tmp_path):
    shard = rollouts({("a", 0): [1.0, 1.0], ("a", 1): [1.0, -1.0]})
    shard = shard.with_columns(correct=pl.when(pl.int_range(pl.len()) > 0).then("correct"))
    write_parquet(shard, tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame().rows() == [("a", 0, 1.0, None, 2), ("a", 1, 0.0, 0.5, 2)]
    write_parquet(shard.with_columns(correct=pl.lit(None, pl.Boolean)), tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame()["accuracy"].null_count() == 2


def test_visits_of_more_samples_than_a_word_has_bits_and_a_rollout_twice_among_them(tmp_path):
    whole = rollouts({("a", 0): [1.0, -1.0] * 100, ("b", 0): [1.0] * 64})
    write_parquet(whole, tmp_path / "0.parquet", "rollouts")
    assert from_rollouts(tmp_path).frame().rows() == [("a", 0, 0.0, 0.5, 200), ("b", 0, 1.0, 1.0, 64)]
    write_parquet(whole[150:151], tmp_path / "1.parquet", "rollouts")
    with pytest.raises(ContractError, match=r"0\.parquet, .*1\.parquet: prompt a, visit 0, sample 150 occurs 2 times"):
        from_rollouts(tmp_path)


def test_a_shard_whose_ids_are_not_utf8_is_named(tmp_path):
    write_parquet(rollouts({("good", 0): [1.0]}), tmp_path / "0.parquet", "rollouts")
    write_parquet(rollouts({("x" * 40, 0): [1.0]}), tmp_path / "1.parquet", "rollouts")
    shard = tmp_path / "1.parquet"
    pl.read_parquet(shard).write_parquet(shard, compression="uncompressed", statistics=False)
    shard.write_bytes(shard.read_bytes().replace(b"x" * 40, b"x" * 39 + b"\xff"))
    with pytest.raises(ContractError, match=r"1\.parquet: cannot be read as Parquet"):
        from_rollouts(tmp_path)


@settings(max_examples=40)
@given(st.integers(0, 10**9), st.sampled_from(["few visits", "one of many visits", "visits far apart", "many prompts"]))
def test_sums_are_those_of_plain_python_in_any_order_of_rows_and_shards(tmp_path_factory, seed, shape):
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
    with pytest.MonkeyPatch.context() as patch:  # small tables, so that every way through them is taken
        patch.setattr(visit_sums, "_CELLS", generator.choice([1, 16, 1 << 20]))
        patch.setattr(visit_sums, "_CELLS_A_SUM", generator.choice([1, 4]))
        found = from_rollouts(folder).frame()
    assert found.rows() == [
        (name, visit, sum(of_visit) / len(of_visit), of_visit.count(1.0) / len(of_visit), len(of_visit))
        for (name, visit), of_visit in sorted(visits.items())
    ]


def test_a_shard_of_another_format_is_named(directory):
    pl.DataFrame({"prompt": ["x"]}).write_parquet(directory / "step2.parquet")
    with pytest.raises(ContractError, match=r"step2\.parquet: column 'prompt_id': found none, expected String"):
        from_rollouts(directory)


def test_matrix_does_not_depend_on_the_order_of_rows():
    frame = trajectories({"b": [0.0, 0.5], "a": [0.25, 1.0]})
    for seed in range(3):
        matrix = matrix_of(frame.sample(fraction=1, shuffle=True, seed=seed), "accuracy")
        assert matrix.prompt_ids == ["a", "b"]
        assert matrix.values.tolist() == [[0.25, 1.0], [0.0, 0.5]]


@pytest.mark.parametrize(("reached", "visits"), [(1, 3), (10, 3), (17, 3), (18, 4), (20, 4)])
def test_a_last_epoch_counts_when_nine_prompts_in_ten_have_it(reached, visits):
    curves = {f"p{i:02}": [0.5] * (4 if i < reached else 3) for i in range(20)}
    matrix = matrix_of(trajectories(curves), "accuracy")
    whole, dropped = matrix.without_gaps()
    assert matrix.values.shape == (20, visits)
    assert len(whole.prompt_ids) == (20 if visits == 3 else reached)
    assert set(dropped.values()) <= {"missing visit 3 of 0 to 3"}


def test_a_partial_visit_is_as_good_as_none():
    frame = trajectories({"a": [0.5, 0.5], "b": [0.5, 0.5], "c": [0.5, 0.5]}).with_columns(
        n_samples=pl.when((pl.col("prompt_id") == "b") & (pl.col("epoch") == 0)).then(5).otherwise(8)
    )
    whole, dropped = matrix_of(frame, "accuracy").without_gaps()
    assert whole.prompt_ids == ["a", "c"]
    assert dropped == {"b": "missing visit 0 of 0 to 1"}


def test_a_visit_that_no_prompt_has_is_an_error_rather_than_a_score():
    with pytest.raises(
        LimrError, match=r"none of the 2 prompts has all of the visits 0 to 1 \(prompt a: missing visit 0"
    ):
        matrix_of(trajectories({"a": [None, 0.5], "b": [None, 0.5]})).without_gaps()


def test_next_fills_a_gap_from_the_next_visit_and_no_more():
    curves = {
        "filled": [0.0, None, 0.5, 1.0],
        "twice": [None, 0.25, None, 1.0],
        "too long": [0.0, None, None, 1.0],
        "at the end": [0.0, 0.5, 0.5, None],
    } | {f"whole {i:02}": [0.0] * 4 for i in range(40)}
    matrix = matrix_of(trajectories(curves), "accuracy")
    whole, dropped = matrix.without_gaps("next")
    rows = dict(zip(whole.prompt_ids, whole.values.tolist(), strict=True))
    assert rows["filled"] == [0.0, 0.5, 0.5, 1.0]
    assert rows["twice"] == [0.25, 0.25, 1.0, 1.0]
    assert dropped == {"too long": "missing visit 1 of 0 to 3", "at the end": "missing visit 3 of 0 to 3"}
    assert sorted(matrix.without_gaps("drop")[1]) == ["at the end", "filled", "too long", "twice"]
    assert np.isnan(matrix.values).sum() == 6, "the matrix itself is not changed"


def test_unknown_signal_and_missing_are_refused_with_those_known():
    frame = trajectories({"a": [0.5]})
    with pytest.raises(LimrError, match="signal: found 'rewards', expected one of reward, accuracy"):
        matrix_of(frame, "rewards")
    with pytest.raises(LimrError, match="missing: found 'fill', expected one of drop, next"):
        matrix_of(frame).without_gaps("fill")


def test_rewards_that_are_not_recorded_are_an_error_that_says_what_to_do():
    with pytest.raises(LimrError, match=r"mean_reward is known for 0 of 1 visits, accuracy for all.*signal: accuracy"):
        matrix_of(trajectories({"a": [0.5]}).with_columns(mean_reward=pl.lit(None, pl.Float64)), "reward")


def test_no_trajectories_are_refused():
    with pytest.raises(LimrError, match="not one visit"):
        matrix_of(trajectories({"a": [0.5]}).clear())


def test_a_nan_in_the_trajectories_is_refused():
    with pytest.raises(ContractError, match="'mean_reward': found nan, expected a finite number"):
        matrix_of(trajectories({"a": [0.5]}).with_columns(mean_reward=pl.lit(float("nan"))))


def one_shot_file(tmp_path, content):
    path = tmp_path / "accuracies.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_one_shot_trajectories_are_cut_to_the_visits_asked_for(tmp_path):
    frame = read_one_shot_rlvr(one_shot_file(tmp_path, {"7": [0, 0.125, 1.0], "12": [0.5]}), visits=2).frame()
    assert frame.rows() == [("12", 0, None, 0.5, 8), ("7", 0, None, 0.0, 8), ("7", 1, None, 0.125, 8)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"7": [0.1', "not JSON, or truncated"),
        ([0.5], "expected a JSON object"),
        ({}, "expected a JSON object"),
        ({"7": []}, "prompt 7: expected a list of accuracies"),
        ({"7": [0.5, 1.125]}, "prompt 7, visit 1: found 1.125, expected a share of 8 samples"),
        ({"7": [0.3]}, "prompt 7, visit 0: found 0.3, expected a share of 8 samples"),
        ('{"7": [NaN]}', "prompt 7, visit 0: found nan"),
        ({"7": ["0.5"]}, "prompt 7, visit 0: found '0.5'"),
    ],
)
def test_a_bad_one_shot_file_is_named_with_the_prompt(tmp_path, content, message):
    with pytest.raises(ContractError, match=rf"accuracies\.json: {message}"):
        read_one_shot_rlvr(one_shot_file(tmp_path, content), visits=1)


def test_more_visits_than_any_prompt_has_are_refused(tmp_path):
    path = one_shot_file(tmp_path, {"7": [0.5, 0.5]})
    with pytest.raises(LimrError, match="no prompt has 3 visits, the longest has 2"):
        read_one_shot_rlvr(path, visits=3)
    with pytest.raises(LimrError, match="found 0, expected at least 1"):
        read_one_shot_rlvr(path, visits=0)
    with pytest.raises(ContractError, match="cannot be read"):
        read_one_shot_rlvr(tmp_path / "absent.json", visits=1)
