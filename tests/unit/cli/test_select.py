"""`limr select`: select again from the same scores, and write prompts of the log or rows of a data set."""

import io
import json
import subprocess
import sys

import polars as pl
import pytest
from commands import run_limr
from refusals import refused

from limr.cli.main import main
from limr.errors import UsageError
from limr.files.contracts import write_parquet
from limr.prompts import prompt_id
from limr.selection.scores_file import read_scores, write_scores
from limr.subsets.subset_of_log import log_prompts

TEXTS = ["What is 1 + 1?", "What is 2 * 3?", "Is 7 prime?", "Solve x + 1 = 3.", "How many days has May?"]
INSTRUCTION = "Let's think step by step and put the final answer within \\boxed{}."
UNSCORED = "missing visits: 3 of 0 to 4"


def scores_of(texts):
    """Scores 0.9, 0.8, ...; the best two are selected and the last has no score."""
    rows = [
        ("lim", prompt_id(text), None if last else 0.9 - rank / 10, None if last else rank + 1, rank < 2, "")
        for rank, (text, last) in enumerate(zip(texts, [False] * (len(texts) - 1) + [True], strict=True))
    ]
    frame = pl.DataFrame(rows, ["method", "prompt_id", "score", "rank", "selected", "reason"], orient="row")
    left = pl.when(pl.col("score").is_null()).then(pl.lit(UNSCORED)).when(~pl.col("selected")).then(pl.lit("rank"))
    return frame.with_columns(reason=left.otherwise("reason"))


class Log:
    def __init__(self, prompt_id, text):
        self.prompt_id, self.text, self.answer = prompt_id, text, str(len(text))


@pytest.fixture
def scores(tmp_path):
    return scored(tmp_path, TEXTS)


def scored(folder, texts):
    write_scores(scores_of(texts), str(folder / "scores.parquet"))
    prompts = log_prompts([Log(prompt_id(text), text) for text in texts], [])
    write_parquet(prompts, folder / "scores.prompts.parquet", "log_prompts")
    return str(folder / "scores.parquet")


def written(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def data_set(folder, rows, name="data.jsonl"):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(folder / name)


def questions(*texts):
    return [{"id": number, "question": text, "tags": ["a", None]} for number, text in enumerate(texts)]


def test_without_a_data_set_the_prompts_of_the_log_are_written_best_first(tmp_path, scores, capsys):
    assert main(["select", scores, "-o", str(tmp_path / "subset.jsonl")]) == 0
    assert written(tmp_path / "subset.jsonl") == [
        {"prompt_id": prompt_id(text), "prompt": text, "answer": str(len(text)), "score": score}
        for text, score in zip(TEXTS[:2], (0.9, 0.8), strict=True)
    ]
    assert capsys.readouterr().err.splitlines() == [
        "limr select: lim: 2 of 5 prompts selected (40.0 %), scores of 0.8 and more",
        "limr select: without a score: 1 (1 missing visits)",
    ]


@pytest.mark.parametrize(
    ("keep", "number"),
    [("all", 4), ("top=3", 3), ("share=0.2", 1), ("theta=0.65", 3), ("quantile=0.5", 2), ("theta_for=3", 3)],
)
def test_keep_selects_again_from_the_same_scores(tmp_path, scores, keep, number):
    assert main(["select", scores, "--keep", keep, "-o", str(tmp_path / "subset.parquet")]) == 0
    assert pl.read_parquet(tmp_path / "subset.parquet")["prompt"].to_list() == TEXTS[:number]


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".parquet"])
def test_rows_of_a_data_set_keep_their_columns_and_order(tmp_path, scores, suffix):
    rows = [{"id": number, "question": f" {text}\n", "level": 3} for number, text in enumerate(TEXTS[::-1])]
    file = tmp_path / f"data{suffix}"
    match suffix:
        case ".jsonl":
            data_set(tmp_path, rows)
        case ".json":
            file.write_text(json.dumps(rows))
        case ".csv":
            pl.DataFrame(rows).write_csv(file)
        case ".parquet":
            pl.DataFrame(rows).write_parquet(file)
    assert main(["select", scores, "--prompts", str(file), "-o", str(tmp_path / "subset.jsonl")]) == 0
    found = written(tmp_path / "subset.jsonl")
    assert [{**row, "id": int(row["id"]), "level": int(row["level"])} for row in found] == rows[-2:]


def test_from_parquet_to_parquet_the_columns_keep_their_types(tmp_path, scores):
    messages = [[{"role": "user", "content": text}] for text in TEXTS]
    frame = pl.DataFrame({"prompt": messages, "index": pl.Series(range(5), dtype=pl.Int8), "raw": [b"\xff"] * 5})
    frame.write_parquet(tmp_path / "train.parquet")
    main(["select", scores, "--prompts", str(tmp_path / "train.parquet"), "-o", str(tmp_path / "subset.parquet")])
    assert pl.read_parquet(tmp_path / "subset.parquet").equals(frame[:2])
    arguments = ["select", scores, "--prompts", str(tmp_path / "train.parquet"), "-o", str(tmp_path / "subset.jsonl")]
    assert main(arguments) == 1
    assert not (tmp_path / "subset.jsonl").exists()


def test_prompts_are_found_without_the_instruction_that_training_added(tmp_path, capsys):
    scores = scored(tmp_path, [f"{text}\n{INSTRUCTION}" for text in TEXTS])
    data = data_set(tmp_path, questions(*TEXTS, "And this?"))
    assert main(["select", scores, "--prompts", data, "-o", "-"]) == 0
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == questions(*TEXTS)[:2]
    assert printed.err.splitlines()[:2] == [
        f"limr select: 2 of 6 rows of {data} written",
        f"limr select: found 2 by text without {INSTRUCTION!r} (prompts in column 'question')",
    ]


def test_a_prompt_that_is_not_found_is_shown_with_the_nearest_row_and_nothing_is_written(tmp_path, scores, capsys):
    data = data_set(tmp_path, questions("What is 1 + 2?", *TEXTS[1:]))
    subset = tmp_path / "subset.jsonl"
    assert main(["select", scores, "--prompts", data, "-o", str(subset)]) == 1
    error = capsys.readouterr().err
    assert f"{data}: 1 of the 2 selected prompts are not among its rows" in error
    assert "in the log: 'What is 1 + 1?'" in error
    assert "nearest in column 'question': 'What is 1 + 2?'" in error
    assert "--column prompt_id=NAME" in error
    assert not subset.exists()
    assert main(["select", scores, "--prompts", data, "-o", str(subset), "--skip-missing"]) == 0
    assert written(subset) == questions("", *TEXTS[1:])[1:2]
    assert "1 of the 2 selected prompts are not among its rows" in capsys.readouterr().err


def test_a_data_set_without_any_of_the_prompts_is_an_error_even_if_missing_ones_are_skipped(tmp_path, scores, capsys):
    data = data_set(tmp_path, questions("something", "else"))
    assert main(["select", scores, "--prompts", data, "-o", str(tmp_path / "subset.jsonl"), "--skip-missing"]) == 1
    assert "2 of the 2 selected prompts are not among its rows" in capsys.readouterr().err


def test_prompts_are_found_by_the_ids_of_a_named_column(tmp_path):
    rows = [("lim", str(index), 1 - index / 10, index + 1, index < 2, "") for index in range(4)]
    frame = pl.DataFrame(rows, ["method", "prompt_id", "score", "rank", "selected", "reason"], orient="row")
    write_scores(frame, str(tmp_path / "scores.parquet"))
    data = data_set(tmp_path, [{"prompt": text, "extra_info": {"index": 4 - n}} for n, text in enumerate(TEXTS)])
    arguments = ["select", str(tmp_path / "scores.parquet"), "--prompts", data, "-o", str(tmp_path / "subset.jsonl")]
    assert main([*arguments, "--column", "prompt_id=extra_info.index"]) == 0
    assert [row["prompt"] for row in written(tmp_path / "subset.jsonl")] == TEXTS[3:]
    assert main(arguments) == 1, "no column of ids was named, and the log holds no texts"


def test_duplicate_rows_of_a_prompt_are_kept_with_a_note(tmp_path, scores, capsys):
    data = data_set(tmp_path, questions(*TEXTS, TEXTS[0] + " "))
    assert main(["select", scores, "--prompts", data, "-o", str(tmp_path / "subset.jsonl")]) == 0
    assert [row["id"] for row in written(tmp_path / "subset.jsonl")] == [0, 1, 5]
    assert "duplicate rows of these prompts, kept too: 1" in capsys.readouterr().err


def test_scores_can_be_read_from_a_pipe(tmp_path, capsys, monkeypatch):
    write_scores(scores_of(TEXTS), "-")
    lines = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert read_scores("-").equals(scores_of(TEXTS))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["select", "-", "-o", "-", "--prompts", data_set(tmp_path, questions(*TEXTS))]) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [0, 1]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [(["--column", "prompt=question"], "`--column` needs a data set"), (["--skip-missing"], "`--skip-missing`")],
)
def test_options_about_a_data_set_need_the_data_set(wrong, named):
    with refused(UsageError, what=named, advice="`--prompts FILE`"):
        run_limr("select", "nowhere.parquet", "-o", "subset.jsonl", *wrong)


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (
            b'{"prompt": "a"}\n',
            {
                "where": "line 1",
                "found": "the keys prompt",
                "expected": "method, prompt_id, score, rank, selected, reason",
            },
        ),
        (b'{"method": 1', {"where": "line 1", "what": "not JSON"}),
        (
            b'{"method": "lim", "prompt_id": "a", "score": "high", "rank": 1, "selected": true, "reason": ""}\n',
            {"where": ("line 1", "'score'"), "found": '"high"', "expected": "a number"},
        ),
    ],
)
def test_a_file_without_scores_is_an_error(tmp_path, content, parts):
    (tmp_path / "scores.jsonl").write_bytes(content)
    with refused(**parts):
        run_limr("select", tmp_path / "scores.jsonl", "-o", "-")


def test_a_closed_pipe_ends_the_command_without_a_message(tmp_path):
    scores = scored(tmp_path, [f"What is {number} + 1?" for number in range(5000)])
    program = "import sys; from limr.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "select", scores, "--keep", "all", "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert json.loads(process.stdout.readline())["prompt"] == "What is 0 + 1?"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 1
