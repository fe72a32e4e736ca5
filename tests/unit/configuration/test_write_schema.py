"""The committed JSON schema is that of the models, and accepts the shipped configurations."""

import json

import pytest
from configurations import changed, shipped
from jsonschema import Draft202012Validator
from places import ROOT

from limr.configuration.write_schema import SCHEMA_FILE, configuration_schema

SCHEMA = Draft202012Validator(json.loads(configuration_schema()))


def test_the_committed_schema_is_up_to_date() -> None:
    committed = (ROOT / SCHEMA_FILE).read_text(encoding="utf-8")
    assert committed == configuration_schema(), "run `python -m limr.configuration.write_schema`"


@pytest.mark.parametrize(
    "file", ["config.yaml", "config/paper.yaml", "config/pipeline_test.yaml", "config/openrlhf_test.yaml"]
)
def test_the_schema_accepts_shipped_configurations(file: str) -> None:
    SCHEMA.validate(shipped(file))


@pytest.mark.parametrize(("path", "value"), [("training.engine", "trl"), ("training.step", 1), ("seeds", [-1])])
def test_the_schema_refuses_values_that_the_models_refuse(path: str, value: object) -> None:
    assert not SCHEMA.is_valid(changed(path, value))


def test_every_setting_is_described() -> None:
    models = json.loads(configuration_schema())["$defs"]
    bare = [f"{model}.{name}" for model, schema in models.items() for name, setting in schema["properties"].items()
            if "description" not in setting]  # fmt: skip
    assert bare == []
