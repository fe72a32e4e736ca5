r"""Grading throughput of this project's grader and of plain Math-Verify, on the same stream of responses.

    python tests/benchmarks/benchmark_grader.py [--prompts 256] [--visits 21] [--samples 8] [--share 0.02]

The stream is like that of training. Golds are drawn from MATH-FULL, as often as they occur there, and every prompt is
visited 21 times with 8 samples each. The share of right answers is drawn for each prompt, is about 60 % over all, and
rises with the visits. A right answer is mostly the gold itself, otherwise one of the equal forms that models write. A
wrong answer is one of a few plausible ones for the prompt; sometimes it is a new one, and sometimes there is no box.

The graders take turns, visit by visit, so that other load on the machine affects both. Ours grades every response, with
its cache and its worker processes. Math-Verify has no cache, so its speed on a random sample is its speed on all: it
grades SHARE of the responses of each visit, in the main thread, as it is meant to be used:
``verify(parse(r"\boxed{GOLD}"), parse(r"\boxed{ANSWER}"))``, with the answer already extracted from the response.
CPU-seconds include child processes. Then the whole stream is graded alternately from one and from eight threads, each
time by a new process with an empty cache.
"""

import argparse
import json
import logging
import random
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from equal_forms import equal_forms
from golds import NO_ANSWERS, all_golds
from processes import cpu_seconds
from wrong_forms import wrong_forms

from limr.grading import equal
from limr.grading.reward import grade

# forms that a model with good LaTeX writes when it does not write exactly the gold
USUAL_FORMS = (
    "dfrac, tfrac", "fraction with a slash", "left and right brackets", "full stop at the end", "spaces",
    "dollar signs and math delimiters", "fraction as an exact decimal", "decimal as a fraction",
    "zeros before and after a decimal", "mixed number", "thousands separators", "percent sign", "money", "degrees",
    "base with braces", "unit left out or in another notation", "sum in another order", "expanded or factored",
    "root in the denominator", "factor in front of a fraction or root", "name of the unknown",
    "solutions in another order", "solutions joined in another way", "sign of infinity", "matrix style and entries",
    "word in another font", "letter of a choice", "number in text",
)  # fmt: skip
UNUSUAL_MISTAKES = (
    "empty", "gold inside a longer text", "decimal wrong in its last place", "unevaluated expression",
    "calculation with a wrong step", "division turned around",
)  # fmt: skip
_STEPS = (
    "Step {step}: we substitute $x = {a}$ and get $\\frac{{{b}}}{{{a}}}$, which we keep for later.",
    "Since ${a} \\cdot {b} = {c}$, the second condition says that $y$ is at most ${d}$.",
    "Let $n = {a}$; then $n^2 + {b}n - {c}$ factors, and one root is of no use here.",
    "By symmetry the other case ({step}) gives ${a} + {b} = {d}$ again, so nothing is lost.",
    "The triangle has sides ${a}$, ${b}$ and $\\sqrt{{{c}}}$, so its area follows from the formula above.",
    "Now {b} leaves the remainder {step} when divided by {a}; hence the sum is {d} less than we thought.",
    "We check: $f({a}) = {b}$ and $f({b}) = {d}$, as was to be shown in part {step}.",
)
VERBATIM = 0.75  # of the right answers
NEW = 0.1  # of the wrong answers
NO_BOX = 0.05  # of the wrong answers


@dataclass(frozen=True)
class Item:
    """One response to be graded."""

    gold: str
    response: str


def reasoning(generator: random.Random) -> str:
    """A few different lines of work before the answer, together as long as a short solution."""
    lines = []
    for step in range(1, generator.randint(6, 16)):
        first, second = generator.randint(2, 99), generator.randint(2, 999)
        line = generator.choice(_STEPS).format(step=step, a=first, b=second, c=first * second, d=first + second)
        lines.append(line)
    return "\n".join(lines)


class Prompt:
    """A gold, the answers of a model to its problem, and the share of right answers."""

    def __init__(self, gold: str, generator: random.Random) -> None:
        self.gold = gold
        self.generator = generator
        self.solved = generator.betavariate(1.1, 0.85)
        self.right = [form.answer for form in equal_forms(gold) if form.kind in USUAL_FORMS and form.equal] or [gold]
        wrong = [form.answer for form in wrong_forms(gold) if form.kind not in UNUSUAL_MISTAKES] or ["0"]
        self.wrong = generator.sample(wrong, min(6, len(wrong)))

    def responses(self, samples: int, progress: float) -> list[Item]:
        """One visit; ``progress`` is how far training has come, from 0 to 1."""
        solved = self.solved + (0.2 * progress - 0.1) * self.solved * (1 - self.solved) * 4
        return [Item(self.gold, self._response(self.generator.random() < solved)) for _ in range(samples)]

    def _response(self, right: bool) -> str:
        work = reasoning(self.generator)
        if right:
            answer = self.gold if self.generator.random() < VERBATIM else self.generator.choice(self.right)
        elif self.generator.random() < NO_BOX:
            return work
        elif self.generator.random() < NEW:
            answer = self.generator.choice(
                [f"{self.generator.randint(-99, 9999)}", f"{self.gold} + {self.generator.randint(1, 99)}"]
            )
        else:
            answer = self.wrong[min(int(self.generator.expovariate(0.7)), len(self.wrong) - 1)]
        return f"{work}\nThe answer is $\\boxed{{{answer}}}$."


def make_stream(prompts: int, visits: int, samples: int, seed: int) -> list[list[Item]]:
    """One list per visit, with the responses to every prompt. The samples of a prompt are adjacent."""
    generator = random.Random(seed)
    golds = generator.sample([gold for gold in all_golds() if gold not in NO_ANSWERS], prompts)
    all_prompts = [Prompt(gold, generator) for gold in golds]
    progress = [visit / max(visits - 1, 1) for visit in range(visits)]
    return [[item for prompt in all_prompts for item in prompt.responses(samples, done)] for done in progress]


class Meter:
    """Items, wall seconds and CPU-seconds (children included) of one grader."""

    def __init__(self) -> None:
        self.items = 0
        self.wall = self.cpu = 0.0

    def __enter__(self) -> "Meter":
        self._start = time.perf_counter(), cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall += time.perf_counter() - self._start[0]
        self.cpu += cpu_seconds() - self._start[1]

    def line(self, name: str) -> str:
        return (
            f"{name:24} {self.items:8} responses {self.wall:8.1f} s {self.cpu:8.1f} CPU-s"
            f" {self.items / self.wall:9.0f}/s {self.items / self.cpu:9.0f}/CPU-s"
        )


def by_math_verify(gold: str, answer: str) -> bool:
    from math_verify import parse, verify

    return verify(parse(f"\\boxed{{{gold}}}"), parse(f"\\boxed{{{answer}}}"))


def side_by_side(stream: list[list[Item]], share: float, seed: int) -> tuple[Meter, Meter, list[tuple[str, str, bool]]]:
    """Measure both graders alternately. Also returns (gold, answer, correct) of every response with an answer."""
    generator = random.Random(seed + 1)
    ours, theirs = Meter(), Meter()
    graded: list[tuple[str, str, bool]] = []
    by_math_verify("1", "1")  # imports
    for visit in tqdm(stream, unit="visits", disable=None):
        with ours:
            verdicts = [grade(item.response, item.gold) for item in visit]
        ours.items += len(visit)
        pairs = [(i.gold, v.answer, v.correct) for i, v in zip(visit, verdicts, strict=True) if v.answer is not None]
        graded += pairs
        sample = generator.sample(pairs, max(1, int(share * len(visit))))
        with theirs:
            for gold, answer, _ in sample:
                by_math_verify(gold, answer)
        theirs.items += len(sample)
    return ours, theirs, graded


def stage_shares(graded: list[tuple[str, str, bool]]) -> str:
    """The share of pairs that each stage decided. A repeated pair counts for the cache if its stage has one."""
    stages: Counter[str] = Counter()
    seen: set[tuple[str, str]] = set()
    for gold, answer, _ in graded:
        stage = equal(gold, answer).stage
        again = stage in ("symbolic", "limit") and (gold, answer) in seen
        seen.add((gold, answer))
        stages["cache" if again else stage] += 1
    return ", ".join(f"{stage} {100 * count / len(graded):.2f} %" for stage, count in stages.most_common())


def from_threads(stream: list[list[Item]], threads: int, samples: int) -> Meter:
    """Grade the whole stream from ``threads`` threads, visit by visit; the samples of a prompt are one task.

    With one task per response, Python's queue of tasks would cost half as much as the grading.
    """
    meter = Meter()
    with meter, ThreadPoolExecutor(threads) as pool:
        for visit in stream:
            prompts = [visit[start : start + samples] for start in range(0, len(visit), samples)]
            list(pool.map(lambda items: [grade(item.response, item.gold) for item in items], prompts))
            meter.items += len(visit)
    return meter


def threads_in_turns(options: argparse.Namespace, rounds: int = 4) -> dict[int, list[float]]:
    """Responses a second from one thread and from eight, each measured by ``rounds`` new processes in turn."""
    rates: dict[int, list[float]] = {1: [], 8: []}
    size = [f"--{name}={getattr(options, name)}" for name in ("prompts", "visits", "samples", "seed")]
    for _ in range(rounds):
        for threads, found in rates.items():
            command = [sys.executable, __file__, *size, f"--threads={threads}"]
            found.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=256, help="prompts in the stream (256)")
    parser.add_argument("--visits", type=int, default=21, help="visits to each prompt (21)")
    parser.add_argument("--samples", type=int, default=8, help="responses a visit (8)")
    parser.add_argument(
        "--share", type=float, default=0.02, help="share of the responses that Math-Verify grades (0.02)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the stream (0)")
    parser.add_argument(
        "--threads", type=int, help="only grade the stream from this number of threads, and print the responses/s"
    )
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # Math-Verify logs every timeout
    stream = make_stream(options.prompts, options.visits, options.samples, options.seed)
    if options.threads:
        meter = from_threads(stream, options.threads, options.samples)
        print(json.dumps(meter.items / meter.wall))
        return
    ours, theirs, graded = side_by_side(stream, options.share, options.seed)
    print(ours.line("this project"), theirs.line("Math-Verify"), sep="\n")
    ratios = theirs.wall / theirs.items * ours.items / ours.wall, theirs.cpu / theirs.items * ours.items / ours.cpu
    print(f"ratio: {ratios[0]:.1f} by the clock, {ratios[1]:.1f} by CPU time")
    print(f"graded right: {100 * sum(correct for _, _, correct in graded) / ours.items:.1f} %")
    print(f"decided by: {stage_shares(graded)}")
    for threads, rates in threads_in_turns(options).items():
        print(
            f"{threads} thread{'s' if threads > 1 else ' '}: {', '.join(f'{rate:.0f}' for rate in rates)} responses/s"
        )


if __name__ == "__main__":
    main()
