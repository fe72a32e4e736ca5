# Tables 1 and 2, the time and cost of the stages, the learning curves, and the report.

# Snakemake's benchmark files of this configuration. Their folder may also hold files of an earlier configuration.
BENCHMARK_FILES = [
    *([] if is_pretrained(config["base_model"]) else [rules.pretrain_base_model.benchmark]),
    *files_per_seed(rules.train.benchmark, method=METHODS),
    *files_per_seed(rules.evaluate.benchmark, method=EVALUATED),
]
if FROM_TRAJECTORIES:
    BENCHMARK_FILES += files_per_seed(rules.extract_trajectories.benchmark)
if MEASURED:
    BENCHMARK_FILES += files_per_seed(rules.measure_checkpoints.benchmark)
if DEVELOPMENT_SELECTED:
    BENCHMARK_FILES += files_per_seed(rules.evaluate_selected.benchmark, method=METHODS)


rule table2:
    input:
        evaluations=EVALUATIONS,
        problems=(
            [f"{RESULTS}/data/benchmarks/{name}.parquet" for name in BENCHMARKS]
            if PREFIX or DEVELOPMENT_SELECTED
            else []
        ),
        selected=files_per_seed(rules.evaluate_selected.output.steps, method=METHODS) if DEVELOPMENT_SELECTED else [],
        prompts=f"{RESULTS}/data/train.parquet",
        subsets=[
            file
            for files in files_per_method("{results}/subsets/{method}/seed{seed}.parquet").values()
            for file in files
        ],
        rollouts=[
            file
            for files in files_per_method("{results}/runs/{method}/seed{seed}/rollouts").values()
            for file in files
        ],
        measured=files_per_seed(MEASURED_ROLLOUTS) if MEASURED else [],
    output:
        markdown=f"{RESULTS}/table2.md",
        csv=in_report(
            f"{RESULTS}/table2.csv",
            caption="../workflow/report/table2.rst",
            category="Table 2",
        ),
        json=f"{RESULTS}/table2.json",
        # a separate file, because two runs of one configuration must give the same table, byte for byte
        wall_times=f"{RESULTS}/wall_times.md",
    log:
        f"{RESULTS}/logs/table2.log",
    localrule: True
    conda:
        # the caption names the versions of the packages that trained the models
        environment_of(config["training"])
    params:
        # without the folder of the results, so that the same run in two folders gives the same table
        configuration={key: value for key, value in config.items() if key != "results"},
        configuration_files=configuration_names(),
        benchmarks=f"{RESULTS}/benchmarks",
        benchmark_files=[str(file) for file in BENCHMARK_FILES],
    message:
        "Writing Table 2"
    script:
        "../workflow/scripts/table2.py"


rule table1:
    input:
        **files_per_method("{results}/subsets/{method}/seed{seed}.parquet"),
    output:
        markdown=f"{RESULTS}/table1.md",
        csv=in_report(
            f"{RESULTS}/table1.csv",
            caption="../workflow/report/table1.rst",
            category="Table 1",
        ),
    log:
        f"{RESULTS}/logs/table1.log",
    localrule: True
    conda:
        "../envs/selection.yaml"
    params:
        base_model={key: value for key, value in SECTIONS["base_model"].items() if key in ("path", "repository")},
    message:
        "Writing Table 1"
    script:
        "../workflow/scripts/table1.py"


rule outcomes:
    input:
        evaluations=EVALUATIONS,
        metrics=[
            file
            for files in files_per_method("{results}/runs/{method}/seed{seed}/metrics.parquet").values()
            for file in files
        ],
        rollouts=rules.table2.input.rollouts,
        measured=files_per_seed(MEASURED_ROLLOUTS) if MEASURED else [],
    output:
        markdown=f"{RESULTS}/outcomes.md",
        csv=in_report(
            f"{RESULTS}/outcomes.csv",
            caption="../workflow/report/outcomes.rst",
            category="Outcomes",
        ),
    log:
        f"{RESULTS}/logs/outcomes.log",
    localrule: True
    conda:
        environment_of(config["training"])
    params:
        configuration={key: value for key, value in config.items() if key != "results"},
    message:
        "Comparing what the methods achieve and cost"
    script:
        "../workflow/scripts/outcomes.py"


rule learning_curves:
    input:
        **files_per_method("{results}/runs/{method}/seed{seed}/metrics.parquet"),
    output:
        figure=in_report(
            f"{RESULTS}/figures/learning_curves.png",
            caption="../workflow/report/learning_curves.rst",
            category="Training",
        ),
    log:
        f"{RESULTS}/logs/figures/learning_curves.log",
    localrule: True
    conda:
        "../envs/selection.yaml"
    message:
        "Drawing the learning curves"
    script:
        "../workflow/scripts/learning_curves.py"


# What to see in each table and figure. `snakemake --report` shows the same texts, except those of NAME.md.rst: a figure
# NAME has its own.
CAPTIONS = {
    file.stem: file.read_text(encoding="utf-8") for file in Path(workflow.basedir).glob("workflow/report/*.rst")
}


rule report_page:
    input:
        # a function, because rules that are included later may add targets
        pages=lambda wildcards: [f"{RESULTS}/{target}" for target in TARGETS if target != "report.html"],
        table2=rules.table2.output.json,
    output:
        html=f"{RESULTS}/report.html",
        markdown=f"{RESULTS}/report.md",
    log:
        f"{RESULTS}/logs/report_page.log",
    localrule: True
    conda:
        "../envs/selection.yaml"
    params:
        captions=canonical(CAPTIONS),
    message:
        "Writing the report"
    script:
        "../workflow/scripts/report_page.py"
