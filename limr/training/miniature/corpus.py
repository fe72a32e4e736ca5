r"""The text that the base model is pre-trained on: solved problems, in the mixed styles of a web corpus.

Most solutions are terse (the answer alone) and some show their steps. Many do not box the answer, and some are wrong.
So the base model *can* solve a problem step by step and box its answer, but it seldom does both. Reinforcement learning
can then make it do both, which also raises held-out accuracy.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from limr.training.miniature.problems import LEVELS, Problem, practice, stream
from limr.training.miniature.tokenizer import BOX, GUIDE

# This word is outside the vocabulary; the problems begin with "Compute ", which includes the space. So no problem
# shares the heading of a practice page.
PRACTICE_PROMPT = "Compute."
PRACTICE_CHAINS, PRACTICE_STEPS = 4, 2


@dataclass(frozen=True)
class CorpusMix:
    """Shares of the corpus, each in [0, 1].

    - ``practice``: share of all examples that are pages of plain arithmetic.
    - ``guided``: share of all examples that are problems where the prompt asks for the steps and the solution shows
      them.
    - ``worked``: share of the other problems where the solution shows its steps although the prompt does not ask.
    - ``boxed``: share of all problems with the answer in a box.
    - ``wrong``: share of all problems with a wrong answer.
    """

    practice: float
    guided: float
    worked: float
    boxed: float
    wrong: float


def solve(problem: Problem, worked: float, mix: CorpusMix, rng: random.Random) -> str:
    """One solution of ``problem`` in the style of a web page; it shows its steps with probability ``worked``."""
    answer = problem.answer
    if rng.random() < mix.wrong:
        answer = str(max(0, int(answer) + rng.choice((-10, -2, -1, 1, 2, 10))))
    steps = f"{problem.solution} " if rng.random() < worked else ""
    return steps + (f"{BOX}{answer}}}" if rng.random() < mix.boxed else answer)


def corpus(seed: int, mix: CorpusMix, held_out: set[str]) -> Iterator[tuple[str, str]]:
    """Endless (prompt, response) pairs. No problem of ``held_out`` is among them, guided or not."""
    rng = random.Random(seed)
    problems = stream(rng, LEVELS, held_out)
    while True:
        kind = rng.random()
        if kind < mix.practice:
            yield PRACTICE_PROMPT, practice(rng, PRACTICE_CHAINS, PRACTICE_STEPS)
        elif kind < mix.practice + mix.guided:
            problem = next(problems)
            yield GUIDE + problem.prompt, solve(problem, 1.0, mix, rng)
        else:
            problem = next(problems)
            yield problem.prompt, solve(problem, mix.worked, mix, rng)
