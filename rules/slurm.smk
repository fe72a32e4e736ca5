# On a cluster (`--profile slurm`): check that resources name existing rules. Before anything is submitted, cancel the
# waiting jobs of a killed snakemake, and wait for its running jobs.
from limr.jobs.slurm_site import check_rule_names
from snakemake.logging import logger

# Snakemake silently ignores resources of unknown rules. Rules of other configurations are allowed.
if workflow.resource_settings.overwrite_resources:
    try:
        check_rule_names(workflow.resource_settings.overwrite_resources, Path(workflow.basedir, "rules"))
    except LimrError as error:
        raise WorkflowError(str(error)) from None


onstart:
    # the SLURM plugin's name for all jobs of this run; other executors have no such attribute
    run_id = getattr(getattr(workflow.scheduler, "_executor", None), "run_uuid", None)
    if run_id:
        from limr.jobs.slurm_runs import take_over

        try:
            take_over(Path(RESULTS, "logs", "slurm_runs"), run_id, logger.warning)
        except LimrError as error:
            raise WorkflowError(str(error)) from None
