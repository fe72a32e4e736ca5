"""The files of the miniature's problems: numbers, no overlap, the manipulated pool, the other wording."""

import polars as pl
import pytest
from refusals import refused

from limr.files.contracts import read_parquet
from limr.training.miniature.problem_files import prepare
from limr.training.miniature.problems import LEVELS, SUBJECTS
from limr.training.miniature.wording import ordinary_wording

BENCHMARKS = {"all": {"problems": 40, "levels": [1, 2, 3, 4, 5]}, "hard": {"problems": 15, "levels": [5]}}
DATA = {"seed": 3, "train": 150, "development": 30}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return written(tmp_path_factory.mktemp("data"), DATA)


def written(directory, data):
    outputs = {name: directory / f"{name}.parquet" for name in ("train", "development", *BENCHMARKS)}
    prepare(data, BENCHMARKS, outputs)
    return outputs


def test_the_files_have_the_numbers_levels_and_subjects_of_the_settings(prepared):
    tables = {name: read_parquet(path, "prompts") for name, path in prepared.items()}
    assert {name: len(table) for name, table in tables.items()} == {
        "train": 150,
        "development": 30,
        "all": 40,
        "hard": 15,
    }
    assert set(tables["hard"]["level"]) == {5}
    assert set(tables["train"]["level"]) == set(LEVELS)
    assert set(tables["train"]["subject"]) == set(SUBJECTS)


def test_no_prompt_occurs_twice_within_or_between_files(prepared):
    everything = pl.concat(read_parquet(path, "prompts") for path in prepared.values())
    assert everything["prompt"].n_unique() == everything["prompt_id"].n_unique() == len(everything)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_other_problems(prepared, tmp_path):
    again = written(tmp_path / "again", DATA)
    assert all(again[name].read_bytes() == path.read_bytes() for name, path in prepared.items())
    other = read_parquet(written(tmp_path / "other", DATA | {"seed": 4})["train"], "prompts")
    assert not other.equals(read_parquet(prepared["train"], "prompts"))


def test_a_request_for_more_problems_than_exist_is_refused(tmp_path):
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("train", "development", "easy")}
    too_many = {"easy": {"problems": 50_000, "levels": [1]}}
    with refused(where="easy", what="levels [1] are left", expected="50,000", advice="fewer problems"):
        prepare(DATA, too_many, outputs)


def columns_of(path, *columns):
    return read_parquet(path, "prompts").select(columns).rows()


def with_pool(directory, pool):
    outputs = {name: directory / f"{name}.parquet" for name in ("train", "development", *BENCHMARKS)}
    if "broken" in pool:
        outputs["broken_golds"] = directory / "broken_golds.parquet"
    prepare(DATA | {"pool": pool}, BENCHMARKS, outputs)
    return outputs


@pytest.mark.parametrize("pool", [{"broken": 0.22}, {"beyond": 0.3}, {"broken": 0.5, "beyond": 0.3, "easy": 0.2}])
def test_a_manipulated_pool_changes_the_training_set_only(prepared, tmp_path, pool):
    changed = with_pool(tmp_path, pool)
    for name in ("development", *BENCHMARKS):
        assert changed[name].read_bytes() == prepared[name].read_bytes(), name
    assert changed["train"].read_bytes() != prepared["train"].read_bytes()
    everything = pl.concat(read_parquet(changed[name], "prompts") for name in prepared)
    assert everything["prompt"].n_unique() == len(everything)


def test_broken_golds_are_recorded_and_the_prompts_stay(prepared, tmp_path):
    changed = with_pool(tmp_path, {"broken": 0.22})
    assert columns_of(changed["train"], "prompt", "level") == columns_of(prepared["train"], "prompt", "level")
    recorded = dict(read_parquet(changed["broken_golds"], "broken_golds").rows())
    assert len(recorded) == 33  # 22 % of 150
    was, now = (dict(columns_of(path["train"], "prompt_id", "answer")) for path in (prepared, changed))
    assert recorded == {name: was[name] for name in was if now[name] != was[name]}


@pytest.mark.parametrize("share", [0, 0.0])
def test_a_share_of_0_breaks_no_gold_and_says_so(prepared, tmp_path, share):
    changed = with_pool(tmp_path, {"broken": share})
    assert changed["train"].read_bytes() == prepared["train"].read_bytes()
    assert read_parquet(changed["broken_golds"], "broken_golds").is_empty()


def test_a_benchmark_in_the_other_wording_has_problems_of_its_own(tmp_path):
    reworded = {"same": {"problems": 60, "levels": [1, 2]}, "other": {"problems": 60, "levels": [1, 2, 6]}}
    reworded["other"]["wording"] = "other"
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("train", "development", *reworded)}
    prepare(DATA, reworded, outputs)
    rows = read_parquet(outputs["other"], "prompts")
    assert set(rows["level"]) == {1, 2, 6}
    ordinary = rows["prompt"].map_elements(ordinary_wording, return_dtype=pl.String)
    assert (ordinary != rows["prompt"]).all()
    others = {prompt for name in ("train", "development", "same") for (prompt,) in columns_of(outputs[name], "prompt")}
    assert not others & set(ordinary)
    assert all(ordinary_wording(prompt) == prompt for prompt in others)
