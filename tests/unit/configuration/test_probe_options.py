"""The section `probe` of a method row: which parts of the probe are accepted, and what is refused by key and value."""

from typing import Any

import pytest
from configurations import DEFAULT, PAPER, changed, own_run
from refusals import refused

from limr.configuration.check import check_configuration
from limr.configuration.probe_options import probe_seed, trajectories_folder

VISITS = DEFAULT["training"]["steps"] * DEFAULT["training"]["prompts_per_step"] // DEFAULT["data"]["train"]
SAMPLES = DEFAULT["training"]["samples_per_prompt"]
STEPS, INTERVAL = DEFAULT["training"]["steps"], DEFAULT["training"]["checkpoint_interval"]
CHECKPOINTS = -(-STEPS // INTERVAL)
FIXED = {"measure": "checkpoints"}


def lim(part: Any, configuration: dict[str, Any] = DEFAULT, **sections: Any) -> dict[str, Any]:
    """``configuration`` with a section `probe` of LIM, and other sections."""
    return changed("methods.lim.probe", part, configuration) | sections


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"visits": 1},
        {"visits": VISITS},
        {"samples": 1},
        {"samples": SAMPLES},
        {"seed": "next"},
        FIXED,
        FIXED | {"visits": CHECKPOINTS, "samples": SAMPLES, "seed": "next"},
    ],
)
def test_parts_that_the_probe_has_are_accepted(part: dict[str, Any]) -> None:
    check_configuration(lim(part, seeds=[0, 1]))


@pytest.mark.parametrize(
    ("part", "parts"),
    [
        ({"visits": VISITS + 1}, {"where": "visits", "found": f"{VISITS + 1}", "expected": f"at most {VISITS}"}),
        ({"visits": 0}, {"where": "visits", "found": "0", "expected": "at least 1"}),
        (
            {"samples": SAMPLES + 1},
            {"where": "samples", "found": f"{SAMPLES + 1}", "expected": f"samples_per_prompt, {SAMPLES}"},
        ),
        ({"seed": "next"}, {"where": "seed", "found": '"next"', "expected": "at least two `seeds`"}),
        ({"seed": "other"}, {"where": "seed", "found": '"other"', "expected": "'next'"}),
        ({"measure": "steps"}, {"where": "measure", "found": '"steps"', "expected": "'checkpoints'"}),
        (
            FIXED | {"visits": CHECKPOINTS + 1},
            {"where": "visits", "found": f"{CHECKPOINTS + 1}", "expected": f"at most {CHECKPOINTS}, the checkpoints"},
        ),
        ({"visit": 5}, {"where": "visit", "what": "unknown key", "advice": "'visits'"}),
    ],
)
def test_parts_that_the_probe_lacks_are_refused(part: dict[str, Any], parts: dict[str, str]) -> None:
    with refused(**parts | {"where": f"methods.lim.probe.{parts['where']}"}):
        check_configuration(lim(part))


def test_a_visit_counts_if_nine_prompts_in_ten_have_it() -> None:
    configuration = lim({"visits": 2}, data=DEFAULT["data"] | {"train": 100})
    configuration["methods"]["rand"]["keep"] = {"share": 0.5}
    for prompts_per_step, accepted in ((38, True), (37, False)):
        configuration["training"] |= {"steps": 5, "warmup_steps": 1, "prompts_per_step": prompts_per_step}
        if accepted:  # 190 of 200 rollouts
            check_configuration(configuration)
        else:
            with refused(where="methods.lim.probe.visits", found="2", expected="at most 1"):
                check_configuration(configuration)


def test_a_single_checkpoint_gives_no_curve() -> None:
    configuration = lim(FIXED)
    configuration["training"]["checkpoint_interval"] = STEPS
    with refused(where="training.checkpoint_interval", found=str(STEPS), expected=f"less than training.steps, {STEPS}"):
        check_configuration(configuration)
    configuration["training"]["checkpoint_interval"] = STEPS - 1
    check_configuration(configuration)


def test_only_the_miniature_samples_from_its_checkpoints() -> None:
    with refused(where="methods.lim.probe.measure", found='"checkpoints"', what="only the engine `miniature`"):
        check_configuration(lim(FIXED, PAPER))
    check_configuration(lim({"visits": 21}, PAPER))


def test_a_score_without_trajectories_has_no_part_of_a_probe() -> None:
    with refused(where="methods.rand.probe", what="'rand' reads no trajectories", advice="Remove"):
        check_configuration(changed("methods.rand.probe", {"visits": 1}))


def test_a_finished_run_of_the_user_is_cut_by_its_own_section() -> None:
    configuration = own_run("logs")
    method = next(iter(configuration["methods"]))
    configuration["methods"][method]["probe"] = {"visits": 2}
    with refused(where=f"methods.{method}.probe", what="no effect", advice="trajectories.visits"):
        check_configuration(configuration)


def test_the_next_seed_is_cyclic_and_in_the_order_of_the_configuration() -> None:
    row = {"probe": {"seed": "next"}}
    assert [probe_seed(row, seed, [7, 0, 3]) for seed in (7, 0, 3)] == [0, 3, 7]
    assert [probe_seed({"probe": {"visits": 2}}, seed, [7, 0, 3]) for seed in (7, 0, 3)] == [7, 0, 3]


def test_each_measure_and_number_of_samples_has_its_own_trajectories() -> None:
    parts = [{}, {"samples": 4}, FIXED, FIXED | {"samples": 4}]
    folders = [trajectories_folder({"probe": part}) for part in parts]
    assert len(set(folders)) == 4 and folders[0] == trajectories_folder({}) == "trajectories"
    assert trajectories_folder({"probe": {"visits": 5, "seed": "next"}}) == "trajectories"
