"""The table of packages and extras agrees with pyproject.toml."""

import re
import tomllib

from places import ROOT

from limr.errors import EXTRAS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LIGHT = {"numpy", "polars", "pyarrow", "msgspec", "tqdm"}

# packages whose name in imports is not the name to install, and packages that another package installs
DISTRIBUTIONS = {"yaml": "pyyaml", "pydantic_core": "pydantic", "mpmath": "latex2sympy2_extended",
                 "sympy": "latex2sympy2_extended", "markdown_it": "markdown_it_py"}  # fmt: skip


def names(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w-]+", requirement)[0].replace("-", "_") for requirement in requirements}


def packages(extra: str) -> set[str]:
    """The packages that an extra installs, with those of the extras that it names."""
    found = set()
    for requirement in PROJECT["optional-dependencies"][extra]:
        if inner := re.fullmatch(r"limr\[(.+)\]", requirement):
            found |= set().union(*map(packages, inner[1].split(",")))
        else:
            found |= names([requirement])
    return found


def test_the_light_installation_has_five_packages():
    assert names(PROJECT["dependencies"]) == LIGHT


def test_every_extra_installs_its_packages():
    wrong = {package: extra for package, extra in EXTRAS.items()
             if DISTRIBUTIONS.get(package, package) not in packages(extra)}  # fmt: skip
    assert wrong == {}


def test_every_package_of_an_extra_is_in_the_table_of_messages():
    users = packages("workflow") - {"antlr4_python3_runtime"}  # no module of limr imports it
    assert users <= {DISTRIBUTIONS.get(package, package) for package in EXTRAS}


def test_tests_have_every_package():
    assert packages("test") >= packages("slurm") >= packages("workflow")
