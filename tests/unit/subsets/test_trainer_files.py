"""The file for each training framework has the keys its loader reads, checked with the loader's own library."""

import json
import subprocess
import sys

import polars as pl
import pyarrow.json
import pyarrow.parquet
import pytest
from refusals import refused

from limr.errors import LimrError, shown
from limr.prompts import prompt_id
from limr.subsets.data_set import read_data_set
from limr.subsets.trainer_files import ExportOptions, export

try:
    import datasets
except ImportError:  # optional: only the trainers need it, and it reads with pyarrow too
    datasets = None

ROWS = [
    {"prompt": "2+2?", "answer": "4", "score": 0.9},
    {"prompt": 'Is "\\frac{1}{2}" less\nthan ½?', "answer": "no", "score": 0.8},
    {"prompt": "In which year?", "answer": "2012-01-31", "score": 0.7},
]


def data_set(tmp_path, rows=ROWS, name="subset.jsonl"):
    (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return read_data_set(str(tmp_path / name))


def loaded(tmp_path, file):
    """The rows of a file, loaded with Hugging Face's datasets, as the three frameworks do; else with pyarrow."""
    kind = "parquet" if file.suffix == ".parquet" else "json"
    if datasets is None:
        read = {"parquet": pyarrow.parquet.read_table, "json": pyarrow.json.read_json}[kind]
        return read(file).to_pylist()
    return list(datasets.load_dataset(kind, data_files=str(file), cache_dir=str(tmp_path / "cache"))["train"])


def exported(tmp_path, to, options=None, rows=ROWS, columns=None):
    file = tmp_path / ("train.parquet" if to == "verl" else "train.jsonl")
    usage = export(data_set(tmp_path, rows), to, str(file), options or ExportOptions(), columns)
    assert str(file) in usage
    return loaded(tmp_path, file)


def user(text):
    return [{"role": "user", "content": text}]


def test_openrlhf_reads_texts_under_its_input_key_and_answers_under_its_label_key(tmp_path):
    assert exported(tmp_path, "openrlhf") == [
        {"prompt": row["prompt"], "label": row["answer"], "prompt_id": prompt_id(row["prompt"])} for row in ROWS
    ]


def test_openrlhf_gets_messages_where_there_is_a_system_message(tmp_path):
    row = exported(tmp_path, "openrlhf", ExportOptions(system="Be brief."))[0]
    assert row["prompt"] == [{"role": "system", "content": "Be brief."}, *user("2+2?")]


def test_verl_reads_messages_and_finds_the_answer_where_its_reward_manager_looks(tmp_path):
    rows = exported(tmp_path, "verl", ExportOptions(data_source="lighteval/MATH", instruction="Put it in \\boxed{}."))
    assert rows[1] == {
        "data_source": "lighteval/MATH",
        "prompt": user(ROWS[1]["prompt"] + "\nPut it in \\boxed{}."),
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": "no"},
        "extra_info": {"split": "train", "index": 1, "prompt_id": prompt_id(ROWS[1]["prompt"])},
    }
    assert [row["reward_model"]["ground_truth"] for row in rows] == [row["answer"] for row in ROWS]


def test_verl_needs_a_data_source_to_find_the_reward_function(tmp_path):
    with refused(where="subset.jsonl: line 1", what="key 'data_source' is missing", advice="--data-source"):
        exported(tmp_path, "verl")
    own = [{**row, "data_source": f"mine/{number}"} for number, row in enumerate(ROWS)]
    assert [row["data_source"] for row in exported(tmp_path, "verl", rows=own)] == ["mine/0", "mine/1", "mine/2"]


@pytest.mark.parametrize("plain", [False, True])
def test_trl_reads_prompts_as_messages_or_plain_and_answers_as_solutions(tmp_path, plain):
    assert exported(tmp_path, "trl", ExportOptions(plain=plain))[:2] == [
        {
            "prompt": row["prompt"] if plain else user(row["prompt"]),
            "solution": f"${row['answer']}$",
            "answer": row["answer"],
            "prompt_id": prompt_id(row["prompt"]),
        }
        for row in ROWS[:2]
    ]


def test_the_reward_function_of_trl_accepts_a_correct_response(tmp_path):
    pytest.importorskip("trl", reason="needs TRL: pip install -e '.[benchmark]'")
    from trl.rewards import accuracy_reward

    bare = ["4", r"\frac{3}{4}", r"\dfrac{5}{11}", r"15\pi", "1-x", r"\$30", r"\text{Wednesday}"]
    answers = [*bare, "$2$", r"\boxed{9}"]
    rows = exported(tmp_path, "trl", rows=[{"prompt": f"{answer}?", "answer": answer} for answer in answers])
    responses = [[{"role": "assistant", "content": rf"It is $\boxed{{{answer}}}$."}] for answer in [*bare, "2", "9"]]
    assert accuracy_reward(responses, [row["solution"] for row in rows]) == [1.0] * len(answers)
    assert [row["answer"] for row in rows] == answers


def test_the_answer_of_a_worked_solution_is_its_last_boxed_answer(tmp_path):
    rows = [{"problem": "2+2?", "solution": r"As $1+3=4$ it is $\boxed{\frac{8}{2}}$."}]
    assert exported(tmp_path, "openrlhf", rows=rows)[0]["label"] == r"\frac{8}{2}"


def test_rows_of_one_framework_become_rows_of_another(tmp_path):
    verl = [
        {
            "data_source": "x",
            "prompt": user(row["prompt"]),
            "reward_model": {"style": "rule", "ground_truth": row["answer"]},
        }
        for row in ROWS
    ]
    assert exported(tmp_path, "openrlhf", rows=verl) == exported(tmp_path, "openrlhf")


def test_other_names_of_columns_can_be_given(tmp_path):
    rows = [{"text": row["prompt"], "meta": {"final": row["answer"]}} for row in ROWS]
    columns = {"prompt": "text", "answer": "meta.final"}
    assert exported(tmp_path, "trl", rows=rows, columns=columns) == exported(tmp_path, "trl")
    with refused(what="no column of prompts", found="text, meta", expected="one of prompt, problem"):
        exported(tmp_path, "trl", rows=rows)


@pytest.mark.parametrize("answer", [None, "", True, ["4"]])
def test_a_prompt_without_an_answer_is_an_error_that_names_another_source_of_answers(tmp_path, answer):
    with refused(where=("line 2", "answer"), found=shown(answer), advice="limr select SCORES --prompts"):
        exported(tmp_path, "openrlhf", rows=[ROWS[0], {**ROWS[1], "answer": answer}])


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_an_answer_that_is_not_finite_is_refused(tmp_path, number):
    with refused(where="line 2: column 'answer'", found=shown(number), expected="an answer: text or a number"):
        exported(tmp_path, "openrlhf", rows=[ROWS[0], {**ROWS[1], "answer": number}])


@pytest.mark.parametrize("prompt", ["", " \n\t", user(" "), [{"role": "system", "content": "x"}, *user("")]])
def test_a_blank_prompt_is_refused(tmp_path, prompt):
    with refused(where="line 2: column 'prompt'", expected="a prompt that is not blank"):
        exported(tmp_path, "trl", rows=[ROWS[0], {**ROWS[1], "prompt": prompt}])


def test_one_prompt_with_two_answers_is_refused_with_both_rows(tmp_path):
    twice = [*ROWS, {"prompt": " 2+2?\n", "answer": "5"}]
    with refused(where="line 4", what="two different answers", found='"5", and "4" at'):
        exported(tmp_path, "trl", rows=twice)
    assert len(exported(tmp_path, "trl", rows=[*ROWS, {"prompt": " 2+2?\n", "answer": " 4"}])) == 4
    other_context = [{"role": "system", "content": "Modulo 3."}, *user("2+2?")]
    messages = [{"prompt": user("2+2?"), "answer": "4"}, {"prompt": other_context, "answer": "1"}]
    assert [row["answer"] for row in exported(tmp_path, "trl", rows=messages)] == ["4", "1"]


@pytest.mark.parametrize(("first", "second"), [(1, "1"), ("a", " a "), ("a", "a")])
def test_two_prompts_with_one_id_are_refused(tmp_path, first, second):
    rows = [{**ROWS[0], "prompt_id": first}, {**ROWS[1], "prompt_id": second}]
    with refused(where="line 2", what="two different prompts have the same prompt_id", found=shown(str(second))):
        exported(tmp_path, "openrlhf", rows=rows)


@pytest.mark.parametrize("name", [True, 1.5, ["a"], {"a": 1}])
def test_an_id_that_is_neither_text_nor_a_whole_number_is_refused(tmp_path, name):
    with refused(where="line 1: column 'prompt_id'", found=shown(name), expected="text or a whole number"):
        exported(tmp_path, "openrlhf", rows=[{**ROWS[0], "prompt_id": name}])


@pytest.mark.parametrize(
    ("source", "parts"),
    [(3, {"found": "3", "expected": "text"}), (["x"], {"expected": "text"}), ("\ud83d", {"what": "a lone surrogate"})],
)
def test_a_data_source_that_is_not_text_is_refused(tmp_path, source, parts):
    with refused(where="column 'data_source'", **parts):
        exported(tmp_path, "verl", rows=[{**ROWS[0], "data_source": source}])


def test_numbers_as_answers_are_written_as_text(tmp_path):
    assert exported(tmp_path, "openrlhf", rows=[{**ROWS[0], "answer": 4}])[0]["label"] == "4"


@pytest.mark.parametrize(
    ("rows", "options", "parts"),
    [
        (
            [{"prompt": 7, "answer": "4"}],
            ExportOptions(),
            {"where": ("line 1", "prompt"), "found": "7", "expected": "text, or messages"},
        ),
        (
            [{"prompt": [{"role": "system", "content": "x"}], "answer": "4"}],
            ExportOptions(),
            {"expected": "messages with at least one of the user"},
        ),
        (
            [{"prompt": [{"role": "system", "content": "Sing."}, *user("2+2?")], "answer": "4"}],
            ExportOptions(system="Be brief."),
            {"where": ("line 1", "prompt"), "what": "there is already a system message", "found": '"Sing."'},
        ),
        (
            [{"prompt": [{"role": "system", "content": "Sing."}, *user("2+2?")], "answer": "4"}],
            ExportOptions(plain=True),
            {"where": ("line 1", "prompt"), "found": "2 messages", "expected": "a single message of the user"},
        ),
        (
            ROWS,
            ExportOptions(plain=True, system="Be brief."),
            {"what": "`--plain` and `--system` exclude each other", "advice": "A plain text has no system message"},
        ),
        (
            [{"prompt": "half \ud83d", "answer": "4"}],
            ExportOptions(),
            {"where": ("line 1", "prompt"), "what": "a lone surrogate"},
        ),
        (
            [{"prompt": "2+2?", "answer": "\ud83d"}],
            ExportOptions(),
            {"where": ("line 1", "'answer'"), "what": "a lone surrogate"},
        ),
    ],
)
def test_rows_that_no_framework_could_read_are_an_error_and_nothing_is_written(tmp_path, rows, options, parts):
    with refused(**parts):
        exported(tmp_path, "trl", options, rows)
    assert not (tmp_path / "train.jsonl").exists()


def test_a_column_that_the_loader_would_convert_to_dates_is_an_error(tmp_path):
    """Arrow reads a column of such texts as timestamps, so rewards would compare other values."""
    with refused(where="row 0", what="the framework's loader would change a row", found="datetime"):
        exported(tmp_path, "openrlhf", rows=[ROWS[2]])
    assert exported(tmp_path, "verl", ExportOptions(data_source="x"), [ROWS[2]])  # Parquet declares them as text


@pytest.mark.parametrize(
    ("to", "name"), [("verl", "a.jsonl"), ("verl", "-"), ("trl", "a.parquet"), ("openrlhf", "a.json")]
)
def test_a_file_format_that_the_framework_does_not_read_is_refused(tmp_path, to, name):
    with refused(where=name, what=f"{to} reads", expected="a file *."):
        export(data_set(tmp_path), to, name, ExportOptions(data_source="x"))


def test_an_existing_file_is_replaced_whole_and_kept_where_the_export_fails(tmp_path):
    old = pl.DataFrame({"old": [1]})
    old.write_parquet(tmp_path / "train.parquet")
    with pytest.raises(LimrError):
        exported(tmp_path, "verl")
    assert pl.read_parquet(tmp_path / "train.parquet").equals(old)
    assert len(exported(tmp_path, "verl", ExportOptions(data_source="x"))) == len(ROWS)


def test_plain_prompts_for_verl_are_refused(tmp_path):
    with refused(what="`--plain` is not possible", expected="messages"):
        exported(tmp_path, "verl", ExportOptions(plain=True, data_source="x"))


def test_a_whole_number_too_large_for_a_float_is_an_answer(tmp_path):
    (row,) = exported(tmp_path, "trl", rows=[{"prompt": "10^400?", "answer": 10**400}])
    assert row["answer"] == f"1{'0' * 400}"


THREADS = """
import os, pyarrow.json, pyarrow.parquet
from limr.subsets.data_set import DataSet
from limr.subsets.trainer_files import ExportOptions, export
rows = DataSet("data.jsonl", [{"prompt": "1+1?", "answer": "2"}], ["line 1"])
threads = lambda: {task: open(f"/proc/self/task/{task}/comm").read() for task in os.listdir("/proc/self/task")}
before = threads()
for to, name in (("verl", "a.parquet"), ("trl", "a.jsonl")):
    export(rows, to, name, ExportOptions(data_source="x"))
new = {task: name for task, name in threads().items() if task not in before}
os.write(1, "".join(name for name in new.values() if not name.startswith("jemalloc")).encode())
os._exit(0)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="counts the threads in /proc")
def test_the_reading_back_starts_no_thread_that_could_abort_the_process_when_it_ends(tmp_path):
    """A thread of Arrow that held a file object of Python ended four exports in ten with SIGABRT.

    The allocator of Arrow and Polars, jemalloc, may start a thread at any time, which holds nothing of Python.
    """
    done = subprocess.run([sys.executable, "-c", THREADS], cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == b""
