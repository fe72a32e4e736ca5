"""A small training run for tests of commands: rollouts by step as verl writes them, and the data set."""

import json
from pathlib import Path
from random import Random

import polars as pl

INSTRUCTION = "Let's think step by step and put the final answer within \\boxed{}."
PROMPTS = {f"What is {number} * {number + 3}?": str(number * (number + 3)) for number in range(11, 51)}
EPOCHS, STEPS_PER_EPOCH, SAMPLES = 5, 4, 4


def accuracy(number: int, epoch: int) -> float:
    """The accuracy of prompt ``number``: one prompt in five is never solved, one always is, the others are learned."""
    return {0: 0.0, 1: 1.0}.get(number % 5, min(1.0, (epoch + number % 7) / 8))


def rollouts(epoch: int, step: int) -> list[dict]:
    """The rows of one step: a quarter of the prompts, with answers that are right at random."""
    batch = len(PROMPTS) // STEPS_PER_EPOCH
    rows = []
    for number in range(step % STEPS_PER_EPOCH * batch, (step % STEPS_PER_EPOCH + 1) * batch):
        question, answer = list(PROMPTS.items())[number]
        generator = Random(f"{number} {epoch}")
        for _ in range(SAMPLES):
            right = generator.random() < accuracy(number, epoch)
            rows.append(
                {
                    "input": f"system\nYou are a helpful assistant.\nuser\n{question} {INSTRUCTION}\nassistant\n",
                    "output": f"So it is \\boxed{{{answer if right else 'unclear'}}}.",
                    "gts": answer,
                    "score": 1.0 if right else 0.0,
                    "step": step + 1,
                }
            )
    return rows


def write_run(folder: Path) -> Path:
    """Write ``rollouts/`` and the data set (``train.parquet``, ``questions.jsonl``); return the first."""
    log = folder / "rollouts"
    log.mkdir()
    for step in range(EPOCHS * STEPS_PER_EPOCH):
        rows = rollouts(step // STEPS_PER_EPOCH, step)
        (log / f"{step + 1}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pl.DataFrame(
        [
            {
                "data_source": "products",
                "prompt": [{"role": "user", "content": f"{question} {INSTRUCTION}"}],
                "ability": "math",
                "reward_model": {"style": "rule", "ground_truth": answer},
                "extra_info": {"index": number},
            }
            for number, (question, answer) in enumerate(PROMPTS.items())
        ]
    ).write_parquet(folder / "train.parquet")
    rows = [
        {"id": number, "question": question, "answer": PROMPTS[question]} for number, question in enumerate(PROMPTS)
    ]
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return log
