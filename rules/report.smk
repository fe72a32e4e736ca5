# Table 2, the learning curves, and what the stages cost.


rule table2:
    input:
        evaluations=EVALUATIONS,
        subsets=[
            file
            for files in of_each_method("{results}/subsets/{method}/seed{seed}.parquet").values()
            for file in files
        ],
        rollouts=[
            file for files in of_each_method("{results}/runs/{method}/seed{seed}/rollouts").values() for file in files
        ],
    output:
        markdown=f"{RESULTS}/table2.md",
        csv=report(
            f"{RESULTS}/table2.csv",
            caption="../workflow/report/table2.rst",
            category="Table 2",
        ),
        json=f"{RESULTS}/table2.json",
    log:
        f"{RESULTS}/logs/table2.log",
    conda:
        "../envs/cpu.yaml"
    params:
        configuration={
            "seeds": SEEDS,
            "methods": METHODS,
            "benchmarks": BENCHMARKS,
            "data": {"source": config["data"]["source"]},
            "training": {"engine": config["training"]["engine"]},
            "evaluation": config["evaluation"],
            "report": config["report"],
        },
        configuration_files=configuration_names(),
    message:
        "Writing Table 2"
    script:
        "../workflow/scripts/table2.py"


rule learning_curves:
    input:
        **of_each_method("{results}/runs/{method}/seed{seed}/metrics.parquet"),
    output:
        figure=report(
            f"{RESULTS}/figures/learning_curves.png",
            caption="../workflow/report/learning_curves.rst",
            category="Training",
        ),
    log:
        f"{RESULTS}/logs/figures/learning_curves.log",
    conda:
        "../envs/cpu.yaml"
    message:
        "Drawing the learning curves"
    script:
        "../workflow/scripts/learning_curves.py"


rule wall_times:
    input:
        EVALUATIONS,
    output:
        table=f"{RESULTS}/wall_times.md",
    log:
        f"{RESULTS}/logs/wall_times.log",
    conda:
        "../envs/cpu.yaml"
    params:
        benchmarks=f"{RESULTS}/benchmarks",
    message:
        "Adding up what the stages cost"
    script:
        "../workflow/scripts/wall_times.py"
