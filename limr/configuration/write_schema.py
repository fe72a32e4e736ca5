"""Write the JSON schema of configurations, for editors: `python -m limr.configuration.write_schema`.

The models in this folder check configurations. The schema is made from these models and is for editors only.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from limr.configuration.sections import Experiment, OwnRun

SCHEMA_FILE = Path("config", "config.schema.json")


class _Schema(GenerateJsonSchema):
    """Without titles, which repeat the names, and without the default None of a setting that is left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> dict[str, Any]:
        json_schema = super().default_schema(schema)
        return {key: value for key, value in json_schema.items() if key != "default" or value is not None}


def configuration_schema() -> str:
    """The JSON schema of a configuration, as text."""
    schema = TypeAdapter(Experiment | OwnRun).json_schema(schema_generator=_Schema)
    for model in schema["$defs"].values():
        del model["title"]
    head = {"$schema": _Schema.schema_dialect, "title": "a configuration of LIMR"}
    return json.dumps(head | schema, indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(configuration_schema(), encoding="utf-8")
