"""Time from a log on disk to LIM's scores, for this project and for plain Python, at the paper's size.

    python tests/benchmarks/benchmark_readers.py FOLDER

FOLDER gets 168 step files of 8,192 rollouts as LIMR's fork writes them (2.8 GB of JSON), and their conversion to the
rollouts contract (Parquet). Files that exist are used again. Three ways to the same scores take turns, each in a
separate process, and the best of several rounds counts:

- *plain Python*: ``json.load`` for one file after the other, dictionaries, lists, LIM's formula in loops;
- *limr, JSON*: the steps of ``limr score`` on the log;
- *limr, Parquet*: its steps on the conversion.

Seconds are measured from the end of the imports to the scores. The seconds and the CPU-seconds of the whole process are
given too. Plain Python uses one core and limr all of them, so on a busy machine CPU-seconds are more reliable. Memory
is the peak of the process plus that of all processes it starts. The scores must agree to 1e-12.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAYS = ("plain Python", "limr, JSON", "limr, Parquet")
COVERAGE = 0.9  # a visit counts if this share of prompts has it: ``limr.trajectories.matrix.EPOCH_COVERAGE``

Phases = dict[str, float]


def plain_python(folder: Path, phases: Phases) -> dict[str, float]:
    """Scores by prompt text, with the standard library only."""
    curves: dict[str, list[float]] = {}
    for step in range(1, len(list((folder / "json").iterdir())) + 1):
        started = time.perf_counter()
        with (folder / "json" / f"step_{step}.json").open(encoding="utf-8") as stream:
            rows = json.load(stream)
        loaded = time.perf_counter()
        rewards: dict[str, list[float]] = {}
        for row in rows:
            rewards.setdefault(row["prompt"].strip(), []).append(row["reward"])
        for prompt, values in rewards.items():
            curves.setdefault(prompt, []).append(sum(values) / len(values))
        phases["json.load"] = phases.get("json.load", 0) + loaded - started
        phases["visits"] = phases.get("visits", 0) + time.perf_counter() - loaded
    started = time.perf_counter()
    scores = brute_force_lim(curves)
    phases["LIM"] = time.perf_counter() - started
    return scores


def brute_force_lim(curves: dict[str, list[float]]) -> dict[str, float]:
    """LIM as in the paper, over the visits that nine prompts in ten have, and the prompts that have all of these."""
    visits = 0
    while sum(len(curve) > visits for curve in curves.values()) >= COVERAGE * len(curves):
        visits += 1
    whole = {prompt: curve[:visits] for prompt, curve in curves.items() if len(curve) >= visits}
    mean = [sum(curve[visit] for curve in whole.values()) / len(whole) for visit in range(visits)]
    most = sum((1 - value) ** 2 for value in mean)
    return {
        prompt: 1 - sum((value - usual) ** 2 for value, usual in zip(curve, mean, strict=True)) / most
        for prompt, curve in whole.items()
    }


def limr_json(folder: Path, phases: Phases) -> dict[str, float]:
    """Scores by prompt id, from the log."""
    from limr.logs.visits import number_visits, trajectories_of_log
    from limr.logs.whole import read_log

    log = timed(phases, "read", lambda: read_log(folder / "json"))
    visits = timed(phases, "visits", lambda: number_visits(log))
    trajectories = timed(phases, "trajectories", lambda: trajectories_of_log(log, visits))
    return timed(phases, "LIM", lambda: lim_scores(trajectories))


def limr_parquet(folder: Path, phases: Phases) -> dict[str, float]:
    """Scores by prompt id, from the conversion."""
    from limr.logs.own_rollouts import from_rollouts

    trajectories = timed(phases, "trajectories", lambda: from_rollouts(folder / "rollouts"))
    return timed(phases, "LIM", lambda: lim_scores(trajectories))


def lim_scores(trajectories: Any) -> dict[str, float]:
    from limr.selection.method import Pool, run_method

    return run_method("lim", Pool(trajectories.prompt_ids, trajectories, seed=0), {}).scores


def timed(phases: Phases, name: str, work: Callable[[], Any]) -> Any:
    started = time.perf_counter()
    result = work()
    phases[name] = time.perf_counter() - started
    return result


def run(way: str, folder: Path) -> None:
    """Run in one of the processes: print the measurements and the scores by prompt id as JSON."""
    if way != "plain Python":
        from limr.logs import own_rollouts, visits, whole  # noqa: F401 (imports are not part of the measurement)
        from limr.logs.formats import formats
        from limr.selection import method  # noqa: F401

        formats()
    phases: Phases = {}
    started = time.perf_counter()
    scores = {"plain Python": plain_python, "limr, JSON": limr_json, "limr, Parquet": limr_parquet}[way](folder, phases)
    seconds = time.perf_counter() - started
    cpu = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    largest_child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # one child for each core
    peak = own_peak_kib() + largest_child * len(os.sched_getaffinity(0))
    if way == "plain Python":
        from limr.prompts import prompt_id

        scores = {prompt_id(prompt): score for prompt, score in scores.items()}
    measured = {"seconds": seconds, "cpu_seconds": cpu, "phases": phases, "peak_mib": peak / 2**10}
    print(json.dumps({**measured, "scores": scores}))


def own_peak_kib() -> int:
    """The peak memory of this program; ``ru_maxrss`` would start with the memory of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def measure(way: str, folder: Path) -> dict[str, Any]:
    """Run one of the processes; return its measurements, with the seconds of the whole process."""
    started = time.perf_counter()
    process = subprocess.run([sys.executable, __file__, str(folder), "--run", way], capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{way}: {process.stderr}")
    return {**json.loads(process.stdout), "process_seconds": seconds}


def largest_difference(one: dict[str, float], other: dict[str, float]) -> float:
    if one.keys() != other.keys():
        sys.exit(f"not the same prompts have a score: {len(one)} and {len(other)}")
    return max(abs(score - other[prompt]) for prompt, score in one.items())


def report(best: dict[str, dict[str, Any]], folder: Path) -> str:
    """The measurements as text."""
    size = sum(file.stat().st_size for file in (folder / "json").iterdir()) / 1e9
    reference = best["plain Python"]
    lines = [
        f"{'way':14} {'seconds':>8} {'times':>6} {'process':>8} {'CPU':>6} {'peak MiB':>9} {'GB/s':>6}"
        "  where the time goes"
    ]
    for way, found in best.items():
        times = reference["seconds"] / found["seconds"]
        phases = ", ".join(f"{name} {seconds:.2f}" for name, seconds in found["phases"].items())
        rate = f"{size / found['seconds']:6.2f}" if way != "limr, Parquet" else " " * 6
        lines.append(
            f"{way:14} {found['seconds']:8.2f} {times:6.1f} {found['process_seconds']:8.2f}"
            f" {found['cpu_seconds']:6.2f} {found['peak_mib']:9.0f} {rate}  {phases}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the log, made if missing (5 GB)")
    parser.add_argument("--rounds", type=int, default=3, help="measurements of each way; the best counts (3)")
    parser.add_argument("--run", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.run:
        run(arguments.run, arguments.folder)
        return
    import paper_size

    from limr.logs.convert import convert

    paper_size.write(arguments.folder / "json")
    if not (arguments.folder / "rollouts").exists():
        convert(arguments.folder / "json", arguments.folder / "rollouts")
    best: dict[str, dict[str, Any]] = {}
    for number in range(arguments.rounds):
        for way in WAYS:
            found = measure(way, arguments.folder)
            print(f"round {number + 1}, {way}: {found['seconds']:.2f} s", file=sys.stderr)
            if way not in best or found["seconds"] < best[way]["seconds"]:
                best[way] = found
    for way in WAYS[1:]:
        difference = largest_difference(best["plain Python"]["scores"], best[way]["scores"])
        print(f"{way}: {len(best[way]['scores']):,} scores, largest difference {difference:.1e}")
        if difference > 1e-12:
            sys.exit("more than 1e-12: not the same scores")
    print(report(best, arguments.folder))


if __name__ == "__main__":
    main()
