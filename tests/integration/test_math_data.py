"""MATH and the benchmarks as they were released: the counts of the reference data's README, by our own stages."""

import json
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from places import REFERENCE

from limr.data.download import download
from limr.data.math import prepare
from limr.data.published import describe
from limr.data.sources import BENCHMARKS, SOURCES
from limr.files.contracts import read_parquet
from limr.prompts import prompt_id

FOLDER = REFERENCE

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason=f"needs the reference data: {FOLDER} is absent")


@pytest.fixture(scope="module")
def sources(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    for name, source in SOURCES.items():
        download(name, folder / f"{name}.parquet", FOLDER / source.local)
    return {name: folder / f"{name}.parquet" for name in SOURCES}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, sources) -> Path:
    return run(tmp_path_factory.mktemp("prepared"), sources, "published")


def run(folder: Path, sources: dict[str, Path], prompts: str) -> Path:
    outputs = {name: folder / f"{name}.parquet" for name in ("train", "development", *BENCHMARKS)}
    outputs |= {"audit": folder / "audit.md", "audit_json": folder / "audit.json"}
    prepare({"source": "math", "prompts": prompts, "files": "data"}, sources, BENCHMARKS, outputs)
    return folder


@pytest.fixture(scope="module")
def audit(prepared) -> dict:
    return json.loads((prepared / "audit.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def released() -> list[dict]:
    return json.loads((FOLDER / "limr/math.8k.json").read_text(encoding="utf-8"))


def test_every_step_from_math_to_math_full_is_counted(audit):
    assert [(step["problems"], step["distinct"]) for step in audit["steps"]] == [
        (12_500, 12_498),
        (12_000, 11_998),
        (8_890, 8_888),
        (8_523, 8_521),
        (8_521, 8_521),
    ]


def test_the_training_set_is_the_released_list(prepared, released):
    train = read_parquet(prepared / "train.parquet", "prompts")
    assert set(train["prompt_id"]) == {prompt_id(row["prompt"]) for row in released}
    assert (len(released), len({row["prompt"] for row in released})) == (8_523, 8_522)
    # the released answers are ours, but for three: two that its own extraction lost, and one that is wrong
    ours = dict(train.select("prompt_id", "answer").rows())
    theirs = {prompt_id(row["prompt"]): " ".join(row["answer"].split()) for row in released}
    differing = {ours[key]: theirs[key] for key in ours if ours[key] != theirs[key]}
    assert differing == {"9": "None", "2": "None", "6": "12"}


def test_the_carried_ids_are_made_from_the_released_list(sources, released):
    carried = json.loads(files("limr.data").joinpath("published.json").read_text(encoding="utf-8"))
    problems = pl.concat(read_parquet(sources[name], "problems") for name in ("math_train", "math_test"))
    ids = [prompt_id(problem) for problem in problems["problem"]]
    math500 = [prompt_id(problem) for problem in read_parquet(sources["math500"], "problems")["problem"]]
    candidates = problems.with_columns(prompt_id=pl.Series(ids), prompt="problem").filter(
        ~pl.col("prompt_id").is_in(math500) & (pl.col("level").is_null() | (pl.col("level") >= 3))
    )
    assert describe(released, candidates) == carried
    assert (carried["rows"], carried["distinct"], carried["byte_for_byte"]) == (8_523, 8_521, 8_035)


def test_the_367_left_out_are_the_development_set_and_like_math500(prepared):
    development = read_parquet(prepared / "development.parquet", "prompts")
    math500 = read_parquet(prepared / "math500.parquet", "prompts").filter(pl.col("level") >= 3)
    assert len(development) == len(math500) == 367
    assert set(development["source"]) == {"MATH test"}
    of_kind = ["subject", "level"]
    assert development.group_by(of_kind).len().sort(of_kind).equals(math500.group_by(of_kind).len().sort(of_kind))


def test_no_training_or_development_problem_is_in_a_benchmark(prepared, audit):
    for row in audit["benchmarks"].values():
        assert row["in_train"] == row["in_development"] == 0
    assert not any(pair["same"] for pair in audit["overlap"])
    assert {pair["benchmark"] for pair in audit["overlap"]} == {"math500"}, "some are near MATH-500, none AIME or AMC"
    assert audit["benchmarks"]["math500"]["in_math_byte_for_byte"] == 500


def test_two_problems_occur_twice_different_in_white_space_only(audit):
    assert [len(double["copies"]) for double in audit["doubles"]] == [2, 2]
    assert not any(double["same_bytes"] for double in audit["doubles"])


def test_all_gold_answers_are_gradable_but_the_two_that_are_no_answers(prepared, audit):
    assert [(row["set"], row["gold"]) for row in audit["ungradable"]] == [("train", ""), ("train", "")]
    assert sum(row["graded"] for row in audit["golds"].values()) == 8_521 + 367 + 500 + 30 + 40
    train = read_parquet(prepared / "train.parquet", "prompts")
    assert train.filter(~pl.col("gradable"))["answer"].to_list() == ["", ""]


def test_the_benchmarks_are_whole_and_their_answers_whole_numbers_where_they_are(prepared):
    sizes = {name: len(read_parquet(prepared / f"{name}.parquet", "prompts")) for name in BENCHMARKS}
    assert sizes == {"math500": 500, "aime24": 30, "amc23": 40}
    for name in ("aime24", "amc23"):
        assert read_parquet(prepared / f"{name}.parquet", "prompts")["answer"].str.contains(r"^-?[1-9]\d*$").all()


def test_level3plus_is_all_8890_with_a_development_set_of_its_own(tmp_path, sources):
    folder = run(tmp_path, sources, "level3plus")
    train = read_parquet(folder / "train.parquet", "prompts")
    development = read_parquet(folder / "development.parquet", "prompts")
    assert (len(train), len(development)) == (8_888, 367)
    assert not set(train["prompt_id"]) & set(development["prompt_id"])
    steps = json.loads((folder / "audit.json").read_text(encoding="utf-8"))["steps"]
    assert [step["problems"] for step in steps] == [12_500, 12_000, 8_890, 8_888]
