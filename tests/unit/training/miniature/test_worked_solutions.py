"""Worked solutions: as many as a subset has questions, right and boxed, of problems that are in no other set."""

from pathlib import Path
from typing import Any

import pytest
from refusals import refused

from limr.data.source_rows import boxed_answer
from limr.files.contracts import read_parquet
from limr.training.miniature import worked_solutions
from limr.training.miniature.problem_files import prepare
from limr.training.miniature.worked_solutions import write_solutions

DATA = {"seed": 3, "train": 200}
SETTINGS: dict[str, Any] = {"levels": [4, 5], "share": 0.163}


@pytest.fixture
def others(tmp_path: Path) -> list[Path]:
    """A training set and a development set."""
    outputs = {name: tmp_path / f"{name}.parquet" for name in ("train", "development")}
    prepare({**DATA, "development": 50}, {}, outputs)
    return list(outputs.values())


def test_there_are_as_many_as_a_method_with_this_share_keeps(others: list[Path], tmp_path: Path) -> None:
    write_solutions(SETTINGS, DATA, others, 0, tmp_path / "solutions.parquet")
    assert read_parquet(tmp_path / "solutions.parquet", "solutions").height == round(0.163 * 200) == 33


def test_every_solution_ends_with_its_answer_in_a_box(others: list[Path], tmp_path: Path) -> None:
    write_solutions(SETTINGS, DATA, others, 0, tmp_path / "solutions.parquet")
    for response in read_parquet(tmp_path / "solutions.parquet", "solutions")["response"]:
        answer = boxed_answer(response)
        steps, box = response.rsplit(" ", 1)
        assert steps.endswith(str(answer)) and box == f"\\boxed{{{answer}}}"


def test_no_problem_is_in_another_set_or_occurs_twice(others: list[Path], tmp_path: Path) -> None:
    easy = {"levels": [1], "share": 1.0}  # so few different problems that a draw without this care meets others
    write_solutions(easy, DATA, others, 0, tmp_path / "solutions.parquet")
    drawn = read_parquet(tmp_path / "solutions.parquet", "solutions")["prompt"].to_list()
    taken = {prompt for path in others for prompt in read_parquet(path, "prompts")["prompt"]}
    assert len(set(drawn)) == len(drawn) == 200
    assert not taken & set(drawn)
    write_solutions(easy, DATA, [], 0, tmp_path / "careless.parquet")
    assert taken & set(read_parquet(tmp_path / "careless.parquet", "solutions")["prompt"])


def test_only_the_levels_of_the_row_are_drawn(
    others: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = []
    stream = worked_solutions.stream

    def recorded(*arguments: Any) -> Any:
        for problem in stream(*arguments):
            levels.append(problem.level)
            yield problem

    monkeypatch.setattr(worked_solutions, "stream", recorded)
    write_solutions(SETTINGS, DATA, others, 0, tmp_path / "solutions.parquet")
    assert set(levels) == {4, 5}


def test_every_seed_draws_other_problems_and_a_seed_always_the_same(others: list[Path], tmp_path: Path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        write_solutions(SETTINGS, DATA, others, seed, tmp_path / name)
    first, again, other = ((tmp_path / name).read_bytes() for name in ("first", "again", "other"))
    assert first == again != other


def test_more_problems_than_exist_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with refused(expected="1,000,000", found="problems", what="no new"):
        write_solutions({"levels": [1], "share": 1.0}, {"seed": 1, "train": 1_000_000}, [], 0, tmp_path / "s.parquet")
