# The problems and the base model. Problems are generated (miniature), or come from MATH and the real benchmarks.
from limr.data.sources import SOURCES, local_file

if config["data"]["source"] == "miniature":

    rule prepare_data:
        output:
            **{name: f"{RESULTS}/data/benchmarks/{name}.parquet" for name in BENCHMARKS},
            **BROKEN_GOLDS,
            train=f"{RESULTS}/data/train.parquet",
            development=f"{RESULTS}/data/development.parquet",
        log:
            f"{RESULTS}/logs/prepare_data.log",
        conda:
            "../envs/training.yaml"
        params:
            data=SECTIONS["data"],
            benchmarks=pick_keys(BENCHMARKS, "problems", "levels", "wording"),
        message:
            "Generating the problems of the training set, the development set and the benchmarks"
        script:
            "../workflow/scripts/prepare_data.py"

else:
    LOCAL_FILES = {name: local_file(name, config["data"].get("files")) for name in SOURCES}
    for name, file in LOCAL_FILES.items():
        if file and not Path(file).is_file():
            raise WorkflowError(
                f"data.files: {file}: no such file; expected {SOURCES[name].title} (docs/data.md). "
                "Without data.files it is downloaded from the hub."
            )

    rule download:
        input:
            lambda wildcards: LOCAL_FILES[wildcards.source] or [],
        output:
            problems=f"{RESULTS}/data/sources/{{source}}.parquet",
        log:
            f"{RESULTS}/logs/download/{{source}}.log",
        wildcard_constraints:
            source="|".join(SOURCES),
        localrule: True
        conda:
            "../envs/training.yaml"
        message:
            "Downloading the problems of {wildcards.source}, or copying them from a local file"
        script:
            "../workflow/scripts/download.py"

    rule prepare_data:
        input:
            **{name: f"{RESULTS}/data/sources/{name}.parquet" for name in SOURCES},
        output:
            **{name: f"{RESULTS}/data/benchmarks/{name}.parquet" for name in BENCHMARKS},
            train=f"{RESULTS}/data/train.parquet",
            development=f"{RESULTS}/data/development.parquet",
            audit=in_report(
                f"{RESULTS}/data/audit.md",
                caption="../workflow/report/audit.rst",
                category="Data",
            ),
            audit_json=f"{RESULTS}/data/audit.json",
        log:
            f"{RESULTS}/logs/prepare_data.log",
        benchmark:
            f"{RESULTS}/benchmarks/prepare_data.tsv"
        conda:
            "../envs/training.yaml"
        params:
            data=SECTIONS["data"] | GRADER,
            benchmarks=sorted(BENCHMARKS),
        message:
            "Preparing MATH and the benchmarks, and grading every gold answer against itself"
        script:
            "../workflow/scripts/prepare_math.py"


if is_pretrained(config["base_model"]):

    rule download_base_model:
        input:
            ancient(PREFLIGHT),
        output:
            model=directory(f"{RESULTS}/base_model"),
        log:
            f"{RESULTS}/logs/download_base_model.log",
        localrule: True
        conda:
            "../envs/training.yaml"
        params:
            settings={
                key: value
                for key, value in SECTIONS["base_model"].items()
                if key in ("repository", "revision", "path")
            },
        message:
            "Downloading or linking the base model, and checking its files"
        script:
            "../workflow/scripts/download_base_model.py"

else:

    rule pretrain_base_model:
        input:
            held_out=[file for name, file in rules.prepare_data.output.items() if name not in BROKEN_GOLDS],
        output:
            model=directory(f"{RESULTS}/base_model"),
        log:
            f"{RESULTS}/logs/pretrain_base_model.log",
        benchmark:
            f"{RESULTS}/benchmarks/pretrain_base_model.tsv"
        conda:
            "../envs/training.yaml"
        threads: config["base_model"]["threads"]
        params:
            settings=BASE_MODEL,
        message:
            "Pre-training the base model"
        script:
            "../workflow/scripts/pretrain_base_model.py"
