# Shared by all rules: the checked configuration, the paths and environments that depend on it, and the targets.
# Snakemake reads this file at every start, so nothing here may import torch or transformers.
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

try:
    from limr.configuration.check import (
        check_clone,
        check_configuration,
        check_results_folder,
        is_pretrained,
        probe,
        uses_gpus,
    )
    from limr.configuration.config_files import check_files
    from limr.configuration.probe_options import is_measured, probe_seed, trajectories_folder
    from limr.errors import LimrError
    from limr.jobs.resources import evaluation_resources, preflight_resources, training_resources
    from limr.selection.method import needs_trajectories
except ModuleNotFoundError as error:
    raise WorkflowError(
        f"the environment of snakemake has no package {error.name}. Create an environment with all packages: "
        "`conda env create --file envs/snakemake.yaml`, or `make .venv/installed` without conda."
    ) from None

# A file given with --configfile replaces config.yaml. By default, Snakemake would merge the two, and every other
# experiment would keep the miniature's benchmarks.
CONFIGURATION_FILES = workflow.overwrite_configfiles or [Path("config.yaml")]
try:
    check_clone(str(workflow.basedir))
    check_files(CONFIGURATION_FILES)
except LimrError as error:
    raise WorkflowError(str(error)) from None

if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


try:
    check_configuration(config)
    check_results_folder(config["results"])
except LimrError as error:
    raise WorkflowError(str(error)) from None


def canonical(value):
    """`value` with the keys of all its sections sorted."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value)}
    return value


# Sections for the params of rules. Snakemake compares params as text: a different order of keys would rerun stages.
# METHODS and BENCHMARKS keep the order of the configuration, because the table's rows and columns have the same order.
SECTIONS = canonical(config)

RESULTS = config["results"]
SEEDS = config["seeds"]
METHODS = config["methods"]
SUPERVISED = config.get("supervised", {})  # rows of Table 3 only
BENCHMARKS = config.get("benchmarks", {})
# Whether Table 2 also shows the checkpoints that are best on the development set.
DEVELOPMENT_SELECTED = config.get("report", {}).get("development_selected", False)
# The record of the gold answers that the miniature breaks on purpose.
BROKEN_GOLDS = (
    {"broken_golds": f"{RESULTS}/data/broken_golds.parquet"}
    if "broken" in config.get("data", {}).get("pool", {})
    else {}
)
TRAINS = "trajectories" not in config
UNGRADABLE = config.get("data", {}).get("ungradable", "drop")
# The text before every prompt, in training and in evaluation. Without one, the chat template decides.
SYSTEM_PROMPT = {key: value for key, value in config.get("base_model", {}).items() if key == "system_prompt"}
# The text before every problem in the evaluation `base_prompt`. No other stage reads it.
PREFIX = {key: value for key, value in config.get("base_model", {}).items() if key == "prefix"}
BASE_MODEL = {key: value for key, value in SECTIONS.get("base_model", {}).items() if key != "prefix"}
# What compares answers with the gold, if it is not the default: the params of finished runs do not name the default.
GRADER = {key: value for key, value in config.get("reward", {}).items() if (key, value) == ("grader", "math_verify")}

# The methods that read trajectories. The figures show the scores of FIGURE_METHOD, which reads all of the probe if one
# method does: they draw it beside the whole curves.
FROM_TRAJECTORIES = [name for name, row in METHODS.items() if needs_trajectories(row["score"])]
WHOLE_PROBE = [name for name in FROM_TRAJECTORIES if not METHODS[name].get("probe")]
LIM = next((name for name in WHOLE_PROBE if METHODS[name]["score"] == "lim"), None)
FIGURE_METHOD = LIM or next(iter([*WHOLE_PROBE, *FROM_TRAJECTORIES]), None)


# The rows of the tables: every evaluation of a seed.
EVALUATED = ["base", *(["base_prompt"] if PREFIX else []), *METHODS]

# Whether this run only writes Snakemake's report of what is there. It would fail on a figure that was not made.
REPORTS_ONLY = "--report-after-run" not in sys.argv and any(word.split("=")[0] == "--report" for word in sys.argv)


wildcard_constraints:
    seed=r"\d+",
    method="|".join([*EVALUATED, *SUPERVISED]),


def files_per_seed(path, **wildcards):
    """The files that `path` names, one per seed."""
    return expand(path, seed=SEEDS, results=RESULTS, **wildcards)


def files_per_method(path):
    """Method -> the files that `path` names, one per seed."""
    return {method: files_per_seed(path, method=method) for method in METHODS}


def score_inputs(row):
    """Inputs of a score: the prompts, if this workflow prepared them, and the trajectories, if the score needs them."""
    inputs = {"prompts": f"{RESULTS}/data/train.parquet"} if TRAINS else {}
    if needs_trajectories(row["score"]) or not TRAINS:
        inputs["trajectories"] = f"{RESULTS}/{trajectories_folder(row)}/seed{{seed}}.parquet"
        if row.get("probe", {}).get("seed"):
            inputs["trajectories"] = lambda wildcards: (
                f"{RESULTS}/{trajectories_folder(row)}/seed{probe_seed(row, int(wildcards.seed), SEEDS)}.parquet"
            )
    return inputs


def early_stopping_settings(row):
    """LIM's own options, and the theta or share that selects, unless it keeps all prompts."""
    keep = {} if row["keep"] in ("all", {"share": 1}) else row["keep"]
    return canonical(row.get("options", {}) | {key: keep[key] for key in ("share", "theta") if key in keep})


def model_of(wildcards):
    """The model that a method's evaluation reads."""
    if wildcards.method in ("base", "base_prompt"):
        return f"{RESULTS}/base_model"
    if wildcards.method in SUPERVISED:
        return f"{RESULTS}/supervised/{wildcards.method}/seed{wildcards.seed}/model"
    return f"{RESULTS}/runs/{wildcards.method}/seed{wildcards.seed}/model"


def evaluation_settings(wildcards):
    """The settings of an evaluation. Only the evaluation `base_prompt` has the prefix, so no other reruns for it."""
    reward = {"reward_rule": config["reward"]["rule"]} | GRADER
    prefix = PREFIX if wildcards.method == "base_prompt" else {}
    return SECTIONS["evaluation"] | reward | SYSTEM_PROMPT | prefix


def environment_of(section):
    """The environment of a stage that runs the engine of this section of the configuration."""
    on_gpus = section["engine"] in ("openrlhf", "vllm")
    return "../envs/openrlhf.yaml" if on_gpus else "../envs/training.yaml"


def pick_keys(section, *keys):
    """Those of `keys` that each entry of `section` has. A rule's params hold only these: other keys do not rerun it."""
    return canonical({name: {key: row[key] for key in keys if key in row} for name, row in section.items()})


def in_report(file, **shown):
    """`file`, which `snakemake --report` shows. A run that only makes this report leaves out files that do not exist."""
    return file if REPORTS_ONLY and not Path(file).exists() else report(file, **shown)


def configuration_names():
    """The configuration files as the table's caption names them, in any working directory."""
    root = Path(workflow.basedir)
    given = [Path(file).absolute() for file in workflow.overwrite_configfiles] or [root / "config.yaml"]
    return [file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name for file in given]


EVALUATIONS = [
    f"{RESULTS}/evaluation/{method}/seed{seed}/{benchmark}.parquet"
    for method in EVALUATED
    for seed in SEEDS
    for benchmark in BENCHMARKS
]
TARGETS = []
if TRAINS:
    TARGETS += ["table1.md", "table2.md", "outcomes.md", "figures/learning_curves.png", "wall_times.md", "report.html"]
    if config["data"]["source"] == "math":
        TARGETS.append("data/audit.md")
    if SUPERVISED:
        TARGETS.append("table3.md")
else:
    TARGETS += [f"subsets/{method}/seed{seed}.parquet" for method in METHODS for seed in SEEDS]
if FROM_TRAJECTORIES:
    TARGETS += [
        "selection.md",
        "figures/selection.png",
        *[f"figures/figure2{part}.{kind}" for part in "ab" for kind in ("svg", "png", "csv")],
        "figures/score_distribution.png",
    ]
if len(METHODS) > 1:
    TARGETS.append("comparison.md")
if LIM:
    TARGETS += ["early_stopping.md", "figures/early_stopping.png"]


def settings_of_row(wildcards):
    """What one run of supervised fine-tuning reads of the configuration, without the engine and the learning rate."""
    row, training = SECTIONS["supervised"][wildcards.row], config["training"]
    of_engine = ("threads",)
    if training["engine"] == "openrlhf":
        of_engine = ("gpus_per_node", "offload_optimizer", "patience_minutes", "zero_stage")
    read = {key: row[key] for key in ("arguments", "batch_size", "epochs", "max_tokens") if key in row}
    return canonical(read | {key: training[key] for key in of_engine})
