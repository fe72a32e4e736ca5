"""Problems as rows: columns of different copies, bad files, and a digest that changes with every relevant change."""

import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusals import refused

from limr.data.source_rows import boxed_answer, check_rows, digest, read_problems
from limr.data.sources import ERRATA, MATH, SOURCES, Source, local_file
from limr.errors import ContractError
from limr.grading.boxes import find_boxes

PLAIN = Source("Plain", "org/plain", "0" * 40, ("test.jsonl",), "plain.jsonl", rows=2, digest="")
LEVELLED = Source("Levelled", "org/math", "0" * 40, ("x.parquet",), "math.jsonl", rows=2, digest="", levels=True)
WHOLE = Source("Whole", "org/aime", "0" * 40, ("test.jsonl",), "aime.jsonl", rows=2, digest="", integers=True)
RELEASED = [
    {"problem": "What is $1+1$?", "level": "Level 3", "type": "Algebra", "solution": r"It is $\boxed{2}$."},
    {"problem": "Name a\n prime.", "level": "Level ?", "type": "Number Theory", "solution": r"Take $\boxed 7$"},
]
EXTRACTED = [
    {"problem": "What is $1+1$?", "level": "Level 3", "subject": "Algebra", "answer": "2"},
    {"problem": "Name a  prime.", "level": "Level ?", "subject": "Number Theory", "answer": " 7"},
]


def read(tmp_path, rows, source, name="rows.jsonl"):
    file = tmp_path / name
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return read_problems([file], source)


def test_solutions_and_extracted_answers_are_the_same_problems(tmp_path):
    released, extracted = read(tmp_path, RELEASED, LEVELLED), read(tmp_path, EXTRACTED, LEVELLED)
    assert released.select("answer", "level", "subject").equals(extracted.select("answer", "level", "subject"))
    assert released["level"].to_list() == [3, None]
    assert digest(released, LEVELLED) == digest(extracted, LEVELLED)


def test_parquet_and_json_lines_hold_the_same_rows_and_several_files_are_one_source(tmp_path):
    pl.DataFrame(RELEASED[:1]).write_parquet(tmp_path / "first.parquet")
    (tmp_path / "second.jsonl").write_text(json.dumps(RELEASED[1]) + "\n\n", encoding="utf-8")
    rows = read_problems([tmp_path / "first.parquet", tmp_path / "second.jsonl"], LEVELLED)
    assert rows.equals(read(tmp_path, RELEASED, LEVELLED))


@pytest.mark.parametrize("written", ["27", "27.0", "027", 27, 27.0, "+27."])
def test_different_notations_of_a_whole_number_give_the_same_answer(tmp_path, written):
    assert read(tmp_path, [{"question": "q", "answer": written}], WHOLE)["answer"].to_list() == ["27"]


def test_an_empty_answer_is_kept_for_the_audit(tmp_path):
    assert read(tmp_path, [{"problem": "p", "solution": r"so there are $\boxed{}$"}], PLAIN)["answer"].to_list() == [""]


def test_a_line_separator_in_a_text_does_not_end_the_line(tmp_path):
    rows = read(tmp_path, [{"problem": "one\u2028two", "answer": "1"}], PLAIN)
    assert rows["problem"].to_list() == ["one\u2028two"]


@pytest.mark.parametrize(
    ("row", "source", "expected"),
    [
        ({"problem": "p"}, PLAIN, {"what": "no answer", "found": "the columns problem", "expected": "`answer`"}),
        ({"problem": "p", "solution": "none"}, PLAIN, {"what": "no answer", "found": "the columns problem, solution"}),
        (
            {"text": "p", "answer": "1"},
            PLAIN,
            {"found": "the columns text, answer", "expected": "text in one of problem, question"},
        ),
        ({"problem": " ", "answer": "1"}, PLAIN, {"expected": "text in one of problem, question"}),
        (
            {"question": "q", "answer": "1/2"},
            WHOLE,
            {"where": ("line 1", "answer"), "found": '"1/2"', "expected": "a whole number"},
        ),
        (
            {**EXTRACTED[0], "level": "Level 6"},
            LEVELLED,
            {"where": "level", "found": '"Level 6"', "expected": "Level 1 to Level 5, or Level ?"},
        ),
        ({"problem": "\ud800", "answer": "1"}, PLAIN, {"where": "'problem'", "what": "a lone surrogate"}),
        ({"problem": "q", "answer": "\ud800"}, PLAIN, {"where": "'answer'", "what": "a lone surrogate"}),
    ],
)
def test_a_bad_row_is_refused_with_its_place(tmp_path, row, source, expected):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    with refused(ContractError, **{"where": "line 1"} | expected) as caught:
        read_problems([tmp_path / "rows.jsonl"], source)
    assert "line 1" in " ".join(caught.value.where)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b'{"problem": "p"\n', {"where": "line 1", "what": "not JSON", "expected": "one object"}),
        ("a.jsonl", b"[" * 100_000, {"where": "line 1", "what": "nested too deeply"}),
        ("a.jsonl", b"[1, 2]\n", {"where": "line 1", "found": "[1, 2]", "expected": "one object"}),
        ("a.jsonl", b'{"problem": "\xff"}', {"where": "line 1", "what": "not UTF-8"}),
        ("a.json", b'{"problem": "p"}', {"found": '{"problem": "p"}', "expected": "[{...}, ...]"}),
        ("a.json", b'[{"problem": "p"},\n', {"where": "line 2", "what": "not JSON", "expected": "one list"}),
        ("a.json", b'[{"problem": "p", "answer": "1"}, 3]', {"where": "row 1", "found": "3", "expected": "an object"}),
        ("a.json", b'["\xff"]', {"what": "not UTF-8"}),
        ("a.json", b"[" * 100_000, {"what": "nested too deeply"}),
        ("a.yaml", b"[]", {"found": "the suffix '.yaml'", "expected": "jsonl"}),
        ("a.parquet", b"PAR1 and no more", {"what": "cannot be read as Parquet"}),
    ],
)
def test_a_bad_file_is_named(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    with refused(**expected) as caught:
        read_problems([tmp_path / name], PLAIN)
    assert caught.value.where[0] == str(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with refused(ContractError, where=tmp_path / "nowhere.jsonl", what="no such file", expected="one row per problem"):
        read_problems([tmp_path / "nowhere.jsonl"], PLAIN)


@given(st.randoms(use_true_random=False))
def test_the_digest_depends_on_neither_order_nor_white_space(random):
    rows = [{"row": i, "problem": f"p {i}", "answer": str(i), "level": 1, "subject": "s"} for i in range(6)]
    spaced = [{**row, "problem": row["problem"].replace(" ", random.choice(["\n", "  ", " "]))} for row in rows]
    random.shuffle(spaced)
    assert digest(pl.DataFrame(spaced), LEVELLED) == digest(pl.DataFrame(rows), LEVELLED)


@pytest.mark.parametrize("column", ["problem", "answer", "level", "subject"])
def test_any_other_change_changes_the_digest_and_is_refused(column):
    rows = pl.DataFrame({"row": [0], "problem": ["p"], "answer": ["1"], "level": [1], "subject": ["s"]})
    other = rows.with_columns(pl.lit(2 if column == "level" else "2").alias(column))
    source = Source("One", "org/one", "0" * 40, (), "", 1, digest(rows, LEVELLED), levels=True)
    check_rows(rows, source, "one.jsonl")
    with refused(ContractError, where="one.jsonl", what="not the 1 problems of One", expected=source.digest):
        check_rows(other, source, "one.jsonl")
    with refused(ContractError, found="2 rows"):
        check_rows(pl.concat([rows, rows]), source, "one.jsonl")


def test_rows_of_another_source_are_named(monkeypatch):
    rows = pl.DataFrame({"row": [0], "problem": ["p"], "answer": ["1"], "level": [None], "subject": [""]})
    monkeypatch.setitem(SOURCES, "other", replace(PLAIN, title="Other", digest=digest(rows, PLAIN)))
    with refused(ContractError, found=f"1 rows with digest {digest(rows, PLAIN)}, those of Other"):
        check_rows(rows, PLAIN, "one.jsonl")


@given(st.text(alphabet="ab{}$ 1", max_size=12).filter(lambda text: find_boxes(f"\\boxed{{{text}}}").last == text))
def test_the_last_boxed_answer_is_extracted(text):
    assert boxed_answer(rf"\boxed{{first}} and then $\boxed{{{text}}}$.") == text


def test_revisions_digests_and_ids_have_their_full_length():
    for name, source in SOURCES.items():
        assert len(source.revision) == 40 and int(source.revision, 16), name
        assert len(source.digest) == 64 and int(source.digest, 16), name
    assert sum(SOURCES[name].rows for name in MATH) == 12_500
    assert all(len(found) == 16 and int(found, 16) for found in ERRATA)


def test_local_files_are_a_folder_or_one_file_per_source():
    assert local_file("math_train", "data") == "data/math/train.jsonl"
    assert local_file("math500", {"math500": "five.jsonl"}) == "five.jsonl"
    assert local_file("amc23", {"math500": "five.jsonl"}) is None
    assert local_file("amc23", None) is None
