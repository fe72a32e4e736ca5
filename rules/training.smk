# Reinforcement learning on each method's subset, with the same settings and the same number of steps.


rule train:
    input:
        model=f"{RESULTS}/base_model",
        subset=f"{RESULTS}/subsets/{{method}}/seed{{seed}}.parquet",
        development=f"{RESULTS}/data/development.parquet",
    output:
        model=directory(f"{RESULTS}/runs/{{method}}/seed{{seed}}/model"),
        rollouts=directory(f"{RESULTS}/runs/{{method}}/seed{{seed}}/rollouts"),
        metrics=f"{RESULTS}/runs/{{method}}/seed{{seed}}/metrics.parquet",
        checkpoints=directory(f"{RESULTS}/runs/{{method}}/seed{{seed}}/checkpoints"),
        tensorboard=directory(f"{RESULTS}/runs/{{method}}/seed{{seed}}/tensorboard"),
    log:
        f"{RESULTS}/logs/train/{{method}}-seed{{seed}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/train/{{method}}-seed{{seed}}.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: config["training"]["threads"]
    params:
        settings=config["training"],
        # not an output: Snakemake deletes those of a failed job, and this is what a killed run resumes from
        work=f"{RESULTS}/work/{{method}}-seed{{seed}}",
    message:
        "Training {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/train.py"
