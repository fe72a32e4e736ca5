"""Rule extract_trajectories: the trajectories of a run, its audit and, for a finished run, its prompts."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import write_parquet
    from limr.logs.log import LogOptions
    from limr.logs.source import read_source
    from limr.subsets.subset_of_log import log_prompts

    options = dict(snakemake.params.get("source") or {"path": snakemake.input.get("rollouts")})
    path, visits = options.pop("path"), options.pop("visits", None)
    source = read_source(path, LogOptions(**options), visits)
    trajectories = Path(snakemake.output.trajectories)
    write_parquet(source.trajectories.frame(), trajectories, "trajectories")
    source.audit.write(trajectories.with_suffix(""))
    if hasattr(snakemake.output, "prompts"):
        prompts = log_prompts(source.prompts, source.trajectories.prompt_ids)
        write_parquet(prompts, snakemake.output.prompts, "log_prompts")
