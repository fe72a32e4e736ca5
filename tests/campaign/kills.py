"""A campaign against the pipeline: it is killed again and again, and its table must stay the same.

    python tests/campaign/kills.py --kills 31 --seed 0

The miniature of ``config/pipeline_test.yaml`` runs once undisturbed. Then it runs in another folder and is killed at
random moments: SIGKILL, SIGTERM or SIGINT, to the whole process group, to the stage that is running (the training run,
if there is one), or to Snakemake alone. After each kill it is started again, until it is done. The table must then be
byte-identical to the undisturbed one, and no partial file may be left. While kills remain, the results are deleted, and
the run starts from nothing. A kill takes about 13 seconds on two cores; every kill prints one line.
Exit status: 0 if every table was the same and no run failed by itself, else 1.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

sys.path[:0] = [str(Path(__file__).parents[1] / "support")]
from workplace import Workplace, new_workplace  # noqa: E402

TABLES = ("table2.md", "table2.csv", "table2.json")
TARGET = "results/table2.md"
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TARGETS = ("group", "stage", "snakemake")
SHORTEST, LONGEST = 3.0, 16.0  # seconds from the start of an attempt to its kill
PATIENCE = 180  # seconds in which a process that got a signal must end


@dataclass
class Campaign:
    """The run that is killed, and what has happened to it."""

    place: Workplace
    draw: Random
    undisturbed: dict[str, bytes]
    wanted: int
    kills: int = 0
    finished: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.place.folder / "killed.log"

    def attempt(self) -> None:
        """Start the run, and kill it at a random moment or let it end."""
        before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            run = subprocess.Popen(
                self.place.command(TARGET), cwd=self.place.folder, stdout=log, stderr=log, start_new_session=True
            )
        moment = self.draw.uniform(SHORTEST, LONGEST)
        started = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            run.wait(moment if self.kills < self.wanted else PATIENCE * 2)
        if run.poll() is None:
            if self.kills == self.wanted:
                self.problem("a run without a kill does not end")
            self.kill(run, time.monotonic() - started)
        elif run.returncode == 0:
            self.compare()
        else:
            self.failed(self.log.read_bytes()[before:].decode("utf-8", errors="replace"))

    def kill(self, run: "subprocess.Popen[bytes]", moment: float) -> None:
        """Send one signal, and wait until Snakemake has ended."""
        number, target = self.draw.choice(SIGNALS), self.draw.choice(TARGETS)
        stages = running_stages(run.pid)
        running = ", ".join(sorted(stages)) or "none"
        if target == "stage" and not stages:
            target = "group"
        victim = stages.get("train", next(iter(stages.values()), run.pid))
        with suppress(ProcessLookupError):
            if target == "group":
                os.killpg(run.pid, number)
            else:
                os.kill(victim if target == "stage" else run.pid, number)
        self.kills += 1
        sent = time.monotonic()
        try:
            run.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.problem(f"Snakemake has not ended {PATIENCE} s after {number.name} to the {target}")
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        orphans = len(list(processes_in(self.place.folder)))
        print(
            f"{self.kills:>3} {number.name} to the {target:<9} after {moment:4.1f} s; running: {running};"
            f" ended after {time.monotonic() - sent:4.1f} s with {run.returncode}, {orphans} processes left",
            flush=True,
        )
        if any((self.place.folder / ".snakemake" / "locks").glob("*")):
            self.place.snakemake("--unlock")

    def failed(self, output: str) -> None:
        """A run has ended by itself: correct only while a stage of the run before still works."""
        orphans = list(processes_in(self.place.folder))
        refused = re.findall(r"Error: (.*)", output)
        if "Traceback" in output or not (orphans or "process" in output):
            self.problem(f"a run failed by itself: {refused[:1] or output[-2000:]}")
        print(f"    refused while {len(orphans)} processes of the run before still worked: {refused[:1]}", flush=True)
        psutil.wait_procs(orphans, timeout=PATIENCE)

    def compare(self) -> None:
        """Compare the tables of a finished run with the undisturbed ones, and start from nothing if kills remain."""
        self.finished += 1
        results = self.place.results
        differ = [name for name in TABLES if (results / name).read_bytes() != self.undisturbed[name]]
        left = [str(path.relative_to(results)) for path in results.rglob("*.partial")]
        left += [str(path.relative_to(results)) for path in (results / "work").glob("*") if path.is_dir()]
        if differ:
            self.problem(f"other bytes in {', '.join(differ)}")
        if left:
            self.problem(f"left behind: {', '.join(left)}")
        print(f"    finished: the tables {'differ' if differ else 'are the same'}", flush=True)
        if self.kills < self.wanted:
            shutil.rmtree(results)

    def problem(self, text: str) -> None:
        """Note and print what went wrong."""
        self.problems.append(text)
        print(f"    PROBLEM: {text}", flush=True)


def processes_in(folder: Path) -> Iterator[psutil.Process]:
    """The processes that work in ``folder``: those of a run, and those that a killed Snakemake left."""
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and Path(process.cwd()) == folder and process.status() != "zombie":
                yield process


def running_stages(pid: int) -> dict[str, int]:
    """The scripts that run below Snakemake: name of the stage -> process."""
    stages = {}
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                script = re.search(r"\.snakemake/scripts/\w+\.(\w+)\.py", " ".join(process.cmdline()))
                if script:
                    stages[script[1]] = process.pid
    return stages


def run() -> int:
    """Run the campaign and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=31, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    options = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="limr_kills_", ignore_cleanup_errors=True) as folder:
        for name in ("undisturbed", "killed"):
            Path(folder, name).mkdir()
        reference = new_workplace(Path(folder, "undisturbed"))
        reference.make(TARGET)
        print(f"the undisturbed run took {time.monotonic() - started:.0f} s", flush=True)
        tables = {name: (reference.results / name).read_bytes() for name in TABLES}
        place = new_workplace(Path(folder, "killed"))
        campaign = Campaign(place, Random(options.seed), tables, options.kills)
        try:
            while campaign.kills < campaign.wanted or not (place.results / "table2.md").exists():
                campaign.attempt()
                if len(campaign.problems) > 5:
                    break
        finally:
            for process in processes_in(place.folder):
                process.kill()
    print(
        f"{campaign.kills} kills and {campaign.finished} finished runs in {time.monotonic() - started:.0f} s: "
        + ("; ".join(campaign.problems) or "every table is byte-identical to the undisturbed one")
    )
    return int(bool(campaign.problems))


if __name__ == "__main__":
    sys.exit(run())
