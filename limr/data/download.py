"""One source's problems, from the hub or from a local file, checked and written as contract ``problems``."""

import logging
from pathlib import Path

import polars as pl

from limr.data.hub import hub_file
from limr.data.source_rows import check_rows, read_problems
from limr.data.sources import SOURCES, Source
from limr.files.contracts import write_parquet

logger = logging.getLogger(__name__)


def download(name: str, output: str | Path, local: str | Path | None = None) -> None:
    """Write the problems of source ``name`` to ``output``, from the file ``local`` if one is given, else from the hub.

    Raises LimrError when the hub cannot be reached or a file cannot be read. Raises ContractError when the rows are not
    those of ``limr.data.sources``.
    """
    write_parquet(load_problems(name, local), output, "problems")


def load_problems(name: str, local: str | Path | None = None) -> pl.DataFrame:
    """The problems of source ``name``, as contract ``problems``. Arguments and errors are those of ``download``."""
    source = SOURCES[name]
    files = [Path(local)] if local else _from_hub(source)
    rows = read_problems(files, source)
    where = str(local) if local else f"{source.repository}@{source.revision[:12]}"
    check_rows(rows, source, where)
    logger.info("%s: %s problems from %s, as expected", source.title, f"{len(rows):,}", where)
    return rows


def _from_hub(source: Source) -> list[Path]:
    logger.info("%s: downloading %d files of %s", source.title, len(source.files), source.repository)
    files = []
    for number, name in enumerate(source.files, start=1):
        files.append(hub_file(source.repository, source.revision, name))
        logger.info("%s: %d of %d: %s", source.title, number, len(source.files), name)
    return files
