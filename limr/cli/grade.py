"""``limr grade``: grade a file of gold answers and responses with the function that training and evaluation use."""

import argparse
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

from limr.cli import arguments, output_arguments
from limr.cli.files_of_command import Files, input_file, output_file
from limr.errors import LimrError, Setting, counted, one_line, shown

if TYPE_CHECKING:
    from limr.files.rows import Row

GRADERS = ("limr", "math_verify")  # as in limr.grading.equivalence
RULES = ("paper", "released_code")  # as in limr.grading.reward, which --help does not import because that is slow
ROWS_AHEAD = 256  # rows graded ahead of the row that is written next

_DESCRIPTION = """\
Grade every row of FILE: is the answer in the last \\boxed{} of the response equal to the gold answer? Each row is
written with five more columns. If FILE already has columns of these names, they are replaced; if one of them holds the
gold answers, these are kept as `gold`.

  reward     1 correct, -0.5 wrong but well-formed, -1 malformed
  answer     the text in the box; null if the response is malformed
  correct    true or false
  formatted  true or false
  reason     why: correct, wrong answer, truncated, no boxed answer, ...

If FILE has a column `truncated`, responses with `true` reached the token limit, and count as malformed."""

_EXAMPLES = """\
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

docs/grading.md explains which answers count as equal. Grading needs Math-Verify: pip install 'limr[grading]'.
Exit status: 0 all rows graded, 1 a row or file is wrong, 2 wrong usage."""


def add_to(subcommands: Any) -> None:
    """Add this subcommand to ``limr``."""
    parser = arguments.add_parser(
        subcommands, "grade", "grade a file of gold answers and responses", _DESCRIPTION, _EXAMPLES
    )
    parser.add_argument(
        "file", metavar="FILE", help="*.jsonl, *.json, *.csv or *.parquet; - for JSON Lines on standard input"
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", default="-", help="*.jsonl or *.parquet; default: standard output"
    )
    parser.add_argument("--gold", metavar="COLUMN", default="gold", help="column of the gold answers; default: gold")
    parser.add_argument(
        "--response", metavar="COLUMN", default="response", help="column of the responses; default: response"
    )
    parser.add_argument(
        "--rule", choices=RULES, default="paper", help="which responses count as malformed; default: paper"
    )
    parser.add_argument(
        "--grader",
        choices=GRADERS,
        default="limr",
        help="what compares answers with the gold: limr, or math_verify as in other papers; default: limr",
    )
    parser.set_defaults(run=run, files=files)


def files(options: argparse.Namespace) -> Files:
    """FILE and the graded rows."""
    return [input_file("FILE", options.file)], output_file(options.output)


def run(options: argparse.Namespace) -> None:
    """Grade the rows, and print on standard error how many were correct.

    Raises LimrError naming file, line and key if a row cannot be graded.
    """
    from tqdm import tqdm

    from limr.files.rows import count_rows, write_rows

    output_arguments.check_output(options.output, ".jsonl", ".parquet")
    arguments.require("math_verify")  # worker processes import it; the error must name the extra to install
    counts: Counter[str] = Counter()
    rows = graded_rows(options.file, options.gold, options.response, options.rule, options.grader)
    bar = tqdm(rows, total=count_rows(options.file), unit=" rows", disable=None)  # disable=None: only on a terminal
    write_rows(_counted(bar, counts), options.output)
    total = sum(counts.values())
    share = f" ({100 * counts['correct'] / total:.1f} %)" if total else ""
    arguments.note(
        "grade",
        f"{counted(total, 'response')}: {counts['correct']:,} correct{share}, {counts['wrong']:,} wrong,"
        f" {counts['malformed']:,} malformed",
    )


def graded_rows(file: str, gold: str, response: str, rule: str, grader: str) -> "Iterator[Row]":
    """The rows of ``file``, in order, each with its verdict; ``gold`` and ``response`` name their columns.

    Rows are graded in threads: while a worker process grades one row, other rows are read and graded. On two cores this
    halves the time.
    """
    from limr.files.rows import read_rows
    from limr.grading.reward import Verdict, grade

    added = {field.name for field in fields(Verdict)}
    pending: deque[tuple[Row, Future[Verdict]]] = deque()
    with ThreadPoolExecutor(max_workers=2 * (os.cpu_count() or 1)) as threads:
        try:
            for place, row in read_rows(file):
                texts = (_text(row, response, "response", place), _text(row, gold, "gold", place))
                verdict = threads.submit(grade, *texts, _truncated(row, place), rule, grader)
                pending.append(({**row, "gold": row[gold]} if gold in added else row, verdict))
                if len(pending) > ROWS_AHEAD:
                    first, verdict = pending.popleft()
                    yield first | asdict(verdict.result())
            for row, verdict in pending:
                yield row | asdict(verdict.result())
        finally:
            threads.shutdown(cancel_futures=True)


def _counted(rows: "Iterable[Row]", counts: Counter[str]) -> "Iterator[Row]":
    """Yield ``rows`` unchanged, and count their verdicts in ``counts``."""
    for row in rows:
        counts["correct" if row["correct"] else "wrong" if row["formatted"] else "malformed"] += 1
        yield row


def _text(row: "Row", key: str, option: str, place: str) -> str:
    if key not in row:
        raise LimrError(
            f"no key {key!r}",
            where=place,
            found=f"the keys {', '.join(map(one_line, row))}",
            advice=["Name the key with ", Setting(option, "NAME"), "."],
        )
    if not isinstance(row[key], str):
        raise LimrError(where=(place, f"key {key!r}"), found=shown(row[key]), expected="text")
    return row[key]


def _truncated(row: "Row", place: str) -> bool:
    flag = {"true": True, "false": False}.get(str(row.get("truncated", False)).lower())
    if flag is None:
        raise LimrError(where=(place, "key 'truncated'"), found=shown(row["truncated"]), expected="true or false")
    return flag
