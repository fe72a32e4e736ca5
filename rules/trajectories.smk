# Trajectories (the mean reward of each prompt at each visit) and the audit of the run that they come from. The run is
# the probe, which is FULL's training run, or a finished run of the user.
from limr.configuration.check import source_files

if not TRAINS:
    try:
        SOURCE_FILES = source_files(config)
    except LimrError as error:
        raise WorkflowError(str(error)) from None

    rule extract_trajectories:
        input:
            # a function, because the file names may hold braces that are no wildcards
            files=lambda wildcards: SOURCE_FILES,
        output:
            trajectories=f"{RESULTS}/trajectories/seed{{seed}}.parquet",
            prompts=f"{RESULTS}/trajectories/seed{{seed}}.prompts.parquet",
            audit=f"{RESULTS}/trajectories/seed{{seed}}.audit.md",
            audit_json=f"{RESULTS}/trajectories/seed{{seed}}.audit.json",
        log:
            f"{RESULTS}/logs/trajectories/seed{{seed}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/trajectories/seed{{seed}}.tsv"
        conda:
            "../envs/selection.yaml"
        params:
            source=SECTIONS["trajectories"],
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
            "../envs/selection.yaml"
        message:
            "Extracting trajectories from the probe's rollouts (seed {wildcards.seed})"
        script:
            "../workflow/scripts/trajectories.py"
