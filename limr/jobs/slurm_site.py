"""Settings of a cluster for ``slurm/config.yaml``: partitions, accounts, limits, and the command for a job's state.

They are in one file, ``slurm/site.yaml``, which git ignores, or in the file that LIMR_SLURM_SITE names:

    partitions          names and limits, in the form of snakemake-executor-plugin-slurm, which chooses among them
    default-resources   of every job: slurm_account, qos, constraint, mem_mb, runtime ...
    set-resources       of one rule's jobs
"""

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml

from limr.errors import LimrError, shown, suggest

SITE_FILE = Path("slurm/site.yaml")
KEYS = ("partitions", "default-resources", "set-resources")

Resources = dict[str, int | str]

_TIMEOUT = 60  # seconds


def site_file() -> Path | None:
    """Path of the site's file; None if it does not exist. Raises LimrError if LIMR_SLURM_SITE names a missing file."""
    if named := os.environ.get("LIMR_SLURM_SITE"):
        if not Path(named).is_file():
            raise LimrError(
                "no such file", where=("LIMR_SLURM_SITE", named), expected="a site file like slurm/site.example.yaml"
            )
        return Path(named)
    return SITE_FILE if SITE_FILE.is_file() else None


def partition_file() -> str | None:
    """The file that names the site's partitions; None if jobs go to SLURM's default partition.

    Raises LimrError if a partition has a limit that the plugin does not know. The plugin itself would raise TypeError.
    """
    partitions = _section("partitions")
    if not partitions:
        return None
    from snakemake_executor_plugin_slurm.partitions import PartitionLimits

    known = [*(field.name for field in fields(PartitionLimits)), "cluster"]
    for partition, limits in partitions.items():
        where = (site_file(), f"partitions.{partition}")
        if not isinstance(limits, Mapping):
            raise LimrError(where=where, found=shown(limits), expected="limits, e.g. {max_runtime: 1440}")
        for limit in limits:
            if limit not in known:
                raise LimrError("unknown limit", where=(*where, limit), advice=suggest(limit, known))
    return str(site_file())


def default_resources(defaults: Resources) -> Resources:
    """Resources of every job: ``defaults``, overridden by the site's."""
    return _quoted(defaults | _section("default-resources"))


def set_resources() -> dict[str, Resources] | None:
    """The site's resources of single rules, by rule; None if there are none: a profile needs None here."""
    rules = _section("set-resources")
    for rule, resources in rules.items():
        if not isinstance(resources, Mapping):
            raise LimrError(
                where=(site_file(), f"set-resources.{rule}"),
                found=shown(resources),
                expected="resources, e.g. {runtime: 1440}",
            )
    return {rule: _quoted(resources) for rule, resources in rules.items()} or None


def status_command() -> str:
    """The command that reports a job's state: ``sacct`` if the cluster keeps accounts, else ``squeue``.

    ``sacct`` is installed on clusters without accounts, too. There it lists no finished job, and a workflow would wait
    forever.
    """
    try:
        command = ["sacct", "--noheader", "--allocations"]
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "squeue"
    return "squeue" if done.returncode else "sacct"


def check_rule_names(names: Iterable[str], rules: Path) -> None:
    """Raise LimrError if one of ``names`` is a rule of no configuration; folder ``rules`` holds the rules' files."""
    text = "".join(file.read_text(encoding="utf-8") for file in rules.glob("*.smk"))
    known = re.findall(r"^ *rule (\w+):", text, re.MULTILINE)
    for name in names:
        if name not in known and not name.startswith("score_"):  # rules named after the methods of a configuration
            where = (site_file() or "the profile", f"set-resources.{name}")
            raise LimrError("no such rule", where=where, advice=suggest(name, known))


def _section(key: str) -> dict[str, Any]:
    file = site_file()
    if file is None:
        return {}
    try:
        site = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise LimrError(f"cannot be read as YAML: {error}", where=file) from error
    if not isinstance(site, Mapping):
        raise LimrError(where=file, found=shown(site), expected=f"the keys {', '.join(KEYS)}")
    for name, section in site.items():
        if name not in KEYS:
            raise LimrError("unknown key", where=(file, name), advice=suggest(name, KEYS))
        if section is not None and not isinstance(section, Mapping):
            expected = "a section, as in slurm/site.example.yaml"
            raise LimrError(where=(file, name), found=shown(section), expected=expected)
    return dict(site.get(key) or {})


def _quoted(resources: Mapping[str, int | str]) -> Resources:
    """``resources`` with text in quotes. Snakemake would evaluate `a100&nvlink` as Python otherwise."""
    return {name: repr(value) if isinstance(value, str) else value for name, value in resources.items()}
