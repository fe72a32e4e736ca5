r"""The text that the base model is pre-trained on: solved problems, in the mixed styles of a web corpus.

Most solutions are terse (the answer alone) and some show their steps. Many do not box the answer, and some are wrong.
So the base model *can* solve a problem step by step and box its answer, but it seldom does both. Reinforcement learning
then has a general habit to teach, which also pays on held-out problems.
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

    Of all examples, ``practice`` are pages of plain arithmetic, and ``guided`` are problems whose prompt asks for the
    steps and whose solution shows them. Of the other problems, ``worked`` show their steps without being asked. Of all
    problems, ``boxed`` put the answer in a box and ``wrong`` have a wrong answer.
    """

    practice: float
    guided: float
    worked: float
    boxed: float
    wrong: float


def solve(problem: Problem, worked: float, mix: CorpusMix, rng: random.Random) -> str:
    """One solution of ``problem`` as the web may hold it; it shows its steps with probability ``worked``."""
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
