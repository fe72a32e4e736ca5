"""An index of safetensors files that is something else is refused."""

import pytest
from refusals import refused

from limr.models.model_files import shards


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("[" * 100_000, {"what": "nested too deeply", "expected": "an index of safetensors files"}),
        ("[1]", {"found": "[1]", "expected": "an index of safetensors files"}),
        ('{"weight_map": {"a": "model.safetensors"', {"what": "not JSON", "expected": "an index of safetensors files"}),
        ('{"weight_map": {"a": []}}', {"where": "weight_map", "found": "[]"}),
        ('{"weight_map": {"a": 1}}', {"where": "weight_map", "found": "1"}),
        ('{"weight_map": {"a": "../model.safetensors"}}', {"where": "weight_map", "found": "../model"}),
    ],
)
def test_another_file_than_an_index_is_refused(tmp_path, content, parts):
    (tmp_path / "index.json").write_text(content)
    with refused(**parts) as raised:
        shards(tmp_path / "index.json")
    assert raised.value.where[0] == str(tmp_path / "index.json")
