# Scores and subsets. This loop makes one score rule for each method of the configuration. So a new method needs no new
# rule, and each method can be rerun by name (--forcerun score_lim).


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
        localrule: True
        conda:
            "../envs/selection.yaml"
        params:
            method=method,
            settings=SECTIONS["methods"][method],
            ungradable=UNGRADABLE,
        message:
            f"Scoring prompts by {method} (seed {{wildcards.seed}})"
        script:
            "../workflow/scripts/score.py"


rule select:
    input:
        scores=f"{RESULTS}/scores/{{method}}/seed{{seed}}.parquet",
        prompts=f"{RESULTS}/data/train.parquet" if TRAINS else f"{RESULTS}/trajectories/seed{{seed}}.prompts.parquet",
    output:
        subset=f"{RESULTS}/subsets/{{method}}/seed{{seed}}.parquet",
    log:
        f"{RESULTS}/logs/subsets/{{method}}-seed{{seed}}.log",
    localrule: True
    conda:
        "../envs/selection.yaml"
    message:
        "Writing the subset of {wildcards.method} (seed {wildcards.seed})"
    script:
        "../workflow/scripts/select.py" if TRAINS else "../workflow/scripts/select_from_log.py"


if FROM_TRAJECTORIES:

    rule selection_summary:
        input:
            scores=[
                file
                for files in files_per_method("{results}/scores/{method}/seed{seed}.parquet").values()
                for file in files
            ],
            trajectories=files_per_seed("{results}/trajectories/seed{seed}.parquet"),
            broken_golds=list(BROKEN_GOLDS.values()),
        output:
            summary=f"{RESULTS}/selection.md",
        log:
            f"{RESULTS}/logs/selection_summary.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        message:
            "Summarising the selection of each method"
        script:
            "../workflow/scripts/selection_summary.py"

    rule selection_figure:
        input:
            trajectories=f"{RESULTS}/trajectories/seed{SEEDS[0]}.parquet",
            scores=f"{RESULTS}/scores/{FIGURE_METHOD}/seed{SEEDS[0]}.parquet",
        output:
            figure=in_report(
                f"{RESULTS}/figures/selection.png",
                caption="../workflow/report/selection.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/figures/selection.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        params:
            signal=METHODS[FIGURE_METHOD].get("options", {}).get("signal"),
        message:
            "Drawing the trajectories, the scores and the size of the subset"
        script:
            "../workflow/scripts/selection_figure.py"

    rule figure2a:
        input:
            # with a run of your own, all seeds have the same trajectories
            trajectories=files_per_seed("{results}/trajectories/seed{seed}.parquet")[: None if TRAINS else 1],
        output:
            svg=f"{RESULTS}/figures/figure2a.svg",
            png=in_report(
                f"{RESULTS}/figures/figure2a.png",
                caption="../workflow/report/figure2a.rst",
                category="Selection",
            ),
            csv=f"{RESULTS}/figures/figure2a.csv",
        log:
            f"{RESULTS}/logs/figures/figure2a.log",
        localrule: True
        conda:
            # intervals over seeds need scipy, which the environment of the selection lacks
            environment_of(config["training"]) if TRAINS else "../envs/selection.yaml"
        params:
            seeds=SEEDS if TRAINS else SEEDS[:1],
            confidence=config["report"]["confidence"] if TRAINS else 0.95,
        message:
            "Drawing trajectories by kind of prompt"
        script:
            "../workflow/scripts/kinds_figure.py"

    rule figure2b:
        input:
            trajectories=f"{RESULTS}/trajectories/seed{SEEDS[0]}.parquet",
            scores=f"{RESULTS}/scores/{FIGURE_METHOD}/seed{SEEDS[0]}.parquet",
        output:
            svg=f"{RESULTS}/figures/figure2b.svg",
            png=in_report(
                f"{RESULTS}/figures/figure2b.png",
                caption="../workflow/report/figure2b.rst",
                category="Selection",
            ),
            csv=f"{RESULTS}/figures/figure2b.csv",
        log:
            f"{RESULTS}/logs/figures/figure2b.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        message:
            "Drawing single prompts' trajectories against the mean curve"
        script:
            "../workflow/scripts/trajectories_figure.py"

    rule score_distribution:
        input:
            **{name: f"{RESULTS}/scores/{name}/seed{SEEDS[0]}.parquet" for name in FROM_TRAJECTORIES},
        output:
            figure=in_report(
                f"{RESULTS}/figures/score_distribution.png",
                caption="../workflow/report/score_distribution.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/figures/score_distribution.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        params:
            all_methods=list(METHODS),
        message:
            "Drawing the distribution of the scores"
        script:
            "../workflow/scripts/score_distribution.py"


if len(METHODS) > 1:

    rule compare_methods:
        input:
            **files_per_method("{results}/scores/{method}/seed{seed}.parquet"),
        output:
            markdown=f"{RESULTS}/comparison.md",
            csv=in_report(
                f"{RESULTS}/comparison.csv",
                caption="../workflow/report/comparison.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/compare_methods.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        message:
            "Comparing the selections of the methods"
        script:
            "../workflow/scripts/compare_methods.py"


if LIM:

    rule early_stopping:
        input:
            **{name: file.format(seed=SEEDS[0]) for name, file in score_inputs(METHODS[LIM]).items()},
        output:
            markdown=f"{RESULTS}/early_stopping.md",
            csv=f"{RESULTS}/early_stopping.csv",
            figure=in_report(
                f"{RESULTS}/figures/early_stopping.png",
                caption="../workflow/report/early_stopping.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/early_stopping.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        params:
            settings=early_stopping_settings(METHODS[LIM]),
            ungradable=UNGRADABLE,
        message:
            "Computing how early the probe could have stopped"
        script:
            "../workflow/scripts/early_stopping.py"
