"""OpenRLHF's own parser accepts the command line of every shipped configuration, and refuses wrong ones."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from places import ROOT
from refusals import refused

from limr.configuration.check import check_configuration
from limr.training.openrlhf import VERSION
from limr.training.openrlhf.command_line import DEFAULTS, FORBIDDEN, RunPaths, command_line
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSettings
from limr.training.openrlhf.parser import parse

PATHS = RunPaths(*(Path(name) for name in ("model", "train.jsonl", "eval.jsonl", "checkpoints", "final", "tb")))
SIBLINGS = ("qwen2.5-math-1.5b_1gpu", "qwen2.5-math-1.5b_2gpus", "qwen2.5-math-1.5b_4gpus", "qwen2.5-7b")


def configuration(*names: str) -> dict[str, Any]:
    """``config/paper.yaml``, with the named configurations merged over it."""
    whole: dict[str, Any] = {}
    for name in ("paper", *names):
        for section, value in yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8")).items():
            whole[section] = whole[section] | value if isinstance(whole.get(section), dict) else value
    return whole


def settings(*names: str) -> OpenRLHFSettings:
    return OpenRLHFSettings(**configuration(*names)["training"], reward_rule="paper")


def parsed(options: OpenRLHFSettings, package: Path, *more: str) -> SimpleNamespace:
    return parse([*command_line(options, PATHS, seed=3, attempt="attempt_0000", resume=False), *more], package)


@pytest.mark.parametrize(
    "names", [(), *((name,) for name in SIBLINGS)], ids=lambda names: names[0] if names else "paper"
)
def test_every_shipped_configuration_passes_the_real_parser_and_its_checks(
    names: tuple[str, ...], package: Path
) -> None:
    check_configuration(configuration(*names))
    options = settings(*names)
    found = parsed(options, package)
    gpus = found.actor.num_nodes * found.actor.num_gpus_per_node
    assert gpus == options.gpus == found.vllm.num_engines * found.vllm.tensor_parallel_size
    assert (found.critic.num_gpus_per_node, found.ref.num_gpus_per_node) == (found.actor.num_gpus_per_node,) * 2
    rollouts = found.rollout.batch_size * found.rollout.n_samples_per_prompt
    assert rollouts % found.train.batch_size == 0  # no sample is dropped
    assert found.train.batch_size % (gpus * found.train.micro_batch_size) == 0
    assert rollouts % (gpus * found.rollout.micro_batch_size) == 0  # all ranks get the same number, so none waits
    assert found.rollout.vllm_generate_batch_size == found.rollout.batch_size


def test_the_paper_s_command_line_has_the_paper_s_settings(package: Path) -> None:
    found = parsed(settings(), package)
    assert (found.rollout.batch_size, found.rollout.n_samples_per_prompt, found.rollout.temperature) == (1024, 8, 1.2)
    assert (found.train.batch_size, found.actor.adam.lr, found.critic.adam.lr) == (256, 5e-7, 9e-6)
    assert (found.algo.kl.init_coef, found.algo.advantage.lambd, found.algo.advantage.estimator) == (0.01, 0.95, "gae")
    assert (found.actor.eps_clip_low_high, found.critic.value_clip) == ((0.2, 0.2), 0.2)
    assert (found.data.max_len - found.rollout.max_new_tokens, found.rollout.max_new_tokens) == (1024, 3072)
    assert (found.ds.zero_stage, found.ds.param_dtype) == (3, "bf16")


def test_the_probe_visits_each_prompt_21_times() -> None:
    prompts = 8_519  # MATH-FULL without duplicates and without the two that cannot be graded
    options = settings()
    assert options.rows // prompts == 21
    assert (options.rows - options.prompts_per_step) // prompts == 20  # one step fewer is not enough


@pytest.mark.parametrize("warmup", [0, 1, 10, 5600])
def test_warm_up_takes_the_configured_number_of_optimiser_steps(warmup: int, package: Path) -> None:
    options = settings().model_copy(update={"warmup_updates": warmup})
    found = parsed(options, package)
    rows = options.steps * options.prompts_per_step
    updates = rows * found.rollout.n_samples_per_prompt // found.train.batch_size * found.train.num_episodes
    assert updates == options.updates == 5600
    for model in (found.actor, found.critic):
        assert math.ceil(updates * model.lr_warmup_ratio) == warmup
        assert model.lr_scheduler == "constant_with_warmup"


@pytest.mark.parametrize("wrong", [
    ["--micro_train_batch_size", "2"], ["--pretrain", "model"], ["--generate_max_len", "3072"], ["--init_kl_coef", "0"],
    ["--lr_warmup_steps", "10"], ["--samples_save_path", "here"],
])  # fmt: skip
def test_names_of_older_releases_are_refused(wrong: list[str], package: Path) -> None:
    with refused(what=f"OpenRLHF {VERSION} refuses these arguments: unrecognized arguments: {wrong[0]}"):
        parsed(settings(), package, *wrong)


@pytest.mark.parametrize("beginning", ["--rollout.temp", "--train.batch", "--ds.packing", "--actor.adam.l"])
def test_abbreviated_names_are_refused_although_the_real_parser_accepts_them(beginning: str, package: Path) -> None:
    with refused(what="unrecognized arguments"):
        parsed(settings(), package, *([beginning] if "packing" in beginning else [beginning, "1"]))


@pytest.mark.parametrize(("wrong", "expected"), [
    (["--rollout.temperature", "hot"], "--rollout.temperature: invalid float value: 'hot'"),
    (["--train.batch_size", "25.6"], "--train.batch_size: invalid int value"),
    (["--algo.kl.estimator", "k9"], "--algo.kl.estimator: invalid choice: 'k9'"),
    (["--train.partial_rollout_enable"], "--train.partial_rollout_enable requires --train.async_enable"),
    (["--rollout.micro_batch_size", "4096"], "number of sample batches must be greater"),
    (["--rollout.vllm_generate_batch_size", "2048"], "requires --train.async_enable"),
])  # fmt: skip
def test_bad_types_choices_and_combinations_are_refused(wrong: list[str], expected: str, package: Path) -> None:
    with refused(what=expected):
        parsed(settings(), package, *wrong)


def test_arguments_that_break_training_or_the_records_are_never_set_and_cannot_be_set(package: Path) -> None:
    found = parsed(settings(), package)
    assert not found.reward.normalize_enable  # NaN under ZeRO-2
    assert not found.train.async_enable and not found.algo.dynamic_filtering_enable
    assert found.train.num_episodes == found.train.max_epochs == 1
    assert found.ckpt.best_metric_key == "none" and found.ckpt.max_num >= 2
    for name in FORBIDDEN:
        with refused(where=f"training.arguments.{name}", what="cannot be set", advice=FORBIDDEN[name]):
            check_configuration(_with({name: True}))


def test_further_arguments_replace_defaults_but_not_settings(package: Path) -> None:
    arguments = {"ds.zpg": 8, "ds.packing_samples": False, "vllm.sync_backend": "gloo"}
    options = settings().model_copy(update={"arguments": arguments})
    found = parsed(options, package)
    assert (found.ds.zpg, found.ds.packing_samples, found.vllm.sync_backend) == (8, False, "gloo")
    assert set(DEFAULTS) & set(FORBIDDEN) == set()
    check_configuration(_with({"ds.zpg": 8, "ds.packing_samples": False}))
    for name in ("train.batch_size", "rollout.temperature", "ckpt.path", "ckpt.load_enable", "eval.dataset"):
        with refused(where=f"training.arguments.{name}", what="cannot be set here", advice="the other settings"):
            check_configuration(_with({name: 1}))


@pytest.mark.parametrize(("key", "value", "expected"), [
    ("gpus_per_node", 3, {"where": "training.mini_batch_size", "found": "256", "expected": "a multiple of"}),
    ("mini_batch_size", 640, {"where": "training.mini_batch_size", "found": "640", "expected": "a divisor of prompts"}),
    ("prompts_per_step", 1021, {"where": "training.rollout_micro_batch_size", "found": "4"}),
    ("tensor_parallel_size", 3, {"where": "training.tensor_parallel_size", "found": "3", "expected": "a divisor"}),
    ("warmup_updates", 6000, {"where": "training.warmup_updates", "found": "6000", "expected": "at most 5600"}),
    ("offload_optimizer", "yes", {"where": "training.offload_optimizer", "found": "yes", "expected": "true or false"}),
    ("checkpoints_to_resume_from", 1, {"where": "training.checkpoints_to_resume_from", "found": "1", "expected": "2"}),
    ("threads", 1, {"where": "training.threads", "what": "unknown key"}),
])  # fmt: skip
def test_contradictory_settings_are_refused_before_anything_runs(key: str, value: Any, expected: dict) -> None:
    wrong = configuration()
    wrong["training"][key] = value
    with refused(**expected):
        check_configuration(wrong)


def test_only_resuming_loads_a_checkpoint(package: Path) -> None:
    lines = [command_line(settings(), PATHS, 0, "attempt_0001", resume) for resume in (False, True)]
    assert [parse(line, package).ckpt.load_enable for line in lines] == [False, True]


def test_the_command_of_another_release_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "train_ppo_ray.py").write_text("def main():\n    pass\n", encoding="utf-8")
    with refused(where="train_ppo_ray.py", what="no main block", expected=f"OpenRLHF {VERSION}"):
        parse([], tmp_path)


def _with(arguments: dict[str, Any]) -> dict[str, Any]:
    whole = configuration()
    whole["training"]["arguments"] = arguments
    return whole
