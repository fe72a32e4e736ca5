# On a cluster (`--profile slurm`): resources are for rules that exist, and what an earlier snakemake has left running is
# dealt with before anything is submitted.
from limr.jobs.slurm_site import check_rule_names
from snakemake.logging import logger

# Snakemake ignores names of rules that it does not know, some of which are those of other configurations
if workflow.resource_settings.overwrite_resources:
    try:
        check_rule_names(workflow.resource_settings.overwrite_resources, Path(workflow.basedir, "rules"))
    except LimrError as error:
        raise WorkflowError(str(error)) from None


onstart:
    # the plugin's name for all jobs of this run; other executors have none
    run_id = getattr(getattr(workflow.scheduler, "_executor", None), "run_uuid", None)
    if run_id:
        from limr.jobs.slurm_runs import take_over

        try:
            take_over(Path(RESULTS, "logs", "slurm_runs"), run_id, logger.warning)
        except LimrError as error:
            raise WorkflowError(str(error)) from None
