"""Rule early_stopping: how early the probe could have stopped."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.contracts import read_parquet
    from limr.progress import ProgressLines
    from limr.report.early_stopping_figure import draw_early_stopping
    from limr.report.early_stopping_page import write_early_stopping
    from limr.selection.early_stopping import early_stopping
    from limr.selection.scoring import pool_of
    from limr.trajectories import Trajectories, visit_matrix

    given = dict(snakemake.input.items())
    trajectories = Trajectories.read(given["trajectories"])
    prompts = read_parquet(given["prompts"], "prompts") if "prompts" in given else None
    pool, _ = pool_of(trajectories, prompts, 0, snakemake.params.ungradable)
    settings = snakemake.params.settings
    visits = visit_matrix(pool.trajectories, settings.get("signal", "reward")).values.shape[1]
    progress = ProgressLines("visits after which the probe stops", visits).update
    found = early_stopping(pool.trajectories, **settings, progress=progress)
    write_early_stopping(found, Path(snakemake.output.markdown), Path(snakemake.output.csv))
    draw_early_stopping(found, Path(snakemake.output.figure))
