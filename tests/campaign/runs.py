"""Small random training runs, written as every framework writes them, and the other inputs of the commands."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pyarrow
from logs_of_frameworks import JSON_FRAMEWORKS, Framework, Rollout, Row, templated
from pyarrow import parquet

from campaign.plain import id_of

LOGS = (*JSON_FRAMEWORKS, "trl", "csv", "parquet", "one_table")
NUMBERED = ("own", "trajectories", "one_shot_rlvr")  # sources in which visits are numbered already
SOURCES = (*LOGS, *NUMBERED)
REWARDS = ((1.0, -0.5, -1.0), (1.0, 0.0), (1.0, 0.5, 0.0, -0.25), (0.1, 0.7, 1.0, 0.3))
INSTRUCTION = "Let's think step by step."

_TEXTS = (
    "What is {0} * 7?",
    "What is $\\frac{{{0}}}{{3}}$, rounded?",
    'He said: "{0}, {0}"\nand then?',
    "Combien font {0} fois 8 ? 答案 🙂",
    "  What   is {0}\t+ 1?  ",
    "col,umn;{0}|'quoted'",
    "\x1b[31mred {0}\x1b[0m",
)


@dataclass(frozen=True)
class Run:
    """A run in which every prompt is visited once an epoch, with the same number of samples."""

    prompts: list[str]
    answers: list[str]
    epochs: int
    steps_per_epoch: int
    samples: int
    rewards: tuple[float, ...]  # the values that occur
    rollouts: list[Rollout]


def new_run(draw: Random) -> Run:
    """Draw a run of 6 to 30 prompts. Most prompts are learned along the way."""
    epochs, samples, steps_per_epoch = draw.randint(2, 5), draw.randint(2, 4), draw.randint(1, 3)
    n_prompts = steps_per_epoch * draw.randint(4, 10)
    plain = draw.random() < 0.6
    prompts = [(_TEXTS[0] if plain else draw.choice(_TEXTS)).format(number) for number in range(10, 10 + n_prompts)]
    rewards = draw.choice(REWARDS)
    best, others = max(rewards), sorted(rewards)[:-1]
    rollouts = []
    for epoch in range(epochs):
        order = draw.sample(range(n_prompts), n_prompts)
        for place, prompt in enumerate(order):
            step = epoch * steps_per_epoch + place * steps_per_epoch // n_prompts + 1
            chance = {0: 0.0, 1: 1.0}.get(prompt % 6, (epoch + prompt % 4) / (epochs + 3))
            for sample in range(samples):
                reward = best if draw.random() < chance else draw.choice(others)
                rollouts.append(Rollout(step, prompts[prompt], reward, f"Step {step}, {sample}: so it is 4."))
    answers = [str(number * 7) for number in range(10, 10 + n_prompts)]
    return Run(prompts, answers, epochs, steps_per_epoch, samples, rewards, rollouts)


def write_source(kind: str, run: Run, folder: Path, draw: Random) -> Path:
    """Write ``run`` as ``kind`` into ``folder``, which is made; returns what a command is to be given."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind in JSON_FRAMEWORKS:
        _framework(kind).write(folder, run.rollouts)
        return folder
    rows = [
        {"step": of.step, "prompt": of.prompt, "reward": of.reward, "answer": "4", "response": of.response}
        for of in run.rollouts
    ]
    match kind:
        case "trl":
            for step, found in _by_step(run).items():
                columns = {
                    "step": [step] * len(found),
                    "prompt": [of.prompt for of in found],
                    "completion": [of.response for of in found],
                    "accuracy_reward": [of.reward for of in found],
                    "advantage": [0.0] * len(found),
                }
                (folder / "completions").mkdir(exist_ok=True)
                write_table(pyarrow.table(columns), folder / "completions" / f"completions_{step:05d}.parquet")
            return folder
        case "csv" | "parquet":
            for step in _by_step(run):
                write_rows(folder / f"step_{step}.{kind}", [row for row in rows if row["step"] == step])
            return folder
        case "one_table":
            file = folder / f"table{draw.choice(['.csv', '.parquet', '.jsonl', '.json'])}"
            write_rows(file, rows)
            return file
        case "own":
            return _own(run, folder)
        case "trajectories":
            return _trajectories(run, folder / "trajectories.parquet")
        case _:
            return _one_shot_rlvr(run, folder / "acc_step_500.json", draw)


def write_table(table: pyarrow.Table, file: Path) -> None:
    """Write Parquet; pyarrow itself cannot open a name that is not UTF-8."""
    with file.open("wb") as stream:
        parquet.write_table(table, stream)


def write_rows(file: Path, rows: list[Row]) -> Path:
    """Write rows by the suffix of ``file``."""
    match file.suffix:
        case ".csv":
            with file.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.DictWriter(stream, rows[0])
                writer.writeheader()
                writer.writerows(rows)
        case ".parquet":
            write_table(pyarrow.Table.from_pylist(rows), file)
        case ".json":
            file.write_text(json.dumps(rows), encoding="utf-8")
        case _:
            file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def visits_of(run: Run) -> dict[str, list[list[float]]]:
    """prompt -> the rewards of each visit."""
    visits: dict[str, dict[int, list[float]]] = {}
    for of in run.rollouts:
        visits.setdefault(of.prompt, {}).setdefault(of.step, []).append(of.reward)
    return {prompt: list(of_prompt.values()) for prompt, of_prompt in visits.items()}


def write_scores(run: Run, file: Path, draw: Random, companion: bool) -> list[dict[str, Any]]:
    """A scores file with drawn scores, some tied and some missing; returns its rows, best first."""
    ids = sorted({id_of(prompt) for prompt in run.prompts})
    scores = {name: None if draw.random() < 0.1 else round(draw.uniform(-1, 1), draw.choice([1, 12])) for name in ids}
    scores[ids[0]] = 0.25
    ranked = sorted(ids, key=lambda name: (scores[name] is None, -(scores[name] or 0), name))
    n_scored = sum(score is not None for score in scores.values())
    kept = draw.randint(1, n_scored)
    rows = [
        {
            "method": "lim",
            "prompt_id": name,
            "score": scores[name],
            "rank": place if scores[name] is not None else None,
            "selected": place <= kept,
            "reason": ""
            if place <= kept
            else f"not among the best {kept}: rank {place}"
            if scores[name] is not None
            else "missing visits: 3 of 0 to 8",
        }
        for place, name in enumerate(ranked, start=1)
    ]
    schema = pyarrow.schema(
        {"method": "string", "prompt_id": "string", "score": "float64", "rank": "int64", "selected": "bool"}
        | {"reason": "string"}
    )
    if file.suffix == ".parquet":
        write_table(pyarrow.Table.from_pylist(rows, schema), file)
    else:
        write_rows(file, rows)
    if companion:
        known = {id_of(prompt): (prompt, answer) for prompt, answer in zip(run.prompts, run.answers, strict=True)}
        table = [{"prompt_id": name, "prompt": known[name][0], "answer": known[name][1]} for name in ids]
        write_table(pyarrow.Table.from_pylist(table), file.with_suffix(".prompts.parquet"))
    return rows


def _framework(kind: str) -> Framework:
    """The framework, with a verdict in NeMo RL's log that fits the reward."""
    found = JSON_FRAMEWORKS[kind]
    if kind != "nemo_rl":
        return found

    def row(of: Rollout) -> Row:
        verdict = "Environment: correct" if of.reward == 1 else "Environment: incorrect"
        return found.row(of) | {"content": [[templated(of.prompt), of.response, verdict]]}

    return Framework(row, found.reward, found.file, found.is_list)


def _by_step(run: Run) -> dict[int, list[Rollout]]:
    steps: dict[int, list[Rollout]] = {}
    for of in run.rollouts:
        steps.setdefault(of.step, []).append(of)
    return steps


def _own(run: Run, folder: Path) -> Path:
    rows = [
        {
            "prompt_id": id_of(prompt),
            "visit": visit,
            "sample": sample,
            "step": visit,
            "reward": reward,
            "correct": reward == max(run.rewards),
            "formatted": None,
            "response_tokens": 5,
            "truncated": False,
            "response": "So it is 4.",
        }
        for prompt, visits in visits_of(run).items()
        for visit, rewards in enumerate(visits)
        for sample, reward in enumerate(rewards)
    ]
    schema = pyarrow.schema(
        {"prompt_id": "string", "visit": "int64", "sample": "int64", "step": "int64", "reward": "float64"}
        | {"correct": "bool", "formatted": "bool", "response_tokens": "int64", "truncated": "bool"}
        | {"response": "string"}
    )
    half = len(rows) // 2
    for number, part in enumerate((rows[:half], rows[half:])):
        write_table(pyarrow.Table.from_pylist(part, schema), folder / f"rollouts_{number:05d}.parquet")
    return folder


def _trajectories(run: Run, file: Path) -> Path:
    rows = [
        {
            "prompt_id": id_of(prompt),
            "epoch": epoch,
            "mean_reward": sum(rewards) / len(rewards),
            "accuracy": sum(reward == max(run.rewards) for reward in rewards) / len(rewards),
            "n_samples": len(rewards),
        }
        for prompt, visits in visits_of(run).items()
        for epoch, rewards in enumerate(visits)
    ]
    return write_rows(file, rows)


def _one_shot_rlvr(run: Run, file: Path, draw: Random) -> Path:
    curves = {str(number): [draw.randint(0, 8) / 8 for _ in range(run.epochs)] for number in range(len(run.prompts))}
    file.write_text(json.dumps(curves), encoding="utf-8")
    return file
