"""Settings that are valid by themselves but contradict each other."""

from collections.abc import Iterable, Mapping

from limr.configuration.method_rows import KeepShare, KeepThetaFor, KeepTop, MethodRow
from limr.configuration.miniature_checks import miniature_problems
from limr.configuration.probe_options import ProbeSection
from limr.configuration.sections import Benchmark, Experiment, HubModel, MathData, MiniatureData, OwnRun
from limr.configuration.supervised_checks import supervised
from limr.data.sources import BENCHMARKS
from limr.errors import LimrError, counted, shown, suggest
from limr.jobs.run_counts import checkpoint_steps
from limr.selection.method import needs_trajectories
from limr.training.miniature.miniature_settings import MiniatureSection, PretrainingSettings
from limr.training.openrlhf.command_line import forbidden_arguments
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSection
from limr.trajectories.matrix import EPOCH_COVERAGE

_PROMPTS_OF_MATH = {"published": 8523, "level3plus": 8890}  # limr/data/published.py
_HEADINGS = ("Method", "#Questions", "Average")  # the other columns of table2.md


def contradictions(experiment: Experiment) -> Iterable[LimrError]:
    """An error for each setting of ``experiment`` that does not fit the others."""
    yield from _probe(experiment)
    for name, row in experiment.methods.items():
        yield from _number_of_prompts(f"methods.{name}.keep", row, experiment.data)
        if row.probe:
            yield from _part_of_probe(f"methods.{name}.probe", row.probe, experiment)
    yield from _titles(experiment.benchmarks)
    for name, benchmark in experiment.benchmarks.items():
        yield from _benchmark(name, benchmark, experiment.data)
    if isinstance(experiment.training, OpenRLHFSection):
        yield from _openrlhf(experiment.training)
    else:
        yield from _miniature(experiment, experiment.training)
    yield from supervised(experiment)
    if isinstance(experiment.base_model, PretrainingSettings):
        yield from _pretraining(experiment.base_model)
    yield from miniature_problems(experiment)


def _probe(experiment: Experiment) -> Iterable[LimrError]:
    rows = experiment.methods.values()
    trains_on_all = any(row.score == "full" and row.keep == "all" for row in rows)
    if not trains_on_all and any(needs_trajectories(row.score) for row in rows):
        yield LimrError(
            "a score needs the trajectories of a probe, and no method trains on all prompts",
            where="methods",
            advice="Add a row `full: {score: full, keep: all}`.",
        )


def of_own_run(configuration: OwnRun) -> Iterable[LimrError]:
    """An error for each method that scores a part of a probe: a configuration with ``trajectories`` has no probe."""
    for name, row in configuration.methods.items():
        if row.probe:
            yield LimrError(
                "this section has no effect beside `trajectories`, which names an existing training run",
                where=f"methods.{name}.probe",
                advice="Remove it. `trajectories.visits` cuts the run to its first visits.",
            )


def _part_of_probe(where: str, part: ProbeSection, experiment: Experiment) -> Iterable[LimrError]:
    """An error for each part of the probe that it does not have."""
    training = experiment.training
    if part.samples and part.samples > training.samples_per_prompt:
        yield LimrError(
            where=f"{where}.samples",
            found=str(part.samples),
            expected=f"at most training.samples_per_prompt, {training.samples_per_prompt}",
        )
    if part.seed and len(experiment.seeds) == 1:
        yield LimrError(
            where=f"{where}.seed",
            found=shown(part.seed),
            expected="at least two `seeds`",
            advice="Add a seed, or remove this key.",
        )
    if part.measure:
        yield from _measure(where, part, training)
    elif part.visits:
        prompts, known_as = _prompts(experiment.data)
        visits = int(training.steps * training.prompts_per_step / prompts + 1 - EPOCH_COVERAGE)
        if part.visits > visits:
            yield LimrError(
                where=f"{where}.visits",
                found=str(part.visits),
                expected=f"at most {visits}: `training.steps` x `training.prompts_per_step` are"
                f" {counted(visits, 'visit')} of {known_as}",
            )


def _measure(where: str, part: ProbeSection, training: MiniatureSection | OpenRLHFSection) -> Iterable[LimrError]:
    if isinstance(training, OpenRLHFSection):
        yield LimrError(
            "only the engine `miniature` samples the prompts from its checkpoints",
            where=f"{where}.measure",
            found=shown(part.measure),
            expected="no such key with `training.engine: openrlhf`",
            advice="Remove this key: the method then scores the visits of training.",
        )
        return
    checkpoints = len(checkpoint_steps({"steps": training.steps, "checkpoint_interval": training.checkpoint_interval}))
    if checkpoints == 1:
        yield LimrError(
            f"{where}.measure needs at least two checkpoints, each of them a visit",
            where="training.checkpoint_interval",
            found=str(training.checkpoint_interval),
            expected=f"less than training.steps, {training.steps}",
            advice="Take the steps of one pass over all prompts, for as many checkpoints as visits.",
        )
    elif part.visits and part.visits > checkpoints:
        yield LimrError(
            where=f"{where}.visits",
            found=str(part.visits),
            expected=f"at most {checkpoints}, the checkpoints of the probe",
            advice="Each checkpoint is a visit. Lower `training.checkpoint_interval` for more checkpoints.",
        )


def _prompts(data: MiniatureData | MathData) -> tuple[int, str]:
    """The number of training prompts, and how an error names it."""
    if isinstance(data, MiniatureData):
        return data.train, f"data.train, {data.train}"
    prompts = _PROMPTS_OF_MATH[data.prompts]
    return prompts, f"the {prompts:,} problems of `data.prompts: {data.prompts}`"


def _number_of_prompts(where: str, row: MethodRow, data: MiniatureData | MathData) -> Iterable[LimrError]:
    """An error if a rule keeps no prompt, or more than exist."""
    prompts, known_as = _prompts(data)
    match row.keep:
        case KeepShare(share=share) if round(share * prompts) == 0:
            yield LimrError(where=f"{where}.share", found=str(share), expected=f"at least one prompt of {known_as}")
        case KeepTop(top=number) if number > prompts:
            yield LimrError(where=f"{where}.top", found=str(number), expected=f"at most {known_as}")
        case KeepThetaFor(theta_for=number) if number > prompts:
            yield LimrError(where=f"{where}.theta_for", found=str(number), expected=f"at most {known_as}")


def _titles(benchmarks: Mapping[str, Benchmark]) -> Iterable[LimrError]:
    """An error for each title that is the heading of another column. They are compared without regard to case."""
    taken = {heading.casefold(): f"the column {heading} of the table" for heading in _HEADINGS}
    for name, benchmark in benchmarks.items():
        title = benchmark.title.casefold()
        if title in taken:
            yield LimrError(
                where=f"benchmarks.{name}.title",
                found=shown(benchmark.title),
                expected=f"a title that differs from {taken[title]}",
            )
        taken.setdefault(title, f"that of {name}")


def _benchmark(name: str, benchmark: Benchmark, data: MiniatureData | MathData) -> Iterable[LimrError]:
    where, real = f"benchmarks.{name}", isinstance(data, MathData)
    if real and name not in BENCHMARKS:
        yield LimrError("not a benchmark of `data.source: math`", where=where, advice=suggest(name, BENCHMARKS))
    for key in ("mirrors", "problems", "levels", "wording"):
        is_set = key in benchmark.model_fields_set
        if real and is_set:
            yield LimrError(
                "this setting is for the miniature's benchmarks only", where=f"{where}.{key}", advice="Remove it."
            )
        if not real and not is_set and key in ("problems", "levels"):
            expected = Benchmark.model_fields[key].description
            yield LimrError("this key is missing", where=f"{where}.{key}", expected=expected or "")
    if benchmark.temperature == 0 and benchmark.samples > 1:
        yield LimrError(
            where=f"{where}.samples",
            found=str(benchmark.samples),
            expected="1 at temperature 0",
            advice="Greedy responses to a problem are all the same.",
        )


def _miniature(experiment: Experiment, training: MiniatureSection) -> Iterable[LimrError]:
    if isinstance(experiment.data, MathData):
        yield LimrError(
            where="training.engine",
            found="miniature",
            expected="openrlhf for `data.source: math`",
            advice="The miniature trains on synthetic problems only.",
        )
    if isinstance(experiment.base_model, HubModel):
        yield LimrError(
            "the engine `miniature` trains the miniature's own model only",
            where="base_model",
            advice="Describe its pre-training here, as config.yaml does, or set `training.engine: openrlhf`.",
        )
    if training.warmup_steps > training.steps:
        yield LimrError(
            where="training.warmup_steps", found=str(training.warmup_steps), expected=f"at most steps, {training.steps}"
        )
    yield from _multiple(
        "training.mini_batch_size",
        training.mini_batch_size,
        f"samples_per_prompt, {training.samples_per_prompt}",
        training.samples_per_prompt,
        "A mini-batch holds whole prompts.",
    )
    rollouts = training.prompts_per_step * training.samples_per_prompt
    if training.mini_batch_size > rollouts:
        yield LimrError(
            where="training.mini_batch_size",
            found=str(training.mini_batch_size),
            expected=f"at most prompts_per_step x samples_per_prompt, {rollouts}",
        )


def _pretraining(model: PretrainingSettings) -> Iterable[LimrError]:
    heads, shared = model.num_attention_heads, model.num_key_value_heads
    yield from _multiple(
        "base_model.hidden_size",
        model.hidden_size,
        f"twice num_attention_heads, {heads}",
        2 * heads,
        "All heads have the same size, and rotary positions turn pairs of numbers.",
    )
    yield from _multiple("base_model.num_attention_heads", heads, f"num_key_value_heads, {shared}", shared)
    if model.batch_size < model.threads:
        yield LimrError(
            where="base_model.batch_size",
            found=str(model.batch_size),
            expected=f"at least threads, {model.threads}",
            advice="Each thread takes a part of the batch.",
        )
    if model.practice + model.guided > 1:
        yield LimrError(
            where="base_model.guided",
            found=str(model.guided),
            expected=f"at most {1 - model.practice:g}",
            advice="practice and guided are shares of one corpus.",
        )


def _openrlhf(training: OpenRLHFSection) -> Iterable[LimrError]:
    gpus, rollouts = training.gpus, training.rollouts_per_step
    yield from _multiple(
        "training.mini_batch_size",
        training.mini_batch_size,
        f"GPUs x train_micro_batch_size, {gpus * training.train_micro_batch_size}",
        gpus * training.train_micro_batch_size,
        "Every GPU takes whole micro-batches.",
    )
    if rollouts % training.mini_batch_size:
        yield LimrError(
            where="training.mini_batch_size",
            found=str(training.mini_batch_size),
            expected=f"a divisor of prompts_per_step x samples_per_prompt, {rollouts}",
            advice="OpenRLHF drops the rollouts that do not fill a mini-batch.",
        )
    if rollouts % (gpus * training.rollout_micro_batch_size):
        yield LimrError(
            where="training.rollout_micro_batch_size",
            found=str(training.rollout_micro_batch_size),
            expected=f"a number that, times the {gpus} GPUs, divides prompts_per_step x samples_per_prompt, {rollouts}",
            advice="OpenRLHF hangs on a rollout batch that does not split evenly.",
        )
    if gpus % training.tensor_parallel_size:
        yield LimrError(
            where="training.tensor_parallel_size",
            found=str(training.tensor_parallel_size),
            expected=f"a divisor of nodes x gpus_per_node, {gpus}",
        )
    if training.warmup_updates > training.updates:
        yield LimrError(
            where="training.warmup_updates",
            found=str(training.warmup_updates),
            expected=f"at most {training.updates}, the updates of the whole run",
        )
    yield from forbidden_arguments(training)


def _multiple(where: str, number: int, words: str, of: int, advice: str = "") -> Iterable[LimrError]:
    if number % of:
        yield LimrError(where=where, found=str(number), expected=f"a multiple of {words}", advice=advice)
