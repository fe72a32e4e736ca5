# Supervised fine-tuning of the base model on few worked solutions, and Table 3, which compares it with reinforcement
# learning. Each learning rate of a row is a training run; the development set chooses one.
from limr.configuration.supervised_checks import compared_with_supervised


wildcard_constraints:
    row="|".join(SUPERVISED),
    rate=r"[0-9.e-]+",


COMPARED_WITH_SUPERVISED = compared_with_supervised(METHODS)
OF_ROW = f"{RESULTS}/supervised/{{row}}/seed{{seed}}"

if config["data"]["source"] == "miniature":

    rule draw_solutions:
        input:
            others=[file for name, file in rules.prepare_data.output.items() if name not in BROKEN_GOLDS],
        output:
            solutions=f"{OF_ROW}/solutions.parquet",
        log:
            f"{RESULTS}/logs/supervised/{{row}}-seed{{seed}}-solutions.log",
        localrule: True
        conda:
            "../envs/training.yaml"
        params:
            settings=lambda wildcards: SECTIONS["supervised"][wildcards.row]["solutions"],
            data={key: config["data"][key] for key in ("seed", "train")},
        message:
            "Drawing worked solutions for {wildcards.row} (seed {wildcards.seed})"
        script:
            "../workflow/scripts/draw_solutions.py"

    SOLUTIONS = rules.draw_solutions.output.solutions

else:
    for name, section in SUPERVISED.items():
        file = section["solutions"].get("file")
        if file and not Path(file).is_file():
            raise WorkflowError(f"supervised.{name}.solutions.file: {file}: no such file (docs/supervised.md)")

    rule download_solutions:
        input:
            benchmarks=[f"{RESULTS}/data/benchmarks/{name}.parquet" for name in BENCHMARKS],
            file=lambda wildcards: SUPERVISED[wildcards.row]["solutions"].get("file") or [],
        output:
            solutions=f"{RESULTS}/data/solutions/{{row}}.parquet",
            audit=f"{RESULTS}/data/solutions/{{row}}.audit.md",
            audit_json=f"{RESULTS}/data/solutions/{{row}}.audit.json",
        log:
            f"{RESULTS}/logs/supervised/{{row}}-solutions.log",
        localrule: True
        conda:
            "../envs/training.yaml"
        params:
            settings=lambda wildcards: SECTIONS["supervised"][wildcards.row]["solutions"],
        message:
            "Downloading the solutions of {wildcards.row}, or copying them from a local file"
        script:
            "../workflow/scripts/download_solutions.py"

    SOLUTIONS = rules.download_solutions.output.solutions


rule fine_tune:
    input:
        model=f"{RESULTS}/base_model",
        solutions=SOLUTIONS,
        preflight=ancient(PREFLIGHT),
    output:
        model=directory(f"{OF_ROW}/rate{{rate}}"),
    log:
        f"{RESULTS}/logs/supervised/{{row}}-seed{{seed}}-rate{{rate}}.log",
    benchmark:
        f"{RESULTS}/benchmarks/supervised/{{row}}-seed{{seed}}-rate{{rate}}.tsv"
    conda:
        environment_of(config["training"])
    threads: config["training"].get("threads", 1)
    resources:
        **training_resources({**config["training"], "nodes": 1}),
    params:
        engine=config["training"]["engine"],
        settings=settings_of_row,
        system_prompt=SYSTEM_PROMPT if config["training"]["engine"] == "openrlhf" else {},
        work=f"{RESULTS}/work/supervised/{{row}}-seed{{seed}}-rate{{rate}}",
    message:
        "Supervised fine-tuning of {wildcards.row} (seed {wildcards.seed}, learning rate {wildcards.rate})"
    script:
        "../workflow/scripts/fine_tune.py"


rule choose_learning_rate:
    input:
        models=lambda wildcards: [
            f"{OF_ROW}/rate{float(rate)!r}" for rate in SUPERVISED[wildcards.row]["learning_rates"]
        ],
        development=f"{RESULTS}/data/development.parquet",
        preflight=ancient(PREFLIGHT),
    output:
        model=directory(f"{OF_ROW}/model"),
        sweep=f"{OF_ROW}/sweep.parquet",
    log:
        f"{RESULTS}/logs/supervised/{{row}}-seed{{seed}}-sweep.log",
    benchmark:
        f"{RESULTS}/benchmarks/supervised/{{row}}-seed{{seed}}-sweep.tsv"
    conda:
        environment_of(config["evaluation"])
    threads: config["evaluation"]["threads"]
    resources:
        **evaluation_resources(config["evaluation"]),
    params:
        settings=SECTIONS["evaluation"] | {"reward_rule": config["reward"]["rule"]} | GRADER | SYSTEM_PROMPT,
    message:
        "Choosing the learning rate of {wildcards.row} on the development set (seed {wildcards.seed})"
    script:
        "../workflow/scripts/choose_learning_rate.py"


ROWS_OF_TABLE3 = [*(name for name in EVALUATED if name not in METHODS), *SUPERVISED, *COMPARED_WITH_SUPERVISED]


rule table3:
    input:
        evaluations=[
            f"{RESULTS}/evaluation/{name}/seed{seed}/{benchmark}.parquet"
            for name in ROWS_OF_TABLE3
            for seed in SEEDS
            for benchmark in BENCHMARKS
        ],
        prompts=f"{RESULTS}/data/train.parquet",
        subsets=[
            file
            for method in COMPARED_WITH_SUPERVISED
            for file in files_per_seed("{results}/subsets/{method}/seed{seed}.parquet", method=method)
        ],
        rollouts=[
            file
            for method in COMPARED_WITH_SUPERVISED
            for file in files_per_seed("{results}/runs/{method}/seed{seed}/rollouts", method=method)
        ],
        solutions=expand(SOLUTIONS, row=SUPERVISED, seed=SEEDS),
        sweeps=expand(rules.choose_learning_rate.output.sweep, row=SUPERVISED, seed=SEEDS),
    output:
        markdown=f"{RESULTS}/table3.md",
        csv=in_report(
            f"{RESULTS}/table3.csv",
            caption="../workflow/report/table3.rst",
            category="Table 3",
        ),
        json=f"{RESULTS}/table3.json",
    log:
        f"{RESULTS}/logs/table3.log",
    localrule: True
    conda:
        # the caption names the versions of the packages that trained the models
        environment_of(config["training"])
    params:
        configuration={key: value for key, value in config.items() if key != "results"},
        configuration_files=configuration_names(),
        methods=COMPARED_WITH_SUPERVISED,
        # by row and seed: published solutions are one file for all seeds, which the input lists once
        solutions={row: [str(SOLUTIONS).format(row=row, seed=seed) for seed in SEEDS] for row in SUPERVISED},
    message:
        "Writing Table 3"
    script:
        "../workflow/scripts/table3.py"
