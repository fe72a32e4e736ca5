"""``snakemake --profile slurm`` without a cluster: the requests of each rule, as command lines of sbatch."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml
from places import SUPPORT
from workplace import ROOT, TEST_CONFIGURATION, Workplace

SLURM = ("sbatch", "squeue", "sacct", "sacctmgr", "sshare", "sinfo", "scontrol", "scancel")
SITE = """\
partitions:
  cpu: {max_runtime: 1440}
  gpu: {max_runtime: 2880, max_gpu: 8}
default-resources: {constraint: a100&nvlink, qos: night-7}
set-resources:
  pretrain_base_model: {runtime: 7, mem_mb: 1234}
"""
TWO_NODES = "results: results\ntraining: {nodes: 2, gpus_per_node: 4}\nevaluation: {data_parallel_size: 2}\n"
IMPATIENT = ("--retries", "0", "--slurm-init-seconds-before-status-checks", "1")
PAPER = ("--configfile", str(ROOT / "config" / "paper.yaml"), "two_nodes.yaml", "--")
DATA = [f"results/data/{file}" for file in ("train.parquet", "development.parquet")]
BENCHMARKS = [f"results/data/benchmarks/{name}.parquet" for name in ("synth_all", "synth_easy")]
EVALUATED = [Path(file).name for file in BENCHMARKS]

Jobs = dict[str, dict[str, str]]  # rule -> options of sbatch


class Recorded(Workplace):
    """A workplace with the profile and a site file, where stand-ins for SLURM's commands record their calls."""

    def __init__(self, folder: Path, site: str = SITE) -> None:
        super().__init__(folder)
        (folder / "bin").mkdir(parents=True)
        for name in SLURM:
            (folder / "bin" / name).symlink_to(SUPPORT / "sbatch_stand_in.py")
        shutil.copytree(ROOT / "slurm", folder / "slurm", ignore=shutil.ignore_patterns("site.yaml"))
        (folder / "slurm" / "site.yaml").write_text(site, encoding="utf-8")

    def command(self, *arguments: str) -> list[str]:
        command = super().command("--profile", "slurm", *IMPATIENT, *arguments)
        at = command.index("--cores")
        del command[at : at + 2]
        path = f"{self.folder}/bin:{os.environ['PATH']}"
        return ["env", f"PATH={path}", f"SBATCH_STAND_IN={self.folder}/calls", *command]

    def pretend(self, command: str, body: str) -> None:
        """Replace SLURM's ``command`` with the shell script ``body``."""
        program = self.folder / "bin" / command
        program.unlink()
        program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        program.chmod(0o755)

    def create(self, *files: str) -> None:
        """Make empty files, or folders where a path has no suffix."""
        for file in files:
            path = self.folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch() if path.suffix else path.mkdir(exist_ok=True)

    def submitted(self, *arguments: str) -> Jobs:
        """The options that each rule's job would be submitted with; the stand-in refuses every submission."""
        output = self.snakemake(*arguments).stdout
        assert (self.folder / "calls").exists(), output
        calls = [json.loads(line) for line in (self.folder / "calls").read_text(encoding="utf-8").splitlines()]
        options = [_options(arguments) for command, *arguments in calls if command == "sbatch"]
        return {re.match(r"rule_(\w+?)(_wildcards|$)", row["comment"]).group(1): row for row in options}


def _options(arguments: list[str]) -> dict[str, str]:
    """Options by name without dashes; a value is the next word or follows `=`."""
    found, words = {}, iter(arguments)
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        found[name] = value if equals or name in ("parsable", "requeue") else next(words)
    return found


def _making_the_data(folder: Path) -> Jobs:
    return _miniature(folder).submitted(DATA[0])


def _pre_training(folder: Path) -> Jobs:
    place = _miniature(folder)
    place.create(*DATA, *BENCHMARKS)
    return place.submitted("results/base_model")


def _the_rest_of_the_miniature(folder: Path) -> Jobs:
    place = _miniature(folder)
    place.create(*DATA, *BENCHMARKS)
    place.create("results/base_model", "results/subsets/rand/seed0.parquet", "results/runs/full/seed0/rollouts")
    targets = ("runs/rand/seed0/metrics", "evaluation/base/seed0/synth_all", "trajectories/seed0")
    return place.submitted(*(f"results/{target}.parquet" for target in targets))


def _evaluating_checkpoints(folder: Path) -> Jobs:
    place = _miniature(folder)
    place.create(*DATA, *BENCHMARKS, "results/base_model", "results/runs/full/seed0/model")
    place.create(*(f"results/evaluation/{name}/seed0/{file}" for name in ("base", "full") for file in EVALUATED))
    return place.submitted("results/evaluation_steps/full/seed0.parquet")


def _optional_stages(folder: Path) -> Jobs:
    """Those that only some configurations have: parts of the probe, the selected checkpoint, supervised fine-tuning."""
    place = _miniature(folder)
    place.configure(_with_optional_stages)
    place.create(*DATA, *BENCHMARKS, "results/base_model", "results/subsets/full/seed0.parquet")
    place.create("results/runs/full/seed0/model", "results/runs/full/seed0/metrics.parquet")
    place.create(*(f"results/evaluation/full/seed0/{file}" for file in EVALUATED))
    tuned, missing = "results/supervised/tuned/seed0", "results/supervised/missing/seed0"
    place.create(f"{tuned}/rate0.001", f"{missing}/solutions.parquet")
    targets = ("probe_checkpoints/seed0/rollouts", "evaluation_selected/full/seed0.parquet")
    return place.submitted(f"{tuned}/model", f"{missing}/rate0.001", *(f"results/{target}" for target in targets))


def _with_optional_stages(configuration: dict[str, Any]) -> None:
    lim = configuration["methods"]["lim"]
    configuration["methods"]["lim_checkpoints"] = {**lim, "probe": {"measure": "checkpoints"}}
    configuration["report"]["development_selected"] = True
    solutions = {"source": "miniature", "levels": [1], "share": 0.1}
    row = {"solutions": solutions, "epochs": 1, "batch_size": 4, "learning_rates": [0.001]}
    configuration["supervised"] = {"tuned": row, "missing": row}


def _preflight(folder: Path) -> Jobs:
    return _paper(folder).submitted(*PAPER, "results/preflight.md")


def _the_rest_of_the_paper_s_run(folder: Path) -> Jobs:
    place = _paper(folder)
    place.create(*DATA, *(f"results/data/benchmarks/{name}.parquet" for name in ("math500", "aime24", "amc23")))
    place.create("results/preflight.md", "results/base_model", "results/subsets/rand/seed0.parquet")
    targets = ("runs/rand/seed0/metrics", "evaluation/base/seed0/math500")
    return place.submitted(*PAPER, *(f"results/{target}.parquet" for target in targets))


def _miniature(folder: Path) -> Recorded:
    place = Recorded(folder)
    shutil.copy(TEST_CONFIGURATION, folder / "config.yaml")
    return place


def _paper(folder: Path) -> Recorded:
    place = Recorded(folder, SITE.replace("qos: night-7", "slurm_account: paper") + "  evaluate: {mem_mb: 0}\n")
    (folder / "two_nodes.yaml").write_text(TWO_NODES, encoding="utf-8")
    return place


def _without_slurm_for_a_while(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run one job that ends while SLURM does not answer, for more status checks than the plugin makes by default."""
    place = Recorded(folder)
    rule = 'rule one:\n    output: "one.txt"\n    shell: "false"\n'
    (folder / "Snakefile").write_text(rule, encoding="utf-8")
    place.pretend("sbatch", "touch one.txt; echo 17")
    place.pretend("squeue", "echo >> checks; [ $(wc -l < checks) -gt 8 ] || exit 1; echo '17|COMPLETED'")
    place.pretend("scontrol", "echo MinJobAge = 300 sec")
    command = place.command("--snakefile", "Snakefile", "--max-status-checks-per-second", "100")
    limit = ["timeout", "--signal", "KILL", "300"]  # a forgotten job would be waited for forever
    return subprocess.run([*limit, *command], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[Callable, Any]:
    """The results of the runs. They run side by side, because each one mostly waits."""
    started = [_making_the_data, _pre_training, _the_rest_of_the_miniature, _preflight, _the_rest_of_the_paper_s_run]
    started += [_evaluating_checkpoints, _optional_stages, _without_slurm_for_a_while]
    with ThreadPoolExecutor(len(started)) as pool:
        folders = (tmp_path_factory.mktemp(run.__name__) / "place" for run in started)
        return dict(zip(started, pool.map(lambda run, folder: run(folder), started, folders), strict=True))


@pytest.fixture(scope="module")
def on_cpus(runs: dict) -> Jobs:
    """The miniature's jobs, with empty files as inputs."""
    trained = runs[_the_rest_of_the_miniature] | runs[_evaluating_checkpoints] | runs[_optional_stages]
    return runs[_making_the_data] | runs[_pre_training] | trained


@pytest.fixture(scope="module")
def on_gpus(runs: dict) -> Jobs:
    """The paper's jobs, on two nodes with four GPUs each."""
    return runs[_preflight] | runs[_the_rest_of_the_paper_s_run]


def test_a_job_on_cpus_requests_its_threads_and_the_profile_s_memory_and_time(on_cpus: dict) -> None:
    for rule in ("prepare_data", "train", "evaluate", "evaluate_checkpoints", "extract_trajectories"):
        job = on_cpus[rule]
        assert (job["t"], job["mem"], job["cpus-per-task"], job["ntasks"]) == ("60", "8000", "1", "1"), rule
        assert job["p"] == "cpu"
        assert not {"gres", "gpus", "nodes"} & set(job), rule


def test_the_site_overrides_the_profile_and_its_text_is_not_evaluated(on_cpus: dict) -> None:
    assert (on_cpus["pretrain_base_model"]["t"], on_cpus["pretrain_base_model"]["mem"]) == ("7", "1234")
    assert {(job["C"], job["qos"]) for job in on_cpus.values()} == {("a100&nvlink", "night-7")}


def test_training_on_two_nodes_requests_the_gpus_of_each_node_and_one_task_per_node(on_gpus: dict) -> None:
    job = on_gpus["train"]
    assert (job["nodes"], job["ntasks"], job["gres"], job["cpus-per-task"], job["mem"]) == (
        "2", "2", "gpu:4", "32", "384000"
    )  # fmt: skip
    assert (job["p"], job["t"]) == ("gpu", "1440")
    assert "ntasks-per-gpu" not in job and "gpus" not in job


def test_evaluation_and_preflight_request_gpus_of_one_node(on_gpus: dict) -> None:
    assert (on_gpus["evaluate"]["nodes"], on_gpus["evaluate"]["gres"], on_gpus["evaluate"]["t"]) == (
        "1",
        "gpu:2",
        "480",
    )
    assert (on_gpus["preflight"]["nodes"], on_gpus["preflight"]["gres"]) == ("1", "gpu:4")
    assert {on_gpus[rule]["p"] for rule in ("evaluate", "preflight")} == {"gpu"}
    assert on_gpus["preflight"]["mem"] == "384000"
    assert "mem" not in on_gpus["evaluate"], "mem_mb: 0 requests no memory"


def test_every_rule_is_submitted_here_or_is_local(on_cpus: dict, on_gpus: dict) -> None:
    rules = [
        part for file in (ROOT / "rules").glob("*.smk") for part in re.split(r"(?m)^ *(?=rule\b)", file.read_text())
    ]
    named = {re.match(r"rule (\w+):", rule).group(1): rule for rule in rules if re.match(r"rule \w+:", rule)}
    assert {name for name, rule in named.items() if "localrule: True" not in rule} == set(on_cpus) | set(on_gpus)


def test_every_rule_in_the_profile_and_the_example_site_file_exists() -> None:
    text = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "rules").glob("*.smk"))
    rules = set(re.findall(r"(?m)^ *rule (\w+):", text))
    assert {"train", "evaluate", "prepare_data"} <= rules
    example = (ROOT / "slurm" / "site.example.yaml").read_text(encoding="utf-8")
    assert "set-resources" not in yaml.safe_load(example), "the miniature's rule train needs no GPU node"
    _, commented = example.split("# set-resources:\n")
    named = yaml.safe_load(commented.replace("#", ""))
    assert {"train", "evaluate"} <= set(named) <= rules
    profile = (ROOT / "slurm" / "config.yaml").read_text(encoding="utf-8")
    assert "set-resources: ?slurm_site.set_resources()" in profile, "the profile itself names no rule"


def test_a_job_that_ends_while_slurm_does_not_answer_is_not_forgotten(runs: dict) -> None:
    done = runs[_without_slurm_for_a_while]
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 steps (100%) done" in done.stderr


def test_an_unknown_rule_is_reported_before_anything_is_submitted(tmp_path: Path) -> None:
    place = Recorded(tmp_path / "place", "set-resources: {trian: {runtime: 7}}")
    shutil.copy(TEST_CONFIGURATION, place.folder / "config.yaml")
    failed = place.snakemake("--dry-run")
    assert failed.returncode != 0
    assert "slurm/site.yaml: set-resources.trian: no such rule. Did you mean 'train'?" in failed.stdout
    assert "Traceback" not in failed.stdout
