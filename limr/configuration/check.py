"""The configuration's own check: every key against ``limr/files/schemas/config.schema.json``, before anything runs."""

import json
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from limr.data.sources import BENCHMARKS
from limr.errors import LimrError
from limr.jobs.snakemake_api import is_reserved
from limr.logs.formats import NAMES
from limr.selection.method import needs_trajectories, option_names, score_names
from limr.training.openrlhf.checks import contradictions as openrlhf_contradictions
from limr.trajectories import MISSING, SIGNALS

PREPARED = ("train", "development", "base")  # what stands beside the benchmarks: files of one rule, or a method
OPTION_VALUES = {"signal": tuple(SIGNALS), "missing": MISSING}
SYNTHETIC = ("mirrors", "problems", "levels")  # of a benchmark that the miniature makes
TRAINING_SECTIONS = ("data", "benchmarks", "base_model", "training", "reward", "evaluation", "report")

_LAYERS = ". (A file given with --configfile replaces config.yaml; to lay it over: --configfile config.yaml FILE)"
_KINDS = ("engine", "source", "format")
_TYPES = {
    "object": "a section",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
_LIMITS = {
    "minimum": "at least",
    "maximum": "at most",
    "exclusiveMinimum": "more than",
    "exclusiveMaximum": "less than",
    "minItems": "a list no shorter than",
    "minLength": "text no shorter than",
    "minProperties": "a section with entries, at least",
}


def check_configuration(configuration: Mapping[str, Any]) -> None:
    """Raise LimrError listing every key that is unknown, missing or wrong: what was found and what is expected."""
    schema = json.loads(files("limr.files").joinpath("schemas", "config.schema.json").read_text(encoding="utf-8"))
    errors = sorted(
        Draft202012Validator(schema).iter_errors(configuration), key=lambda error: list(map(str, error.path))
    )
    # an engine that does not exist makes all else about it look wrong, so it is said alone
    of_kind = [error for error in errors if error.path and error.path[-1] in _KINDS]
    problems = [*_names(configuration), *(line for error in of_kind or errors for line in _explain(error))]
    problems = problems or list(_contradictions(configuration))
    problems = list(dict.fromkeys(problems))
    if problems:
        raise LimrError("\n  ".join(["the configuration cannot be used:", *problems]))


def source_files(configuration: Mapping[str, Any]) -> list[str]:
    """The files of the run at ``trajectories.path``: what is to be read again when one changes, comes or goes.

    Raises LimrError when there is none, when one cannot be read, and when the results would be among them.
    """
    from limr.logs.log_files import log_files

    path, results = Path(configuration["trajectories"]["path"]), Path(configuration["results"])
    try:
        if path.is_dir() and results.resolve().is_relative_to(path.resolve()):
            raise LimrError(f"{path}: the results, {results}, would be written into it and read as part of the run")
        found = log_files(path)
    except LimrError as error:
        raise LimrError(f"trajectories.path: {error}") from None
    for file in found:
        if not os.access(file, os.R_OK):
            raise LimrError(f"trajectories.path: {file}: cannot be read: permission denied")
    return [str(file) for file in found]


def probe(methods: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Name of the method whose training run gives the trajectories: the one that trains on every prompt."""
    return next((name for name, row in methods.items() if row["score"] == "full" and row["keep"] == "all"), None)


def is_pretrained(base_model: Mapping[str, Any]) -> bool:
    """Whether section ``base_model`` names a model that exists: on the hub, or in a folder."""
    return "repository" in base_model or "path" in base_model


def uses_gpus(configuration: Mapping[str, Any]) -> bool:
    """Whether an engine of the configuration is one that is made for GPUs."""
    engines = {section: configuration.get(section, {}).get("engine") for section in ("training", "evaluation")}
    return engines["training"] == "openrlhf" or engines["evaluation"] == "vllm"


def _contradictions(configuration: Mapping[str, Any]) -> Iterable[str]:
    """What a schema cannot say."""
    for name, row in configuration["methods"].items():
        yield from _method(f"methods.{name}", row, configuration.get("data"))
    if "trajectories" in configuration:
        yield from _trajectories(configuration["trajectories"])
        for section in TRAINING_SECTIONS:
            if section in configuration:
                yield f"{section}: nothing is trained where the run is there already; leave out this or `trajectories`"
        return
    for section in TRAINING_SECTIONS:
        if section not in configuration:
            yield f"{section}: this section is missing{_LAYERS}"
    known = [row for row in configuration["methods"].values() if row["score"] in score_names()]
    if probe(configuration["methods"]) is None and any(needs_trajectories(row["score"]) for row in known):
        yield "methods: a score needs the probe's trajectories; add a row `full: {score: full, keep: all}`"
    source = configuration.get("data", {}).get("source")
    yield from _benchmarks(configuration.get("benchmarks", {}), source)
    training, model = configuration.get("training", {}), configuration.get("base_model", {})
    if training.get("engine") == "openrlhf":
        yield from openrlhf_contradictions(training)
    if training.get("engine") == "miniature":
        yield from _training(training)
        if source == "math":
            yield "training.engine: found 'miniature', expected openrlhf: the miniature reads its own problems only"
        if is_pretrained(model):
            yield "base_model: training.engine 'miniature' trains the miniature's own model only"
    if is_pretrained(model):
        if "path" not in model and "revision" not in model:
            yield f"base_model.revision: this key is missing; expected the commit of {model['repository']}"
    elif model:
        yield from _base_model(model)


def _method(where: str, row: Mapping[str, Any], data: Mapping[str, Any] | None) -> Iterable[str]:
    if row["score"] not in score_names():
        yield f"{where}.score: unknown score {row['score']!r}; {_suggest(row['score'], score_names())}"
        return
    known = option_names(row["score"])
    for option, value in row.get("options", {}).items():
        if option not in known:
            advice = _suggest(option, known) if known else "it takes no option"
            yield f"{where}.options.{option}: unknown option of score {row['score']!r}; {advice}"
        elif option in OPTION_VALUES and value not in OPTION_VALUES[option]:
            yield f"{where}.options.{option}: found {_show(value)}, expected {' or '.join(OPTION_VALUES[option])}"
    keep, prompts = row["keep"], data.get("train") if data else None
    if prompts and "share" in keep and round(keep["share"] * prompts) == 0:
        yield f"{where}.keep.share: found {keep['share']}, expected at least one prompt of data.train, {prompts}"
    for number in ("top", "theta_for"):
        if prompts and number in keep and keep[number] > prompts:
            yield f"{where}.keep.{number}: found {keep[number]}, expected at most data.train, {prompts}"


def _trajectories(section: Mapping[str, Any]) -> Iterable[str]:
    if "format" in section and section["format"] not in NAMES:
        yield f"trajectories.format: found {section['format']!r}; {_suggest(section['format'], NAMES)}"


def _benchmarks(benchmarks: Mapping[str, Mapping[str, Any]], source: str | None) -> Iterable[str]:
    for name, row in benchmarks.items():
        if source == "math" and name not in BENCHMARKS:
            yield f"benchmarks.{name}: not a benchmark of data.source math; {_suggest(name, BENCHMARKS)}"
        for key in SYNTHETIC:
            if source == "math" and key in row:
                yield f"benchmarks.{name}.{key}: says how the miniature makes a benchmark; leave it out with real ones"
            if source == "miniature" and key not in row:
                yield f"benchmarks.{name}.{key}: this key is missing; the miniature makes the benchmark from it"
        if row["temperature"] == 0 and row["samples"] > 1:
            yield (
                f"benchmarks.{name}.samples: found {row['samples']}, expected 1 at temperature 0: "
                "greedy answers to a problem are all the same"
            )


def _base_model(model: Mapping[str, Any]) -> Iterable[str]:
    width, heads, shared = (model[key] for key in ("hidden_size", "num_attention_heads", "num_key_value_heads"))
    if width % (2 * heads):
        yield (
            f"base_model.hidden_size: found {width}, expected a multiple of twice num_attention_heads, {heads}: "
            "heads have one size, and rotary positions turn pairs"
        )
    if heads % shared:
        yield f"base_model.num_attention_heads: found {heads}, expected a multiple of num_key_value_heads, {shared}"
    if model["batch_size"] < model["threads"]:
        yield (
            f"base_model.batch_size: found {model['batch_size']}, expected at least threads, {model['threads']}: "
            "each thread takes a part of the batch"
        )
    if model["practice"] + model["guided"] > 1:
        yield (
            f"base_model.guided: found {model['guided']}, expected at most {1 - model['practice']:g}: "
            "practice and guided are shares of one corpus"
        )


def _training(training: Mapping[str, Any]) -> Iterable[str]:
    if training["mini_batch_size"] % training["samples_per_prompt"]:
        yield (
            f"training.mini_batch_size: found {training['mini_batch_size']}, expected a multiple of "
            f"samples_per_prompt, {training['samples_per_prompt']}: a mini-batch holds whole prompts"
        )


def _names(configuration: Mapping[str, Any]) -> Iterable[str]:
    """Names that cannot stand where rules put them: keys that are no text, and attributes of Snakemake's lists."""
    for section, taken in (("methods", ()), ("benchmarks", PREPARED)):
        rows = configuration.get(section)
        for name in rows if isinstance(rows, Mapping) else ():
            if not isinstance(name, str):
                yield f"{section}.{name}: found the name {name!r}, expected text: put it in quotes, a letter first"
            elif name in taken or is_reserved(name):
                yield f"{section}.{name}: this name is taken by the workflow itself; expected any other"


def _explain(error: ValidationError) -> Iterable[str]:
    """One line for each thing that is wrong with what ``error`` points at."""
    where = ".".join(str(part) for part in error.path) or "the configuration"
    value, wanted, schema = error.instance, error.validator_value, error.schema
    about = f": {schema['description']}" if "description" in schema else ""
    match error.validator:
        case "additionalProperties":
            known = list(schema["properties"])
            for key in value:
                if key not in known:
                    yield f"{_path(error, key)}: unknown key; {_suggest(key, known)}"
        case "required":
            for key in wanted:
                if key not in value:
                    what = schema["properties"][key].get("description", "a value")
                    yield f"{_path(error, key)}: this key is missing; expected {what}{'' if error.path else _LAYERS}"
        case "type":
            yield f"{where}: found {_show(value)}, expected {_TYPES[wanted]}{about}{_hint(value, wanted)}"
        case "enum":
            yield f"{where}: found {_show(value)}, expected {', '.join(wanted)}{about}"
        case "minProperties" | "maxProperties" if "properties" in schema:
            yield f"{where}: found {_show(value)}, expected exactly one of {', '.join(schema['properties'])}"
        case "pattern":
            yield f"{_path(error, value)}: not a name; expected a-z, 0-9 and _, a letter first, and not `base`"
        case "uniqueItems":
            yield f"{where}: found {_show(value)}, expected no value twice"
        case limit:
            yield f"{where}: found {_show(value)}, expected {_LIMITS[limit]} {wanted}{about}"


def _path(error: ValidationError, key: str) -> str:
    return ".".join(map(str, [*error.path, key]))


def _show(value: Any) -> str:
    """``value`` as a person would write it, cut short.

    >>> _show({"theta": 0.6, "top": 3}), _show(None)
    ('{theta: 0.6, top: 3}', 'nothing')
    """
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        value = "{" + ", ".join(f"{key}: {_show(entry)}" for key, entry in value.items()) + "}"
        return value if len(value) < 80 else f"{value[:80]}...}}"
    return repr(value)


def _hint(value: Any, wanted: str) -> str:
    """Where a number that came as text comes from."""
    if wanted not in ("integer", "number") or not isinstance(value, str):
        return ""
    try:
        float(value)
    except ValueError:
        return ""
    return " (a number as text: YAML wants 1.0e-4, not 1e-4, and numbers nested in --config must stand in a file)"


def _suggest(found: str, known: Iterable[str]) -> str:
    close = get_close_matches(str(found), list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
