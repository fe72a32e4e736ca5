"""A run's folder belongs to one run: other settings or inputs are refused, and files of a finished run are removed."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from places import ROOT
from refusals import refused

from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
from limr.training.openrlhf.run_folder import RunFolder

CONFIGURATION = yaml.safe_load((ROOT / "config" / "openrlhf_test.yaml").read_text(encoding="utf-8"))
OPTIONS = OpenRLHFSettings(**CONFIGURATION["training"], reward_rule="paper")


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """A model and a prompts file, as ``claim`` takes them."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}", encoding="ascii")
    (tmp_path / "prompts").write_text("prompts", encoding="ascii")
    return {"seed": 0, "model": tmp_path / "model", "inputs": [tmp_path / "prompts"]}


def test_an_unfinished_run_keeps_its_folder(tmp_path: Path, inputs: dict[str, Any]) -> None:
    run = RunFolder(tmp_path / "work")
    run.claim(OPTIONS, **inputs)
    (run.folder / "kept").touch()
    run.claim(OPTIONS, **inputs)
    run.claim(OPTIONS.model_copy(update={"train_micro_batch_size": 7}), **inputs)  # changes the speed only
    assert (run.folder / "kept").exists()


def test_an_unfinished_run_is_kept_and_other_settings_are_refused(tmp_path: Path, inputs: dict[str, Any]) -> None:
    run = RunFolder(tmp_path / "work")
    run.claim(OPTIONS, **inputs)
    changed = OPTIONS.model_copy(update={"temperature": 0.125})
    with refused(where=run.folder, found=f"temperature {OPTIONS.temperature}", expected="temperature 0.125"):
        run.claim(changed, **inputs)
    with refused(where=run.folder, found="seed 0", expected="seed 1", advice="remove the folder"):
        run.claim(OPTIONS, **inputs | {"seed": 1})
    (tmp_path / "prompts").write_text("other prompts", encoding="ascii")
    with refused(where=run.folder, found="inputs", expected="inputs"):
        run.claim(OPTIONS, **inputs)


def test_remaining_files_of_a_finished_run_are_removed(tmp_path: Path, inputs: dict[str, Any]) -> None:
    run = RunFolder(tmp_path / "work")
    run.folder.mkdir()
    (run.folder / "rest").touch()
    run.claim(OPTIONS, **inputs)
    assert [path.name for path in run.folder.iterdir()] == ["run.json"]


def test_attempts_are_numbered_and_keep_their_first_steps(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.attempts() == []
    first, second = run.new_attempt(0), run.new_attempt(4)
    assert run.attempts() == [first, second]
    assert [attempt.first_step for attempt in run.attempts()] == [0, 4]
    assert [run.log(attempt).name for attempt in run.attempts()] == ["attempt_0000.log", "attempt_0001.log"]


def test_locks_of_a_killed_compilation_are_removed_before_the_next_launch(tmp_path: Path) -> None:
    operator = tmp_path / "operators" / "cpu_adam"
    operator.mkdir(parents=True)
    for name in ("lock", "cpu_adam.so"):
        (operator / name).touch()
    assert RunFolder(tmp_path).operators() == tmp_path / "operators"
    assert [path.name for path in operator.iterdir()] == ["cpu_adam.so"]
