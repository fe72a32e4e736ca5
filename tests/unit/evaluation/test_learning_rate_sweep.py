"""The learning rate is chosen by the development set alone: the best, and of equally good ones the lowest."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from limr.evaluation import development
from limr.evaluation.learning_rate_sweep import choose_learning_rate
from limr.files.contracts import read_parquet

ACCURACIES = {1e-3: 0.25, 1e-4: 0.75, 3e-4: 0.75, 3e-3: 0.0}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the models' answers by those of ``ACCURACIES``; the list gets what was asked."""
    calls: list[Any] = []

    def graded_answers(model: Path, problems: Any, sampling: Any, settings: Any, method: str, seed: int) -> Any:
        calls.append((problems, sampling))
        right = round(4 * ACCURACIES[float(model.name)])
        yield "development", pl.DataFrame({"correct": [True] * right + [False] * (4 - right), "response_tokens": 7})

    monkeypatch.setattr(development, "graded_answers", graded_answers)
    return calls


def choose(folder: Path) -> pl.DataFrame:
    models = {rate: folder / f"{rate!r}" for rate in ACCURACIES}
    for rate, model in models.items():
        model.mkdir()
        (model / "model.safetensors").write_text(f"weights of {rate!r}")
    choose_learning_rate(
        models, folder / "development.parquet", {}, "sft", 0, folder / "sweep.parquet", folder / "model"
    )
    return read_parquet(folder / "sweep.parquet", "sweep")


def test_the_best_rate_is_chosen_and_the_lowest_of_equally_good_ones(asked: list[Any], tmp_path: Path) -> None:
    table = choose(tmp_path)
    assert table.filter("chosen")["learning_rate"].to_list() == [1e-4]
    assert (tmp_path / "model" / "model.safetensors").read_text() == "weights of 0.0001"


def test_every_rate_is_reported(asked: list[Any], tmp_path: Path) -> None:
    table = choose(tmp_path)
    assert dict(table.select("learning_rate", "development_accuracy").rows()) == ACCURACIES
    assert table["response_tokens"].to_list() == [7.0] * 4


def test_only_the_development_set_is_asked_once_and_greedily(asked: list[Any], tmp_path: Path) -> None:
    choose(tmp_path)
    expected = ({"development": tmp_path / "development.parquet"}, {"development": {"samples": 1, "temperature": 0.0}})
    assert asked == [expected] * 4
