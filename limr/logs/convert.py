"""Converts any log to rollouts in this project's own contract. Reading those takes a second instead of a minute."""

import logging
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from limr.errors import LimrError
from limr.files.atomic import whole_directory
from limr.files.overwrites import Input, Output, refuse_overwrites
from limr.logs.log import Log, LogOptions
from limr.logs.recognise import Found, recognise
from limr.logs.visits import Visits, number_visits
from limr.logs.whole import parts, read_found

if TYPE_CHECKING:
    import pyarrow

logger = logging.getLogger(__name__)

A_SHARD = "rollouts_00000.parquet"  # the name of the first shard


def convert(path: str | Path, folder: str | Path, options: LogOptions | None = None) -> tuple[Log, Visits]:
    """Write the log at ``path`` into ``folder`` as Parquet shards of contract ``rollouts``, one for each file.

    The log is read twice, because a visit's number depends on all files; responses are in memory one part at a time.
    Rollouts without a visit (of replayed steps, for example) are left out. In a log without steps, the step is the
    visit. ``formatted`` is null, and so is ``correct`` where the log does not have it. ``folder`` is written whole or
    not at all.

    Raises LimrError as ``read_log`` and ``number_visits`` do, and where a file changes during the conversion.
    """
    options = options or LogOptions()
    found = recognise(Path(path), options)
    refuse_overwrites([Input("the log", found.files)], [Output("the folder", Path(folder), holds=A_SHARD)])
    log = read_found(found, options)
    visits = number_visits(log, options.samples, options.steps_per_epoch)
    correct = _true_or_false(log)
    with whole_directory(folder) as temporary:
        read = _tables(log, visits, correct, found, options)
        for file, tables in groupby(read, key=itemgetter(0)):
            _write(temporary / f"rollouts_{file:05d}.parquet", (table for _, table in tables))
    logger.info("%s: %s rollouts in %s shards", folder, f"{(visits.visit >= 0).sum():,}", f"{len(log.files):,}")
    return log, visits


def _true_or_false(log: Log) -> np.ndarray:
    """``log.correct``; NaN everywhere if it has shares, because the contract has only true and false."""
    shares = ~np.isin(log.correct, (0, 1)) & ~np.isnan(log.correct)
    if not shares.any():
        return log.correct
    logger.warning("correctness is a share (for example %s): it is left out of the shards", log.correct[shares][0])
    return np.full(len(log), np.nan)


def _tables(
    log: Log, visits: Visits, correct: np.ndarray, found: Found, options: LogOptions
) -> Iterator[tuple[int, "pyarrow.Table"]]:
    """The rollouts of each part that belong to a visit, as rows of the contract."""
    import pyarrow

    names = pyarrow.array([prompt.prompt_id for prompt in log.prompts], pyarrow.string())
    start = 0
    for file, part in parts(found, options, with_responses=True):
        rows = slice(start, start + len(part))
        if not (np.array_equal(part.place, log.place[rows]) and np.array_equal(part.reward, log.reward[rows])):
            raise LimrError(
                "changed during the conversion",
                where=log.files[file],
                advice="The run may still be going. Convert the log again when it has ended.",
            )
        visit = visits.visit[rows]
        used = np.flatnonzero(visit >= 0)
        step = visit if log.step is None else log.step[rows]
        yield (
            file,
            pyarrow.table(
                {
                    "prompt_id": names.take(pyarrow.array(log.prompt[rows][used])),
                    "visit": visit[used],
                    "sample": visits.sample[rows][used],
                    "step": step[used],
                    "reward": part.reward[used],
                    "correct": pyarrow.array(correct[rows][used] == 1, mask=np.isnan(correct[rows][used])),
                    "formatted": pyarrow.nulls(len(used), pyarrow.bool_()),
                    "response_tokens": pyarrow.array([part.response_tokens[row] for row in used], pyarrow.int64()),
                    "truncated": pyarrow.array([part.truncated[row] for row in used], pyarrow.bool_()),
                    "response": pyarrow.array([part.responses[row] for row in used], pyarrow.string()),
                }
            ),
        )
        start += len(part)


def _write(shard: Path, tables: Iterator["pyarrow.Table"]) -> None:
    from pyarrow import parquet

    first = next(tables)
    with parquet.ParquetWriter(shard, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table)
