"""Configurations with a nasty value, or with a key removed or renamed: usable, or refused with the key's name."""

import copy
import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from configurations import DEFAULT, PAPER, own_run, shipped

from limr.configuration.check import check_configuration
from limr.errors import ProblemsError

N_DRAWN = 300
BASES = {
    "config.yaml": DEFAULT,
    "config/paper.yaml": PAPER,
    "config/pipeline_test.yaml": shipped("config/pipeline_test.yaml"),
    "config/openrlhf_test.yaml": shipped("config/openrlhf_test.yaml"),
    "config/own_run.yaml": own_run("anywhere", visits=3, columns={"reward": "score"}),
}
NASTY = [
    math.nan, math.inf, -math.inf, 1e300, 5e-324, -0.5, 1.5, 0.0, 0, -1, 1, 2**31, 10**20, True, False, None,
    "", " ", "a\nb", "{x}", "<b>", "..", "\x1b[31m", "\0", "\ud800", "1e-4", "nan", "all", "full", "x" * 400,
    [], [1, 1], [math.nan], {}, {"theta": math.nan}, {"": 0}, {None: 1}, {"x": {"x": []}}, b"x",
]  # fmt: skip


def places(section: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every key of ``section``."""
    for key, value in section.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from places(value, (*above, key))


def drawn(seed: int) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A shipped configuration with one mistake, and the key that has it: an error names it, or its new name."""
    rng = random.Random(seed)
    configuration = copy.deepcopy(rng.choice(list(BASES.values())))
    *above, key = rng.choice(list(places(configuration)))
    names = [key]
    section = configuration
    for name in above:
        section = section[name]
    match rng.choice(["value", "value", "value", "value", "removed", "renamed"]):
        case "value":
            section[key] = copy.deepcopy(rng.choice(NASTY))
        case "removed":
            del section[key]
        case "renamed":
            names.append(rng.choice(["x", f"{key}s", key.upper(), f"{key}\n", "", "items"]))
            section[names[-1]] = section.pop(key)
    return configuration, tuple(names)


def numbers(value: Any) -> Iterator[float]:
    """Every number in ``value``, at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from numbers(entry)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def texts(value: Any) -> Iterator[str]:
    """Every key and every text in ``value``, at any depth."""
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for entry in value:
            yield from texts(entry)
    elif isinstance(value, str):
        yield value


def assert_usable(configuration: dict[str, Any]) -> None:
    """What the code relies on in every configuration that the check accepts."""
    assert all(math.isfinite(number) for number in numbers(configuration))
    keeps = [row["keep"] for row in configuration["methods"].values()]
    thetas = [keep["theta"] for keep in keeps if isinstance(keep, dict) and "theta" in keep]  # a score of any size
    integers = [number for number in numbers(configuration) if isinstance(number, int)]
    assert all(number < 2**31 or number in thetas for number in integers)
    for section in ("training", "base_model", "evaluation"):
        for name, number in configuration.get(section, {}).items():
            if isinstance(number, float):
                assert np.isfinite(np.float32(number) ** 2), name
                harmless = name in ("gae_lambda", "discount") or name.endswith("learning_rate")
                assert number == 0 or harmless or np.float32(number) ** 2 > 0, name
    assert all(isinstance(name, str) and name.isprintable() for name in configuration["methods"])
    assert len(set(configuration["seeds"])) == len(configuration["seeds"]) > 0
    results = configuration["results"]
    assert results.isprintable() and not set("{}<>") & set(results) and results.strip("./") and len(results) < 256
    for benchmark in configuration.get("benchmarks", {}).values():
        assert benchmark["title"].strip() and benchmark["title"].isprintable()
        assert benchmark["temperature"] == 0 or benchmark["temperature"] >= 0.01
    for row in configuration["methods"].values():
        assert row["keep"] == "all" or (len(row["keep"]) == 1 and all(map(math.isfinite, row["keep"].values())))
    if "evaluation" in configuration:
        assert 0 < configuration["evaluation"]["top_p"] <= 1
    training = configuration.get("training", {"temperature": 1, "clip": 0.2, "gae_lambda": 1})
    assert training["temperature"] > 0 and training["clip"] > 0 and 0 <= training["gae_lambda"] <= 1


def test_drawn_configurations_are_usable_or_refused_with_the_name_of_the_key() -> None:
    n_refused = 0
    for seed in range(N_DRAWN):
        configuration, names = drawn(seed)
        try:
            check_configuration(configuration)
        except ProblemsError as error:
            n_refused += 1
            # without `trajectories` the configuration is one that trains, and all its sections are missing
            named = any(name.strip() in error.render() for name in names)
            assert named or names[0] == "trajectories", (seed, names, error.render())
        else:
            assert_usable(configuration)
    assert 0.5 * N_DRAWN < n_refused < N_DRAWN, "most mistakes must be refused, and some draws must be accepted"


@pytest.mark.parametrize("base", BASES)
def test_the_configurations_that_the_draws_begin_from_are_usable(base: str) -> None:
    check_configuration(BASES[base])
    assert_usable(BASES[base])
