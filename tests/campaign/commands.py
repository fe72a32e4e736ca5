"""A campaign against the command line: random `limr` commands, and what must hold after each of them.

    python tests/campaign/commands.py --commands 500 --seed 0

A command has a good source or a damaged one, and good, wrong or odd options and outputs (``draws.py``). After it,
``invariants.py`` checks the exit status, the message, all files, and that the outputs agree with a plain reading of the
inputs. Seed and number give the same command again: ``--seed 0 --only 17`` runs number 17 and keeps its folder.
Exit status: 0 without a violation, else 1.
"""

import argparse
import contextlib
import io
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from unittest import mock

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[1] / "support")]
from campaign.draws import Case, draw_case  # noqa: E402
from campaign.invariants import Result, Violation, digests, violations  # noqa: E402
from limr.cli import main  # noqa: E402

SECONDS = 60  # for one command
PROGRAM = "import sys; from limr.cli.main import main; sys.exit(main())"


class _TimeoutError(BaseException):
    """A command took too long; no ``except Exception`` of the library catches it."""


def _too_long(signum: int, frame: FrameType | None) -> None:
    raise _TimeoutError


def run_case(case: Case) -> Result:
    """Run the command, in this process or in one of its own."""
    before = digests(case.folder)
    status, stdout, stderr = _in_process(case) if case.process else _here(case)
    return Result(status, stdout, stderr, before, digests(case.folder))


def _in_process(case: Case) -> tuple[int | str, str, str]:
    with contextlib.ExitStack() as stack:
        stdout = stack.enter_context(Path(case.stdout).open("wb")) if case.stdout else subprocess.PIPE
        try:
            ended = subprocess.run(
                [sys.executable, "-c", PROGRAM, *case.arguments],
                cwd=case.folder,
                input=case.stdin,
                stdout=stdout,
                stderr=subprocess.PIPE,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "timeout", "", ""
    texts = [(text or b"").decode("utf-8", errors="surrogateescape") for text in (ended.stdout, ended.stderr)]
    return ended.returncode, *texts


def _here(case: Case) -> tuple[int | str, str, str]:
    """Run the command in this process: much faster, because all packages are imported once."""
    # as at the start of a process: standard error escapes what cannot be encoded
    streams = {
        "stdin": io.TextIOWrapper(io.BytesIO(case.stdin)),
        "stdout": io.TextIOWrapper(io.BytesIO(), encoding="utf-8"),
        "stderr": io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace"),
    }
    status: int | str
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS)
    try:
        with contextlib.chdir(case.folder), mock.patch.multiple(sys, **streams):
            try:
                status = main.main(case.arguments)
            except SystemExit as ended:  # of argparse
                status = ended.code if isinstance(ended.code, int) else 1
            except _TimeoutError:
                status = "timeout"
                traceback.print_exc()
            except BaseException:
                status = "traceback"
                traceback.print_exc()
    finally:
        signal.alarm(0)
    for stream in (streams["stdout"], streams["stderr"]):
        with contextlib.suppress(OSError, UnicodeError):
            stream.flush()
    texts = [streams[name].buffer.getvalue().decode("utf-8", errors="replace") for name in ("stdout", "stderr")]
    return status, *texts


def campaign(seed: int, numbers: range, folder: Path) -> Iterator[tuple[Case, Result, list[Violation]]]:
    """Run the commands of a campaign, each in a folder of its own, which is removed."""
    for number in numbers:
        place = folder / str(number)
        case = draw_case(seed, number, place)
        result = run_case(case)
        yield case, result, list(violations(case, result))
        shutil.rmtree(place, ignore_errors=True)


def _show(case: Case, result: Result) -> None:
    print(f"in {case.folder}:\n  {case!s}\n  odd: {case.notes}\nexit status {result.status}")
    print(
        f"standard error:\n{result.stderr}\nstandard output:\n{result.stdout[:3000]}".encode(
            "ascii", "backslashreplace"
        ).decode()
    )


def run() -> int:
    """Run the campaign and print the summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commands", type=int, default=500, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="run this command of the campaign, and show it")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="limr_campaign_"))
    if options.only is not None:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # for `| head`
        case = draw_case(options.seed, options.only, folder / str(options.only))
        result = run_case(case)
        _show(case, result)
        found = list(violations(case, result))
        print(*[f"VIOLATION: {kind}: {details}" for kind, details in found] or ["no violation"], sep="\n")
        return int(bool(found))
    started = time.monotonic()
    endings: dict[str, Counter[str]] = defaultdict(Counter)
    kinds: dict[str, list[str]] = defaultdict(list)
    for case, result, found in campaign(options.seed, range(options.commands), folder):
        endings[case.command][
            "succeeded" if result.status == 0 else "refused" if result.status in (1, 2) else "broke"
        ] += 1
        for kind, details in found:
            kinds[kind].append(f"--seed {options.seed} --only {case.number}: limr {case.command}: {details}")
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{options.commands:,} commands of seed {options.seed} in {time.monotonic() - started:.0f} s")
    for command, counts in sorted(endings.items()):
        how = ", ".join(f"{number:,} {ending}" for ending, number in sorted(counts.items()))
        print(f"  {command:<10} {counts.total():>5,} tried: {how}")
    total = sum(map(len, kinds.values()))
    print(f"violations: {total:,}")
    for kind, examples in sorted(kinds.items()):
        print(
            f"\n{kind}: {len(examples):,}",
            *(f"  {text}".encode("ascii", "backslashreplace").decode() for text in examples),
            sep="\n",
        )
    return int(bool(total))


if __name__ == "__main__":
    sys.exit(run())
