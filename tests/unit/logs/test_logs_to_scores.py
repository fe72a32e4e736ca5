"""LIM's scores of a log of any framework equal those of plain Python, or the log is refused."""

import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from logs_of_frameworks import JSON_FRAMEWORKS, Rollout
from refusals import refused

from limr.errors import LimrError
from limr.logs.log import LogOptions
from limr.logs.source import read_source
from limr.prompts import prompt_id
from limr.selection.scoring import score_prompts

EVERYONE = {"score": "lim", "keep": {"top": 1}}
PROMPTS = [f"{number} + {number}?" for number in range(6)]

every_format = pytest.mark.parametrize("name", sorted(JSON_FRAMEWORKS))


def run(epochs: int, samples: int = 4, seed: int = 0) -> list[Rollout]:
    """A run that meets half of the prompts at each step, in another order in each epoch."""
    dice = random.Random(seed)
    rollouts = []
    for step in range(2 * epochs):
        if step % 2 == 0:
            order = dice.sample(PROMPTS, len(PROMPTS))
        met = order[:3] if step % 2 == 0 else order[3:]
        rollouts += [Rollout(step + 8, prompt, float(dice.random() < 0.6)) for prompt in met for _ in range(samples)]
    return rollouts


def lim_in_plain_python(rollouts: Iterable[Rollout]) -> list[float]:
    """The scores of the paper's formula, sorted, because some logs have other prompt ids."""
    visits: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for rollout in rollouts:
        visits[rollout.prompt][rollout.step].append(rollout.reward)
    curves = [[sum(visit[step]) / len(visit[step]) for step in sorted(visit)] for visit in visits.values()]
    mean = [sum(points) / len(points) for points in zip(*curves, strict=True)]
    full = sum((1 - c) ** 2 for c in mean)
    return sorted(1 - sum((r - c) ** 2 for r, c in zip(curve, mean, strict=True)) / full for curve in curves)


def lim(path: Path, options: LogOptions | None = None) -> dict[str, float | None]:
    """LIM's score of every prompt of a log."""
    extracted = read_source(path, options or LogOptions())
    table = score_prompts("lim", EVERYONE, extracted.trajectories, None, seed=0)
    return dict(zip(table["prompt_id"], table["score"], strict=True))


@every_format
def test_scores_equal_those_of_plain_python(name: str, tmp_path: Path) -> None:
    rollouts = run(epochs=5)
    JSON_FRAMEWORKS[name].write(tmp_path, rollouts)
    scores = lim(tmp_path)
    assert sorted(scores.values()) == pytest.approx(lim_in_plain_python(rollouts), rel=0, abs=1e-12)
    if name != "open_instruct":  # it identifies prompts by their tokens
        assert set(scores) == set(map(prompt_id, PROMPTS))


@every_format
def test_the_order_of_rows_in_a_file_does_not_matter(name: str, tmp_path: Path) -> None:
    rollouts = run(epochs=3)
    JSON_FRAMEWORKS[name].write(tmp_path / "log", rollouts)
    JSON_FRAMEWORKS[name].write(tmp_path / "shuffled", random.Random(1).sample(rollouts, len(rollouts)))
    assert lim(tmp_path / "log") == pytest.approx(lim(tmp_path / "shuffled"), rel=0, abs=1e-12)


@every_format
def test_a_missing_step_is_an_error_unless_the_steps_of_an_epoch_are_known(name: str, tmp_path: Path) -> None:
    rollouts = run(epochs=4)
    files = JSON_FRAMEWORKS[name].write(tmp_path, rollouts)
    files[3].unlink()
    with refused(where=files[2], what="1 missing (11)", advice="steps_per_epoch"):
        lim(tmp_path)
    whole = lim_in_plain_python(
        [rollout for rollout in rollouts if rollout.prompt not in {lost.prompt for lost in rollouts if lost.step == 11}]
    )
    scores = lim(tmp_path, LogOptions(steps_per_epoch=2))
    assert sorted(score for score in scores.values() if score is not None) == pytest.approx(whole, rel=0, abs=1e-12)
    assert list(scores.values()).count(None) == 3


@every_format
def test_a_group_with_a_rollout_twice_is_an_error_that_names_it(name: str, tmp_path: Path) -> None:
    rollouts = run(epochs=3)
    files = JSON_FRAMEWORKS[name].write(tmp_path, [*rollouts, rollouts[17]])
    with refused(where=files[1], found="5 rollouts"):
        lim(tmp_path)


@every_format
def test_a_copy_of_a_file_adds_no_visit(name: str, tmp_path: Path) -> None:
    rollouts = run(epochs=3)
    framework = JSON_FRAMEWORKS[name]
    files = framework.write(tmp_path, rollouts)
    copy = files[2].with_name(f"copy of {files[2].name}")
    copy.write_bytes(files[2].read_bytes())
    try:
        scores = lim(tmp_path)
    except LimrError as error:
        assert str(copy.parent) in error.where[0]
    else:
        assert sorted(scores.values()) == pytest.approx(lim_in_plain_python(rollouts), rel=0, abs=1e-12)


@every_format
@pytest.mark.parametrize(
    "rollouts",
    [
        [rollout for rollout in run(epochs=3) if rollout.prompt == PROMPTS[0]],
        run(epochs=1),
        run(epochs=4, samples=1),
        [rollout._replace(reward=0.0) for rollout in run(epochs=3)],
        [rollout._replace(reward=-1.0) for rollout in run(epochs=3)],
        [rollout._replace(reward=float(rollout.prompt == PROMPTS[1])) for rollout in run(epochs=3)],
    ],
    ids=["one prompt", "one visit", "one sample", "never solved", "always malformed", "constant"],
)
def test_degenerate_runs_have_the_scores_of_the_formula(name: str, rollouts: list[Rollout], tmp_path: Path) -> None:
    steps = sorted({rollout.step for rollout in rollouts})  # one prompt is not met at every step
    rollouts = [rollout._replace(step=steps.index(rollout.step)) for rollout in rollouts]
    JSON_FRAMEWORKS[name].write(tmp_path, rollouts)
    found = sorted(lim(tmp_path).values())
    assert found == pytest.approx(lim_in_plain_python(rollouts), rel=0, abs=1e-12)


@every_format
def test_a_run_that_solves_everything_is_an_error(name: str, tmp_path: Path) -> None:
    JSON_FRAMEWORKS[name].write(tmp_path, [rollout._replace(reward=1) for rollout in run(epochs=3)])
    with refused(what="denominator"):
        lim(tmp_path)


@every_format
def test_rewards_above_that_of_a_solved_prompt_are_an_error(name: str, tmp_path: Path) -> None:
    JSON_FRAMEWORKS[name].write(tmp_path, [rollout._replace(reward=10 * rollout.reward) for rollout in run(epochs=3)])
    with refused(advice="best_reward"):
        lim(tmp_path)
