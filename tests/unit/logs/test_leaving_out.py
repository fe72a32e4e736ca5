"""A file that looks like a part of the log is read, left out by name, or an error; other files do no harm."""

import gzip
import json
import os
from pathlib import Path

import polars as pl
import pytest
from logs_of_frameworks import JSON_FRAMEWORKS, Rollout
from refusals import refused

from limr.errors import Words
from limr.files.contracts import columns
from limr.logs.convert import convert
from limr.logs.findings import FindingKind
from limr.logs.log import LogOptions
from limr.logs.source import read_source
from limr.logs.whole import read_log

ROLLOUTS = [Rollout(step, prompt, reward) for step in (1, 2, 3) for prompt in ("a", "b") for reward in (0.0, 1.0, -0.5)]
TABLE = {"prompt": ["a", "b"] * 2, "reward": [1.0, 0.0, 0.0, 1.0]}

every_format = pytest.mark.parametrize("name", sorted(JSON_FRAMEWORKS))


@pytest.fixture
def four_tables(tmp_path: Path) -> Path:
    """Four table files, one of them with another name for the reward."""
    for name in "abcd":
        rewards = "score_x" if name == "c" else "reward"
        pl.DataFrame(TABLE).rename({"reward": rewards}).write_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def test_a_table_with_another_column_is_an_error_that_names_it_and_the_option(four_tables: Path) -> None:
    with refused(
        where=four_tables / "c.parquet",
        what="looks like a part of the log",
        found="prompt, score_x",
        expected="prompt, reward",
        advice="--leave-out c.parquet",
    ) as error:
        read_source(four_tables)
    assert 'leave_out: ["c.parquet"]' in error.value.render(Words.CONFIGURATION)


@pytest.mark.parametrize("name", ["c.parquet", "[c]*", "*c.par*", "{folder}/c.parquet"])
def test_a_file_left_out_by_name_is_a_finding(name: str, four_tables: Path) -> None:
    source = read_source(four_tables, LogOptions(leave_out=[name.format(folder=four_tables)]))
    assert source.audit.files == 3
    found = next(finding for finding in source.audit.findings if finding.kind is FindingKind.LEFT_OUT)
    assert found.render() == "1 file is not read: 1 left out by name (c.parquet)."
    assert (found.number, list(found.examples)) == (1, [str(four_tables / "c.parquet")])
    assert "c.parquet" in source.audit.markdown()


def test_a_name_that_no_file_has_is_an_error(four_tables: Path) -> None:
    with refused(where=four_tables, what="no file to leave out has this name", found="'c.csv'", advice="c.parquet"):
        read_source(four_tables, LogOptions(leave_out=["c.csv"]))
    with refused(what="every file is left out"):
        read_source(four_tables, LogOptions(leave_out=["*"]))


def test_a_renamed_column_counts_for_every_file(four_tables: Path) -> None:
    with refused(where=four_tables / "a.parquet", what="3 such files", expected="prompt, score_x"):
        read_source(four_tables, LogOptions(columns={"reward": "score_x"}))


@every_format
def test_one_file_of_a_framework_with_another_first_row_is_an_error(name: str, tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    other = b'[{"loss": 1}]' if JSON_FRAMEWORKS[name].is_list else b'{"loss": 1}\n'
    files[1].write_bytes(other)
    with refused(where=files[1], what="looks like a part of the log", found="loss"):
        read_log(tmp_path)


@every_format
def test_a_folder_may_be_left_out(name: str, tmp_path: Path) -> None:
    JSON_FRAMEWORKS[name].write(tmp_path / "run", ROLLOUTS)
    (old,) = JSON_FRAMEWORKS[name].write(tmp_path / "run" / "old", ROLLOUTS[:6])
    log = read_log(tmp_path / "run", LogOptions(leave_out=["old/"]))
    assert (len(log), log.on_purpose) == (18, [str(old)])


def beside(folder: Path) -> None:
    """Files that trainers write beside their rollouts."""
    for name, content in {
        "README.md": b"# A run",
        "config.json": b'{"model_type": "qwen2", "hidden_size": 8}',
        "checkpoint-2/trainer_state.json": b'{"log_history": [{"loss": 1, "step": 1}], "global_step": 2}',
        "checkpoint-2/optimizer.pt": b"PK",
        "checkpoint-2/tokenizer.json": b'{"version": "1.0", "model": {"vocab": {"a": 0}}}',
        "checkpoint-2/special_tokens_map.json": b'{"eos_token": "x"}',
        "global_step_2/actor/optim_world_size_1_rank_0.pt": b"PK",
        "latest_checkpointed_iteration.txt": b"2",
        "runs/events.out.tfevents.1": b"\x00",
        "metrics.jsonl": b'{"loss": 1, "lr": 0.1}\n',
        "metrics.csv": b"loss,lr\n1,0.1\n",
        ".cache/1.jsonl": b"{",
        "._1.jsonl": b"\x00",
        "wandb/wandb-summary.json": b'{"_step": 3, "loss": 1}',
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    pl.DataFrame({"step": [1], "loss": [0.5]}).write_parquet(folder / "metrics.parquet")
    for name in ("scores", "log_prompts"):  # `limr score` may have written them beside the log
        pl.DataFrame(schema=columns(name)).write_parquet(folder / f"{name}.parquet")


@every_format
def test_files_that_are_no_part_of_the_log_do_no_harm(name: str, tmp_path: Path) -> None:
    JSON_FRAMEWORKS[name].write(tmp_path, ROLLOUTS)
    beside(tmp_path)
    log = read_log(tmp_path)
    assert len(log) == 18 and not log.on_purpose
    assert str(tmp_path / "metrics.jsonl") in log.left_out


def test_files_that_are_no_part_of_a_log_in_parquet_do_no_harm(tmp_path: Path) -> None:
    for step in (1, 2):
        batch = {
            "step": [step] * 2,
            "prompt": ["a"] * 2,
            "completion": ["x"] * 2,
            "r": [1.0, 0.0],
            "advantage": [0.0] * 2,
        }
        (tmp_path / "completions").mkdir(exist_ok=True)
        completion = [f"{step}", "x"]
        pl.DataFrame(batch | {"completion": completion}).write_parquet(
            tmp_path / "completions" / f"completions_{step:05d}.parquet"
        )
    beside(tmp_path)
    log = read_log(tmp_path)
    assert (log.format, len(log)) == ("trl", 4)


def test_evaluation_that_is_set_aside_is_a_finding(tmp_path: Path) -> None:
    row = {"input": "2+2?", "output": "4", "gts": "4", "score": 1.0, "step": 1}
    for name, more in (("rollouts/1.jsonl", {}), ("validation/1.jsonl", {"reward": 1.0})):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(json.dumps(row | more) + "\n")
    (finding,) = [found for found in read_source(tmp_path).audit.findings if found.kind is FindingKind.LEFT_OUT]
    assert finding.render() == "1 file is not read: 1 a dump of validation ('reward') (validation/1.jsonl)."


# Parts of a log that a search by ending does not list.


def test_a_compressed_part_is_an_error_but_no_copy_beside_its_original(tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS["verl"].write(tmp_path, ROLLOUTS)
    packed = tmp_path / "2.jsonl.gz"
    packed.write_bytes(gzip.compress(files[1].read_bytes()))
    assert len(read_log(tmp_path)) == 18
    files[1].unlink()
    with refused(where=packed, what="'.gz' are not read", advice="--leave-out 2.jsonl.gz"):
        read_log(tmp_path)
    assert len(read_log(tmp_path, LogOptions(leave_out=["2.jsonl.gz"]))) == 12


def test_an_ending_in_capital_letters_is_an_error(tmp_path: Path) -> None:
    files = JSON_FRAMEWORKS["verl"].write(tmp_path, ROLLOUTS)
    files[1].rename(tmp_path / "2.JSONL")
    with refused(where=tmp_path / "2.JSONL", what="'.JSONL' are not read"):
        read_log(tmp_path)


def test_a_link_to_nothing_and_a_pipe_are_errors(tmp_path: Path) -> None:
    JSON_FRAMEWORKS["verl"].write(tmp_path, ROLLOUTS)
    lost = tmp_path / "last.jsonl"
    lost.symlink_to(tmp_path / "nowhere")
    with refused(where=lost, what="a link that leads to no file"):
        read_log(tmp_path)
    lost.unlink()
    lost.symlink_to(lost)  # a loop
    with refused(where=lost, what="a link that leads to no file"):
        read_log(tmp_path)
    lost.unlink()
    os.mkfifo(lost)
    with refused(where=lost, what="not a regular file"):
        read_log(tmp_path)


@pytest.mark.parametrize(
    ("start", "found"), [(b"\x1f\x8b\x08", "gzip"), (b"\xff\xfe{\x00", "UTF-16"), (b"PK\x03\x04", "ZIP")]
)
def test_another_encoding_is_named(start: bytes, found: str, tmp_path: Path) -> None:
    (tmp_path / "1.jsonl").write_bytes(start)
    with refused(where=tmp_path / "1.jsonl", found=found, advice="Convert or unpack the file."):
        read_log(tmp_path / "1.jsonl")


# This project's own rollouts.


@pytest.fixture
def own(tmp_path: Path) -> Path:
    JSON_FRAMEWORKS["verl"].write(tmp_path / "log", ROLLOUTS)
    convert(tmp_path / "log", tmp_path / "own")
    return tmp_path / "own"


def test_an_own_shard_with_another_column_is_an_error_until_it_is_left_out(own: Path) -> None:
    last = max(own.iterdir())
    pl.read_parquet(last).rename({"reward": "score_x"}).write_parquet(last)
    with refused(where=(last, "column 'reward'"), advice=f"--leave-out {last.name}"):
        read_source(own)
    audit = read_source(own, LogOptions(leave_out=[last.name])).audit
    assert (audit.files, audit.rollouts) == (2, 12)
    assert next(finding.kind for finding in audit.findings) is FindingKind.LEFT_OUT


def test_rollouts_below_own_shards_or_beside_them_are_an_error(own: Path) -> None:
    (own / "more").mkdir()
    shard = min(own.glob("*.parquet"))
    shard.rename(own / "more" / shard.name)
    with refused(where=own / "more" / shard.name, what="only the Parquet files in the folder itself are read"):
        read_source(own)
    assert read_source(own, LogOptions(leave_out=["more"])).audit.files == 2


def test_hidden_files_and_folders_are_no_shards(own: Path) -> None:
    (own / "._rollouts_00000.parquet").write_bytes(b"x")
    (own / "a.parquet").mkdir()
    source = read_source(own)
    assert (source.audit.format, source.audit.files) == ("rollouts of this project", 3)
