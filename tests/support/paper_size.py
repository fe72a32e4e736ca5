"""A log of the size of the paper's run, as LIMR's fork writes it, with made-up texts: some 2.5 GB of JSON."""

import json
import random
from pathlib import Path

import numpy as np
from tqdm import tqdm

PROMPTS, STEPS, STEPS_PER_EPOCH, PROMPTS_A_STEP, SAMPLES = 8523, 168, 8, 1024, 8
FRAGMENTS_A_RESPONSE = 52  # some 1,500 characters

_WORDS = (
    "we have", "so that", "which gives", "therefore", "let us write", "by the identity above,", "note that", "hence",
    "\\frac{a+b}{2}", "\\sqrt{x^2 + y^2}", "$n \\equiv 3 \\pmod 7$", "\\left( \\frac{1}{x} \\right)", "\n\n", ".\n",
    "\\[ \\sum_{k=1}^{n} k = \\frac{n(n+1)}{2} \\]\n", "$\\triangle ABC$", "\"simplest form\"", "≤ 90°",
    "\\binom{n}{k}",
    "\\begin{align*}\nx &= 2y \\\\\n", "\\end{align*}", "\\cdot", "\\boxed{\\frac{3}{4}}", "the answer is", "\tcase",
)  # fmt: skip


def write(folder: Path) -> None:
    """Write the files that ``folder`` lacks: each epoch meets the prompts in another order and drops the last batch."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [step for step in range(1, STEPS + 1) if not (folder / f"step_{step}.json").exists()]
    chance, numbers = random.Random(0), np.random.default_rng(0)
    fragments = [_encoded(" ".join(chance.choices(_WORDS, k=2))) for _ in range(2000)]
    prompts = [_encoded(f"Problem {number}: {' '.join(chance.choices(_WORDS, k=16))}") for number in range(PROMPTS)]
    start, slope = numbers.normal(-0.5, 2, PROMPTS), numbers.normal(1.5, 1, PROMPTS)
    for step in tqdm(missing, unit="file", desc=str(folder), disable=None):
        epoch, batch = divmod(step - 1, STEPS_PER_EPOCH)
        chance, numbers = random.Random(step), np.random.default_rng(step)
        order = np.random.default_rng([1, epoch]).permutation(PROMPTS)
        met = np.repeat(order[batch * PROMPTS_A_STEP : (batch + 1) * PROMPTS_A_STEP], SAMPLES)
        rate = 1 / (1 + np.exp(-(start[met] + slope[met] * epoch / (STEPS / STEPS_PER_EPOCH))))
        rewards = np.where(numbers.random(len(met)) < rate, 1.0, np.where(numbers.random(len(met)) < 0.8, -0.5, -1.0))
        rows = [
            _row(prompts[prompt], " ".join(chance.choices(fragments, k=FRAGMENTS_A_RESPONSE)), reward)
            for prompt, reward in zip(met.tolist(), rewards.tolist(), strict=True)
        ]
        partial = folder / f"step_{step}.partial"
        partial.write_text("[\n" + ",\n".join(rows) + "\n]", encoding="ascii")
        partial.rename(folder / f"step_{step}.json")


def _encoded(text: str) -> str:
    return json.dumps(text)[1:-1]


def _row(prompt: str, response: str, reward: float) -> str:
    """As ``json.dump(rows, file, indent=4)`` lays it out, which the fork writes with."""
    return (
        f'    {{\n        "prompt": "{prompt}",\n        "response": "{response}",\n        "reward": {reward},\n'
        f'        "response_length": {float(len(response) // 4)}\n    }}'
    )
