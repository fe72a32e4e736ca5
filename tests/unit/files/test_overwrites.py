"""An output is never an input, never a part of an input, and never another output."""

import os
from pathlib import Path

import pytest
from refusals import refused

from limr.files.overwrites import Input, Output, refuse_overwrites


@pytest.fixture
def run(tmp_path):
    """``run.jsonl``, which is read."""
    (tmp_path / "run.jsonl").write_text("{}\n")
    return tmp_path / "run.jsonl"


@pytest.fixture
def folder(tmp_path):
    """``logs/``, which is read with the folder ``logs/later``."""
    (tmp_path / "logs" / "later").mkdir(parents=True)
    (tmp_path / "logs" / "1.jsonl").write_text("{}\n")
    return tmp_path / "logs"


def of_folder(folder):
    searched = frozenset(map(os.path.realpath, (folder, folder / "later")))
    return Input("SOURCE", [folder / "1.jsonl"], searched, (".jsonl", ".parquet"))


def check(known, *outputs):
    refuse_overwrites([known], [Output(f"output {number}", path) for number, path in enumerate(outputs)])


def test_an_input_under_any_name_is_not_overwritten(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "symbolic.jsonl").symlink_to(run)
    (tmp_path / "hard.jsonl").hardlink_to(run)
    (tmp_path / "sub").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path)
    names = ["run.jsonl", "./run.jsonl", "sub/../run.jsonl", "linked/run.jsonl", "symbolic.jsonl", "hard.jsonl"]
    for name in names:
        with refused(where=Path(name), what=f"output 0 would overwrite SOURCE ({run})", advice="another name"):
            check(Input("SOURCE", [run]), Path(name))
    assert run.read_text() == "{}\n"


def test_a_new_file_beside_an_input_is_allowed(run, tmp_path):
    check(Input("SOURCE", [run]), tmp_path / "scores.jsonl", tmp_path / "scores.audit.md")
    check(Input("SOURCE", [tmp_path / "absent.jsonl"]), tmp_path / "absent.jsonl")


@pytest.mark.parametrize("name", ["scores.jsonl", "later/scores.parquet", "new/folder/scores.jsonl", "../logs/a.jsonl"])
def test_a_file_that_the_next_command_would_read_is_refused(folder, name):
    with refused(where=Path(name), what="would lie inside SOURCE", advice="Choose a path outside this folder."):
        check(of_folder(folder), folder / name)


@pytest.mark.parametrize("name", ["scores.png", ".scores.jsonl", ".limr/scores.jsonl", "../scores.jsonl"])
def test_a_file_that_no_command_would_read_is_allowed(folder, name):
    check(of_folder(folder), folder / name)


def test_a_folder_that_is_not_searched_may_hold_outputs(folder):
    (folder / ".limr").mkdir()
    check(of_folder(folder), folder / ".limr" / "scores.jsonl")


def test_links_lead_into_a_folder(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder / "later")
    (tmp_path / "scores.jsonl").symlink_to(folder / "later" / "scores.jsonl")
    for path in (tmp_path / "link" / "scores.jsonl", tmp_path / "scores.jsonl"):
        with refused(where=path, what="would lie inside SOURCE"):
            check(of_folder(folder), path)


def test_two_outputs_are_two_files(tmp_path):
    with refused(where="a.jsonl", what="output 0 and output 1 are the same file", advice="its own name"):
        check(Input("SOURCE", []), tmp_path / "sub" / ".." / "a.jsonl", tmp_path / "a.jsonl")
    (tmp_path / "a.jsonl").write_text("")
    (tmp_path / "b.jsonl").hardlink_to(tmp_path / "a.jsonl")
    with refused(what="are the same file"):
        check(Input("SOURCE", []), tmp_path / "a.jsonl", tmp_path / "b.jsonl")


@pytest.mark.parametrize("name", ["", "later", "new", ".."])
def test_a_folder_that_is_replaced_lies_beside_the_input(folder, name):
    with refused(where=folder / name, found="SOURCE itself, or a folder", expected="a folder beside SOURCE"):
        refuse_overwrites([of_folder(folder)], [Output("the folder", folder / name, holds="0.parquet")])
    refuse_overwrites([of_folder(folder)], [Output("the folder", folder.parent / "new", holds="0.parquet")])


def test_a_device_may_be_input_and_output():
    check(Input("standard input", [Path("/dev/null")]), Path("/dev/null"))
