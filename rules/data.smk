# The problems, and the base model that has seen none of them.


rule prepare_data:
    output:
        **{name: f"{RESULTS}/data/benchmarks/{name}.parquet" for name in BENCHMARKS},
        train=f"{RESULTS}/data/train.parquet",
        development=f"{RESULTS}/data/development.parquet",
    log:
        f"{RESULTS}/logs/prepare_data.log",
    conda:
        "../envs/cpu.yaml"
    params:
        data=config["data"],
        benchmarks=only(BENCHMARKS, "problems", "levels"),
    message:
        "Making the problems: training set, development set and benchmarks"
    script:
        "../workflow/scripts/prepare_data.py"


rule pretrain_base_model:
    input:
        held_out=rules.prepare_data.output,
    output:
        model=directory(f"{RESULTS}/base_model"),
    log:
        f"{RESULTS}/logs/pretrain_base_model.log",
    benchmark:
        f"{RESULTS}/benchmarks/pretrain_base_model.tsv"
    conda:
        "../envs/cpu.yaml"
    threads: config["base_model"]["threads"]
    params:
        settings=config["base_model"],
    message:
        "Pre-training the base model"
    script:
        "../workflow/scripts/pretrain_base_model.py"
