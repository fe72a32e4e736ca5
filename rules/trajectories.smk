# What each prompt earned at each visit, and what was found: from the probe, which is FULL's training run, or from a run
# that is there already.
from limr.configuration.check import source_files

if not TRAINS:
    try:
        SOURCE_FILES = source_files(config)
    except LimrError as error:
        raise WorkflowError(str(error)) from None

    rule extract_trajectories:
        input:
            # a function: names of files may hold braces, which are no wildcards
            files=lambda wildcards: SOURCE_FILES,
        output:
            trajectories=f"{RESULTS}/trajectories/seed{{seed}}.parquet",
            prompts=f"{RESULTS}/trajectories/seed{{seed}}.prompts.parquet",
            audit=f"{RESULTS}/trajectories/seed{{seed}}.audit.md",
            audit_json=f"{RESULTS}/trajectories/seed{{seed}}.audit.json",
        log:
            f"{RESULTS}/logs/trajectories/seed{{seed}}.log",
        conda:
            "../envs/cpu.yaml"
        params:
            source=config["trajectories"],
        message:
            "Reading the run in {params.source[path]}"
        script:
            "../workflow/scripts/trajectories.py"

elif probe(METHODS):

    rule extract_trajectories:
        input:
            rollouts=f"{RESULTS}/runs/{probe(METHODS)}/seed{{seed}}/rollouts",
        output:
            trajectories=f"{RESULTS}/trajectories/seed{{seed}}.parquet",
            audit=f"{RESULTS}/trajectories/seed{{seed}}.audit.md",
            audit_json=f"{RESULTS}/trajectories/seed{{seed}}.audit.json",
        log:
            f"{RESULTS}/logs/trajectories/seed{{seed}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/trajectories/seed{{seed}}.tsv"
        conda:
            "../envs/cpu.yaml"
        message:
            "Extracting trajectories from the probe's rollouts (seed {wildcards.seed})"
        script:
            "../workflow/scripts/trajectories.py"
