# Reinforcement learning on each method's subset, with the same settings and the same number of steps.
import shutil


rule train:
    input:
        model=f"{RESULTS}/base_model",
        subset=f"{RESULTS}/subsets/{{method}}/seed{{seed}}.parquet",
        development=f"{RESULTS}/data/development.parquet",
        preflight=ancient(PREFLIGHT),
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
        environment_of(config["training"])
    threads: config["training"].get("threads", 1)
    resources:
        **training_resources(config["training"]),
    params:
        settings=SECTIONS["training"] | {"reward_rule": config["reward"]["rule"]} | GRADER | SYSTEM_PROMPT,
        # A killed run resumes from this folder. It is not an output, because Snakemake deletes those of failed jobs.
        work=f"{RESULTS}/work/{{method}}-seed{{seed}}",
    message:
        "Training {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/train.py"


onsuccess:
    # Remove the folders that finished runs would have resumed from. This must wait for the end of the workflow: if
    # Snakemake is killed before a job ends, the next run deletes the outputs of the job and starts it again. The state
    # files are removed first: without them, no run resumes from a folder that a kill left half removed.
    for run in Path(RESULTS, "work").glob("*-seed*"):
        method, seed = run.name.rsplit("-", 1)
        if Path(RESULTS, "runs", method, seed, "model").exists():
            for state in ("state.pt", "run.json"):
                (run / state).unlink(missing_ok=True)
            shutil.rmtree(run)
