"""Run the evidence and write its pages: `make evidence` and `make studies`, or

    python workflow/evidence.py evidence
    python workflow/evidence.py studies [NAME ...]

For each run of the plan (config/evidence/plan.yaml), Snakemake makes Table 2 and the outcomes. Give the same command
again after an interruption: Snakemake continues, and finished runs take seconds. The pages, and each run's tables with
its configuration, versions and times, go to the folder PAGES and are copied to DOCS.
"""

import shutil
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # limr need not be installed

from limr.configuration.evidence_plan import Plan, read_plan  # noqa: E402
from limr.errors import LimrError, suggest  # noqa: E402
from limr.report.evidence_page import write_evidence  # noqa: E402
from limr.report.study_page import write_study  # noqa: E402

# Two runs may share a results folder, where each writes the tables of its own methods. So each run's are copied.
COPIED = ("table2.md", "table2.json", "outcomes.md", "outcomes.csv", "wall_times.md")
SUPERVISED = ("table3.md", "table3.json")  # of runs with the section `supervised`
KINDS = {"markdown": "md", "csv": "csv", "svg": "svg", "png": "png"}


def main(arguments: list[str] | None = None) -> int:
    """Do what ``arguments`` say; returns the exit status."""
    given = parse(arguments)
    try:
        plan = read_plan(given.plan)
        for name in given.names:
            if name not in plan.studies:
                raise LimrError(f"unknown study {name}", where=given.plan, advice=suggest(name, plan.studies))
        studies = [] if given.what == "evidence" else given.names or list(plan.studies)
        runs = plan.evidence if given.what == "evidence" else dict.fromkeys(
            run for study in studies for run in plan.runs_of(study)
        )  # fmt: skip
        for number, run in enumerate(runs, start=1):
            status = run_snakemake(plan, run, f"{number} of {len(runs)}", given)
            if status:
                return status
        if not given.dry_run:
            write_pages(plan, studies, given)
    except LimrError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse(arguments: list[str] | None) -> Namespace:
    """The arguments of the command."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0].rstrip(":, or"))
    parser.add_argument("what", choices=["evidence", "studies"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="studies of the plan; by default all")
    parser.add_argument("--plan", type=Path, default=ROOT / "config/evidence/plan.yaml")
    parser.add_argument("--pages", type=Path, default=Path("results/evidence/pages"))
    parser.add_argument("--docs", type=Path, default=ROOT / "docs/evidence")
    parser.add_argument("--cores", default="all")
    parser.add_argument("--dry-run", action="store_true", help="list the jobs of each run, and do nothing")
    given = parser.parse_args(arguments)
    if given.what == "evidence" and given.names:
        parser.error("`evidence` takes no names")
    return given


def tables(plan: Plan, run: str) -> tuple[str, ...]:
    """The tables of ``run``."""
    sections = {name for file in plan.runs[run] for name in yaml.safe_load(file.read_text(encoding="utf-8"))}
    return COPIED + SUPERVISED if "supervised" in sections else COPIED


def run_snakemake(plan: Plan, run: str, number: str, given: Namespace) -> int:
    """Make the tables of ``run`` and copy them to the pages; returns the exit status of Snakemake."""
    results, started = plan.results(run), time.monotonic()
    print(f"evidence: run {number}, {run}, in {results}", flush=True)
    files = [str(file) for file in plan.runs[run]]
    targets = [str(results / name) for name in tables(plan, run)]
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", given.cores]
    options = ["--dry-run", "--quiet", "rules"] if given.dry_run else []
    status = subprocess.run([*command, *options, "--configfile", *files, "--", *targets], check=False).returncode
    if status:
        again = "Give the same command again to continue (after `kill -9`, run `snakemake --unlock` first)."
        print(f"evidence: run {run} stopped. {again}", file=sys.stderr)
    elif not given.dry_run:
        copy([results / name for name in tables(plan, run)], given.pages / "runs" / run)
        print(f"evidence: run {run} is complete ({(time.monotonic() - started) / 60:.1f} minutes)", flush=True)
    return status


def write_pages(plan: Plan, studies: Iterable[str], given: Namespace) -> None:
    """Write the page of the evidence, or those of ``studies``, and copy them with the tables of their runs to docs."""
    made = given.pages / "runs"
    if given.what == "evidence":
        outputs = {kind: given.pages / f"evidence.{suffix}" for kind, suffix in (KINDS | {"json": "json"}).items()}
        write_evidence([made / run for run in plan.evidence], outputs)
        publish(plan, outputs.values(), plan.evidence, given)
    for name in studies:
        outputs = {kind: given.pages / f"{name}.{suffix}" for kind, suffix in KINDS.items()}
        runs = plan.runs_of(name)
        folders, results = {run: made / run for run in runs}, {run: plan.results(run) for run in runs}
        write_study(name, plan.studies[name], folders, results, outputs)
        publish(plan, outputs.values(), runs, given)


def publish(plan: Plan, pages: Iterable[Path], runs: Iterable[str], given: Namespace) -> None:
    """Copy ``pages`` and the tables of ``runs`` to the folder of the documentation."""
    copy([page for page in pages if page.exists()], given.docs)
    for run in runs:
        copy([given.pages / "runs" / run / name for name in tables(plan, run)], given.docs / "runs" / run)
    print(f"evidence: wrote {', '.join(str(given.docs / page.name) for page in pages if page.suffix == '.md')}")


def copy(files: Iterable[Path], folder: Path) -> None:
    """Copy ``files`` into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, folder / file.name)


if __name__ == "__main__":
    sys.exit(main())
