"""Rule extract_trajectories: a run as curves, with what was found in it and, where the run is not ours, its prompts."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import write_parquet
    from limr.logs.log import LogOptions
    from limr.logs.source import read_source
    from limr.subsets.subset_of_log import log_prompts

    said = dict(snakemake.params.get("source") or {"path": snakemake.input.get("rollouts")})
    path, visits = said.pop("path"), said.pop("visits", None)
    found = read_source(path, LogOptions(**said), visits)
    trajectories = Path(snakemake.output.trajectories)
    write_parquet(found.trajectories.frame(), trajectories, "trajectories")
    found.audit.write(trajectories.with_suffix(""))
    if hasattr(snakemake.output, "prompts"):
        prompts = log_prompts(found.prompts, found.trajectories.prompt_ids)
        write_parquet(prompts, snakemake.output.prompts, "log_prompts")
