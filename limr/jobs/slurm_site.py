"""What ``slurm/config.yaml`` takes from the site: its partitions, accounts and limits, and whether it keeps accounts.

A site says so in one file, ``slurm/site.yaml``, which git ignores, or in the file that LIMR_SLURM_SITE names:

    partitions          names and limits, in the form of snakemake-executor-plugin-slurm, which chooses by them
    default-resources   of every job: slurm_account, qos, constraint, mem_mb, runtime ...
    set-resources       of one rule's jobs
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from limr.errors import LimrError

SITE_FILE = Path("slurm/site.yaml")
KEYS = ("partitions", "default-resources", "set-resources")

Resources = dict[str, int | str]

_SECONDS_FOR_AN_ANSWER = 60


def site_file() -> Path | None:
    """Where the site's file is; None where there is none. Raises LimrError where LIMR_SLURM_SITE names no file."""
    if named := os.environ.get("LIMR_SLURM_SITE"):
        if not Path(named).is_file():
            raise LimrError(
                f"LIMR_SLURM_SITE: {named}: no such file; expected a site file like slurm/site.example.yaml"
            )
        return Path(named)
    return SITE_FILE if SITE_FILE.is_file() else None


def partition_file() -> str | None:
    """The file that names the site's partitions; None: each job goes to SLURM's default partition.

    Raises LimrError where a partition has a limit that the plugin does not know, for which it has but a TypeError.
    """
    partitions = _section("partitions")
    if not partitions:
        return None
    from snakemake_executor_plugin_slurm.partitions import PartitionLimits

    known = [*(field.name for field in fields(PartitionLimits)), "cluster"]
    for partition, limits in partitions.items():
        where = f"{site_file()}: partitions.{partition}"
        if not isinstance(limits, Mapping):
            raise LimrError(f"{where}: found {limits!r}, expected limits, e.g. {{max_runtime: 1440}}")
        for limit in limits:
            if limit not in known:
                raise LimrError(f"{where}: {limit}: unknown limit; {_advice(limit, known)}")
    return str(site_file())


def default_resources(defaults: Resources) -> Resources:
    """Resources of every job: ``defaults``, with the site's laid over them."""
    return _quoted(defaults | _section("default-resources"))


def set_resources() -> dict[str, Resources] | None:
    """The site's resources of single rules, by their names; None where there are none, as a profile wants it."""
    rules = _section("set-resources")
    for rule, resources in rules.items():
        if not isinstance(resources, Mapping):
            raise LimrError(
                f"{site_file()}: set-resources.{rule}: found {resources!r}, expected resources, e.g. {{runtime: 1440}}"
            )
    return {rule: _quoted(resources) for rule, resources in rules.items()} or None


def status_command() -> str:
    """What tells a job's state: ``sacct`` where the cluster keeps accounts, else ``squeue``.

    ``sacct`` is installed without accounts, too; it then knows no finished job, and a workflow would wait for ever.
    """
    try:
        command = ["sacct", "--noheader", "--allocations"]
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS_FOR_AN_ANSWER, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "squeue"
    return "squeue" if done.returncode else "sacct"


def _section(key: str) -> dict[str, Any]:
    file = site_file()
    if file is None:
        return {}
    try:
        site = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LimrError(f"{file}: cannot be read as YAML: {error}") from error
    if not isinstance(site, Mapping):
        raise LimrError(f"{file}: found {site!r}, expected the keys {', '.join(KEYS)}")
    for name, section in site.items():
        if name not in KEYS:
            raise LimrError(f"{file}: {name}: unknown key; {_advice(name, KEYS)}")
        if section is not None and not isinstance(section, Mapping):
            raise LimrError(f"{file}: {name}: found {section!r}, expected a section, as in slurm/site.example.yaml")
    return dict(site.get(key) or {})


def _quoted(resources: Mapping[str, int | str]) -> Resources:
    """Text in quotes: Snakemake would evaluate it as Python, and `a100&nvlink` or `proj-7` are sums to it."""
    return {name: repr(value) if isinstance(value, str) else value for name, value in resources.items()}


def check_rule_names(names: Iterable[str], rules: Path) -> None:
    """Raise LimrError where one of ``names`` is no rule of the files in folder ``rules``, in whatever configuration."""
    text = "".join(file.read_text(encoding="utf-8") for file in rules.glob("*.smk"))
    known = re.findall(r"^ *rule (\w+):", text, re.MULTILINE)
    for name in names:
        if name not in known and not name.startswith("score_"):  # these are named after the configuration's methods
            where = f"{site_file() or 'the profile'}: set-resources.{name}"
            raise LimrError(f"{where}: no such rule; {_advice(name, known)}")


def _advice(name: object, known: Sequence[str]) -> str:
    """What may have been meant by ``name``."""
    close = get_close_matches(str(name), known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
