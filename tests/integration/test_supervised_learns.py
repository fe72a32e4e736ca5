"""Supervised fine-tuning of the miniature learns the solutions, repeats its bytes, and refuses no solutions."""

from pathlib import Path

import polars as pl
import pytest
from refusals import refused
from world import World

from limr.files.contracts import read_parquet, write_parquet
from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.graded_rollouts import PromptSet, accuracy
from limr.training.miniature.worked_solutions import write_solutions
from limr.training.supervised import fine_tune

SETTINGS = {"epochs": 60, "batch_size": 8, "learning_rate": 0.01, "threads": 1}


@pytest.fixture(scope="module")
def solutions(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve easy solutions."""
    file = tmp_path_factory.mktemp("solutions") / "solutions.parquet"
    write_solutions({"levels": [1], "share": 0.3}, {"seed": 5, "train": 40}, [world.development], 0, file)
    return file


def tuned(world: World, solutions: Path, folder: Path, seed: int = 0, **changes: float) -> Path:
    fine_tune("miniature", SETTINGS | changes, world.model, solutions, seed, folder / "work", folder / "model")
    return folder / "model"


def share_solved(model: Path, solutions: Path) -> float:
    """The share of the solutions' own problems that the model answers rightly, in a box."""
    table = read_parquet(solutions, "solutions")
    answers = table["response"].str.extract(r"\\boxed\{(\d+)\}")
    return accuracy(tiny.load(model), PromptSet(table.with_columns(answer=answers), tokens.load(model)), 40)


def test_the_solutions_are_learned(world: World, solutions: Path, tmp_path: Path) -> None:
    assert share_solved(world.model, solutions) < 0.2
    assert share_solved(tuned(world, solutions, tmp_path), solutions) > 0.8


def test_a_vanishing_learning_rate_changes_almost_nothing(world: World, solutions: Path, tmp_path: Path) -> None:
    model = tuned(world, solutions, tmp_path, learning_rate=1e-30, epochs=2)
    before, after = (dict(tiny.load(path).named_parameters()) for path in (world.model, model))
    assert all((before[name] == after[name]).all() for name in before)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_gives_others(
    world: World, solutions: Path, tmp_path: Path
) -> None:
    models = [
        tuned(world, solutions, tmp_path / name, seed, epochs=3)
        for name, seed in (("first", 0), ("again", 0), ("other", 1))
    ]
    first, again, other = ((model / "model.safetensors").read_bytes() for model in models)
    assert first == again != other


def test_no_solutions_are_an_error_that_names_the_file(world: World, solutions: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.parquet"
    write_parquet(read_parquet(solutions, "solutions").filter(pl.lit(value=False)), empty, "solutions")
    with refused(where=empty, found="no solutions"):
        tuned(world, empty, tmp_path)
    assert not (tmp_path / "model").exists()
