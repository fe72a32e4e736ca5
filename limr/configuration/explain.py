"""Turns pydantic's errors into LimrErrors: where, found, expected, and advice."""

from collections.abc import Iterable, Mapping
from functools import cache
from itertools import islice
from typing import Any

from pydantic import ValidationError

from limr.configuration.sections import Configuration, Experiment
from limr.errors import LimrError, shown, suggest

# Sections with a model for each engine or source. Pydantic puts the engine or source into the location of an error.
_TAGGED = ("data", "training", "evaluation")

_TYPES = {
    "string_type": "text",
    "invalid_key": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_too_short": "text that is not empty",
    "string_unicode": "text of valid characters",
    "list_type": "a list",
    "too_short": "at least one entry",
    "dict_type": "a section",
    "model_type": "a section",
    "model_attributes_type": "a section",
}
_LIMITS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}
_BESIDE_A_RUN = "this section has no effect beside `trajectories`, which names an existing training run"
_LAYERS = (
    "A file given with --configfile replaces config.yaml. To lay it over config.yaml, name both: "
    "--configfile config.yaml FILE."
)


def explain(error: ValidationError, model: type[Configuration]) -> list[LimrError]:
    """One error for each problem that ``model`` has found in a configuration."""
    schema = _schema_of(model)
    found = error.errors(include_url=False)
    problems = [_problem(one, schema) for one in found]
    missing_sections = (row for row, one in enumerate(found) if one["type"] == "missing" and len(one["loc"]) == 1)
    for row in islice(missing_sections, 1):  # one error with this advice is enough
        problems[row].advice = _LAYERS
    return problems


@cache
def _schema_of(model: type[Configuration]) -> dict[str, Any]:
    return model.model_json_schema()


def _problem(error: Mapping[str, Any], schema: Mapping[str, Any]) -> LimrError:
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    location = list(error["loc"])
    if location[-1] == "[key]":  # the name of a method or benchmark; pydantic writes the name True as 1
        location[-2:] = [value]
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        location.append(context["discriminator"].strip("'"))
    where = _where(location)
    about = _node(schema, location).get("description", "")
    match kind:
        case "missing":
            return LimrError("this key is missing", where=where, expected=about or "a value")
        case "union_tag_not_found":
            return LimrError("this key is missing", where=where, expected=_engines(schema, location[0]))
        case "union_tag_invalid":
            return LimrError(where=where, found=shown(value[location[-1]]), expected=_engines(schema, location[0]))
        case "extra_forbidden":
            if len(location) == 1 and location[0] in Experiment.model_fields:
                return LimrError(_BESIDE_A_RUN, where=where, advice="Remove one of the two.")
            models = _models(_node(schema, location[:-1]), schema)
            known = [name for model in models for name in model.get("properties", {})]
            return LimrError("unknown key", where=where, advice=suggest(location[-1], known))
        case "refused":
            found = "" if context["what"] else shown(value)
            return LimrError(
                context["what"], where=where, found=found, expected=context["expected"], advice=context["advice"]
            )
        case "literal_error":
            expected = context["expected"]
        case "string_pattern_mismatch":
            return LimrError(where=where, found=shown(value), expected=about)
        case _ if kind in _LIMITS:
            words, limit = _LIMITS[kind]
            expected = f"{words} {context[limit]:.15g}"
        case _:
            expected = _TYPES.get(kind, error["msg"])
    about = f" ({about})" if about else ""
    return LimrError(where=where, found=shown(value), expected=f"{expected}{about}", advice=_hint(kind, value))


def _where(location: Iterable[Any]) -> str:
    """The key as a user writes it, without the names of models that pydantic puts between its parts.

    >>> _where(("training", "openrlhf", "steps")), _where(("methods", "lim", "keep", "<theta>", "theta"))
    ('training.steps', 'methods.lim.keep.theta')
    """
    parts = list(map(str, location))
    if parts[0] in _TAGGED and len(parts) > 2:
        del parts[1]
    return ".".join(part for part in parts if not _is_tag(part))


def _is_tag(part: object) -> bool:
    return isinstance(part, str) and part.startswith("<") and part.endswith(">")


def _node(schema: Mapping[str, Any], location: Iterable[Any]) -> Mapping[str, Any]:
    """The part of the JSON schema that describes the setting at ``location``; empty if no part does."""
    node = schema
    for part in location:
        if not _is_tag(part):
            inner = (_inner(model, part) for model in _models(node, schema))
            node = next((found for found in inner if found is not None), {})
    return _resolved(node, schema)


def _models(node: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """``node``, and the models of its union, unless the name of an engine or a source chooses one of them."""
    node = _resolved(node, schema)
    models = [] if "discriminator" in node else [*node.get("anyOf", []), *node.get("oneOf", [])]
    return [node, *(_resolved(model, schema) for model in models)]


def _inner(node: Mapping[str, Any], part: str | int) -> Mapping[str, Any] | None:
    """The schema of ``part`` in ``node``. A part is the name of a model, a key, or the number of an entry."""
    named = node.get("discriminator", {}).get("mapping", {})
    if part in named:
        return {"$ref": named[part]}
    if part in node.get("properties", {}):
        return node["properties"][part]
    if isinstance(part, int) and "items" in node:
        return node["items"]
    others = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    return others[0] if isinstance(others[0], dict) else None


def _resolved(node: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """``node`` merged with the definition that it refers to. The description of ``node`` takes precedence."""
    if "$ref" not in node:
        return node
    return {**schema["$defs"][node["$ref"].removeprefix("#/$defs/")], **node}


def _engines(schema: Mapping[str, Any], section: str) -> str:
    """The values of ``training.engine``, ``evaluation.engine`` or ``data.source``, each with its description."""
    union = _node(schema, [section])["discriminator"]
    models = [schema["$defs"][reference.removeprefix("#/$defs/")] for reference in union["mapping"].values()]
    names = [model["properties"][union["propertyName"]]["description"] for model in models]
    return " or ".join(names)


def _hint(kind: str, value: object) -> str:
    """Advice for a key without a value and for a number that was read as text; otherwise empty."""
    if value is None:
        return "The key has no value: write one after it, or remove the key."
    if kind not in ("int_type", "float_type") or not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return (
        "This number is text. YAML reads 1.0e-4 as a number and 1e-4 as text. Snakemake reads numbers inside a nested "
        "--config value as text: write them in a file."
    )
