"""Rule preflight: all that a run on GPUs needs, looked at before it starts."""

from limr.jobs.stage import stage

with stage(snakemake):
    from limr.files.atomic import write_text
    from limr.preflight import preflight, refuse_failures, report

    findings = preflight(snakemake.params.configuration)
    refuse_failures(findings)
    write_text(snakemake.output.report, report(findings))
