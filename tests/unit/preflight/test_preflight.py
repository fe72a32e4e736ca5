"""Pre-flight: everything that a run can lack is found, with advice, and no problem hides another."""

import contextlib
import copy
import importlib.metadata
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_stand_in import HubStandIn, point_at
from nvidia_smi import H100, pretend_gpus
from places import ROOT
from refusals import has, refused
from tiny_model import save_model

from limr import preflight as preflight_module
from limr.cli.main import main
from limr.data.source_rows import digest, read_problems
from limr.data.sources import SOURCES, Source
from limr.errors import LimrError, ProblemsError
from limr.preflight import machine, preflight, refuse_problems, report, toolkit
from limr.preflight.estimates import shape_of
from limr.preflight.facts import Facts
from limr.preflight.finding import Finding

PAPER = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))
MATH_7B = {
    "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28,
    "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 4096,
}  # fmt: skip
PINS = (
    "deepspeed==0.19.6",
    "ray[default]==2.55.0",
    "transformers==5.15.0",
    "flash-attn==2.8.3",
    'vllm==0.29.0; extra == "vllm"',
)
VERSIONS = {"vllm": "0.29.0", "openrlhf": "0.11.2", "deepspeed": "0.19.6", "ray": "2.55.0", "transformers": "5.15.0",
            "flash-attn": "2.8.3+cu129"}  # fmt: skip
ACCEPTS_EVERYTHING = """
if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    args = parser.parse_known_args()[0]
    train(args)
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder on the import path, in which the packages of a GPU machine seem to be installed."""
    folder = tmp_path / "site-packages"
    for name, version in VERSIONS.items():
        install(folder, name, version, PINS if name == "openrlhf" else ())
    for file, text in (
        ("__init__.py", ""),
        ("cli/train_ppo_ray.py", ACCEPTS_EVERYTHING),
        ("utils/config.py", "hierarchize = None"),
    ):
        (folder / "openrlhf" / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / "openrlhf" / file).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "openrlhf", raising=False)
    return folder


def install(folder: Path, name: str, version: str, requires: tuple[str, ...] = ()) -> None:
    for old in folder.glob(f"{name.replace('-', '_')}-*.dist-info"):
        (old / "METADATA").unlink()
        old.rmdir()
    metadata = folder / f"{name.replace('-', '_')}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {line}" for line in requires),
    ]
    metadata.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.fixture
def configuration(tmp_path: Path, packages: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The paper's configuration on a machine that has everything that pre-flight checks."""
    pretend_gpus(tmp_path, monkeypatch, *[H100] * 8)
    pretend_cuda(tmp_path, monkeypatch)
    model = tmp_path / "model"
    save_model(model)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # for tests without a stand-in for the hub
    (model / "config.json").write_text(json.dumps(MATH_7B), encoding="utf-8")
    monkeypatch.setattr(
        "limr.models.checkpoint.check_checkpoint", lambda path: None
    )  # the weights do not fit this config.json
    monkeypatch.setattr(machine, "_memory", lambda: 1000.0)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: disk_of(10_000))
    whole = copy.deepcopy(PAPER)
    whole["results"] = str(tmp_path / "results")
    whole["base_model"] = {"path": str(model)}
    whole["data"] = {"source": "miniature"}
    return whole


def pretend_cuda(
    folder: Path, monkeypatch: pytest.MonkeyPatch, torch: str | None = "13.0", driver: int = 13, nvcc: str = "13.0"
) -> None:
    """A torch for CUDA, a driver, and compilers on PATH; there is no nvcc if ``nvcc`` is empty."""
    monkeypatch.setattr("torch.version.cuda", torch)
    monkeypatch.setattr(toolkit, "driver_cuda", lambda: driver)
    monkeypatch.setattr(toolkit, "_TOOLKIT", folder / "no_toolkit")
    for name in ("CUDA_HOME", "CUDA_PATH", "CXX", "DS_SKIP_CUDA_CHECK"):
        monkeypatch.delenv(name, raising=False)
    tools = folder / "compilers"
    tools.mkdir(exist_ok=True)
    for name, output in (("nvcc", f"Cuda compilation tools, release {nvcc}, V{nvcc}.88"), ("ninja", "1"), ("c++", "1")):
        (tools / name).write_text(f"#!/bin/sh\necho '{output}'\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    if not nvcc:
        (tools / "nvcc").unlink()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")


def disk_of(gigabytes: float) -> Any:
    return type("Usage", (), {"free": gigabytes * 1e9, "total": gigabytes * 1e9})


def problems(configuration: dict[str, Any], about: str | None = None) -> list[LimrError]:
    """The problems that pre-flight finds, of one check or of all."""
    found = [finding.found for finding in preflight(configuration) if about in (None, finding.about)]
    return [problem for problem in found if isinstance(problem, LimrError)]


def the_problem(configuration: dict[str, Any], about: str) -> LimrError:
    """The problem that check ``about`` finds. There must be no other one, of any check."""
    (finding,) = [finding for finding in preflight(configuration) if not finding.good]
    assert finding.about == about
    assert isinstance(finding.found, LimrError)
    return finding.found


def test_a_machine_that_has_everything_passes_all_checks(configuration):
    findings = preflight(configuration)
    assert [finding.text for finding in findings if not finding.good] == []
    optional = {"solutions"}  # a check of the section `supervised`, which this configuration lacks
    assert {finding.about for finding in findings} == set(preflight_module.CHECKS) - optional
    refuse_problems(findings)
    assert "| ok | GPUs | 8 x NVIDIA H100 80GB HBM3 (80 GiB) |" in report(findings)


def test_every_problem_is_listed_and_not_only_the_first(configuration, tmp_path, packages, monkeypatch):
    pretend_gpus(tmp_path, monkeypatch, H100)
    install(packages, "vllm", "0.8.0")
    configuration["base_model"] = {"path": str(tmp_path / "nowhere")}
    findings = [finding for finding in preflight(configuration) if not finding.good]
    assert {finding.about for finding in findings} >= {"GPUs", "packages", "base model"}
    with refused(ProblemsError, where=("packages", "vllm"), found="0.8.0") as raised:
        refuse_problems(findings)
    assert [problem.where[0] for problem in raised.value.problems] == [finding.about for finding in findings]
    assert raised.value.what == f"pre-flight: {len(findings)} problems found"
    assert [finding.found.where[:1] for finding in findings if finding.about == "packages"] == [("vllm",)], "unchanged"


@pytest.mark.parametrize("name", ["ray", "flash-attn", "vllm"])
def test_a_missing_package_is_a_problem(configuration, packages, monkeypatch, name):
    for folder in packages.glob(f"{name.replace('-', '_')}-*"):
        (folder / "METADATA").unlink()
        folder.rmdir()
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version(name)
        pytest.skip(f"{name} is installed where these tests run")
    found = problems(configuration, "packages")
    assert any(has(problem, {"where": name, "what": "not installed"}) for problem in found), found


@pytest.mark.parametrize("name", ["vllm", "ray", "transformers", "openrlhf"])
def test_another_version_than_the_installed_openrlhf_requires_is_a_problem(configuration, packages, name):
    install(packages, name, "1.2.3", PINS if name == "openrlhf" else ())
    parts = {"where": name, "found": "1.2.3", "expected": VERSIONS[name], "advice": "envs/install_openrlhf.sh gpu"}
    assert any(has(problem, parts) for problem in problems(configuration, "packages"))


def test_the_label_of_a_build_is_not_another_version(configuration, packages):
    install(packages, "vllm", "0.29.0+cu130")
    assert problems(configuration) == []


def test_arguments_that_openrlhf_refuses_are_named(configuration, packages):
    refusing = ACCEPTS_EVERYTHING.replace("parse_known_args()[0]", "parse_args()")
    (packages / "openrlhf" / "cli" / "train_ppo_ray.py").write_text(refusing, encoding="utf-8")
    assert has(the_problem(configuration, "OpenRLHF's arguments"), {"what": "unrecognized arguments: --"})


def test_the_advice_names_the_setting_of_arguments_that_openrlhf_refuses(configuration, packages):
    configuration["training"]["arguments"] = {"rollout.temp": 1.0}
    refusing = ACCEPTS_EVERYTHING.replace("parse_known_args()[0]", "parse_args()")
    (packages / "openrlhf" / "cli" / "train_ppo_ray.py").write_text(refusing, encoding="utf-8")
    problem = the_problem(configuration, "OpenRLHF's arguments")
    assert has(problem, {"what": "--rollout.temp 1.0", "advice": "Check training.arguments (rollout.temp)."})


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [
        ({"driver": 12}, {"where": "driver", "found": "CUDA 12", "expected": "CUDA 13.0, which torch "}),
        ({"nvcc": "12.8"}, {"where": "nvcc", "found": "CUDA 12.8", "expected": "CUDA 13.0, which torch "}),
        ({"nvcc": "13.2"}, {"where": "nvcc", "found": "CUDA 13.2", "expected": "CUDA 13.0, which torch "}),
        ({"nvcc": ""}, {"where": "nvcc", "found": "no nvcc", "expected": "CUDA 13.0, which torch "}),
        ({"torch": None}, {"what": "is built without CUDA", "advice": "Make the environment again"}),
    ],
)
def test_a_driver_or_compiler_of_another_cuda_than_torch_s_is_a_problem(
    configuration: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cuda: Mapping[str, Any],
    expected: dict[str, Any],
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'pretended'}:/usr/bin:/bin")
    pretend_cuda(tmp_path, monkeypatch, **cuda)
    assert has(the_problem(configuration, "CUDA"), expected)


def test_a_compiler_that_is_not_on_the_path_is_a_problem(configuration, tmp_path, monkeypatch):
    (tmp_path / "compilers" / "ninja").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'pretended'}:{tmp_path / 'compilers'}")
    monkeypatch.setattr(machine, "gpus", lambda facts: [])  # the stand-in for nvidia-smi needs other programs on PATH
    (problem,) = problems(configuration, "CUDA")
    assert has(problem, {"what": "ninja not on PATH", "advice": "DeepSpeed compiles"})
    monkeypatch.setenv("CXX", "x86_64-conda-linux-gnu-c++ -O2")
    (problem,) = problems(configuration, "CUDA")
    assert has(problem, {"what": "ninja and x86_64-conda-linux-gnu-c++ not on PATH"})


def test_nvcc_is_searched_where_torch_searches(tmp_path, monkeypatch):
    pretend_cuda(tmp_path, monkeypatch, nvcc="13.0")
    assert toolkit.nvcc_cuda() == "13.0"
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "nowhere"))
    assert toolkit.nvcc_cuda() is None, "only the nvcc of CUDA_HOME counts"


@pytest.mark.parametrize(
    ("gpus", "about", "expected"),
    [
        ([], "GPUs", {"found": "0 GPUs", "expected": "8, because training.gpus_per_node is 8"}),
        ([H100] * 4, "GPUs", {"found": "4 GPUs", "expected": "8, because"}),
        (
            [*[H100] * 7, ("NVIDIA H100 80GB HBM3", 81559, 40000, "9.0")],
            "GPUs",
            {"where": "GPU 7", "what": "other processes use 39.1 of 79.6 GiB", "advice": "End them"},
        ),
        (
            [("Tesla V100-SXM2-32GB", 32768, 1, "7.0")] * 8,
            "GPUs",
            {"where": "GPU 0", "found": "compute capability 7.0", "expected": "8.0 or more"},
        ),
        (
            [("NVIDIA RTX A5000", 24564, 1, "8.6")] * 8,
            "memory of a GPU",
            {"where": "learning", "found": "24 GiB", "expected": "about 31 GiB", "advice": "offload_optimizer: true"},
        ),
    ],
)
def test_unsuitable_gpus_are_a_problem(configuration, tmp_path, monkeypatch, gpus, about, expected):
    if gpus:
        pretend_gpus(tmp_path, monkeypatch, *gpus)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    found = problems(configuration, about)
    assert any(has(problem, expected) for problem in found), found


@pytest.mark.parametrize(
    ("setting", "value", "about", "expected"),
    [
        ("training.train_micro_batch_size", 32, "memory of a GPU", {"where": "learning", "expected": "about "}),
        ("training.gpu_memory_utilization", 0.95, "memory of a GPU", {"where": "generating", "expected": "about "}),
        (
            "training.gpu_memory_utilization",
            0.15,
            "memory of a GPU",
            {"where": "training", "what": "cannot hold one sequence of 4,096 tokens"},
        ),
        (
            "evaluation.gpu_memory_utilization",
            0.1,
            "memory of a GPU",
            {"where": "evaluation", "what": "cannot hold one sequence"},
        ),
        (
            "evaluation.data_parallel_size",
            16,
            "GPUs",
            {"expected": "16, because evaluation.data_parallel_size x tensor_parallel_size"},
        ),
        (
            "training.max_response_tokens",
            4000,
            "base model",
            {"found": "4,096 positions", "expected": "5,024 or more, for training.max_prompt_tokens with max_response"},
        ),
        (
            "evaluation.max_response_tokens",
            4096,
            "base model",
            {"found": "4,096 positions", "expected": "4,097 or more, for evaluation.max_response_tokens with a prompt"},
        ),
    ],
)
def test_settings_that_do_not_fit_the_machine_or_the_model_are_a_problem(
    configuration, setting, value, about, expected
):
    section, key = setting.split(".")
    configuration[section][key] = value
    found = problems(configuration, about)
    assert any(has(problem, expected) for problem in found), found


def test_too_little_memory_and_disk_are_reported_with_their_uses(configuration, monkeypatch):
    monkeypatch.setattr(machine, "_memory", lambda: 256.0)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: disk_of(2.0))
    memory, disk, shared = problems(configuration)
    uses = "about 465 GiB (optimisers 255.3 GiB, sleeping vLLM 113.5 GiB"
    assert has(memory, {"where": "the machine", "found": "256 GiB", "expected": uses})
    assert has(disk, {"found": "2 GB free", "expected": "GB more (base model 15.2 GB", "advice": "Name a larger disk"})
    assert has(shared, {"where": "/dev/shm", "found": "1.9 GiB", "expected": "4 or more"})


def test_disk_space_that_a_run_uses_already_is_not_required_again(configuration, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_size", lambda folder: 2_900e9)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: disk_of(500))
    assert problems(configuration) == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('{"a": ', {"where": "config.json", "what": "cannot be read as JSON"}),
        ("[1]", {"where": "config.json", "found": "a list", "expected": "an object"}),
        (
            json.dumps({"model_type": "qwen2"}),
            {"where": "config.json", "what": "no key 'hidden_size'", "expected": "a dense decoder"},
        ),
        (
            json.dumps(MATH_7B | {"num_attention_heads": 0}),
            {"where": "config.json", "what": "a size is zero or not a number"},
        ),
        (
            json.dumps(MATH_7B | {"hidden_size": "x"}),
            {"where": "config.json", "what": "a size is zero or not a number"},
        ),
        (json.dumps(MATH_7B | {"max_position_embeddings": 1000}), {"found": "1,000 positions"}),
    ],
)
def test_an_unsuitable_config_json_is_a_problem_and_hides_no_other_problem(
    configuration: dict[str, Any], tmp_path: Path, config: str, expected: dict[str, Any]
) -> None:
    (tmp_path / "model" / "config.json").write_text(config, encoding="utf-8")
    found = problems(configuration, "base model")
    assert any(has(problem, expected) and has(problem, {"where": tmp_path / "model"}) for problem in found), found
    assert "GPUs" in {finding.about for finding in preflight(configuration) if finding.good}


def test_a_folder_of_results_that_cannot_be_created_is_a_problem(configuration, tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("", encoding="utf-8")
    configuration["results"] = str(tmp_path / "a_file" / "results")
    assert has(the_problem(configuration, "disk"), {"where": "results", "what": "a_file is not a folder"})
    configuration["results"] = str(tmp_path / "results")
    monkeypatch.setattr(machine.os, "access", lambda path, mode: path != tmp_path)  # root may write everywhere
    assert has(the_problem(configuration, "disk"), {"where": "results", "what": f"because {tmp_path} is not writable"})


def test_a_folder_that_cannot_be_read_is_a_problem(configuration, tmp_path, monkeypatch):
    closed = tmp_path / "closed"

    def is_file(path: Path) -> bool:
        if path.is_relative_to(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return path.exists()

    monkeypatch.setattr(Path, "is_file", is_file)
    configuration["base_model"] = {"path": str(closed)}
    problem = the_problem(configuration, "base model")
    assert has(problem, {"where": closed / "config.json", "what": "Permission denied"})


def test_files_with_several_names_are_counted_once(tmp_path):
    (tmp_path / "weights").write_bytes(b"x" * 100_000)
    (tmp_path / "link").hardlink_to(tmp_path / "weights")
    assert 100_000 <= machine._size(tmp_path) < 200_000


def test_no_gpu_is_needed_if_vllm_is_for_cpus_and_nothing_is_trained(configuration, packages, tmp_path, monkeypatch):
    install(packages, "vllm", "0.29.0+cpu")
    monkeypatch.setenv("PATH", str(tmp_path))
    configuration["training"] = {"engine": "miniature"}
    assert problems(configuration) == []


def test_only_the_small_files_of_a_model_on_the_hub_are_downloaded(configuration, hub, tmp_path):
    save_model(tmp_path / "served")
    hub.files = {f"org/model/{file.name}": file.read_bytes() for file in (tmp_path / "served").iterdir()}
    hub.files["org/model/config.json"] = json.dumps(MATH_7B).encode()
    configuration["base_model"] = {"repository": "org/model", "revision": "0" * 40}
    assert problems(configuration) == []
    downloaded = {name for name, _ in hub.downloads}
    assert downloaded == {f"org/model/{name}" for name in ("config.json", "tokenizer.json", "tokenizer_config.json")}


def test_an_unreachable_hub_is_a_problem_of_every_check_that_needs_it(configuration, hub, monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)  # no server listens there
    configuration["base_model"] = {"repository": "org/model", "revision": "0" * 40}
    configuration["data"] = PAPER["data"]
    found = problems(configuration)
    assert len(found) == 1 + len(SOURCES)
    assert all(has(problem, {"what": "http://127.0.0.1:9", "advice": "local files"}) for problem in found)


@pytest.fixture
def sums(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Source:
    """The only benchmark: it is on the hub, and the grader cannot read one of its gold answers."""
    rows = "".join(
        json.dumps({"problem": f"{n} + {n}?", "answer": "" if n == 3 else str(2 * n)}) + "\n" for n in range(9)
    )
    (tmp_path / "sums.jsonl").write_text(rows.replace('""', '"None"'), encoding="utf-8")
    bare = Source("Sums", "org/sums", "0" * 40, ("sums.jsonl",), "sums.jsonl", rows=9, digest="")
    source = Source("Sums", "org/sums", "0" * 40, ("sums.jsonl",), "sums.jsonl", rows=9,
                    digest=digest(read_problems([tmp_path / "sums.jsonl"], bare), bare))  # fmt: skip
    for name in list(SOURCES):
        monkeypatch.delitem(SOURCES, name)
    monkeypatch.setitem(SOURCES, "sums", source)
    hub.files["org/sums/sums.jsonl"] = (tmp_path / "sums.jsonl").read_bytes()
    return source


def test_a_benchmark_with_a_gold_answer_that_cannot_be_graded_is_a_problem(configuration, sums):
    configuration["data"] = {"source": "math", "prompts": "published"}
    problem = the_problem(configuration, "data and grader")
    assert has(problem, {"where": "Sums", "what": "1 of the gold answers of 9 problems, e.g. 'None'"})


def test_problems_that_differ_from_the_pinned_ones_are_refused(configuration, sums, hub):
    hub.files["org/sums/sums.jsonl"] = hub.files["org/sums/sums.jsonl"].replace(b'"2"', b'"3"')
    configuration["data"] = {"source": "math", "prompts": "published"}
    assert has(the_problem(configuration, "data and grader"), {"what": "the 9 problems of Sums", "found": "9 rows"})


def test_the_estimates_use_the_copy_of_the_model_that_the_run_uses(configuration, tmp_path):
    assert Facts(configuration).shape == shape_of(MATH_7B)
    made = Path(configuration["results"]) / "base_model"
    made.mkdir(parents=True)
    (made / "config.json").write_text(json.dumps(MATH_7B | {"num_hidden_layers": 1}), encoding="utf-8")
    assert Facts(configuration).shape.layers == 1, "the workflow's copy, not its source"


def test_the_command_prints_every_finding_and_fails_on_a_problem(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(preflight_module, "CHECKS", {"disk": lambda facts: iter(["plenty"])})
    monkeypatch.setattr(preflight_module, "no_waiting", contextlib.nullcontext)
    arguments = ["preflight", str(ROOT / "config" / "paper.yaml"), str(ROOT / "config" / "qwen2.5-math-1.5b_1gpu.yaml")]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "ok      disk: plenty\n"
    monkeypatch.setattr(preflight_module, "CHECKS", {"disk": lambda facts: iter([LimrError("full")])})
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == "problem disk: full\n"
    assert "preflight: 1 problem found" in printed.err


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["nowhere.yaml"], "nowhere.yaml: no such file, expected a configuration"),
        ([str(ROOT / "config" / "qwen2.5-7b.yaml")], "methods: this key is missing"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_an_error(files, expected, capsys):
    assert main(["preflight", *files]) == 1
    assert expected in capsys.readouterr().err


def test_the_miniature_needs_no_pre_flight(capsys):
    assert main(["preflight", str(ROOT / "config.yaml")]) == 0
    assert "uses no GPUs" in capsys.readouterr().out


def test_a_finding_is_a_row_of_the_report():
    text = report([Finding("disk", LimrError("too small")), Finding("memory", "16 GiB")])
    assert text.splitlines()[-2:] == ["| problem | disk | too small |", "| ok | memory | 16 GiB |"]
