"""The caption of Table 2: the run, and the limits of its intervals."""

from copy import deepcopy

import numpy as np
from table2_run import CONFIGURATION, write, write_evaluation, write_training_set

from limr.report.caption import caption, digest
from limr.report.training_runs import TrainingRun


def test_the_caption_describes_the_run(run, outputs):
    text = write(run, outputs)["markdown"]
    for words in (
        "This is the miniature",
        f"digest `{digest(CONFIGURATION)}`",
        "`config.yaml`",
        "seeds 0, 3",
        "5 steps, 40 rollouts",
        "Hard-6 (6 problems, mirrors AIME24): 4 samples a problem, temperature 0.4, top-p 0.95",
        "95 % percentile bootstrap intervals over problems (their samples stay together) and seeds",
        "torch ",
        "(wall_times.md)",
    ):
        assert words in text


def test_only_the_miniature_is_called_miniature(run, outputs):
    other = deepcopy(CONFIGURATION) | {"data": {"source": "math"}, "training": {"engine": "openrlhf"}}
    text = write(run, outputs, other)["markdown"]
    assert "This is the miniature" not in text and "Problems: math. Training: openrlhf." in text


def test_the_caption_counts_ungradable_prompts_and_states_whether_methods_train_on_them(run, outputs):
    assert "cannot be graded" not in write(run, outputs)["markdown"]
    write_training_set(run["prompts"], gradable=[True] * 14 + [False] * 2)
    dropped = write(run, outputs)["markdown"]
    assert "Of the 16 training prompts 2 have a gold answer that cannot be graded" in dropped
    assert "no method trains on them" in dropped
    kept = deepcopy(CONFIGURATION)
    kept["data"] = {"source": "math", "ungradable": "keep"}
    assert "every method trains on them as on any other prompt" in write(run, outputs, kept)["markdown"]


def test_a_real_benchmark_mirrors_no_other(run, outputs):
    real = deepcopy(CONFIGURATION)
    del real["benchmarks"]["hard"]["mirrors"]
    assert "Hard-6 (6 problems): 4 samples" in write(run, outputs, real)["markdown"]


def test_with_one_seed_the_caption_warns_that_intervals_exclude_training_runs(run, outputs):
    alone = deepcopy(CONFIGURATION) | {"seeds": [0]}
    run["evaluations"] = [path for path in run["evaluations"] if path.parent.name == "0"]
    for kind in ("subsets", "rollouts"):
        run[kind] = {method: paths[:1] for method, paths in run[kind].items()}
    text = write(run, outputs, alone)["markdown"]
    assert "seed 0." in text and "With one seed" in text and "and seeds" not in text


def test_an_interval_without_width_is_explained(run, outputs, tmp_path):
    assert "without width" not in write(run, outputs)["markdown"]
    for seed in CONFIGURATION["seeds"]:
        write_evaluation(tmp_path / f"evaluation/base/{seed}/hard.parquet", "base", seed, "hard", np.zeros((6, 4)))
    text = write(run, outputs)["markdown"]
    assert "0.0 [0.0, 0.0]" in text and "An interval without width" in text


def test_the_caption_names_the_grader_only_if_it_is_not_the_default(run, outputs):
    assert "Math-Verify" not in write(run, outputs)["markdown"]
    other = deepcopy(CONFIGURATION) | {"reward": {"rule": "paper", "grader": "math_verify"}}
    assert "Plain Math-Verify 0.9" in write(run, outputs, other)["markdown"]


RUNS = {"lim": [TrainingRun(questions=8, steps=5, rollouts=40)]}


def test_the_caption_shows_the_prefix_of_the_base_model_as_written():
    configuration = CONFIGURATION | {"base_model": {"prefix": "Think $ *hard*. "}}
    text = caption(configuration, ["config.yaml"], RUNS, {"easy": 20, "hard": 6}, [True], zero_width=False)
    assert r'Base model + prompt: the base model without training, with the text "Think \$ \*hard\*. " before' in text
    plain = caption(CONFIGURATION, ["config.yaml"], RUNS, {"easy": 20, "hard": 6}, [True], zero_width=False)
    assert "prompt:" not in plain and "last number" not in plain
