"""`limr score` on a run of verl: the scores, the files beside them, and the messages."""

import errno
import json
import re
from pathlib import Path

import polars as pl
import pytest
from a_run import EPOCHS, INSTRUCTION, PROMPTS, SAMPLES, accuracy
from commands import exit_status, run_limr
from refusals import refused

from limr.errors import UsageError
from limr.files.contracts import read_parquet
from limr.logs.formats import NAMES
from limr.prompts import prompt_id
from limr.selection.method import score_names
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

IDS = {prompt_id(f"{question} {INSTRUCTION}"): number for number, question in enumerate(PROMPTS)}


def test_every_prompt_of_the_log_is_scored_and_the_learned_ones_come_first(rollouts, tmp_path, capsys):
    output = tmp_path / "scores.parquet"
    assert exit_status("score", rollouts, "-o", output, "--keep", "top=10") == 0
    scores = read_parquet(output, "scores")
    assert set(scores["prompt_id"]) == set(IDS)
    learned = {
        accuracy(IDS[name], 0) != accuracy(IDS[name], EPOCHS - 1) for name in scores.filter("selected")["prompt_id"]
    }
    assert learned == {True}, "prompts that are always or never solved teach nothing"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "limr score: lim: 10 of 40 prompts selected (25.0 %), scores of " in printed.err


def test_the_audit_and_the_prompts_are_written_beside_the_scores(rollouts, tmp_path):
    assert exit_status("score", rollouts, "-o", tmp_path / "scores.parquet") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "scores.audit.json",
        "scores.audit.md",
        "scores.parquet",
        "scores.prompts.parquet",
    ]
    prompts = read_parquet(tmp_path / "scores.prompts.parquet", "log_prompts")
    assert prompts.sort("prompt").rows() == sorted(
        [(name, f"{question} {INSTRUCTION}", PROMPTS[question]) for name, question in zip(IDS, PROMPTS, strict=True)],
        key=lambda row: row[1],
    )
    assert json.loads((tmp_path / "scores.audit.json").read_text())


@pytest.fixture
def scored(rollouts, tmp_path):
    """Scores of the log and the files beside them, by an earlier command: path -> content."""
    assert exit_status("score", rollouts, "-o", tmp_path / "scores.parquet", "--visits", "2") == 0
    return {path: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["scores.parquet", "scores.prompts.parquet"])
def test_scores_and_prompts_are_both_new_or_both_old(rollouts, tmp_path, monkeypatch, scored, name):
    def full(frame, path, *arguments, **options):
        if name.startswith("scores.parquet") == path.name.startswith(".scores.parquet."):
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(frame, path, *arguments, **options)

    write = pl.DataFrame.write_parquet
    monkeypatch.setattr(pl.DataFrame, "write_parquet", full)
    with refused(where=tmp_path / "scores.parquet", what="the disk is full"):
        run_limr("score", rollouts, "-o", tmp_path / "scores.parquet")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == scored


def test_there_are_no_scores_beside_prompts_that_were_not_renamed(rollouts, tmp_path, monkeypatch, scored):
    def fails(self, target):
        if self.name == Path(target).name == "scores.prompts.parquet":
            raise OSError(errno.EIO, "Input/output error")
        return replace(self, target)

    replace = Path.replace
    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OSError, match="Input/output"):
        run_limr("score", rollouts, "-o", tmp_path / "scores.parquet")
    assert not (tmp_path / "scores.parquet").exists()
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in scored} - {"scores.parquet"}


def test_a_folder_in_the_place_of_a_file_beside_the_scores_is_refused_before_the_log_is_read(tmp_path):
    (tmp_path / "scores.prompts.parquet").mkdir()
    with refused(UsageError, where="scores.prompts.parquet", what="it is a folder"):
        run_limr("score", "nowhere", "-o", tmp_path / "scores.parquet")


def test_a_log_its_converted_rollouts_and_its_trajectories_give_the_same_scores(rollouts, tmp_path):
    assert exit_status("rollouts", rollouts, "-o", tmp_path / "converted") == 0
    shards = pl.read_parquet(tmp_path / "converted/*.parquet")
    assert len(shards) == len(PROMPTS) * EPOCHS * SAMPLES
    trajectories = Trajectories.from_frame(
        shards.group_by("prompt_id", pl.col("visit").alias("epoch")).agg(
            pl.col("reward").mean().alias("mean_reward"),
            pl.col("correct").mean().alias("accuracy"),
            pl.len().cast(pl.Int64).alias("n_samples"),
        )
    )
    expected = score_prompts("lim", {"score": "lim", "keep": {"share": 0.163}}, trajectories, None, seed=0)
    trajectories.frame().write_parquet(tmp_path / "trajectories.parquet")
    for source in (rollouts, tmp_path / "converted", tmp_path / "trajectories.parquet"):
        assert exit_status("score", source, "-o", tmp_path / "scores.parquet") == 0
        assert read_parquet(tmp_path / "scores.parquet", "scores").equals(expected)


def test_the_options_of_a_method_are_accepted(rollouts, tmp_path):
    arguments = ["score", rollouts, "-o", tmp_path / "band.parquet", "--method", "pass_rate_band"]
    assert exit_status(*arguments, "--option", "lowest=0.25", "--option", "highest=0.75", "--keep", "theta=0") == 0
    scores = read_parquet(tmp_path / "band.parquet", "scores")
    assert scores["method"].unique().to_list() == ["pass_rate_band"]
    assert 0 < scores["selected"].sum() < len(scores)
    assert scores.filter("selected")["score"].min() >= 0


def test_a_source_with_accuracies_only_is_scored_by_accuracy_with_a_note(tmp_path, capsys):
    curves = {str(number): [accuracy(number, epoch) for epoch in range(EPOCHS)] for number in range(40)}
    (tmp_path / "accuracies.json").write_text(json.dumps(curves))
    assert exit_status("score", tmp_path / "accuracies.json", "-o", tmp_path / "scores.parquet") == 0
    assert "limr score: the source has accuracies and no rewards: signal=accuracy for lim" in capsys.readouterr().err
    assert exit_status("select", tmp_path / "scores.parquet", "-o", "-") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out.splitlines()[0])["prompt"] is None
    assert "the texts of the prompts are not known, so only ids are written" in printed.err


def test_the_error_of_a_method_names_the_argument_to_set(tmp_path, capsys):
    rewards = [
        {"prompt": name, "reward": 2.0 * (n % 2), "step": epoch}
        for epoch in range(3)
        for name in "ab"
        for n in range(4)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rewards))
    arguments = ["score", tmp_path / "log.jsonl", "-o", "-", "--option", "best_reward=0.5"]
    with refused(advice="`--option best_reward="):
        run_limr(*arguments)
    assert exit_status(*arguments) == 1
    assert "`--option best_reward=" in capsys.readouterr().err


def test_nothing_is_written_if_the_source_is_missing(tmp_path):
    with refused(where=tmp_path / "nowhere"):
        run_limr("score", tmp_path / "nowhere", "-o", tmp_path / "scores.parquet")
    assert not list(tmp_path.iterdir())


def test_the_figure_is_drawn(rollouts, tmp_path):
    assert exit_status("score", rollouts, "-o", "-", "--figure", tmp_path / "scores.png") == 0
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_the_help_names_every_method_and_every_format(capsys):
    exit_status("score", "--help")
    text = capsys.readouterr().out
    assert [name for name in score_names() if not re.search(rf"\b{name}\b", text)] == []
    assert [name for name in NAMES if not re.search(rf"\b{name}\b", text)] == []
