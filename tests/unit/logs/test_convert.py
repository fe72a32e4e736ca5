"""A converted log: shards of the rollouts contract that give the trajectories of the log."""

import json

import numpy as np
import polars as pl
import pytest
from refusals import refused

from limr.files.atomic import whole_directory
from limr.files.contracts import check
from limr.logs.convert import convert
from limr.logs.log import LogOptions
from limr.logs.own_rollouts import from_rollouts
from limr.logs.visits import number_visits, trajectories_of_log
from limr.logs.whole import read_log

SAMPLES = 4


def write_fork(folder, rng, steps=4, prompts=7):
    """A log of LIMR's fork with two steps in an epoch, which drop one prompt; the last file has half the samples."""
    for step in range(1, steps + 1):
        if step % 2:
            order = rng.permutation(prompts)
        met = order[:3] if step % 2 else order[3:6]
        n = SAMPLES if step != steps else SAMPLES // 2
        rows = [
            {
                "prompt": f"Prompt {prompt}",
                "response": f'{step}, {sample}: "½" \\boxed{{4}}\n',
                "reward": float(rng.choice([1, -0.5, -1])),
                "response_length": float(sample),
            }
            for prompt in met
            for sample in range(n)
        ]
        (folder / f"step_{step}.json").write_text(json.dumps(rows, indent=4), encoding="utf-8")


def same(one, other):
    assert one.prompt_ids == other.prompt_ids
    columns = ("prompt", "epoch", "mean_reward", "accuracy", "n_samples")
    return all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in columns)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("options", [LogOptions(), LogOptions(steps_per_epoch=2)], ids=["by order", "by epoch"])
def test_the_shards_give_the_trajectories_of_the_log(tmp_path, seed, options):
    log_folder = tmp_path / "log"
    log_folder.mkdir()
    write_fork(log_folder, np.random.default_rng(seed))
    log = read_log(log_folder, options)
    visits = number_visits(log, options.samples, options.steps_per_epoch)
    convert(log_folder, tmp_path / "rollouts", options)
    assert same(trajectories_of_log(log, visits), from_rollouts(tmp_path / "rollouts"))


def test_each_file_becomes_a_shard_of_the_contract_with_the_responses(tmp_path):
    (tmp_path / "log").mkdir()
    write_fork(tmp_path / "log", np.random.default_rng(0))
    log, visits = convert(tmp_path / "log", tmp_path / "rollouts")
    shards = sorted((tmp_path / "rollouts").iterdir())
    assert [shard.name for shard in shards] == [f"rollouts_{number:05d}.parquet" for number in range(4)]
    frame = pl.concat([check(pl.read_parquet(shard), "rollouts", where=str(shard)) for shard in shards])
    rows = [
        row for step in range(1, 5) for row in json.loads((tmp_path / "log" / f"step_{step}.json").read_text("utf-8"))
    ]
    assert frame["response"].to_list() == [row["response"] for row in rows]
    assert frame["response_tokens"].to_list() == [row["response_length"] for row in rows]
    assert frame["reward"].to_list() == [row["reward"] for row in rows]
    assert frame["correct"].to_list() == [row["reward"] == 1 for row in rows]
    assert frame["step"].to_list() == log.step.tolist()
    assert frame["visit"].to_list() == visits.visit.tolist()
    assert frame["formatted"].null_count() == frame["truncated"].null_count() == len(rows)


def test_in_a_log_without_steps_the_visit_is_the_step_and_unknown_correctness_is_null(tmp_path):
    rows = [
        {"prompt": f"p{prompt}", "reward": 0.25, "response": ""} for _ in range(2) for prompt in "ab" for _ in range(3)
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    convert(tmp_path / "log.jsonl", tmp_path / "rollouts")
    frame = pl.read_parquet(tmp_path / "rollouts" / "rollouts_00000.parquet")
    assert frame["step"].to_list() == frame["visit"].to_list() == [0] * 6 + [1] * 6
    assert frame["correct"].null_count() == 12


def test_shares_of_correctness_become_unknown(tmp_path):
    rows = [{"prompt": "p", "step": 1, "reward": 1, "correct": share, "response": ""} for share in (0.5, 1)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)))
    convert(tmp_path / "log.jsonl", tmp_path / "rollouts")
    assert pl.read_parquet(tmp_path / "rollouts" / "rollouts_00000.parquet")["correct"].to_list() == [None, None]


def test_lone_surrogates_in_a_response_do_not_stop_a_conversion(tmp_path):
    lines = (
        b'{"prompt": "p", "reward": 1, "response": "a \\ud83d b"}\n{"prompt": "p", "reward": 0, "response": "\xff"}\n'
    )
    (tmp_path / "log.jsonl").write_bytes(lines)
    convert(tmp_path / "log.jsonl", tmp_path / "rollouts")
    responses = pl.read_parquet(tmp_path / "rollouts" / "rollouts_00000.parquet")["response"].to_list()
    assert responses[0].startswith("a ") and responses[0].endswith(" b")
    assert len(responses[1]) == 1


def test_a_log_without_responses_cannot_be_converted_and_the_folder_stays_as_it_was(tmp_path):
    (tmp_path / "log.jsonl").write_text('{"prompt": "p", "reward": 1}\n{"prompt": "p", "reward": 0}\n')
    with whole_directory(tmp_path / "rollouts") as folder:
        (folder / "kept").touch()
    with refused(where=("log.jsonl", "line 1", "key 'response'"), what="is missing", advice="A conversion needs"):
        convert(tmp_path / "log.jsonl", tmp_path / "rollouts")
    assert [file.name for file in (tmp_path / "rollouts").iterdir()] == ["kept"]
