"""Rule preflight: check, before a run on GPUs starts, that the machine has everything the run needs."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.atomic import write_text
    from limr.preflight import preflight, refuse_problems, report

    findings = preflight(snakemake.params.configuration)
    refuse_problems(findings)
    write_text(snakemake.output.report, report(findings))
