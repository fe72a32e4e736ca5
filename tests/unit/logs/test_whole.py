"""A whole log: correctness follows from the log or from the rewards, and every file has a step or none has."""

import numpy as np
import pytest
from json_logs import write_lines
from refusals import refused

from limr.logs.whole import read_log


@pytest.mark.parametrize(
    "rewards, logged, expected",
    [
        ([1.0, -0.5, -1.0], None, [1, 0, 0]),
        ([1.0, 0.0, 0.0], None, [1, 0, 0]),
        ([0.5, -0.5, 0.0], None, None),  # no reward is 1
        ([2.0, 1.0, 0.0], None, None),  # 1 is not the highest reward
        ([1.0, 0.3, 0.2, 0.1], None, None),  # of a reward model
        ([1.0, 0.0], [False, True], [0, 1]),
        ([1.0, 0.0], [0.25, None], [0.25, np.nan]),
        ([1.0, -1.0], [1.0, -1.0], [1, 0]),  # logged values outside 0 to 1 are ignored
    ],
)
def test_correctness_is_logged_or_follows_from_the_rewards_of_a_rule_or_is_unknown(tmp_path, rewards, logged, expected):
    rows = [{"prompt": "2+2?", "reward": reward} for reward in rewards]
    for row, correct in zip(rows, logged or (), strict=False):
        row["correct"] = correct
    log = read_log(write_lines(tmp_path / "rollouts.jsonl", rows))
    assert np.array_equal(log.correct, np.full(len(rows), np.nan) if expected is None else expected, equal_nan=True)


def test_the_file_without_a_step_is_named(tmp_path):
    rows = '[{"prompt": "1+1?", "response": "2", "reward": 1.0, "response_length": 1}]'
    for name in ("copy_of_step_1", "step_1", "step_2"):
        (tmp_path / f"{name}.json").write_text(rows)
    with refused(where="copy_of_step_1.json", what="neither its rows nor its name have the step"):
        read_log(tmp_path)
