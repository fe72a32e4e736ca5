# Checks in seconds, before a run spends GPU-days, that the machine has everything the run needs.

# Later stages take the report as `ancient`, because checking the machine again is no reason to train again.
PREFLIGHT = [f"{RESULTS}/preflight.md"] if uses_gpus(config) else []
CHECKED_SECTIONS = (
    "results",
    "seeds",
    "data",
    "base_model",
    "training",
    "reward",
    "methods",
    "evaluation",
)

if PREFLIGHT:

    rule preflight:
        output:
            report=PREFLIGHT[0],
        log:
            f"{RESULTS}/logs/preflight.log",
        priority: 1
        conda:
            "../envs/openrlhf.yaml"
        resources:
            **preflight_resources(config),
        params:
            configuration={section: SECTIONS[section] for section in CHECKED_SECTIONS}
            | {"base_model": BASE_MODEL}
            | {key: SECTIONS[key] for key in ("supervised",) if key in SECTIONS},
        message:
            "Checking arguments, packages, GPUs, memory, disk, model, data and grader"
        script:
            "../workflow/scripts/preflight.py"
