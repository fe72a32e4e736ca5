"""Both graders on the same pairs of gold and answer: how often they agree, where they differ, and how fast they are.

    python tests/benchmarks/compare_graders.py [--most 20] [--show 3]

The pairs are real golds of MATH-FULL and the three benchmarks: each against itself, against the gold of the same
problem in another release (with the whole reference data, ../shared/data), against the next gold in the alphabet, and
against equal and wrong forms of it (at most MOST of a kind). For each set except the open forms it is known which
verdict is right. The speed is that of distinct pairs in one thread, so with one worker process and without the cache.
"""

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from golds import all_golds, distinct_golds, read, same
from measure_forms import collect, printable
from places import REFERENCE

from limr.grading.equivalence import GRADERS, equal

TIMED = 500  # pairs

Pair = tuple[str, str]


def other_releases() -> Iterator[Pair]:
    """The gold of each problem in MATH, and the answer that another release gives to it in another notation."""
    math = {}
    for part in ("train", "test"):
        for line in (REFERENCE / "math" / f"{part}.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            math[" ".join(row["problem"].split())] = row["answer"]
    rows = json.loads((REFERENCE / "limr" / "math.8k.json").read_text(encoding="utf-8"))
    lines = (REFERENCE / "benchmarks" / "math500.jsonl").read_text(encoding="utf-8").splitlines()
    for row in (*rows, *map(json.loads, lines)):
        gold = math.get(" ".join((row.get("prompt") or row.get("question")).split()))
        if gold is not None and gold != row["answer"]:
            yield gold, row["answer"]


def neighbours() -> Iterator[Pair]:
    """Golds of different problems that look alike, unless their values are the same."""
    ordered = sorted(distinct_golds())
    for gold, other in zip(ordered[::4], ordered[1::4], strict=False):
        values = read(gold), read(other)
        if None not in values and not same(*values):
            yield gold, other


def pairs_by_set(most: int) -> dict[str, list[Pair]]:
    """The pairs of each set, each pair once; the name says which verdict is right."""
    sets = {"gold and itself (equal)": [(gold, gold) for gold in sorted(set(all_golds()))]}
    if REFERENCE.is_dir():
        sets["two releases of one problem (equal)"] = list(dict.fromkeys(other_releases()))
    sets["golds that look alike (different)"] = list(neighbours())
    names = {True: "equal forms (equal)", False: "wrong forms (different)", None: "open forms (graders disagree)"}
    for (right, _), forms in collect(most).items():
        sets.setdefault(names[right], []).extend((form.gold, form.answer) for form in forms)
    return sets


def verdicts(pairs: list[Pair]) -> list[tuple[bool, ...]]:
    """The verdicts of all graders on each pair."""
    with ThreadPoolExecutor(4) as threads:
        graded = threads.map(lambda pair: tuple(equal(*pair, grader).equal for grader in GRADERS), pairs)
        return list(tqdm(graded, total=len(pairs), unit="pairs", disable=None))


def pairs_a_second(pairs: list[Pair]) -> dict[str, float]:
    """The pairs that each grader compares in a second, in one thread, in turns of 50 pairs."""
    seconds: Counter[str] = Counter()
    for start in range(0, len(pairs), 50):
        for grader in GRADERS:
            began = time.perf_counter()
            for pair in pairs[start : start + 50]:
                equal(*pair, grader)
            seconds[grader] += time.perf_counter() - began
    return {grader: len(pairs) / seconds[grader] for grader in GRADERS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=20, help="largest number of forms of a kind (20)")
    parser.add_argument("--show", type=int, default=3, help="examples of each disagreement (3)")
    options = parser.parse_args()
    sets = pairs_by_set(options.most)
    every = list(dict.fromkeys(pair for pairs in sets.values() for pair in pairs))
    timed = random.Random(0).sample(every, min(TIMED, len(every)))
    for grader in GRADERS:
        equal("x^2+2x+1", "(x+1)^2", grader)  # starts the worker
    speed = pairs_a_second(timed)  # first: afterwards the cache has all verdicts
    print("| set (right verdict) | pairs | both accept | only limr | only Math-Verify | both refuse |")
    print("|---|---:|---:|---:|---:|---:|")
    examples = []
    for name, pairs in sets.items():
        found = verdicts(pairs)
        counts = Counter(found)
        cells = [counts[key] for key in ((True, True), (True, False), (False, True), (False, False))]
        print(f"| {name} | {len(pairs)} | {' | '.join(map(str, cells))} |", flush=True)
        for who, key in (("only limr", (True, False)), ("only Math-Verify", (False, True))):
            some = [pair for pair, verdict in zip(pairs, found, strict=True) if verdict == key]
            chosen = random.Random(1).sample(some, min(options.show, len(some)))
            examples += [f"{name}, {who}: `{gold}` ← `{printable(answer)}`" for gold, answer in chosen]
    print("", *examples, sep="\n")
    print(f"\n{len(timed)} distinct pairs, one thread: " + ", ".join(f"{k} {v:.0f}/s" for k, v in speed.items()))


if __name__ == "__main__":
    main()
