# The paper's figures of benchmark results, and the evaluations of checkpoints, which only the figures over training steps
# need.


rule evaluate_checkpoints:
    input:
        benchmarks=rules.evaluate.input.benchmarks,
        # step 0 and the last step, which are evaluated already
        base=[f"{RESULTS}/evaluation/base/seed{{seed}}/{name}.parquet" for name in BENCHMARKS],
        trained=list(rules.evaluate.output),
        preflight=ancient(PREFLIGHT),
    output:
        steps=f"{RESULTS}/evaluation_steps/{{method}}/seed{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/evaluation_steps/{{method}}-seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation_steps/{{method}}-seed{{seed}}.tsv"
    conda:
        environment_of(config["evaluation"])
    threads: config["evaluation"]["threads"]
    resources:
        **evaluation_resources(config["evaluation"]),
    params:
        # not an input: to make a folder that was deleted to save disk, Snakemake would train the finished run again
        checkpoints=f"{RESULTS}/runs/{{method}}/seed{{seed}}/checkpoints",
        training={key: config["training"][key] for key in ("checkpoint_interval", "steps")},
        settings=rules.evaluate.params.settings,
        benchmarks=rules.evaluate.params.benchmarks,
    message:
        "Evaluating the checkpoints of {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/evaluate_checkpoints.py"


# figure -> its methods and benchmarks, in the order of the configuration, and whether it shows the training reward.
# Figure 1a compares three methods on AIME24, or on the benchmark that replaces it.
HARD = [name for name, row in BENCHMARKS.items() if "AIME24" in (row["title"], row.get("mirrors"))]
COMPARED = [name for name, row in METHODS.items() if row["score"] in ("full", "rand", "lim") and not row.get("probe")]
OVER_STEPS = {
    "figure1a": {"methods": COMPARED, "benchmarks": HARD[:1], "rewards": False},
    "figure3": {"methods": list(METHODS), "benchmarks": BENCHMARKS, "rewards": True},
    "figure4": {"methods": list(METHODS), "benchmarks": BENCHMARKS, "rewards": False},
}
if not (COMPARED and HARD):
    del OVER_STEPS["figure1a"]


# This loop makes one rule for each figure.
for figure, shown in OVER_STEPS.items():

    TARGETS += [f"figures/{figure}.{kind}" for kind in ("svg", "png", "csv")]

    rule:
        name:
            figure
        input:
            evaluations=[
                file
                for method in shown["methods"]
                for file in files_per_seed(rules.evaluate_checkpoints.output.steps, method=method)
            ],
            metrics=[
                file
                for method in shown["methods"]
                for file in files_per_seed(rules.train.output.metrics, method=method)
                if shown["rewards"]
            ],
        output:
            svg=f"{RESULTS}/figures/{figure}.svg",
            png=in_report(
                f"{RESULTS}/figures/{figure}.png",
                caption=f"../workflow/report/{figure}.rst",
                category="Training",
            ),
            csv=f"{RESULTS}/figures/{figure}.csv",
        log:
            f"{RESULTS}/logs/figures/{figure}.log",
        localrule: True
        conda:
            # the intervals need scipy, which the environment of the selection lacks
            environment_of(config["training"])
        params:
            methods=shown["methods"],
            all_methods=list(METHODS),
            seeds=SEEDS,
            titles={name: BENCHMARKS[name]["title"] for name in shown["benchmarks"]},
            confidence=config["report"]["confidence"],
        message:
            f"Drawing {figure}"
        script:
            "../workflow/scripts/figures_over_steps.py"


TARGETS += [f"figures/figure1b.{kind}" for kind in ("svg", "png", "csv")]


rule figure1b:
    input:
        table2=rules.table2.output.json,
    output:
        svg=f"{RESULTS}/figures/figure1b.svg",
        png=in_report(
            f"{RESULTS}/figures/figure1b.png",
            caption="../workflow/report/figure1b.rst",
            category="Training",
        ),
        csv=f"{RESULTS}/figures/figure1b.csv",
    log:
        f"{RESULTS}/logs/figures/figure1b.log",
    localrule: True
    conda:
        "../envs/selection.yaml"
    message:
        "Drawing figure1b"
    script:
        "../workflow/scripts/accuracy_bars.py"
