"""The data stages, from MATH and the benchmarks to the prompts files: on a sample, and on the whole data if available.

The expected counts of the whole data are those of the released files. Those of the sample follow from how it was cut.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
from places import REFERENCE, SAMPLES, needs_reference
from refusals import refused

from limr.data import published as published_list
from limr.data.download import download
from limr.data.math import prepare
from limr.data.published import describe
from limr.data.source_rows import digest, read_problems
from limr.data.sources import BENCHMARKS, SOURCES
from limr.files.contracts import read_parquet
from limr.prompts import prompt_id


@dataclass(frozen=True)
class Data:
    """Released files, and the counts that the stages must find in them."""

    folder: Path
    steps: list[tuple[int, int]]  # problems, and distinct ones, after each step
    released: tuple[int, int]  # rows of the released list, and distinct prompts
    left_out: int  # hard problems that the released list lacks
    level3plus: int  # problems to train on without the released list
    benchmarks: dict[str, int]


WHOLE = Data(
    folder=REFERENCE,
    steps=[(12_500, 12_498), (12_000, 11_998), (8_890, 8_888), (8_523, 8_521), (8_521, 8_521)],
    released=(8_523, 8_522),
    left_out=367,
    level3plus=8_888,
    benchmarks={"math500": 500, "aime24": 30, "amc23": 40},
)
SAMPLE = Data(
    folder=SAMPLES,
    steps=[(231, 229), (210, 208), (171, 169), (155, 153), (153, 153)],
    released=(155, 154),
    left_out=16,
    level3plus=169,
    benchmarks={"math500": 21, "aime24": 3, "amc23": 3},
)


@pytest.fixture(scope="module", params=["sample", *(["whole"] if REFERENCE.is_dir() else [])])
def data(request) -> Iterator[Data]:
    """The sample, with the expected digests replaced by those of the sample; and the whole data."""
    if request.param == "whole":
        yield WHOLE
        return
    with pytest.MonkeyPatch.context() as patch:
        for name, source in SOURCES.items():
            rows = read_problems([SAMPLES / source.local], source)
            patch.setitem(SOURCES, name, replace(source, rows=len(rows), digest=digest(rows, source)))
        patch.setattr(published_list, "_released", lambda: describe(read_released(SAMPLES), hard_problems(SAMPLES)))
        yield SAMPLE


def read_released(folder: Path) -> list[dict]:
    return json.loads((folder / "limr/math.8k.json").read_text(encoding="utf-8"))


def hard_problems(folder: Path) -> pl.DataFrame:
    """The problems of MATH of level 3 and more, or of no known level, that are not in MATH-500."""
    rows = {name: read_problems([folder / SOURCES[name].local], SOURCES[name]) for name in SOURCES}
    problems = pl.concat([rows["math_train"], rows["math_test"]])
    ids = [prompt_id(problem) for problem in problems["problem"]]
    math500 = [prompt_id(problem) for problem in rows["math500"]["problem"]]
    return problems.with_columns(prompt_id=pl.Series(ids), prompt="problem").filter(
        ~pl.col("prompt_id").is_in(math500) & (pl.col("level").is_null() | (pl.col("level") >= 3))
    )


@pytest.fixture(scope="module")
def sources(tmp_path_factory, data) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sources")
    for name, source in SOURCES.items():
        download(name, folder / f"{name}.parquet", data.folder / source.local)
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


def test_a_source_that_was_cut_after_the_download_is_refused(data, sources, tmp_path):
    cut = tmp_path / "cut.parquet"
    pl.read_parquet(sources["aime24"]).head(2).write_parquet(cut)
    with refused(where=cut, found="2 rows", what=f"not the {data.benchmarks['aime24']} problems", advice="Delete"):
        run(tmp_path, sources | {"aime24": cut}, "published")


def test_every_step_from_math_to_math_full_is_counted(data, audit):
    assert [(step["problems"], step["distinct"]) for step in audit["steps"]] == data.steps


def test_the_training_set_is_the_released_list(data, prepared):
    released = read_released(data.folder)
    train = read_parquet(prepared / "train.parquet", "prompts")
    assert set(train["prompt_id"]) == {prompt_id(row["prompt"]) for row in released}
    assert (len(released), len({row["prompt"] for row in released})) == data.released
    # the released answers equal ours except for three: two that the authors' extraction lost, and one that is wrong
    ours = dict(train.select("prompt_id", "answer").rows())
    theirs = {prompt_id(row["prompt"]): " ".join(row["answer"].split()) for row in released}
    differing = {ours[key]: theirs[key] for key in ours if ours[key] != theirs[key]}
    assert differing == {"9": "None", "2": "None", "6": "12"}


@needs_reference
def test_the_ids_in_the_package_are_made_from_the_released_list():
    carried = json.loads(files("limr.data").joinpath("published.json").read_text(encoding="utf-8"))
    assert describe(read_released(REFERENCE), hard_problems(REFERENCE)) == carried
    assert (carried["rows"], carried["distinct"], carried["byte_for_byte"]) == (8_523, 8_521, 8_035)


def test_the_problems_left_out_are_the_development_set_and_resemble_math500(data, prepared):
    development = read_parquet(prepared / "development.parquet", "prompts")
    math500 = read_parquet(prepared / "math500.parquet", "prompts").filter(pl.col("level") >= 3)
    assert len(development) == len(math500) == data.left_out
    assert set(development["source"]) == {"MATH test"}
    of_kind = ["subject", "level"]
    assert development.group_by(of_kind).len().sort(of_kind).equals(math500.group_by(of_kind).len().sort(of_kind))


def test_no_training_or_development_problem_is_in_a_benchmark(data, audit):
    for row in audit["benchmarks"].values():
        assert row["in_train"] == row["in_development"] == 0
    assert not any(pair["same"] for pair in audit["overlap"])
    assert {pair["benchmark"] for pair in audit["overlap"]} == {"math500"}, "some are near MATH-500, none AIME or AMC"
    assert audit["benchmarks"]["math500"]["in_math_byte_for_byte"] == data.benchmarks["math500"]


def test_two_problems_occur_twice_and_differ_in_white_space_only(audit):
    assert [len(problem["copies"]) for problem in audit["duplicates"]] == [2, 2]
    assert not any(problem["same_bytes"] for problem in audit["duplicates"])


def test_all_gold_answers_are_gradable_except_two_that_are_no_answers(data, prepared, audit):
    assert [(row["set"], row["gold"]) for row in audit["ungradable"]] == [("train", ""), ("train", "")]
    graded = sum(row["graded"] for row in audit["golds"].values())
    assert graded == data.steps[-1][0] + data.left_out + sum(data.benchmarks.values())
    train = read_parquet(prepared / "train.parquet", "prompts")
    assert train.filter(~pl.col("gradable"))["answer"].to_list() == ["", ""]


def test_the_benchmarks_are_complete_and_answers_of_aime_and_amc_are_whole_numbers(data, prepared):
    sizes = {name: len(read_parquet(prepared / f"{name}.parquet", "prompts")) for name in BENCHMARKS}
    assert sizes == data.benchmarks
    for name in ("aime24", "amc23"):
        assert read_parquet(prepared / f"{name}.parquet", "prompts")["answer"].str.contains(r"^-?[1-9]\d*$").all()


def test_level3plus_trains_on_every_hard_problem_and_has_another_development_set(data, tmp_path, sources):
    folder = run(tmp_path, sources, "level3plus")
    train = read_parquet(folder / "train.parquet", "prompts")
    development = read_parquet(folder / "development.parquet", "prompts")
    assert (len(train), len(development)) == (data.level3plus, data.left_out)
    assert not set(train["prompt_id"]) & set(development["prompt_id"])
    steps = json.loads((folder / "audit.json").read_text(encoding="utf-8"))["steps"]
    expected = [problems for problems, _ in data.steps[:3]]
    assert [step["problems"] for step in steps] == [*expected, data.level3plus]
