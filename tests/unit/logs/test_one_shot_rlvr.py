"""One-Shot-RLVR's accuracies are read, and a wrong file is refused."""

import json

import pytest
from refusals import refused

from limr.errors import ContractError
from limr.logs.one_shot_rlvr import read_one_shot_rlvr


def write_file(folder, content):
    path = folder / "accuracies.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_accuracies_of_eight_samples_are_read_without_rewards(tmp_path):
    frame = read_one_shot_rlvr(write_file(tmp_path, {"7": [0, 0.125, 1.0], "12": [0.5]})).frame()
    assert frame.rows() == [
        ("12", 0, None, 0.5, 8),
        ("7", 0, None, 0.0, 8),
        ("7", 1, None, 0.125, 8),
        ("7", 2, None, 1.0, 8),
    ]


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ('{"7": [0.1', {"what": "not JSON", "expected": "a JSON object"}),
        ([0.5], {"found": "[0.5]", "expected": "a JSON object"}),
        ({}, {"found": "{}", "expected": "a JSON object"}),
        ({"7": []}, {"where": "prompt 7", "found": "[]", "expected": "a list of accuracies"}),
        ({"7": [0.5, 1.125]}, {"where": ("prompt 7", "visit 1"), "found": "1.125", "expected": "a share of 8 samples"}),
        ({"7": [0.3]}, {"where": ("prompt 7", "visit 0"), "found": "0.3", "expected": "a share of 8 samples"}),
        ('{"7": [NaN]}', {"where": ("prompt 7", "visit 0"), "found": "NaN"}),
        ({"7": ["0.5"]}, {"where": ("prompt 7", "visit 0"), "found": '"0.5"'}),
    ],
)
def test_a_wrong_file_is_refused_with_the_prompt_and_the_visit(tmp_path, content, parts):
    path = write_file(tmp_path, content)
    with refused(**parts) as error:
        read_one_shot_rlvr(path)
    assert error.value.where[0] == str(path)


def test_an_absent_file_is_refused(tmp_path):
    with refused(ContractError, where="absent.json", what="cannot be read"):
        read_one_shot_rlvr(tmp_path / "absent.json")
