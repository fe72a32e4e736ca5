# Scores and subsets: one score rule a method, made from the configuration, so that a method needs no rule of its own
# and can be run again by name (--forcerun score_lim).


for method, row in METHODS.items():

    rule:
        name:
            f"score_{method}"
        input:
            **score_inputs(row),
        output:
            scores=f"{RESULTS}/scores/{method}/seed{{seed}}.parquet",
        log:
            f"{RESULTS}/logs/scores/{method}-seed{{seed}}.log",
        conda:
            "../envs/cpu.yaml"
        params:
            method=method,
            settings=row,
            ungradable=config.get("data", {}).get("ungradable", "drop"),
        message:
            f"Scoring prompts by {method} (seed {{wildcards.seed}})"
        script:
            "../workflow/scripts/score.py"


rule select:
    input:
        scores=f"{RESULTS}/scores/{{method}}/seed{{seed}}.parquet",
        prompts=f"{RESULTS}/data/train.parquet",
    output:
        subset=f"{RESULTS}/subsets/{{method}}/seed{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/subsets/{{method}}-seed{{seed}}.log",
    conda:
        "../envs/cpu.yaml"
    message:
        "Writing the subset of {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/select.py"


if FROM_TRAJECTORIES:

    rule selection_summary:
        input:
            scores=[
                file
                for files in of_each_method("{results}/scores/{method}/seed{seed}.parquet").values()
                for file in files
            ],
            trajectories=of_each_seed("{results}/trajectories/seed{seed}.parquet"),
        output:
            summary=f"{RESULTS}/selection.md",
        log:
            f"{RESULTS}/logs/selection_summary.log",
        conda:
            "../envs/cpu.yaml"
        message:
            "Summarising what each method selected"
        script:
            "../workflow/scripts/selection_summary.py"

    rule trajectories_figure:
        input:
            trajectories=f"{RESULTS}/trajectories/seed{SEEDS[0]}.parquet",
            scores=f"{RESULTS}/scores/{SHOWN}/seed{SEEDS[0]}.parquet",
        output:
            figure=report(
                f"{RESULTS}/figures/trajectories.png",
                caption="../workflow/report/trajectories.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/figures/trajectories.log",
        conda:
            "../envs/cpu.yaml"
        message:
            "Drawing trajectories against the mean curve"
        script:
            "../workflow/scripts/trajectories_figure.py"

    rule score_distribution:
        input:
            **{name: f"{RESULTS}/scores/{name}/seed{SEEDS[0]}.parquet" for name in FROM_TRAJECTORIES},
        output:
            figure=report(
                f"{RESULTS}/figures/score_distribution.png",
                caption="../workflow/report/score_distribution.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/figures/score_distribution.log",
        conda:
            "../envs/cpu.yaml"
        message:
            "Drawing the distribution of the scores"
        script:
            "../workflow/scripts/score_distribution.py"
