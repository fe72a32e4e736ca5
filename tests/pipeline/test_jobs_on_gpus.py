"""On a machine that pretends to have four GPUs, jobs that need two run two at a time, on different GPUs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from workplace import ROOT

SNAKEFILE = """\
from limr.jobs.resources import gpu_resources

rule all:
    input: expand("{job}.txt", job=list("abcd"))

rule on_gpus:
    output: "{job}.txt"
    log: "{job}.log"
    resources: **gpu_resources(2)
    script: "on_gpus.py"
"""
SCRIPT = """\
import os, time
from pathlib import Path
from limr.jobs.stage import stage

with stage(snakemake):
    start = time.time()
    Path(snakemake.wildcards.job + ".started").touch()
    while len(list(Path(".").glob("*.started"))) < 2:  # the first job waits for the second, which must run beside it
        time.sleep(0.05)
        assert time.time() < start + 120, "no other job has started"
    Path(snakemake.output[0]).write_text(f"{os.environ['CUDA_VISIBLE_DEVICES']} {start} {time.time()}")
"""
NVIDIA_SMI = "#!/bin/sh\nfor gpu in 0 1 2 3; do echo $gpu, GPU-$gpu, NVIDIA H100, 81559, 4, 9.0; done\n"


def test_jobs_on_gpus_run_side_by_side_on_different_gpus(tmp_path: Path) -> None:
    (tmp_path / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    (tmp_path / "on_gpus.py").write_text(SCRIPT, encoding="utf-8")
    shutil.copytree(ROOT / "profiles", tmp_path / "profiles")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "nvidia-smi").write_text(NVIDIA_SMI, encoding="utf-8")
    (tmp_path / "bin" / "nvidia-smi").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "8"],
        cwd=tmp_path,
        env=environment | {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    jobs = [(tmp_path / f"{job}.txt").read_text(encoding="utf-8").split() for job in "abcd"]
    changes = sorted(change for _, start, end in jobs for change in ((float(start), 1), (float(end), -1)))
    at_once = [sum(change for _, change in changes[: count + 1]) for count in range(len(changes))]
    assert max(at_once) == 2, jobs
    assert {gpus for gpus, _, _ in jobs} == {"0,1", "2,3"}
