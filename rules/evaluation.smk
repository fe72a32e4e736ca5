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
