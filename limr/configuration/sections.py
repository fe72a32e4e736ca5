"""The sections of a configuration, one model for each.

A configuration either trains (``Experiment``) or selects from an existing training run (``OwnRun``). The
settings of the training engines and of the evaluation are defined beside the code that reads them.
"""

import os.path
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator

from limr.configuration.method_rows import MethodRow
from limr.configuration.names import BenchmarkName, MethodName, unknown
from limr.evaluation.evaluation_settings import TransformersSection, VllmSection
from limr.logs.formats import NAMES
from limr.settings import LOWEST_TEMPERATURE, Count, Line, Seed, Settings, Share, Text, refusal
from limr.training.miniature.miniature_settings import MiniatureSection, PretrainingSettings
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSection
from limr.training.supervised_settings import SupervisedRow


def _distinct(values: list[int]) -> list[int]:
    """Return ``values``. Raises a refusal if a value occurs twice."""
    if len(set(values)) < len(values):
        raise refusal(expected="no value twice")
    return values


def _results_folder(path: str) -> str:
    """Return ``path``. Raises a refusal if Snakemake or a rule would take it for something else than a folder."""
    if set("{}<>") & set(path):
        raise refusal(
            expected="a path without braces and angle brackets",
            advice="Snakemake takes a name inside them for a wildcard.",
        )
    if "://" in path or path.startswith("~"):
        raise refusal(expected="a folder of this machine, with its path in full")
    if any(len(os.fsencode(name)) > 255 for name in path.split("/")):
        raise refusal(expected="names of at most 255 bytes")
    normal = os.path.normpath(path)
    if normal.rpartition("/")[2] in ("", ".", ".."):
        raise refusal(expected="a folder of its own, e.g. results")
    if path != normal:  # Snakemake finds no file by a name that is written in another way than in its rule
        raise refusal(expected=f"`{normal}`", advice="Both are the same folder; write its path without detours.")
    return path


def _sampling_temperature(value: float) -> float:
    if 0 < value < LOWEST_TEMPERATURE:
        raise refusal(expected=f"0 (greedy), or at least {LOWEST_TEMPERATURE}")
    return value


class PoolSection(Settings):
    """A manipulated training set (limr/training/miniature/pool.py); benchmarks and development set stay as they are."""

    broken: Share = Field(
        default=None, description="share of the gold answers that are replaced by wrong numbers that nobody answers"
    )
    beyond: Share = Field(
        default=None, description="share of problems out of the model's reach (BEYOND in the same file)"
    )
    easy: Share = Field(
        default=None,
        description="share of problems that the base model can solve from the start (EASY in the same file)",
    )


class MiniatureData(Settings):
    """Synthetic problems."""

    source: Literal["miniature"] = Field(description="miniature (synthetic problems)")
    seed: Seed = Field(description="seed of the problems")
    train: Count = Field(description="number of training problems")
    development: Count = Field(
        description="number of held-out problems that training runs are monitored on; none of them is in a benchmark"
    )
    pool: PoolSection = Field(
        default=None, description="a manipulated training set; by default every subject and level is equally frequent"
    )


class SourceFiles(Settings):
    """A file for each source of problems; sources without a file come from the hub."""

    math_train: Text = Field(default=None, description="file with the training part of MATH")
    math_test: Text = Field(default=None, description="file with the test part of MATH")
    math500: Text = Field(default=None, description="file with MATH-500")
    aime24: Text = Field(default=None, description="file with AIME 2024")
    amc23: Text = Field(default=None, description="file with AMC 2023")


def _refused(expected: str) -> dict[str, str]:
    return {"what": "", "expected": expected, "advice": ""}


def _kind_of_files(files: Any) -> str | None:
    if isinstance(files, str):
        return "<folder>"
    return "<files>" if isinstance(files, Mapping | SourceFiles) else None


class MathData(Settings):
    """MATH, from the Hugging Face hub or from local files."""

    source: Literal["math"] = Field(description="math (MATH, from the Hugging Face hub or from local files)")
    prompts: Literal["published", "level3plus"] = Field(
        description="published (the 8,523 problems of MATH-FULL) or level3plus (all 8,890 of level 3 and above, or of "
        "unknown level)"
    )
    ungradable: Literal["drop", "keep"] = Field(
        default="drop", description="drop or keep prompts with a gold answer that cannot be graded, for every method"
    )
    files: Annotated[
        Annotated[Text, Tag("<folder>")] | Annotated[SourceFiles, Tag("<files>")],
        Discriminator(
            _kind_of_files,
            custom_error_type="refused",
            custom_error_message="refused",
            custom_error_context=_refused("a folder, or a section with a file for each source"),
        ),
    ] = Field(
        default=None,
        description="local files instead of the hub: a folder (layout: docs/data.md), or a file for each source",
    )


class Benchmark(Settings):
    """One benchmark: a column of the table."""

    title: Line = Field(description="heading of its column")
    mirrors: Line = Field(
        default=None, description="the benchmark of the paper that it replaces, if any (miniature only)"
    )
    problems: Count = Field(default=None, description="number of problems (miniature only)")
    levels: Annotated[list[Annotated[int, Field(ge=1, le=6)]], AfterValidator(_distinct)] = Field(
        default=None,
        min_length=1,
        description="levels of difficulty to draw from, 1 to 5, and 6: one step longer than any training problem "
        "(miniature only)",
    )
    wording: Literal["ordinary", "other"] = Field(
        default="ordinary",
        description="other: the problems are asked in other words than those of the training set (miniature only)",
    )
    samples: Count = Field(description="responses to each problem")
    temperature: Annotated[float, Field(ge=0, le=100), AfterValidator(_sampling_temperature)] = Field(
        description="sampling temperature; 0 is greedy"
    )


def _not_blank(text: str) -> str:
    if not text.strip():
        raise refusal(expected="text that is not blank")
    return text


class ModelSection(Settings):
    """What every base model can have."""

    prefix: Annotated[Text, AfterValidator(_not_blank)] = Field(
        default=None,
        description="text before every problem, for one more row of the tables: the base model with this prompt and "
        "without training. No other row uses it",
    )


class MiniatureModel(PretrainingSettings, ModelSection):
    """The miniature's base model, pre-trained from scratch."""


class HubModel(ModelSection):
    """A model on the Hugging Face hub."""

    repository: str = Field(
        pattern=r"^\w[\w.-]*(/\w[\w.-]*)?$",
        description="a model on the Hugging Face hub, e.g. Qwen/Qwen2.5-Math-7B",
    )
    revision: str = Field(
        pattern="^[0-9a-f]{40}$",
        description="the commit of the repository, 40 hexadecimal digits, because a branch such as main changes",
    )
    system_prompt: Text = Field(
        default=None,
        description="text in front of every prompt, in training and evaluation; by default, the chat template decides",
    )


class LocalModel(HubModel):
    """A model in a folder. It takes precedence over a repository in a configuration that is laid over another."""

    path: Text = Field(
        description="a folder with the model, instead of the hub: config.json, tokenizer and safetensors"
    )
    repository: Text = Field(default=None, description="not used: `path` takes precedence")
    revision: str = Field(default=None, description="not used: `path` takes precedence")


def _kind_of_model(model: Any) -> str | None:
    if not isinstance(model, Mapping):
        return None
    if "path" in model:
        return "<folder>"
    return "<hub>" if {"repository", "revision"} & set(model) else "<miniature>"


BaseModelSection = Annotated[
    Annotated[MiniatureModel, Tag("<miniature>")]
    | Annotated[HubModel, Tag("<hub>")]
    | Annotated[LocalModel, Tag("<folder>")],
    Discriminator(
        _kind_of_model,
        custom_error_type="refused",
        custom_error_message="refused",
        custom_error_context=_refused("a section"),
    ),
]


class RewardSection(Settings):
    """The reward of a response, in training and evaluation."""

    rule: Literal["paper", "released_code"] = Field(
        description="which responses count as malformed: paper (the paper's rule, as limr/grading/reward.py implements "
        "it) or released_code (the rule of the released code)"
    )
    grader: Literal["limr", "math_verify"] = Field(
        default="limr",
        description="what compares answers with gold answers: limr (docs/grading.md) or math_verify (plain "
        "Math-Verify, for scores that can be compared with those of other papers)",
    )


class ReportSection(Settings):
    """The intervals of the table."""

    bootstrap_resamples: Count = Field(
        description="bootstrap resamples of the table's intervals, with one or two seeds (with more: Student's t)"
    )
    confidence: float = Field(gt=0, lt=1, description="coverage of the intervals")
    development_selected: bool = Field(
        default=False,
        description="whether the checkpoint of each run that is best on the development set answers the benchmarks "
        "too; Table 2 shows it beside the last one",
    )


class ColumnNames(Settings):
    """The log's names for our columns."""

    prompt: Text = Field(default=None, description="the log's name for the text of the prompt")
    prompt_id: Text = Field(default=None, description="the log's name for an id of the prompt")
    step: Text = Field(default=None, description="the log's name for the training step")
    reward: Text = Field(default=None, description="the log's name for the reward")
    correct: Text = Field(default=None, description="the log's name for whether the response is correct")
    answer: Text = Field(default=None, description="the log's name for the gold answer")
    response: Text = Field(default=None, description="the log's name for the response")


class TrajectoriesSection(Settings):
    """An existing training run, instead of a probe."""

    path: Text = Field(
        description="folder or file with the run's log; on the command line: --config trajectories='{path: FOLDER}'"
    )
    format: str = Field(
        default=None, description="format of the log, a file in limr/logs/formats; by default it is recognised"
    )
    visits: Count = Field(default=None, description="number of visits of each prompt to read; by default all")
    samples: Count = Field(
        default=None, description="responses to a prompt at each visit; by default the most common number"
    )
    steps_per_epoch: Count = Field(
        default=None,
        description="training steps of one pass over all prompts, so that a lost step gives missing visits",
    )
    columns: ColumnNames = Field(default=None, description="the log's names for our columns, e.g. {reward: score}")
    leave_out: list[Text] = Field(
        default=None, description="files and folders inside the path that are not read; * stands for any text"
    )

    @field_validator("format")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in NAMES:
            raise unknown("format", name, NAMES)
        return name


class Configuration(Settings):
    """The settings of every configuration."""

    results: Annotated[Line, AfterValidator(_results_folder)] = Field(description="folder for all results")
    seeds: Annotated[list[Seed], AfterValidator(_distinct)] = Field(
        min_length=1, description="each seed is one replicate of the whole experiment: probe, scores, subsets and runs"
    )
    methods: dict[MethodName, MethodRow] = Field(
        min_length=1, description="the selection methods by name: the rows of the table"
    )


class Experiment(Configuration):
    """A configuration that trains and evaluates."""

    data: MiniatureData | MathData = Field(discriminator="source", description="the problems to train on")
    benchmarks: dict[BenchmarkName, Benchmark] = Field(
        min_length=1,
        description="the columns of the table by name; with `source: math` the names are math500, aime24 and amc23",
    )
    base_model: BaseModelSection = Field(description="the model that training starts from")
    training: MiniatureSection | OpenRLHFSection = Field(
        discriminator="engine", description="reinforcement learning: the same settings for every method"
    )
    reward: RewardSection = Field(description="the reward of a response, in training and evaluation")
    evaluation: TransformersSection | VllmSection = Field(
        discriminator="engine", description="how the answers to the benchmarks are generated"
    )
    report: ReportSection = Field(description="the intervals of the table")
    supervised: dict[MethodName, SupervisedRow] = Field(
        default=None,
        min_length=1,
        description="supervised fine-tuning of the base model by name: rows of Table 3 (docs/supervised.md)",
    )


class OwnRun(Configuration):
    """A configuration that selects from an existing training run."""

    trajectories: TrajectoriesSection = Field(description="an existing training run, instead of a probe")
