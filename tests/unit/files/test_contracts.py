"""Every breach of a contract is refused, with the file, the column or row, the value found and the value expected."""

import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.errors import ContractError
from limr.files.contracts import check, columns, contract, read_parquet, write_parquet
from limr.prompts import prompt_id

CONTRACTS = [
    "problems",
    "prompts",
    "rollouts",
    "trajectories",
    "scores",
    "subset",
    "log_prompts",
    "log_subset",
    "evaluation",
    "metrics",
    "broken_golds",
]


@pytest.fixture
def subset():
    return pl.DataFrame(
        {
            "prompt_id": ["a", "b", "c"],
            "prompt": ["1+1?", "2+2?", "3+3?"],
            "answer": ["2", "4", "6"],
            "level": [1, None, 5],
            "subject": "Prealgebra",
            "source": "test",
            "gradable": True,
            "score": [0.5, None, -1.0],
        }
    )


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_contract_requires_all_its_columns_and_has_its_key_among_them(name):
    schema = contract(name)
    assert list(columns(name)) == list(schema["properties"]) == schema["required"]
    assert set(schema["key"]) <= set(columns(name))
    assert schema["additionalProperties"] is False


def test_a_written_file_is_read_back_in_the_order_and_types_of_the_contract(subset, tmp_path):
    path = tmp_path / "subset.parquet"
    write_parquet(subset.select(reversed(subset.columns)).with_columns(pl.col("level").cast(pl.Int8)), path, "subset")
    found = read_parquet(path, "subset")
    assert found.equals(subset)
    assert found.schema == columns("subset")


def test_an_empty_table_meets_the_contract(subset, tmp_path):
    write_parquet(subset.clear(), tmp_path / "empty.parquet", "subset")
    assert read_parquet(tmp_path / "empty.parquet", "subset").is_empty()


BREACHES = {
    "missing column": (lambda frame: frame.drop("answer"), {"what": "'answer'", "expected": "prompt_id"}),
    "extra column": (lambda frame: frame.with_columns(reward=1.0), {"what": "unknown column 'reward'"}),
    "text for a number": (
        lambda frame: frame.with_columns(level=pl.lit("3")),
        {"where": "'level'", "found": "String", "expected": "Int64"},
    ),
    "fraction for an integer": (
        lambda frame: frame.with_columns(level=2.5),
        {"where": "'level'", "found": "Float64", "expected": "Int64"},
    ),
    "number for text": (lambda frame: frame.with_columns(answer=7), {"where": "'answer'", "expected": "String"}),
    "number for a boolean": (lambda frame: frame.with_columns(gradable=1), {"where": "'gradable'"}),
    "NaN": (
        lambda frame: at(frame, 1, "score", math.nan),
        {"where": ("row 1", "'score'"), "found": "NaN", "expected": "finite"},
    ),
    "infinite": (
        lambda frame: at(frame, 2, "score", -math.inf),
        {"where": ("row 2", "'score'"), "found": "-Infinity", "expected": "finite"},
    ),
    "null in a column that needs values": (
        lambda frame: at(frame, 2, "answer", None),
        {"where": ("row 2", "'answer'"), "found": "null"},
    ),
    "a whole column null": (
        lambda frame: frame.with_columns(answer=None),
        {"where": ("row 0", "'answer'"), "found": "null", "expected": "3 such"},
    ),
    "too small": (
        lambda frame: at(frame, 0, "level", 0),
        {"where": ("row 0", "'level'"), "found": "0", "expected": "at least 1"},
    ),
    "too large": (
        lambda frame: at(frame, 2, "level", 6),
        {"where": ("row 2", "'level'"), "found": "6", "expected": "at most 5"},
    ),
    "duplicate key": (
        lambda frame: at(frame, 2, "prompt_id", "b"),
        {"where": "row 1", "what": "more than once"},
    ),
}


def at(frame, row, column, value):
    """``frame`` with one value changed."""
    values = frame[column].to_list()
    values[row] = value
    return frame.with_columns(pl.Series(column, values, dtype=frame.schema[column], strict=False))


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_refused_when_written_and_when_read(subset, tmp_path, breach):
    change, parts = BREACHES[breach]
    path = tmp_path / "subset.parquet"
    broken = change(subset)
    with refused(ContractError, **parts) as when_written:
        write_parquet(broken, path, "subset")
    assert not path.exists()

    broken.write_parquet(path)
    with refused(ContractError, **parts) as when_read:
        read_parquet(path, "subset")
    assert when_written.value.where[0] == when_read.value.where[0] == str(path)


def test_a_refused_write_keeps_the_old_file(subset, tmp_path):
    path = tmp_path / "subset.parquet"
    write_parquet(subset, path, "subset")
    before = path.read_bytes()
    with pytest.raises(ContractError):
        write_parquet(subset.drop("score"), path, "subset")
    assert path.read_bytes() == before


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_parquet_file_is_refused_with_advice(subset, tmp_path, share):
    path = tmp_path / "subset.parquet"
    write_parquet(subset, path, "subset")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with refused(ContractError, where=path, what="cannot be read as Parquet", advice="delete it"):
        read_parquet(path, "subset")


def test_a_missing_file_and_a_file_of_another_kind_are_refused(tmp_path):
    with refused(ContractError, where="none.parquet", what="no such file"):
        read_parquet(tmp_path / "none.parquet", "scores")
    (tmp_path / "text.parquet").write_text("prompt_id,score\n" * 100)
    with refused(ContractError, where="text.parquet", what="cannot be read as Parquet"):
        read_parquet(tmp_path / "text.parquet", "scores")


def test_a_file_of_another_contract_is_refused(subset, tmp_path):
    write_parquet(subset, tmp_path / "subset.parquet", "subset")
    with refused(ContractError, what="no column 'visit'", expected="visit, sample, step"):
        read_parquet(tmp_path / "subset.parquet", "rollouts")


def test_whole_numbers_of_every_size_are_read_as_numbers_if_they_stay_the_same(tmp_path):
    means = {"prompt_id": ["a"], "epoch": [0], "mean_reward": [1], "accuracy": [1.0], "n_samples": [4]}
    for kind in (pl.Int8, pl.UInt8, pl.UInt64, pl.Int64):
        frame = pl.DataFrame(means, schema_overrides={"mean_reward": kind})
        assert check(frame, "trajectories", "x")["mean_reward"].to_list() == [1.0]
    for kind in (pl.UInt64, pl.Int64):
        frame = pl.DataFrame(means | {"mean_reward": [2**53 + 1]}, schema_overrides={"mean_reward": kind})
        with refused(ContractError, where="column 'mean_reward'", expected="Float64, which cannot hold it"):
            check(frame, "trajectories", "x")


def test_a_path_with_brackets_is_not_read_as_a_pattern(subset, tmp_path):
    write_parquet(subset, tmp_path / "run[1]" / "subset.parquet", "subset")
    assert read_parquet(tmp_path / "run[1]" / "subset.parquet", "subset").equals(subset)


@given(st.lists(st.one_of(st.floats(), st.none()), min_size=1, max_size=8))
def test_a_frame_passes_exactly_when_every_number_is_finite(scores):
    size = len(scores)
    frame = pl.DataFrame(
        {
            "prompt_id": [str(row) for row in range(size)],
            **{name: ["x"] * size for name in ("prompt", "answer", "subject", "source")},
            "level": [1] * size,
            "gradable": [True] * size,
            "score": pl.Series(scores, dtype=pl.Float64),
        }
    )
    if all(score is None or math.isfinite(score) for score in scores):
        assert check(frame, "subset", "here").equals(frame.select(list(columns("subset"))))
    else:
        with refused(ContractError, where="here", expected="finite"):
            check(frame, "subset", "here")


WORDS = st.lists(st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=5), max_size=5)
SPACE = st.text(st.sampled_from(" \t\n"), min_size=1, max_size=3)


@given(WORDS, st.lists(SPACE, min_size=6, max_size=6))
def test_a_prompt_id_ignores_white_space_between_words(words, spaces):
    spread = spaces[0] + "".join(word + space for word, space in zip(words, spaces[1:], strict=False))
    assert prompt_id(spread) == prompt_id(" ".join(words))


@given(WORDS, WORDS)
def test_prompts_with_different_words_have_different_ids(first, second):
    assert (prompt_id(" ".join(first)) == prompt_id(" ".join(second))) is (first == second)
