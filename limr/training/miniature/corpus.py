r"""What the base model has read: solved problems in the mixed manners of a web corpus.

Most solutions are terse (the answer alone), some show their steps; many do not box the answer; some are wrong.
So the base model *can* work a problem out and box its answer but seldom does both, and reinforcement learning has
something general to teach: a habit that pays on problems it has never seen.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from limr.training.miniature.problems import LEVELS, Problem, practice, stream
from limr.training.miniature.tokenizer import BOX, GUIDE

# Its word is outside the vocabulary ("Compute " with its space is the one that problems begin with): a page of practice
# has a heading that no problem shares.
PRACTICE_PROMPT = "Compute."
PRACTICE_CHAINS, PRACTICE_STEPS = 4, 2


@dataclass(frozen=True)
class Manners:
    """Shares of the corpus, each in [0, 1].

    ``practice``: pages of plain arithmetic; ``guided``: problems that ask for the steps, and get them. Of the other
    problems, ``worked`` show their steps all the same. Of all problems, ``boxed`` put the answer in a box and ``wrong``
    have a wrong answer.
    """

    practice: float
    guided: float
    worked: float
    boxed: float
    wrong: float


def solve(problem: Problem, worked: float, manners: Manners, rng: random.Random) -> str:
    """One solution of ``problem`` as somebody on the web may have written it, with its steps at odds ``worked``."""
    answer = problem.answer
    if rng.random() < manners.wrong:
        answer = str(max(0, int(answer) + rng.choice((-10, -2, -1, 1, 2, 10))))
    steps = f"{problem.solution} " if rng.random() < worked else ""
    return steps + (f"{BOX}{answer}}}" if rng.random() < manners.boxed else answer)


def corpus(seed: int, manners: Manners, held_out: set[str]) -> Iterator[tuple[str, str]]:
    """Endless (prompt, response) pairs; no problem of ``held_out`` is among them, guided or not."""
    rng = random.Random(seed)
    problems = stream(rng, LEVELS, held_out)
    while True:
        kind = rng.random()
        if kind < manners.practice:
            yield PRACTICE_PROMPT, practice(rng, PRACTICE_CHAINS, PRACTICE_STEPS)
        elif kind < manners.practice + manners.guided:
            problem = next(problems)
            yield GUIDE + problem.prompt, solve(problem, 1.0, manners, rng)
        else:
            problem = next(problems)
            yield problem.prompt, solve(problem, manners.worked, manners, rng)
