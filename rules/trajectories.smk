# What each prompt earned at each visit: from the probe, which is FULL's training run, or from other people's.


if not TRAINS:

    rule extract_trajectories:
        input:
            file=config["trajectories"]["path"],
        output:
            trajectories=f"{RESULTS}/trajectories/seed{{seed}}.parquet",
        log:
            f"{RESULTS}/logs/trajectories/seed{{seed}}.log",
        conda:
            "../envs/cpu.yaml"
        params:
            visits=config["trajectories"]["visits"],
        message:
            "Reading trajectories from {input.file}"
        script:
            "../workflow/scripts/read_trajectories.py"

elif probe(METHODS):

    rule extract_trajectories:
        input:
            rollouts=f"{RESULTS}/runs/{probe(METHODS)}/seed{{seed}}/rollouts",
        output:
            trajectories=f"{RESULTS}/trajectories/seed{{seed}}.parquet",
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
