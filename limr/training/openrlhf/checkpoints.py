"""OpenRLHF's checkpoints: which one to resume from, and how they become Hugging Face directories.

OpenRLHF's folder holds

* ``_actor/global_step20/`` and ``_critic/global_step20/``: weights and optimiser states of the newest steps. A file
  ``latest`` names the step to load.
* ``global_step20_hf/``: the policy. The policies of all checkpoints are kept.

These folders are written one after another, so a kill can leave some of them missing, or one of them incomplete.
"""

import json
import os
import shutil
from pathlib import Path

from limr.files.atomic import whole_directory

_STATES = ("_actor", "_critic")
_WEIGHTS = (".safetensors", ".safetensors.index.json")


def prepare_to_resume(folder: Path) -> int:
    """Make OpenRLHF load the newest complete checkpoint, and remove the incomplete ones. Returns its step, or 0."""
    complete = max(
        (step for step in _steps(folder, "_actor/global_step*", "") if _is_complete(folder, step)), default=0
    )
    for states in _STATES:
        for step in _steps(folder, f"{states}/global_step*", ""):
            if not _is_complete(folder, step):  # otherwise OpenRLHF keeps it and deletes a complete one
                shutil.rmtree(folder / states / _tag(step))
        if complete:
            (folder / states / "latest").write_text(_tag(complete), encoding="ascii")
    for step in _steps(folder, "global_step*_hf", "_hf"):
        if step > complete:
            shutil.rmtree(_policy(folder, step))
    return complete


def publish(folder: Path, final_model: Path, steps: int, base: Path, checkpoints: Path, model: Path) -> None:
    """Write the policy of each checkpoint to ``checkpoints``, and the last one to ``model``. Weights are hard links.

    ``final_model``: the directory that OpenRLHF writes after the last of ``steps`` steps. All files but the weights
    come from ``base``, the base model's directory: training does not change them.
    """
    last = final_model if _is_model(final_model) else _policy(folder, steps)
    policies = {step: _policy(folder, step) for step in _steps(folder, "global_step*_hf", "_hf")}
    with whole_directory(checkpoints) as temporary:
        for step, policy in (policies | {steps: last}).items():
            link_policy(policy, base, temporary / f"step_{step:06d}")
    with whole_directory(model) as temporary:
        link_policy(last, base, temporary)


def drop_states(folder: Path, final_model: Path) -> None:
    """Remove the optimiser states, which only an unfinished run needs. For a large model they are most of ``folder``.

    A run that was killed after its last checkpoint has no ``final_model``. It keeps the states: they show that its last
    checkpoint is complete.
    """
    if _is_model(final_model):
        for states in _STATES:
            shutil.rmtree(folder / states, ignore_errors=True)


def _is_complete(folder: Path, step: int) -> bool:
    # OpenRLHF writes metric.json last in a state, and the tokenizer last in a policy
    return _is_model(_policy(folder, step)) and all(
        (folder / states / _tag(step) / "metric.json").is_file() for states in _STATES
    )


def _is_model(policy: Path) -> bool:
    return (policy / "config.json").is_file() and (policy / "tokenizer.json").is_file()


def _steps(folder: Path, pattern: str, suffix: str) -> list[int]:
    numbers = [path.name.removeprefix("global_step").removesuffix(suffix) for path in folder.glob(pattern)]
    return sorted(int(number) for number in numbers if number.isdigit())


def _tag(step: int) -> str:
    return f"global_step{step}"


def _policy(folder: Path, step: int) -> Path:
    return folder / f"{_tag(step)}_hf"


def link_policy(policy: Path, base: Path, target: Path) -> None:
    """Put the weights of ``policy`` and all other files of ``base`` into ``target``."""
    target.mkdir(exist_ok=True)
    for file in base.iterdir():
        if file.is_file() and not file.name.endswith((*_WEIGHTS, ".bin", ".bin.index.json")):
            shutil.copy(file, target / file.name)
    for file in policy.iterdir():
        if file.name.endswith(_WEIGHTS):
            try:
                os.link(file, target / file.name)
            except OSError:  # on another file system
                shutil.copy(file, target / file.name)
            shutil.copymode(base / "config.json", target / file.name)  # only the owner can read what safetensors wrote
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    trained = json.loads((policy / "config.json").read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)  # the name before transformers 5
    config["dtype"] = trained.get("dtype", trained.get("torch_dtype"))
    (target / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
