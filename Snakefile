# LIMR (arXiv 2502.11886): from a base model to Table 2. `snakemake --cores all` makes everything.
from snakemake.utils import min_version

min_version("9.0")


# `gpu_slot` counts the GPUs of this machine. Jobs on a cluster run on other machines, so the limit does not apply there.
resource_scopes:
    gpu_slot="local",


include: "rules/common.smk"
include: "rules/slurm.smk"
include: "rules/trajectories.smk"
include: "rules/selection.smk"


if TRAINS:

    include: "rules/preflight.smk"
    include: "rules/data.smk"
    include: "rules/training.smk"
    include: "rules/probe.smk"
    include: "rules/evaluation.smk"
    include: "rules/report.smk"
    include: "rules/figures.smk"

    if SUPERVISED:

        include: "rules/supervised.smk"


rule all:
    default_target: True
    input:
        [f"{RESULTS}/{target}" for target in TARGETS],
