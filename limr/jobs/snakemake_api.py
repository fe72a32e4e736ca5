"""Calls of Snakemake's own code: merging configuration files, and checking for names that rules cannot use."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from limr.errors import LimrError


def load_configuration(files: Iterable[str]) -> dict[str, Any]:
    """Read ``files`` and lay each over those before it, as ``snakemake --configfile FILES`` does.

    Raises LimrError with the file that does not exist or cannot be read.
    """
    from snakemake.common.configfile import load_configfile
    from snakemake.exceptions import WorkflowError
    from snakemake.utils import update_config

    configuration: dict[str, Any] = {}
    for file in files:
        if not Path(file).is_file():
            raise LimrError("no such file", where=file, expected="a configuration, e.g. config/paper.yaml")
        try:
            update_config(configuration, load_configfile(file))
        except (WorkflowError, ValueError) as error:
            raise LimrError(f"cannot be read: {error}", where=file) from error
    return configuration


def is_reserved(name: str) -> bool:
    """Whether Snakemake reserves ``name``: its lists of inputs and outputs have an attribute of this name.

    >>> is_reserved("items"), is_reserved("lim")
    (True, False)
    """
    from snakemake.iocontainers import InputFiles, OutputFiles

    # a rule's inputs are keyword arguments of a method, whose first argument is called `self`
    return name == "self" or hasattr(InputFiles, name) or hasattr(OutputFiles, name)
