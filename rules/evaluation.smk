# The base model and every trained model answer the benchmarks. Every sample is kept. With `base_model.prefix`, the base
# model answers once more, with this text before every problem.


rule evaluate:
    input:
        model=model_of,
        benchmarks=expand(
            "{results}/data/benchmarks/{benchmark}.parquet",
            results=RESULTS,
            benchmark=BENCHMARKS,
        ),
        preflight=ancient(PREFLIGHT),
    output:
        **{name: f"{RESULTS}/evaluation/{{method}}/seed{{seed}}/{name}.parquet" for name in BENCHMARKS},
    log:
        f"{RESULTS}/logs/evaluation/{{method}}-seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation/{{method}}-seed{{seed}}.tsv"
    conda:
        environment_of(config["evaluation"])
    threads: config["evaluation"]["threads"]
    resources:
        **evaluation_resources(config["evaluation"]),
    params:
        settings=evaluation_settings,
        benchmarks=pick_keys(BENCHMARKS, "samples", "temperature"),
    message:
        "Evaluating {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/evaluate.py"


rule evaluate_selected:
    input:
        benchmarks=rules.evaluate.input.benchmarks,
        metrics=f"{RESULTS}/runs/{{method}}/seed{{seed}}/metrics.parquet",
        development=f"{RESULTS}/data/development.parquet",
        # the last checkpoint, which is evaluated already
        trained=list(rules.evaluate.output),
        preflight=ancient(PREFLIGHT),
    output:
        steps=f"{RESULTS}/evaluation_selected/{{method}}/seed{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/evaluation_selected/{{method}}-seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/evaluation_selected/{{method}}-seed{{seed}}.tsv"
    conda:
        environment_of(config["evaluation"])
    threads: config["evaluation"]["threads"]
    resources:
        **evaluation_resources(config["evaluation"]),
    params:
        # not an input: to make a folder that was deleted to save disk, Snakemake would train the finished run again
        checkpoints=f"{RESULTS}/runs/{{method}}/seed{{seed}}/checkpoints",
        training={key: config["training"][key] for key in ("checkpoint_interval", "engine", "steps")},
        settings=rules.evaluate.params.settings,
        benchmarks=rules.evaluate.params.benchmarks,
    message:
        "Evaluating the best checkpoint on the development set of {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/evaluate_selected.py"
