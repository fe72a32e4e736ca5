# Parts of the probe, and its measure at fixed checkpoints, for the methods that have a section `probe`. Only these
# methods need the stages here; the visits of the whole probe are in trajectories.smk.

MEASURED = [name for name in FROM_TRAJECTORIES if is_measured(METHODS[name])]
# the rows that read a part of the probe; probe_measure.md reads all samples from the checkpoints
PROBE_READERS = [METHODS[name] for name in FROM_TRAJECTORIES] + [{"probe": {"measure": "checkpoints"}}] * bool(MEASURED)
# folder of trajectories -> a row that reads it
PROBE_PARTS = {folder: row for row in PROBE_READERS if (folder := trajectories_folder(row)) != "trajectories"}
MEASURED_ROLLOUTS = f"{RESULTS}/probe_checkpoints/seed{{seed}}/rollouts"


if MEASURED:

    rule measure_checkpoints:
        input:
            # the run must be finished, and these are the prompts that it visited
            metrics=f"{RESULTS}/runs/{probe(METHODS)}/seed{{seed}}/metrics.parquet",
            prompts=f"{RESULTS}/subsets/{probe(METHODS)}/seed{{seed}}.parquet",
        output:
            rollouts=directory(MEASURED_ROLLOUTS),
        log:
            f"{RESULTS}/logs/probe_checkpoints/seed{{seed}}.log",
        benchmark:
            f"{RESULTS}/benchmarks/probe_checkpoints/seed{{seed}}.tsv"
        conda:
            environment_of(config["training"])
        threads: config["training"]["threads"]
        params:
            # not an input: to make a folder that was deleted to save disk, Snakemake would train the probe again
            checkpoints=f"{RESULTS}/runs/{probe(METHODS)}/seed{{seed}}/checkpoints",
            settings={
                key: config["training"][key]
                for key in (
                    "checkpoint_interval",
                    "max_response_tokens",
                    "prompts_per_step",
                    "samples_per_prompt",
                    "steps",
                    "temperature",
                    "threads",
                )
            }
            | {"reward_rule": config["reward"]["rule"]}
            | GRADER,
        message:
            "Sampling all prompts from the checkpoints of the probe (seed {wildcards.seed})"
        script:
            "../workflow/scripts/measure_checkpoints.py"


# This loop makes one rule for each part of the probe that a method reads.
for folder, row in PROBE_PARTS.items():

    rule:
        name:
            f"extract_{Path(folder).name}"
        input:
            rollouts=MEASURED_ROLLOUTS if is_measured(row) else f"{RESULTS}/runs/{probe(METHODS)}/seed{{seed}}/rollouts",
        output:
            trajectories=f"{RESULTS}/{folder}/seed{{seed}}.parquet",
            audit=f"{RESULTS}/{folder}/seed{{seed}}.audit.md",
            audit_json=f"{RESULTS}/{folder}/seed{{seed}}.audit.json",
        log:
            f"{RESULTS}/logs/{folder}/seed{{seed}}.log",
        conda:
            "../envs/selection.yaml"
        params:
            samples=row["probe"].get("samples"),
        message:
            f"Extracting {folder} from the probe (seed {{wildcards.seed}})"
        script:
            "../workflow/scripts/probe_trajectories.py"


if MEASURED:

    TARGETS += ["probe_measure.md"]

    rule probe_measure:
        input:
            visits=files_per_seed("{results}/trajectories/seed{seed}.parquet"),
            checkpoints=files_per_seed(f"{RESULTS}/trajectories/probe_checkpoints/seed{{seed}}.parquet"),
            trained=files_per_seed(f"{RESULTS}/runs/{probe(METHODS)}/seed{{seed}}/rollouts"),
            measured=files_per_seed(MEASURED_ROLLOUTS),
            prompts=f"{RESULTS}/data/train.parquet",
        output:
            markdown=f"{RESULTS}/probe_measure.md",
            csv=in_report(
                f"{RESULTS}/probe_measure.csv",
                caption="../workflow/report/probe_measure.rst",
                category="Selection",
            ),
        log:
            f"{RESULTS}/logs/probe_measure.log",
        localrule: True
        conda:
            "../envs/selection.yaml"
        params:
            methods={name: SECTIONS["methods"][name] for name in FROM_TRAJECTORIES},
            seeds=SEEDS,
            ungradable=UNGRADABLE,
        message:
            "Comparing the selections by visits and by fixed checkpoints"
        script:
            "../workflow/scripts/probe_measure.py"
