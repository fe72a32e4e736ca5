"""Time to extract trajectories from 120 million rewards, and time of a bare Polars scan of the same columns.

    python tests/benchmarks/benchmark_trajectories.py [FOLDER] [--prompts 150000] [--visits 50] [--samples 16]

The rollouts are Parquet shards of this project's contract, without the columns that nothing here reads. They are made
in FOLDER if it is empty, or in a temporary folder if none is given. Every epoch has the prompts in another order. The
bare scan computes the maximum of each column with Polars' streaming engine: it reads everything and keeps nothing.

Every round measures each of the two in a separate process, alternately, so that other load on the machine affects both;
the shortest round counts. The output also gives the memory used, the time that LIM takes on the result, and the time of
each part (CPU-seconds of the calling thread and of all other threads).
"""

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tqdm import tqdm

COLUMNS = ["prompt_id", "visit", "sample", "reward", "correct"]
SHARDS_AN_EPOCH = 4


def generate(folder: Path, prompts: int, visits: int, samples: int) -> None:
    """Write the shards: the paper's rewards, 30 % of them 1."""
    ids = np.array([hashlib.sha256(str(number).encode()).hexdigest()[:16] for number in range(prompts)])
    lots = np.random.default_rng(0)
    for visit in tqdm(range(visits), unit="epoch", desc="generating", disable=None):
        for number, met in enumerate(np.array_split(lots.permutation(prompts), SHARDS_AN_EPOCH)):
            lot = lots.random(len(met) * samples)
            reward = np.where(lot < 0.3, 1.0, np.where(lot < 0.8, -0.5, -1.0))
            pl.DataFrame(
                {
                    "prompt_id": pl.Series(ids[met]).gather(np.repeat(np.arange(len(met)), samples)),
                    "visit": np.full(len(reward), visit),
                    "sample": np.tile(np.arange(samples), len(met)),
                    "reward": reward,
                    "correct": reward == 1,
                }
            ).write_parquet(folder / f"{visit:04}-{number}.parquet")


def bare_scan(folder: Path) -> dict[str, Any]:
    """Read the columns and keep nothing."""
    rows = pl.scan_parquet(sorted(folder.glob("*.parquet")), hive_partitioning=False, glob=False)
    return measured(lambda: rows.select(pl.col(COLUMNS).max()).collect(engine="streaming"))


def trajectories(folder: Path) -> dict[str, Any]:
    """Extract trajectories, and score them by LIM."""
    from limr.logs.own_rollouts import from_rollouts
    from limr.selection.method import Pool, run_method

    found = []
    figures = measured(lambda: found.append(from_rollouts(folder)))
    figures |= {"points": len(found[0])}
    scoring = measured(lambda: run_method("lim", Pool(found[0].prompt_ids, found[0], seed=0), {}))
    return figures | {"lim": scoring["wall"], "memory with LIM": scoring["memory"]}


def shares(folder: Path) -> dict[str, Any]:
    """CPU-seconds of each part of the extraction."""
    from limr.logs import own_rollouts, visit_sums

    spent: dict[str, float] = defaultdict(float)
    for owner, name, part in (
        (own_rollouts, "_sums", "sums of runs of rollouts"),
        (visit_sums.VisitSums, "add", "adding them up by prompt and visit"),
        (visit_sums.VisitSums, "result", "sorting by prompt"),
        (own_rollouts, "_refuse_duplicates", "looking for rollouts that occur twice"),
    ):
        setattr(owner, name, timed(getattr(owner, name), spent, part))
    figures = measured(lambda: own_rollouts.from_rollouts(folder))
    spent["Polars: reading, hashes; the rest"] = figures["cpu"] - sum(spent.values())
    return {"shares": spent}


def timed(function: Callable[..., Any], spent: dict[str, float], part: str) -> Callable[..., Any]:
    """``function``, which adds the CPU-seconds of its thread to ``spent``."""

    def run(*arguments: Any) -> Any:
        start = time.thread_time()
        result = function(*arguments)
        spent[part] += time.thread_time() - start
        return result

    return run


def measured(function: Callable[[], Any]) -> dict[str, Any]:
    """Wall and CPU seconds of a call, and the peak memory (GiB) of the process so far."""
    wall, cpu = time.perf_counter(), time.process_time()
    function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {"wall": wall, "cpu": cpu, "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


MEASURES = {"scan": bare_scan, "trajectories": trajectories, "shares": shares}


def in_a_process(measure: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, str(folder), "--measure", measure]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def report(folder: Path, rounds: int) -> None:
    """Measure the two alternately and print the results."""
    size = sum(shard.stat().st_size for shard in folder.glob("*.parquet")) / 2**20
    found: dict[str, list[dict[str, Any]]] = {"scan": [], "trajectories": []}
    for _ in range(rounds):
        for measure, of_measure in found.items():
            of_measure.append(in_a_process(measure, folder))
    best = {measure: min(of_measure, key=lambda one: one["wall"]) for measure, of_measure in found.items()}
    print(f"{size:,.0f} MiB of Parquet, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {rounds} rounds")
    for measure, one in best.items():
        walls = ", ".join(f"{one['wall']:.2f}" for one in found[measure])
        print(f"{measure:14}{one['wall']:7.2f} s {one['cpu']:7.2f} CPU-s {one['memory']:6.2f} GiB   (s: {walls})")
    ratios = [best["trajectories"][unit] / best["scan"][unit] for unit in ("wall", "cpu")]
    print(f"ratio: {ratios[0]:.2f} by the clock, {ratios[1]:.2f} by CPU time")
    extracted = best["trajectories"]
    print(
        f"{extracted['points']:,} visits; LIM on them takes {extracted['lim']:.2f} s more,"
        f" {extracted['memory with LIM']:.2f} GiB in all"
    )
    parts = in_a_process("shares", folder)["shares"]
    for part, seconds in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"  {part:40}{seconds:6.2f} CPU-s {seconds / sum(parts.values()):6.0%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "folder", nargs="?", type=Path, help="folder of the shards, filled if empty (default: temporary)"
    )
    parser.add_argument("--prompts", type=int, default=150_000, help="prompts (150,000)")
    parser.add_argument("--visits", type=int, default=50, help="visits to each prompt (50)")
    parser.add_argument("--samples", type=int, default=16, help="samples a visit (16)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of measurements (5)")
    parser.add_argument("--measure", choices=["generate", *MEASURES], help="measure only this, once, and print JSON")
    options = parser.parse_args()
    if options.measure == "generate":
        generate(options.folder, options.prompts, options.visits, options.samples)
        return
    if options.measure:
        print(json.dumps(MEASURES[options.measure](options.folder)))
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not any(folder.glob("*.parquet")):
            # in a separate process: its memory would otherwise count for every process that this one starts later
            size = [f"--{name}={getattr(options, name)}" for name in ("prompts", "visits", "samples")]
            subprocess.run([sys.executable, __file__, str(folder), "--measure=generate", *size], check=True)
        report(folder, options.rounds)


if __name__ == "__main__":
    main()
