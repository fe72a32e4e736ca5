"""OpenRLHF's checkpoints: after a kill at any point a run can resume, and the weights get their final names."""

import json
from pathlib import Path

import pytest

from limr.training.openrlhf.checkpoints import drop_states, prepare_to_resume, publish

STAGES = ("_actor", "_actor metric", "policy", "policy tokenizer", "_critic", "_critic metric")


def save(folder: Path, step: int, until: int = len(STAGES)) -> None:
    """Write the files that OpenRLHF has written for a checkpoint after the first ``until`` stages."""
    for stage in STAGES[:until]:
        states, _, part = stage.partition(" ")
        if states == "policy":
            place = folder / f"global_step{step}_hf"
            place.mkdir(parents=True, exist_ok=True)
            if part:
                (place / "tokenizer.json").write_text("theirs", encoding="ascii")
            else:
                (place / "config.json").write_text('{"dtype": "bfloat16", "use_cache": false}', encoding="ascii")
                (place / "model.safetensors").write_text(f"weights {step}", encoding="ascii")
        else:
            place = folder / states / f"global_step{step}"
            place.mkdir(parents=True, exist_ok=True)
            (folder / states / "latest").write_text(f"global_step{step}", encoding="ascii")
            if part:
                (place / "metric.json").write_text("{}", encoding="ascii")


def latest(folder: Path) -> set[str]:
    return {(folder / states / "latest").read_text(encoding="ascii") for states in ("_actor", "_critic")}


@pytest.mark.parametrize("until", range(len(STAGES)))
def test_a_checkpoint_that_a_kill_left_incomplete_is_removed_and_not_loaded(tmp_path: Path, until: int) -> None:
    for step in (2, 4):
        save(tmp_path, step)
    save(tmp_path, 6, until)
    assert prepare_to_resume(tmp_path) == 4
    assert latest(tmp_path) == {"global_step4"}
    assert not list(tmp_path.rglob("global_step6*"))
    save(tmp_path, 6)
    assert prepare_to_resume(tmp_path) == 6 and latest(tmp_path) == {"global_step6"}


def test_a_critic_that_is_ahead_of_the_actor_is_not_loaded(tmp_path: Path) -> None:
    save(tmp_path, 2)
    (tmp_path / "_critic" / "global_step4").mkdir()
    (tmp_path / "_critic" / "global_step4" / "metric.json").write_text("{}", encoding="ascii")
    (tmp_path / "_critic" / "latest").write_text("global_step4", encoding="ascii")
    assert prepare_to_resume(tmp_path) == 2
    assert latest(tmp_path) == {"global_step2"}


def test_without_a_complete_checkpoint_training_starts_from_step_0(tmp_path: Path) -> None:
    assert prepare_to_resume(tmp_path) == 0
    save(tmp_path, 2, until=3)
    assert prepare_to_resume(tmp_path) == 0
    assert not list(tmp_path.rglob("global_step2*"))


def test_policies_are_published_with_the_other_files_of_the_base_model(tmp_path: Path) -> None:
    base, final = tmp_path / "base", tmp_path / "final"
    base.mkdir()
    for name in ("tokenizer.json", "chat_template.jinja", "model-00001-of-00002.safetensors"):
        (base / name).write_text(f"base {name}", encoding="ascii")
    (base / "config.json").write_text('{"torch_dtype": "float32", "hidden_size": 8}', encoding="ascii")
    (base / "config.json").chmod(0o640)
    (base / "model.safetensors.index.json").write_text("{}", encoding="ascii")
    for step in (2, 4):
        save(tmp_path / "openrlhf", step)
    save(tmp_path / "last", 5)
    (tmp_path / "last" / "global_step5_hf" / "model.safetensors").chmod(0o600)
    (tmp_path / "last" / "global_step5_hf").rename(final)
    publish(tmp_path / "openrlhf", final, 5, base, tmp_path / "checkpoints", tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == [
        "step_000002", "step_000004", "step_000005"
    ]  # fmt: skip
    for folder, weights in ((tmp_path / "checkpoints" / "step_000002", 2), (tmp_path / "model", 5)):
        assert sorted(path.name for path in folder.iterdir()) == [
            "chat_template.jinja", "config.json", "model.safetensors", "tokenizer.json"
        ]  # fmt: skip
        assert (folder / "model.safetensors").read_text(encoding="ascii") == f"weights {weights}"
        assert (folder / "tokenizer.json").read_text(encoding="ascii") == "base tokenizer.json"
        assert json.loads((folder / "config.json").read_text(encoding="ascii")) == {
            "dtype": "bfloat16", "hidden_size": 8
        }  # fmt: skip
    assert (tmp_path / "model" / "model.safetensors").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "model" / "model.safetensors").stat().st_ino == (final / "model.safetensors").stat().st_ino


def test_a_run_killed_after_its_last_checkpoint_is_published_from_it(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "config.json").write_text("{}", encoding="ascii")
    save(tmp_path / "openrlhf", 4)
    publish(tmp_path / "openrlhf", tmp_path / "nothing", 4, tmp_path / "base", tmp_path / "c", tmp_path / "model")
    assert (tmp_path / "model" / "model.safetensors").read_text(encoding="ascii") == "weights 4"


def test_a_finished_run_keeps_its_policies_and_loses_its_optimiser_states(tmp_path: Path) -> None:
    folder = tmp_path / "openrlhf"
    for step in (2, 4):
        save(folder, step)
    drop_states(folder, tmp_path / "final")
    assert prepare_to_resume(folder) == 4, "the final model is not written yet, so the states must stay"
    save(tmp_path / "last", 4)
    for _ in range(2):  # the second time as after a kill
        drop_states(folder, tmp_path / "last" / "global_step4_hf")
        assert sorted(path.name for path in folder.iterdir()) == ["global_step2_hf", "global_step4_hf"]
