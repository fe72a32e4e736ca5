# What the rules share: the checked configuration, the paths that depend on it, and the targets.
# This file is read at every start: nothing here may import torch or transformers.
from pathlib import Path

from snakemake.exceptions import WorkflowError

from limr.configuration.check import check_configuration, is_pretrained, probe, uses_gpus
from limr.errors import LimrError
from limr.jobs.resources import evaluation_resources, preflight_resources, training_resources
from limr.selection.method import needs_trajectories

# A file given with --configfile stands in the place of config.yaml: Snakemake would merge the two, and leave the
# miniature's benchmarks in every other experiment.
if not workflow.overwrite_configfiles:

    configfile: "config.yaml"


try:
    check_configuration(config)
except LimrError as error:
    raise WorkflowError(str(error)) from None

RESULTS = config["results"]
SEEDS = config["seeds"]
METHODS = config["methods"]
BENCHMARKS = config.get("benchmarks", {})
TRAINS = "trajectories" not in config
UNGRADABLE = config.get("data", {}).get("ungradable", "drop")
# what stands before every prompt, in training and in evaluation alike; nothing: the chat template decides
SYSTEM_PROMPT = {key: value for key, value in config.get("base_model", {}).items() if key == "system_prompt"}

# what the trajectories decide, and the scores that the figures show beside them
FROM_TRAJECTORIES = [name for name, row in METHODS.items() if needs_trajectories(row["score"])]
LIM = next((name for name, row in METHODS.items() if row["score"] == "lim"), None)
SHOWN = LIM or next(iter(FROM_TRAJECTORIES), None)


wildcard_constraints:
    seed=r"\d+",
    method="|".join(["base", *METHODS]),


def of_each_seed(path, **wildcards):
    """The files that `path` names, one a seed."""
    return expand(path, seed=SEEDS, results=RESULTS, **wildcards)


def of_each_method(path):
    """Method -> the files that `path` names, one a seed."""
    return {method: of_each_seed(path, method=method) for method in METHODS}


def score_inputs(row):
    """What a score reads: the prompts, where there are some, and the trajectories, if it looks at them."""
    inputs = {"prompts": f"{RESULTS}/data/train.parquet"} if TRAINS else {}
    if needs_trajectories(row["score"]) or not TRAINS:
        inputs["trajectories"] = f"{RESULTS}/trajectories/seed{{seed}}.parquet"
    return inputs


def early_stopping_settings(row):
    """LIM's own options, and what counts as selected: its theta or its share, where it leaves some prompts out."""
    keep = {} if row["keep"] in ("all", {"share": 1}) else row["keep"]
    return row.get("options", {}) | {key: keep[key] for key in ("share", "theta") if key in keep}


def model_of(wildcards):
    """The model that a method's evaluation reads."""
    if wildcards.method == "base":
        return f"{RESULTS}/base_model"
    return f"{RESULTS}/runs/{wildcards.method}/seed{wildcards.seed}/model"


def only(section, *keys):
    """`keys` of each entry of `section`: a rule's params hold what its stage reads, or it runs again for nothing."""
    return {name: {key: row[key] for key in keys} for name, row in section.items()}


def configuration_names():
    """The configuration files as the table's caption names them: the same from wherever the workflow is run."""
    root = Path(workflow.basedir)
    given = [Path(file).absolute() for file in workflow.overwrite_configfiles] or [root / "config.yaml"]
    return [file.relative_to(root).as_posix() if file.is_relative_to(root) else file.name for file in given]


EVALUATIONS = [
    f"{RESULTS}/evaluation/{method}/seed{seed}/{benchmark}.parquet"
    for method in ["base", *METHODS]
    for seed in SEEDS
    for benchmark in BENCHMARKS
]
TARGETS = []
if TRAINS:
    TARGETS += ["table2.md", "figures/learning_curves.png", "wall_times.md"]
    if config["data"]["source"] == "math":
        TARGETS.append("data/audit.md")
else:
    TARGETS += [f"subsets/{method}/seed{seed}.parquet" for method in METHODS for seed in SEEDS]
if FROM_TRAJECTORIES:
    TARGETS += [
        "selection.md",
        "figures/selection.png",
        "figures/trajectories.png",
        "figures/score_distribution.png",
    ]
if len(METHODS) > 1:
    TARGETS.append("comparison.md")
if LIM:
    TARGETS += ["early_stopping.md", "figures/early_stopping.png"]
