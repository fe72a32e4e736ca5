"""A configuration file is refused when Snakemake's reader would take its text in silence for something else."""

import json
from pathlib import Path
from typing import Any

import pytest
from configurations import DEFAULT
from places import ROOT
from refusals import refused

from limr.configuration.config_files import check_files
from limr.errors import LimrError, ProblemsError
from limr.jobs.snakemake_api import load_configuration

TEXT = (ROOT / "config.yaml").read_text(encoding="utf-8")


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "mine.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def changed(old: str, new: str) -> str:
    """The text of config.yaml with ``new`` instead of the first ``old``."""
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def line_of(text: str, found: str) -> int:
    return text[: text.index(found)].count("\n") + 1


@pytest.mark.parametrize("file", ["config.yaml", *sorted(f"config/{path.name}" for path in ROOT.glob("config/*.yaml"))])
def test_shipped_files_have_no_key_twice(file: str) -> None:
    check_files([ROOT / file])


@pytest.mark.parametrize(
    ("old", "new", "again", "key"),
    [
        ("reward: {rule: paper}", "reward: {rule: paper}\nreward: {rule: released_code}", "reward: {rule: r", "reward"),
        ("  steps: 168\n", "  steps: 168\n  steps: 3\n", "  steps: 3\n", "training.steps"),
        ("  steps: 168\n", '  steps: 168\n  "steps": 3\n', '  "steps": 3\n', "training.steps"),
        ("keep: all}", "keep: all, score: rand}", "  full:", "methods.full.score"),
        ("keep: {share: 0.163}}", "keep: {share: 0.163, share: 0.5}}", "  rand:", "methods.rand.keep.share"),
        ("  lim: {", "  lim: {score: rand, keep: all}\n  lim: {", "  lim: {score: lim", "methods.lim"),
    ],
)
def test_a_key_that_occurs_twice_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, again: str, key: str
) -> None:
    text = changed(old, new)
    file = written(tmp_path, text)
    where = (file, f"line {line_of(text, again)}", key)
    with refused(ProblemsError, where=where, what="occurs twice", advice="The first one is in line"):
        check_files([ROOT / "config.yaml", file])


def test_a_key_that_occurs_twice_in_json_is_refused(tmp_path: Path) -> None:
    text = json.dumps(DEFAULT, indent="\t")
    check_files([written(tmp_path, text)])
    with refused(where=("line 2", "seeds"), what="occurs twice"):
        check_files([written(tmp_path, '{"seeds": [1],\n\t"seeds": [2]}')])


def test_anchors_and_merges_are_accepted_and_snakemake_reads_them(tmp_path: Path) -> None:
    text = changed("rand: {score: rand, keep: {share: 0.163}}", "rand: &rand {score: rand, keep: &keep {share: 0.163}}")
    text = text.replace("lim: {score: lim, keep: {share: 0.163}}", "lim: {<<: *rand, <<: {}, score: lim, keep: *keep}")
    assert "*keep" in text
    file = written(tmp_path, text)
    check_files([file])
    assert load_configuration([str(file)])["methods"]["lim"] == {"score": "lim", "keep": {"share": 0.163}}
    check_files([written(tmp_path, "training: &itself {again: *itself}")])


@pytest.mark.parametrize(
    ("number", "read"), [("12:30", 750), ("1:30.5", 90.5), ("010", 8), ("-017", -15), ("190:20:30", 685230)]
)
def test_numbers_that_yaml_reads_in_another_base_are_refused(tmp_path: Path, number: str, read: float) -> None:
    with refused(where=("training.steps",), found=number, expected="a decimal number"):
        check_files([written(tmp_path, changed("steps: 168", f"steps: {number}"))])
    with refused(where=("seeds.1",), found=number):
        check_files([written(tmp_path, changed("seeds: [0]", f"seeds: [0, {number}]"))])


@pytest.mark.parametrize("number", ["0", "0.5", "-0.5", "1_000", "1.0e-4", ".5", "+3", "'12:30'", "'010'", "0.0"])
def test_other_numbers_and_quoted_ones_are_accepted(tmp_path: Path, number: str) -> None:
    check_files([written(tmp_path, changed("steps: 168", f"steps: {number}"))])


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        (b"", {"found": "nothing", "expected": "sections with keys"}),
        (b"# only a comment\n", {"found": "nothing"}),
        (b"- 1\n", {"found": "a list"}),
        (b"hello", {"found": "text"}),
        (b"seeds: [0", {"what": "not valid YAML: line 1"}),
        (b"a: *nowhere", {"what": "not valid YAML: line 1"}),
        (b"a: 1\n---\nb: 2\n", {"what": "not valid YAML: line 2"}),
        (b"a: \0", {"what": "not valid YAML"}),
        (b"\xff\xfe\x00", {"what": "not text in UTF-8"}),
        (b"a: " + 3000 * b"[", {"what": "too many levels"}),
    ],
)
def test_a_file_that_is_no_configuration_is_refused(tmp_path: Path, content: bytes, parts: dict[str, Any]) -> None:
    file = written(tmp_path, content)
    with refused(where=file, **parts):
        check_files([file])


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with refused(LimrError, where=tmp_path, what="cannot be read: Is a directory"):
        check_files([tmp_path])
    with refused(LimrError, where="missing.yaml", what="no such file", advice="--configfile"):
        check_files(["missing.yaml"])


def test_a_byte_order_mark_and_line_ends_of_windows_are_accepted(tmp_path: Path) -> None:
    check_files([written(tmp_path, b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode())])
