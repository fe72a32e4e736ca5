"""The commands that read a run: `limr score`, `audit`, `compare`, `early`, `rollouts` on what verl left behind."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys

import polars as pl
import pytest
from a_run import EPOCHS, INSTRUCTION, PROMPTS, SAMPLES, STEPS_PER_EPOCH, accuracy, write_run

from limr.cli.main import main
from limr.files.contracts import read_parquet
from limr.logs.formats import NAMES
from limr.prompts import prompt_id
from limr.selection.method import score_names
from limr.selection.scoring import score_prompts
from limr.trajectories import Trajectories

IDS = {prompt_id(f"{question} {INSTRUCTION}"): number for number, question in enumerate(PROMPTS)}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_run(folder)
    return folder


def ended(arguments):
    """The exit status of the command, whoever ends it."""
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as exit_:
        return exit_.code


def test_every_prompt_of_the_log_is_scored_and_the_learned_ones_come_first(run, tmp_path, capsys):
    output = tmp_path / "scores.parquet"
    assert ended(["score", run / "rollouts", "-o", output, "--keep", "top=10"]) == 0
    scores = read_parquet(output, "scores")
    assert set(scores["prompt_id"]) == set(IDS)
    kinds = {
        accuracy(IDS[name], 0) != accuracy(IDS[name], EPOCHS - 1) for name in scores.filter("selected")["prompt_id"]
    }
    assert kinds == {True}, "never and always solved prompts teach nothing"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "limr score: lim: 10 of 40 prompts selected (25.0 %), scores of " in printed.err


def test_beside_the_scores_lie_the_audit_and_the_prompts(run, tmp_path):
    assert ended(["score", run / "rollouts", "-o", tmp_path / "scores.parquet"]) == 0
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


def test_what_the_command_writes_is_what_the_library_says(run, tmp_path):
    """Through the rollouts contract, the trajectories and the pipeline's own function: the same scores."""
    assert ended(["rollouts", run / "rollouts", "-o", tmp_path / "converted"]) == 0
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
    for source in (run / "rollouts", tmp_path / "converted", tmp_path / "trajectories.parquet"):
        assert ended(["score", source, "-o", tmp_path / "scores.parquet"]) == 0
        assert read_parquet(tmp_path / "scores.parquet", "scores").equals(expected)


def test_options_have_the_types_of_the_methods_signature(run, tmp_path):
    arguments = ["score", run / "rollouts", "-o", tmp_path / "band.parquet", "--method", "pass_rate_band"]
    assert ended([*arguments, "--option", "lowest=0.25", "--option", "highest=0.75", "--keep", "theta=0"]) == 0
    scores = read_parquet(tmp_path / "band.parquet", "scores")
    assert scores["method"].unique().to_list() == ["pass_rate_band"]
    assert 0 < scores["selected"].sum() < len(scores)
    assert scores.filter("selected")["score"].min() >= 0


def test_fewer_visits_can_be_used(run, tmp_path, capsys):
    assert ended(["score", run / "rollouts", "-o", "-", "--visits", "2"]) == 0
    two = [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()]
    assert ended(["score", run / "rollouts", "-o", "-"]) == 0
    assert two != [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()]


def test_columns_of_a_table_are_named_and_its_scores_are_those_of_the_log(run, tmp_path, capsys):
    rows = [json.loads(line) for file in (run / "rollouts").iterdir() for line in file.read_text().splitlines()]
    table = [{"q": row["input"], "mark": row["score"], "at": row["step"]} for row in rows]
    pl.DataFrame(table).sort("at", maintain_order=True).write_csv(tmp_path / "table.csv")
    columns = [word for pair in ("prompt=q", "reward=mark", "step=at") for word in ("--column", pair)]
    assert ended(["score", tmp_path / "table.csv", "-o", "-", *columns]) == 0
    of_table = {row["score"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert ended(["score", run / "rollouts", "-o", "-"]) == 0
    assert of_table == {row["score"] for row in map(json.loads, capsys.readouterr().out.splitlines())}


def test_accuracies_are_scored_where_they_are_all_that_is_known_and_that_is_said(tmp_path, capsys):
    curves = {str(number): [accuracy(number, epoch) for epoch in range(EPOCHS)] for number in range(40)}
    (tmp_path / "accuracies.json").write_text(json.dumps(curves))
    assert ended(["score", tmp_path / "accuracies.json", "-o", tmp_path / "scores.parquet"]) == 0
    assert "limr score: the source has accuracies and no rewards: signal=accuracy for lim" in capsys.readouterr().err
    assert ended(["select", tmp_path / "scores.parquet", "-o", "-"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out.splitlines()[0])["prompt"] is None
    assert "the log's prompts are not at hand: ids alone are written" in printed.err


def test_an_error_of_a_method_names_the_argument_that_helps(run, tmp_path, capsys):
    rewards = [
        {"prompt": name, "reward": 2.0 * (n % 2), "step": epoch}
        for epoch in range(3)
        for name in "ab"
        for n in range(4)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rewards))
    assert ended(["score", tmp_path / "log.jsonl", "-o", "-", "--option", "best_reward=0.5"]) == 1
    assert "If a solved prompt earns more, set `--option best_reward=...`." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--method", "lmi"], "unknown score 'lmi', expected one of cosine"),
        (
            ["--option", "signals=reward"],
            "score 'lim': unknown option 'signals', expected one of signal, missing, best_reward",
        ),
        (["--option", "best_reward=high"], 'option best_reward: found "high", expected a number'),
        (["--option", "signal"], "found 'signal', expected NAME=VALUE"),
        (["--keep", "theta_for=0"], "expected a whole number of prompts, at least 1"),
        (["--samples", "0"], "expected a whole number, 1 or more"),
        (["--column", "gold=x"], "--column: found gold, expected one of prompt, prompt_id, step"),
        (["--figure", "scores.pdf"], "--figure: found scores.pdf, expected a file *.png"),
        (["-o", "scores.csv"], "scores.csv: found the suffix '.csv', expected .parquet or .jsonl, or - alone"),
        (["--format", "vrel"], "format: found 'vrel', expected one of "),
    ],
)
def test_wrong_usage_is_found_before_the_log_is_read(capsys, wrong, message):
    assert ended(["score", "nowhere", "-o", "scores.parquet", *wrong]) == 2
    assert message in capsys.readouterr().err


def test_a_source_that_is_not_there_is_an_error_and_nothing_is_written(tmp_path, capsys):
    assert ended(["score", tmp_path / "nowhere", "-o", tmp_path / "scores.parquet"]) == 1
    assert str(tmp_path / "nowhere") in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_figure_is_drawn(run, tmp_path):
    assert ended(["score", run / "rollouts", "-o", "-", "--figure", tmp_path / "scores.png"]) == 0
    assert (tmp_path / "scores.png").read_bytes().startswith(b"\x89PNG")


def test_the_audit_is_printed_and_a_lost_file_is_named(run, tmp_path, capsys):
    assert ended(["audit", run / "rollouts"]) == 0
    assert capsys.readouterr().out.startswith("#")
    shutil.copytree(run / "rollouts", tmp_path / "rollouts")
    (tmp_path / "rollouts" / "7.jsonl").unlink()
    assert ended(["audit", tmp_path / "rollouts"]) == 1
    assert re.search(r"\b7\b", capsys.readouterr().err)
    assert ended(["audit", tmp_path / "rollouts", "--steps-per-epoch", STEPS_PER_EPOCH]) == 0


def test_methods_are_compared_in_markdown_or_csv(run, capsys):
    assert ended(["compare", run / "rollouts", "--methods", "lim,linear,lim:signal=accuracy", "--top", "0.2"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Methods side by side")
    assert "| lim:signal=accuracy |" in printed
    assert ended(["compare", run / "rollouts", "--csv"]) == 0
    pairs = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["first"] for row in pairs} | {row["second"] for row in pairs} == set(score_names()) - {"full"}


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ("lim", "expected at least two"),
        ("lim,lim", "lim stands there twice"),
        ("lim,lmi", "unknown score 'lmi'"),
        ("lim,linear:x", "--methods: linear:x: found 'x', expected NAME=VALUE"),
        ("lim,linear:x=1", "score 'linear': unknown option 'x'"),
    ],
)
def test_wrong_methods_to_compare_are_wrong_usage(capsys, methods, message):
    assert ended(["compare", "nowhere", "--methods", methods]) == 2
    assert message in capsys.readouterr().err


def test_methods_that_lack_their_numbers_are_left_out_and_said_unless_they_were_asked_for(tmp_path, capsys):
    rewards = [
        {"prompt": f"p{number}", "reward": (number * 7 + epoch * 3) % 11 / 10, "step": epoch}
        for epoch in range(4)
        for number in range(10)
        for _ in range(2)
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rewards))
    assert ended(["compare", tmp_path / "log.jsonl", "--top", "0.2"]) == 0
    printed = capsys.readouterr()
    assert "limr compare: left out: method 'linear': trajectories: accuracy is known for 0 of 40 visits" in printed.err
    assert "| lim |" in printed.out
    assert ended(["compare", tmp_path / "log.jsonl", "--methods", "lim,linear"]) == 1


def test_how_early_the_run_could_have_stopped_is_told_visit_by_visit(run, tmp_path, capsys):
    figure = tmp_path / "early.png"
    arguments = ["early", run / "rollouts", "--resamples", "5", "--top", "0.2", "--theta", "0.6"]
    assert ended([*arguments, "--figure", figure]) == 0
    assert capsys.readouterr().out.startswith("# How early could the probe have stopped?")
    assert figure.read_bytes().startswith(b"\x89PNG")
    assert ended([*arguments, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["visits"] for row in rows] == [str(visit) for visit in range(1, EPOCHS + 1)]
    assert float(rows[-1]["overlap"]) == 1


def test_a_folder_that_holds_anything_else_is_not_replaced_by_rollouts(run, tmp_path, capsys):
    (tmp_path / "precious.txt").write_text("")
    assert ended(["rollouts", run / "rollouts", "-o", tmp_path]) == 2
    assert "precious.txt" in capsys.readouterr().err
    assert (tmp_path / "precious.txt").exists()


def test_neither_source_nor_another_log_is_replaced_by_rollouts(run, tmp_path, capsys):
    own = shutil.copytree(run / "rollouts", tmp_path / "log")
    other = tmp_path / "completions" / "completions_00001.parquet"  # of TRL
    other.parent.mkdir()
    other.write_bytes(b"of another run")
    for folder in (own, own / "converted", other.parent):
        assert ended(["rollouts", own, "-o", folder]) == 2
    assert "completions_00001.parquet" in capsys.readouterr().err
    assert other.read_bytes() == b"of another run"
    assert ended(["rollouts", own, "-o", tmp_path / "converted"]) == 0
    assert ended(["rollouts", own, "-o", tmp_path / "converted"]) == 0  # what it wrote itself it may replace


def test_every_help_is_complete_and_comes_without_loading_the_library():
    commands = ["audit", "score", "select", "export", "compare", "early", "rollouts", "grade"]
    program = f"""
import sys
from limr.cli.main import main
for command in {commands}:
    try:
        main([command, "--help"])
    except SystemExit:
        pass
print([name for name in ("polars", "numpy", "pyarrow", "matplotlib", "torch") if name in sys.modules])"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert [line.split()[2] for line in ended.stdout.splitlines() if line.startswith("usage:")] == commands
    assert ended.stdout.count("Exit status: 0") == len(commands)
    assert ended.stdout.splitlines()[-1] == "[]"


def test_the_help_names_every_method_and_every_format(capsys):
    with pytest.raises(SystemExit):
        main(["score", "--help"])
    text = capsys.readouterr().out
    assert [name for name in score_names() if not re.search(rf"\b{name}\b", text)] == []
    assert [name for name in NAMES if not re.search(rf"\b{name}\b", text)] == []
