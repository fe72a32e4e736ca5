"""prime-rl's older rollouts: the folder has the step; evaluation and failed rollouts do not count."""

from pathlib import Path

from logs_of_frameworks import JSON_FRAMEWORKS, Rollout

from limr.logs.whole import read_log


def test_folders_have_the_steps_and_evaluation_and_failures_are_left_out(tmp_path: Path) -> None:
    framework = JSON_FRAMEWORKS["verifiers"]
    for step in (9, 10):
        rows = [framework.row(Rollout(step, prompt, 1.0)) for prompt in ("2+2?", "3+3?")]
        failed = rows[0] | {"reward": 0.0, "error": {"error": "SandboxError", "error_chain_repr": "..."}}
        folder = tmp_path / "rollouts" / f"step_{step}"
        folder.mkdir(parents=True)
        (folder / "train_rollouts.jsonl").write_bytes(framework.text([*rows, failed]))
        (folder / "eval_rollouts.jsonl").write_bytes(framework.text(rows))
    log = read_log(tmp_path)
    assert log.format == "verifiers"
    assert log.step.tolist() == [9, 9, 10, 10]
    assert log.reward.tolist() == [1, 1, 1, 1]
    assert sorted(prompt.text for prompt in log.prompts) == ["2+2?", "3+3?"]
    assert {Path(file).name for file in log.left_out} == {"eval_rollouts.jsonl"}


def test_an_evaluation_has_no_steps(tmp_path: Path) -> None:
    framework = JSON_FRAMEWORKS["verifiers"]
    (tmp_path / "results.jsonl").write_bytes(framework.text([framework.row(Rollout(1, "2+2?", 1.0))] * 2))
    assert read_log(tmp_path).step is None
