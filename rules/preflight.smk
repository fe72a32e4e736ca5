# Before GPU-days are spent: is all there that the run needs? A first stage, in seconds.

# What follows takes the report as `ancient`: that the machine was looked at again is no reason to train again.
PREFLIGHT = [f"{RESULTS}/preflight.md"] if uses_gpus(config) else []
LOOKED_AT = (
    "results",
    "seeds",
    "data",
    "base_model",
    "training",
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
            configuration={section: config[section] for section in LOOKED_AT},
        message:
            "Pre-flight: arguments, packages, GPUs, memory, disk, model, data and grader"
        script:
            "../workflow/scripts/preflight.py"
