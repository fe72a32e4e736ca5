"""``limr grade``: grades a file of gold answers and responses with the function that training and evaluation use."""

import argparse
import os
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, fields
from typing import Any

from tqdm import tqdm

from limr.errors import LimrError
from limr.files.rows import Row, check_output, count_rows, read_rows, write_rows
from limr.grading.reward import RULES, Verdict, grade

WINDOW = 256  # rows graded ahead of the one that is written next
_ADDED = {field.name for field in fields(Verdict)}

_DESCRIPTION = """\
Grade every row of FILE: is the answer in the response's last \\boxed{} equal to the gold answer?
Each row is written with five more columns (what it has under these names is replaced; a gold answer is kept as `gold`):

  reward     1 correct, -0.5 wrong but well-formed, -1 malformed
  answer     what stands in the box; null where the response is malformed
  correct    true or false
  formatted  true or false
  reason     why: correct, wrong answer, truncated, no boxed answer, ...

A column `truncated`, where there is one, says which responses hit the token limit: these are malformed."""

_EXAMPLE = """\
example:
  $ cat rows.jsonl
  {"gold": "\\\\frac{1}{2}", "response": "Half of it: \\\\boxed{0.5}"}
  {"gold": "11", "response": "3+8=11, so \\\\boxed{12}"}
  $ limr grade rows.jsonl
  {"gold": ..., "reward": 1.0, "answer": "0.5", "correct": true, "formatted": true, "reason": "correct"}
  {"gold": ..., "reward": -0.5, "answer": "12", "correct": false, "formatted": true, "reason": "wrong answer"}
  limr grade: 2 responses: 1 correct (50.0 %), 1 wrong, 0 malformed

  $ limr grade --gold answer -o graded.parquet rollouts.csv      other column names, other formats
  $ zcat rows.jsonl.gz | limr grade - | grep '"reward": 1.0'     in a pipe

What counts as equal: docs/grading.md. Exit status: 0 all rows graded, 1 a row or file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to those of ``limr``."""
    parser = subcommands.add_parser(
        "grade",
        help="grade a file of gold answers and responses",
        description=_DESCRIPTION,
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file", metavar="FILE", help="*.jsonl, *.json, *.csv or *.parquet; - for JSON Lines on standard input"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="*.jsonl or *.parquet; default: standard output"
    )
    parser.add_argument("--gold", metavar="COLUMN", default="gold", help="column of the gold answers; default: gold")
    parser.add_argument("--response", metavar="COLUMN", default="response", help="of the responses; default: response")
    parser.add_argument("--rule", choices=list(RULES), default="paper", help="what is malformed; default: paper")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Grade the rows and say on standard error how many were correct.

    Raises LimrError naming file, line and key for a row that cannot be graded.
    """
    check_output(options.output)
    counts: Counter[str] = Counter()
    rows = graded_rows(options.file, options.gold, options.response, options.rule)
    bar = tqdm(rows, total=count_rows(options.file), unit=" rows", disable=None)  # on a terminal only
    write_rows(_counted(bar, counts), options.output)
    total = sum(counts.values())
    share = f" ({100 * counts['correct'] / total:.1f} %)" if total else ""
    print(
        f"limr grade: {total:,} responses: {counts['correct']:,} correct{share}, "
        f"{counts['wrong']:,} wrong, {counts['malformed']:,} malformed",
        file=sys.stderr,
    )


def graded_rows(file: str, gold: str, response: str, rule: str) -> Iterator[Row]:
    """The rows of ``file``, in order, each with its verdict; ``gold`` and ``response`` name their columns.

    Threads, because while one row waits for a worker process others are read and graded: half the time on two cores.
    """
    waiting: deque[tuple[Row, Future[Verdict]]] = deque()
    with ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as threads:
        try:
            for place, row in read_rows(file):
                arguments = (_text(row, response, "--response", place), _text(row, gold, "--gold", place))
                verdict = threads.submit(grade, *arguments, _truncated(row, place), rule)
                waiting.append(({**row, "gold": row[gold]} if gold in _ADDED else row, verdict))
                if len(waiting) > WINDOW:
                    yield _joined(*waiting.popleft())
            while waiting:
                yield _joined(*waiting.popleft())
        finally:
            threads.shutdown(cancel_futures=True)


def _joined(row: Row, verdict: "Future[Verdict]") -> Row:
    return {**row, **asdict(verdict.result())}


def _counted(rows: Iterable[Row], counts: Counter[str]) -> Iterator[Row]:
    for row in rows:
        counts["correct" if row["correct"] else "wrong" if row["formatted"] else "malformed"] += 1
        yield row


def _text(row: Row, key: str, option: str, place: str) -> str:
    if key not in row:
        raise LimrError(f"{place}: key {key!r} is missing; found {', '.join(row)}. Another key: {option} NAME")
    if not isinstance(row[key], str):
        raise LimrError(f"{place}: key {key!r}: found {_show(row[key])}, expected text")
    return row[key]


def _truncated(row: Row, place: str) -> bool:
    flag = {"true": True, "false": False}.get(str(row.get("truncated", False)).lower())
    if flag is None:
        raise LimrError(f"{place}: key 'truncated': found {_show(row['truncated'])}, expected true or false")
    return flag


def _show(value: Any) -> str:
    return repr(value) if len(repr(value)) < 80 else f"{repr(value)[:80]}..."
