"""Rule probe_measure: what methods select by the visits of training and by fixed checkpoints."""

from pathlib import Path

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.report.probe_measure import ProbeFiles, write_probe_measure

    kinds = (snakemake.input.get(name) for name in ("visits", "checkpoints", "trained", "measured"))
    probes = [ProbeFiles(*map(Path, of_seed)) for of_seed in zip(*kinds, strict=True)]
    write_probe_measure(
        snakemake.params.methods,
        dict(zip(snakemake.params.seeds, probes, strict=True)),
        prompts=Path(snakemake.input.prompts),
        ungradable=snakemake.params.ungradable,
        outputs={name: Path(path) for name, path in snakemake.output.items()},
    )
