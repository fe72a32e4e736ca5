r"""The text that the base model is pre-trained on: solved problems, in the mixed styles and qualities of a web corpus.

The higher the level of a problem, the more of its solutions make the common mistake of its subject. So the base model
can solve hard problems, but it mostly makes the mistake, and no prompt tells the two procedures apart. Reinforcement
learning can: only right answers are rewarded.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from limr.training.miniature.miniature_settings import PretrainingSettings
from limr.training.miniature.problems import LEVELS, Problem, practice, stream
from limr.training.miniature.tokenizer import BOX, GUIDE
from limr.training.miniature.wording import ordinary_wording, other_wording

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
    - ``mistakes``: for each level, the share of the problems solved with the common mistake, if there is one.
    - ``wrong``: share of all problems where the answer is changed to a wrong one after the last step.
    - ``reworded``: share of all problems that are asked in the other wording (limr/training/miniature/wording.py).
    """

    practice: float
    guided: float
    worked: float
    boxed: float
    wrong: float
    mistakes: Sequence[float]
    reworded: float = 0.0

    @classmethod
    def of(cls, settings: PretrainingSettings) -> "CorpusMix":
        """The shares that ``settings`` names."""
        return cls(**{share.name: getattr(settings, share.name) for share in fields(cls)})


def solve(problem: Problem, worked: float, mix: CorpusMix, rng: random.Random) -> str:
    """One solution of ``problem`` in the style of a web page; it shows its steps with probability ``worked``."""
    answer, solution = problem.answer, problem.solution
    if problem.mistake and rng.random() < mix.mistakes[problem.level - 1]:
        answer, solution = problem.mistake
    if rng.random() < mix.wrong:
        answer = str(max(0, int(answer) + rng.choice((-10, -2, -1, 1, 2, 10))))
    steps = f"{solution} " if rng.random() < worked else ""
    return steps + (f"{BOX}{answer}}}" if rng.random() < mix.boxed else answer)


def corpus(seed: int, mix: CorpusMix, held_out: set[str]) -> Iterator[tuple[str, str]]:
    """Endless (prompt, response) pairs. No problem of ``held_out`` is among them, guided or not, in either wording."""
    rng = random.Random(seed)
    problems = stream(rng, LEVELS, {ordinary_wording(prompt) for prompt in held_out})
    while True:
        kind = rng.random()
        if kind < mix.practice:
            yield PRACTICE_PROMPT, practice(rng, PRACTICE_CHAINS, PRACTICE_STEPS)
        elif kind < mix.practice + mix.guided:
            problem = next(problems)
            yield GUIDE + _asked(problem, mix, rng), solve(problem, 1.0, mix, rng)
        else:
            problem = next(problems)
            yield _asked(problem, mix, rng), solve(problem, mix.worked, mix, rng)


def _asked(problem: Problem, mix: CorpusMix, rng: random.Random) -> str:
    """The prompt of ``problem``, in one of the two wordings."""
    if mix.reworded and rng.random() < mix.reworded:  # without the share, no random number is drawn for it
        return other_wording(problem.subject, problem.prompt)
    return problem.prompt
