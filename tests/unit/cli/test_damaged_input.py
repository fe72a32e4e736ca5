"""Commands on damaged input: an error for the user, or the result that plain `json` confirms. Never another exception.

Each test changes a good file at random, with fixed seeds, runs the command in this process, and recomputes what it
wrote from the changed file.
"""

import json
import random

import polars as pl
import pytest
from commands import run_limr
from pyarrow import parquet

from limr.errors import LimrError
from limr.prompts import prompt_id

SEEDS = range(75)  # twice as many reach only two more checks, which have tests of their own
TEXTS = [f"What is {number} + {number}?" for number in range(6)]
ODD = [
    None, True, False, 0, -1, 1, 2, 1.0, 0.5, 2**53 + 1, -(2**63), 2**64, 10**30, float("nan"), float("inf"), "", " ",
    "1", "a", " a ", "nan", "\0", "\ud83d", "\x1b[31m<b>", "é", [], ["a"], {}, {"a": 1}, [[1], "a"],
    [{"role": "user", "content": "2+2?"}], [{"role": "user", "content": " "}], [{"role": 1}], TEXTS[0],
    f" {TEXTS[1]}\n",
]  # fmt: skip
RAW = ["9" * 5000, "1e999", "NaN", "-Infinity", "[" * 900 + "]" * 900, '{"a": 1, "a": 2}', '"\\ud83d"', "01", "'a'", ""]


def changed(rows, generator):
    """JSON Lines of ``rows`` after one to three random changes, as bytes."""
    rows = [dict(row) for row in rows]
    raw = None
    for _ in range(generator.randint(1, 3)):
        row = generator.choice(rows)
        key = generator.choice([*row, "more"])
        match generator.randrange(7):
            case 0 | 1 | 2:
                row[key] = generator.choice(ODD)
            case 3:
                row.pop(key, None)
            case 4:
                rows.insert(generator.randrange(len(rows)), dict(row))
            case 5:
                generator.shuffle(rows)
            case 6:
                raw = (key, generator.choice(RAW))
    lines = [json.dumps(row, ensure_ascii=generator.random() < 0.5) for row in rows]
    if raw:
        lines[0] = f"{lines[0][:-1]}, {json.dumps(raw[0])}: {raw[1]}}}"
    text = generator.choice(["\n", "\r\n", "\n\n \n"]).join(lines)
    content = generator.choice(["", "\ufeff"]).encode() + text.encode("utf-8", errors="surrogatepass")
    match generator.randrange(8):
        case 0:
            return content[: generator.randrange(len(content))]
        case 1:
            at = generator.randrange(len(content))
            return content[:at] + bytes([generator.randrange(256)]) + content[at + 1 :]
        case 2 if generator.random() < 0.3:
            return text.encode("utf-16", errors="surrogatepass")
    return content


def plain(content):
    """The rows of JSON Lines by the standard library alone; fails where a key occurs twice."""

    def strict(pairs):
        assert len(dict(pairs)) == len(pairs), "a key occurs twice"
        return dict(pairs)

    text = content.decode("utf-8-sig", errors="surrogatepass")
    return [json.loads(line, object_pairs_hook=strict) for line in text.split("\n") if line.strip()]


def same(found, expected):
    """Whether two lists of rows have the same JSON: 1, 1.0 and true differ, NaN is itself."""
    return [json.dumps(row, sort_keys=True) for row in found] == [json.dumps(row, sort_keys=True) for row in expected]


def accepted(*arguments):
    """Whether the command ran to its end; False if it reported an error. Any other exception fails the test."""
    try:
        run_limr(*arguments)
    except LimrError as error:
        assert "\x1b" not in str(error) and error.where
        return False
    return True


def score_rows():
    last = len(TEXTS) - 1
    return [
        {
            "method": "lim", "prompt_id": prompt_id(text), "score": None if number == last else 1 - number / 10,
            "rank": None if number == last else number + 1, "selected": number < 3, "reason": "" if number < 3 else "x",
        }
        for number, text in enumerate(TEXTS)
    ]  # fmt: skip


def data_rows():
    return [{"problem": text, "answer": str(2 * number), "level": number} for number, text in enumerate(TEXTS)]


def both_happen(outcomes):
    """Whether the random changes gave results and errors, so that neither check is empty."""
    return min(outcomes.count(True), outcomes.count(False)) >= 5


def test_select_writes_the_selected_rows_of_a_damaged_scores_file_or_refuses_it(tmp_path):
    file, output, outcomes = tmp_path / "scores.jsonl", tmp_path / "subset.jsonl", []
    for seed in range(150):  # more seeds, because a scores file allows few changes
        file.write_bytes(changed(score_rows(), random.Random(seed)))
        outcomes.append(accepted("select", file, "-o", output))
        if outcomes[-1]:
            rows = plain(file.read_bytes())
            assert sorted(row["rank"] for row in rows if row["rank"]) == list(range(1, 1 + sum(
                row["score"] is not None for row in rows)))  # fmt: skip
            expected = sorted((row for row in rows if row["selected"]), key=lambda row: row["rank"])
            found = plain(output.read_bytes())
            assert [(row["prompt_id"], row["score"]) for row in found] == [
                (row["prompt_id"], row["score"]) for row in expected
            ], seed
    assert both_happen(outcomes)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_select_writes_rows_of_a_damaged_data_set_unchanged_or_refuses_it(tmp_path, suffix):
    scores, file, output, outcomes = tmp_path / "scores.jsonl", tmp_path / "data.jsonl", tmp_path / f"out{suffix}", []
    scores.write_text("".join(json.dumps(row) + "\n" for row in score_rows()))
    wanted = set(TEXTS[:3])
    for seed in SEEDS:
        file.write_bytes(changed(data_rows(), random.Random(seed)))
        outcomes.append(accepted("select", scores, "--prompts", file, "--column", "prompt=problem", "-o", output))
        if outcomes[-1]:
            expected = [row for row in plain(file.read_bytes()) if texts_of(row["problem"]) in wanted]
            if suffix == ".jsonl":
                assert same(plain(output.read_bytes()), expected), seed
            else:
                columns = dict.fromkeys(key for row in expected for key in row)
                found = parquet.read_table(output).to_pylist()
                whole = [{key: row.get(key) for key in columns} for row in expected]
                assert [str(without_null_keys(row)) for row in found] == [str(without_null_keys(row)) for row in whole]
    assert both_happen(outcomes)


def texts_of(prompt):
    text = prompt if isinstance(prompt, str) else [each for each in prompt if each["role"] == "user"][-1]["content"]
    return " ".join(text.split())


def without_null_keys(value):
    """Parquet gives every object of a column the same keys; a whole number may be read as an equal float."""
    if isinstance(value, dict):
        return {key: without_null_keys(part) for key, part in value.items() if part is not None}
    if isinstance(value, list):
        return [without_null_keys(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("to", ["openrlhf", "trl", "verl"])
def test_export_writes_prompts_and_answers_of_a_damaged_file_or_refuses_it(tmp_path, to):
    file, output, outcomes = tmp_path / "data.jsonl", tmp_path / f"out{'.parquet' if to == 'verl' else '.jsonl'}", []
    for seed in SEEDS:
        file.write_bytes(changed(data_rows(), random.Random(seed)))
        outcomes.append(accepted("export", file, "--to", to, "--data-source", "x", "-o", output))
        if outcomes[-1]:
            rows = plain(file.read_bytes())
            found = parquet.read_table(output).to_pylist() if to == "verl" else plain(output.read_bytes())
            answers = [row["reward_model"]["ground_truth"] if to == "verl" else answer_of(row) for row in found]
            assert answers == [str(row["answer"]) for row in rows], seed
            assert [texts_of(row["prompt"]) for row in found] == [texts_of(row["problem"]) for row in rows], seed
            assert all(map(str.strip, answers)) and not {"nan", "inf"} & {
                str(row["answer"]) for row in rows if isinstance(row["answer"], float)
            }
            by_prompt = {(texts_of(row["problem"]), " ".join(str(row["answer"]).split())) for row in rows}
            assert len(by_prompt) == len({text for text, _ in by_prompt})
    assert both_happen(outcomes)


def answer_of(row):
    return row["label"] if "label" in row else row["answer"]


def test_grade_passes_a_damaged_file_on_unchanged_or_refuses_it(tmp_path):
    file, output, outcomes = tmp_path / "rows.jsonl", tmp_path / "graded.jsonl", []
    rows = [
        {"gold": str(number), "response": rf"\boxed{{{number + number % 2}}}", "id": number, "truncated": False}
        for number in range(4)
    ]
    for seed in range(60):
        file.write_bytes(changed(rows, random.Random(seed)))
        outcomes.append(accepted("grade", file, "-o", output))
        if outcomes[-1]:
            found, given = plain(output.read_bytes()), plain(file.read_bytes())
            verdict = ("reward", "answer", "correct", "formatted", "reason")
            assert same(({key: row[key] for key in row if key not in verdict} for row in found), given), seed
            for row in found:
                boxed = row["response"].removeprefix(r"\boxed{").removesuffix("}")
                if boxed.isdecimal() and row["gold"].isdecimal() and boxed != row["response"]:
                    truncated = row.get("truncated", False) in (True, "true", "True")
                    assert row["correct"] == (not truncated and int(boxed) == int(row["gold"])), seed
                assert row["correct"] == (row["reward"] == 1.0)
    assert both_happen(outcomes)


def test_scores_and_data_sets_with_columns_of_odd_types_are_read_or_refused(tmp_path):
    """Parquet: every column in turn becomes each of the types."""
    types = [pl.Categorical, pl.Binary, pl.Decimal(10, 2), pl.Date, pl.Datetime("ns"), pl.Time, pl.Duration, pl.UInt64,
             pl.Int128, pl.Float32, pl.Boolean, pl.Null, pl.List(pl.Int64), pl.Struct({"a": pl.Int64})]  # fmt: skip
    scores, data, output = tmp_path / "scores.parquet", tmp_path / "data.parquet", tmp_path / "out.jsonl"
    for file, rows, command in (
        (scores, score_rows(), ["select", scores]),
        (data, data_rows(), ["export", data, "--to", "trl"]),
    ):
        good = pl.DataFrame(rows)
        for column in good.columns:
            for dtype in types:
                good.with_columns(pl.lit(None).cast(dtype).alias(column)).write_parquet(file)
                accepted(*command, "-o", output)


@pytest.mark.parametrize("command", ["compare", "early"])
def test_a_run_of_any_small_shape_is_analysed_or_refused(tmp_path, capsys, command):
    """One prompt, ties, equal rewards, prompts that never meet: a page, or an error."""
    log, outcomes = tmp_path / "log.jsonl", []
    for seed in range(30):
        generator = random.Random(seed)
        rewards = generator.choice([[0.0], [1.0], [0.0, 1.0], [-1.0, -0.5, 1.0]])
        met = generator.choice([0.5, 0.9, 1.0])
        rows = [
            {"prompt": f"p{prompt}", "step": step, "reward": generator.choice(rewards)}
            for step in range(generator.randint(1, 3))
            for prompt in range(generator.choice([1, 2, 3, 12]))
            if generator.random() < met
            for _ in range(2)
        ]
        log.write_text("".join(json.dumps(row) + "\n" for row in rows))
        more = ["--resamples", 2] if command == "early" else []
        outcomes.append(accepted(command, log, "--top", 0.5, *more))
        assert "nan" not in capsys.readouterr().out.lower().split(), seed
    assert {True, False} == set(outcomes)
