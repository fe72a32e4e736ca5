"""Training throughput of this project's PPO and of TRL's GRPOTrainer, on the same model and problems.

    python tests/benchmarks/benchmark_ppo.py --model results/base_model --prompts results/data/train.parquet

Each engine runs in a separate process, as its users run it. They take turns, step by step, so that other load on the
machine affects both. A step is that of the configuration: its prompts, samples, mini-batches, temperature, response
limit, reward, learning rate and KL coefficient. TRL runs in the way that is fastest for it on a CPU: float32, no
gradient checkpointing, one generation batch a step, padding to the longest sequence, nothing logged or saved. GRPO has
no critic, so TRL has less to compute.
Needs the extra `benchmark` (pip install -e '.[benchmark]').
"""

import argparse
import multiprocessing
import statistics
import sys
import time
from collections import defaultdict
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml
from tqdm import tqdm

from limr.files.contracts import read_parquet
from limr.grading.reward import grade
from limr.training.miniature import graded_rollouts as rolling
from limr.training.miniature import learner as learning
from limr.training.miniature import model as tiny
from limr.training.miniature import tokenizer as tokens
from limr.training.miniature.miniature_settings import MiniatureSettings
from limr.training.miniature.torch_process import reuse_freed_memory
from limr.training.schedule import step_generator, step_prompts, step_uniforms

ROOT = Path(__file__).parents[2]


class Measured:
    """Seconds and mean response length of each step of one engine."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds: list[float] = []
        self.tokens: list[float] = []

    def rate(self, samples: int, warm_up: int) -> float:
        """Median samples a second after ``warm_up`` steps."""
        return samples / statistics.median(self.seconds[warm_up:])


class Phases:
    """Seconds that a step spends in each wrapped function."""

    def __init__(self) -> None:
        self.steps: list[dict[str, float]] = []

    def start_step(self) -> None:
        self.steps.append(defaultdict(float))

    def wrap(self, owner: Any, name: str, phase: str) -> None:
        """Replace function ``name`` of ``owner`` by one that adds its time to ``phase``."""
        function = getattr(owner, name)

        def timed(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            result = function(*args, **options)
            self.steps[-1][phase] += time.perf_counter() - start
            return result

        setattr(owner, name, timed)


class Ours:
    """This project's engine, one training step a call."""

    def __init__(self, options: MiniatureSettings, model: Path, prompts: rolling.PromptSet, phases: Phases) -> None:
        self.options, self.prompts, self.phases = options, prompts, phases
        self.learner = learning.Learner(tiny.load(model), tiny.load(model), options)
        self.measured = Measured("limr PPO")
        phases.wrap(rolling, "generate", "generate")
        phases.wrap(rolling, "_decode", "decode and grade")
        phases.wrap(rolling, "grade", "decode and grade")
        phases.wrap(rolling, "_table", "decode and grade")
        phases.wrap(self.learner, "_compute_advantages", "reference, critic, advantages")
        phases.wrap(self.learner, "_update", "update")

    def step(self) -> None:
        options, step = self.options, len(self.measured.seconds)
        self.phases.start_step()
        start = time.perf_counter()
        indices, visits = step_prompts(len(self.prompts), options.prompts_per_step, step, seed=0)
        samples, length = options.samples_per_prompt, options.max_response_tokens
        uniforms = step_uniforms(len(indices) * samples, length, step, seed=0)
        rollouts = rolling.sample(
            self.learner.actor, self.prompts, indices, visits, step, samples, length, options.temperature, uniforms
        )
        self.learner.learn(rollouts, step, step_generator(step, seed=0))
        self.measured.seconds.append(time.perf_counter() - start)
        self.measured.tokens.append(rollouts.table["response_tokens"].mean())


def run_trl(
    connection: Connection, options: MiniatureSettings, model: Path, prompts: Path, steps: int, threads: int
) -> None:
    """Train ``steps`` steps with TRL, one per message on ``connection``; send back seconds and mean response length."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    lengths: list[int] = []
    table = read_parquet(prompts, "prompts")
    tokenizer = PreTrainedTokenizerFast.from_pretrained(model, padding_side="left")
    rollouts_per_step = options.prompts_per_step * options.samples_per_prompt
    updates = rollouts_per_step // options.mini_batch_size
    dataset = Dataset.from_dict(
        {
            "prompt": [f"{tokens.USER}{prompt}{tokens.ASSISTANT}" for prompt in table["prompt"]],
            "answer": table["answer"].to_list(),
        }
    )

    def reward(completions: list[str], completion_ids: list[list[int]], answer: list[str], **_: Any) -> list[float]:
        lengths.extend(map(len, completion_ids))
        truncated = [ids[-1] != tokenizer.eos_token_id for ids in completion_ids]
        return [grade(*row).reward for row in zip(completions, answer, truncated, strict=True)]

    class TakeTurns(TrainerCallback):
        """Stops the clock after the last update of a step, and starts it again after the other engine."""

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            torch.set_num_threads(threads)
            self.wait()

        def on_step_end(self, args: Any, state: Any, control: Any, **__: Any) -> None:
            if state.global_step % updates == 0:
                connection.send((time.perf_counter() - self.start, statistics.fmean(lengths)))
                lengths.clear()
                if state.global_step < steps * updates:
                    self.wait()

        def wait(self) -> None:
            connection.recv()
            self.start = time.perf_counter()

    with TemporaryDirectory() as scratch:
        settings = GRPOConfig(
            output_dir=scratch,
            use_cpu=True,
            bf16=False,
            gradient_checkpointing=False,
            max_steps=steps * updates,
            per_device_train_batch_size=options.mini_batch_size,
            gradient_accumulation_steps=1,
            generation_batch_size=rollouts_per_step,
            num_generations=options.samples_per_prompt,
            max_completion_length=options.max_response_tokens,
            temperature=options.temperature,
            learning_rate=options.actor_learning_rate,
            lr_scheduler_type="constant",
            max_grad_norm=options.gradient_clip,
            beta=options.kl_coefficient,
            epsilon=options.clip,
            report_to="none",
            logging_strategy="no",
            save_strategy="no",
            disable_tqdm=True,
            seed=0,
        )
        trainer = GRPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32),
            reward_funcs=reward,
            args=settings,
            train_dataset=dataset,
            processing_class=tokenizer,
            callbacks=[TakeTurns()],
        )
        trainer.train()


def take_turns(ours: Ours, theirs: Connection, steps: int) -> Measured:
    """Run ``steps`` steps of both engines alternately; return the times of TRL."""
    measured = Measured("TRL GRPO")
    for _ in tqdm(range(steps), desc="steps of both engines"):
        theirs.send("go on")
        seconds, length = theirs.recv()
        measured.seconds.append(seconds)
        measured.tokens.append(length)
        ours.step()
    return measured


def report(samples: int, warm_up: int, engines: list[Measured], phases: Phases) -> str:
    """The measurements as text: the rate of each engine, their ratio, and the time of each phase of our step."""
    lines = [f"{'engine':12} {'s/step':>8} {'samples/s':>10} {'tokens/response':>16}"]
    for engine in engines:
        seconds = statistics.median(engine.seconds[warm_up:])
        tokens_a_response = statistics.fmean(engine.tokens[warm_up:])
        lines.append(f"{engine.name:12} {seconds:8.3f} {engine.rate(samples, warm_up):10.0f} {tokens_a_response:16.1f}")
    ours, theirs = engines
    ratio = ours.rate(samples, warm_up) / theirs.rate(samples, warm_up)
    lines += ["", f"{ours.name} makes {ratio:.1f} times the samples a second of {theirs.name}", ""]
    total = statistics.fmean(ours.seconds[warm_up:])
    steps = phases.steps[warm_up:]
    shares = {phase: statistics.fmean(step[phase] for step in steps) for phase in steps[0]}
    shares["everything else"] = total - sum(shares.values())
    lines += [f"{phase:30} {1000 * seconds:7.1f} ms {seconds / total:6.1%}" for phase, seconds in shares.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="directory of the model that both engines start from")
    parser.add_argument("--prompts", type=Path, required=True, help="file of contract prompts")
    parser.add_argument(
        "--config", type=Path, default=ROOT / "config.yaml", help="the configuration with the training section to use"
    )
    parser.add_argument("--steps", type=int, default=12, help="steps of each engine")
    parser.add_argument("--warm-up", type=int, default=2, help="steps at the start that do not count")
    parser.add_argument("--threads", type=int, default=1, help="torch threads of both engines")
    arguments = parser.parse_args()
    if arguments.warm_up >= arguments.steps:
        parser.error(f"--steps {arguments.steps}: at least one more than --warm-up {arguments.warm_up} is needed")
    try:
        import trl
    except ImportError:
        sys.exit("TRL is not installed: pip install -e '.[benchmark]'")

    configuration = yaml.safe_load(arguments.config.read_text(encoding="utf-8"))
    options = MiniatureSettings(**configuration["training"], reward_rule=configuration["reward"]["rule"])
    samples = options.prompts_per_step * options.samples_per_prompt
    if samples % options.mini_batch_size:
        sys.exit(f"training.mini_batch_size {options.mini_batch_size} must divide a step's {samples} samples for TRL")
    context = multiprocessing.get_context("spawn")
    torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(0)
    reuse_freed_memory()
    phases = Phases()
    prompt_set = rolling.PromptSet(read_parquet(arguments.prompts, "prompts"), tokens.load(arguments.model))
    ours = Ours(options, arguments.model, prompt_set, phases)
    connection, other_end = context.Pipe()
    job = (other_end, options, arguments.model, arguments.prompts, arguments.steps, arguments.threads)
    process = context.Process(target=run_trl, args=job, daemon=True)
    process.start()
    other_end.close()  # so that recv() ends when the process does
    theirs = take_turns(ours, connection, arguments.steps)
    process.join()
    print(
        f"{arguments.steps} steps of {options.prompts_per_step} x {options.samples_per_prompt} samples, "
        f"{arguments.threads} threads, torch {torch.__version__}, TRL {trl.__version__}\n"
    )
    print(report(samples, arguments.warm_up, [ours.measured, theirs], phases))


if __name__ == "__main__":
    main()
