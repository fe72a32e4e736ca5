"""Pre-flight: each thing that a run can lack is found, said with what to do, and does not hide the others."""

import contextlib
import copy
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
from tiny_model import save_model

from limr import preflight as preflight_module
from limr.cli.main import main
from limr.data.source_rows import digest, read_problems
from limr.data.sources import SOURCES, Source
from limr.errors import LimrError
from limr.preflight import Finding, machine, preflight, refuse_failures, report, toolkit
from limr.preflight.estimates import shape_of
from limr.preflight.facts import Facts

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
    """A folder, first among those of packages, in which those of a GPU machine seem to be installed."""
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
    """The paper's configuration on a machine that has all it asks for, as far as pre-flight looks."""
    pretend_gpus(tmp_path, monkeypatch, *[H100] * 8)
    pretend_cuda(tmp_path, monkeypatch)
    model = tmp_path / "model"
    save_model(model)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # where a test has no hub of its own
    (model / "config.json").write_text(json.dumps(MATH_7B), encoding="utf-8")
    monkeypatch.setattr("limr.models.checkpoint.check_checkpoint", lambda path: None)  # its weights are not there
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
    """A torch for CUDA, a driver, and compilers on PATH; without ``nvcc`` none."""
    monkeypatch.setattr("torch.version.cuda", torch)
    monkeypatch.setattr(toolkit, "driver_cuda", lambda: driver)
    monkeypatch.setattr(toolkit, "_TOOLKIT", folder / "no_toolkit")
    for name in ("CUDA_HOME", "CUDA_PATH", "CXX", "DS_SKIP_CUDA_CHECK"):
        monkeypatch.delenv(name, raising=False)
    tools = folder / "compilers"
    tools.mkdir(exist_ok=True)
    for name, says in (("nvcc", f"Cuda compilation tools, release {nvcc}, V{nvcc}.88"), ("ninja", "1"), ("c++", "1")):
        (tools / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    if not nvcc:
        (tools / "nvcc").unlink()
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")


def disk_of(gigabytes: float) -> Any:
    return type("Usage", (), {"free": gigabytes * 1e9, "total": gigabytes * 1e9})


def wrong(configuration: dict[str, Any]) -> list[str]:
    return [f"{finding.about}: {finding.text}" for finding in preflight(configuration) if not finding.good]


def test_a_machine_that_has_all_is_told_so_about_everything(configuration):
    findings = preflight(configuration)
    assert [finding.text for finding in findings if not finding.good] == []
    assert {finding.about for finding in findings} == set(preflight_module.CHECKS)
    refuse_failures(findings)
    assert "| ok | GPUs | 8 x NVIDIA H100 80GB HBM3 (80 GiB) |" in report(findings)


def test_everything_that_is_wrong_is_listed_and_not_the_first_alone(configuration, tmp_path, packages, monkeypatch):
    pretend_gpus(tmp_path, monkeypatch, H100)
    install(packages, "vllm", "0.8.0")
    configuration["base_model"] = {"path": str(tmp_path / "nowhere")}
    found = wrong(configuration)
    assert {line.split(":")[0] for line in found} >= {"GPUs", "packages", "base model"}
    with pytest.raises(LimrError) as caught:
        refuse_failures(preflight(configuration))
    assert all(line in str(caught.value) for line in found)


@pytest.mark.parametrize("name", ["ray", "flash-attn", "vllm"])
def test_a_package_that_is_missing_is_named(configuration, packages, monkeypatch, name):
    for folder in packages.glob(f"{name.replace('-', '_')}-*"):
        (folder / "METADATA").unlink()
        folder.rmdir()
    if any(line.startswith(f"packages: {name} is not installed") for line in wrong(configuration)):
        return
    pytest.skip(f"{name} is installed where these tests run")


@pytest.mark.parametrize("name", ["vllm", "ray", "transformers", "openrlhf"])
def test_another_version_than_the_installed_openrlhf_asks_for_is_named(configuration, packages, name):
    install(packages, name, "1.2.3", PINS if name == "openrlhf" else ())
    expected = VERSIONS[name]
    way_out = "make the environment (envs/install_openrlhf.sh gpu .venv-openrlhf) and run this in it"
    assert f"packages: found {name} 1.2.3, expected {expected}: {way_out}" in wrong(configuration)


def test_a_build_s_own_mark_is_no_other_version(configuration, packages):
    install(packages, "vllm", "0.29.0+cu130")
    assert wrong(configuration) == []


def test_arguments_that_openrlhf_refuses_are_named(configuration, packages):
    refusing = ACCEPTS_EVERYTHING.replace("parse_known_args()[0]", "parse_args()")
    (packages / "openrlhf" / "cli" / "train_ppo_ray.py").write_text(refusing, encoding="utf-8")
    (line,) = wrong(configuration)
    assert line.startswith("OpenRLHF's arguments: OpenRLHF 0.11.2 refuses these arguments: unrecognized arguments: --")


def test_arguments_of_the_configuration_that_openrlhf_refuses_are_told_with_where_they_stand(configuration, packages):
    configuration["training"]["arguments"] = {"rollout.temp": 1.0}
    refusing = ACCEPTS_EVERYTHING.replace("parse_known_args()[0]", "parse_args()")
    (packages / "openrlhf" / "cli" / "train_ppo_ray.py").write_text(refusing, encoding="utf-8")
    (line,) = wrong(configuration)
    assert "--rollout.temp 1.0. Look at training.arguments (rollout.temp): they take whole names" in line


@pytest.mark.parametrize(
    ("cuda", "expected"),
    [
        ({"driver": 12}, "CUDA: the driver knows CUDA 12, torch "),
        ({"nvcc": "12.8"}, "CUDA: found nvcc of CUDA 12.8, expected that of CUDA 13.0, which torch "),
        ({"nvcc": "13.2"}, "CUDA: found nvcc of CUDA 13.2, expected that of CUDA 13.0, which torch "),
        ({"nvcc": ""}, "CUDA: found no nvcc, expected that of CUDA 13.0, which torch "),
        ({"torch": None}, "is a build without CUDA: make the environment anew"),
    ],
)
def test_a_driver_or_a_compiler_of_another_cuda_than_torch_s_is_named(
    configuration: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cuda: Mapping[str, Any],
    expected: str,
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'pretended'}:/usr/bin:/bin")
    pretend_cuda(tmp_path, monkeypatch, **cuda)
    (line,) = wrong(configuration)
    assert expected in line


def test_a_compiler_that_is_not_on_the_path_is_named(configuration, tmp_path, monkeypatch):
    (tmp_path / "compilers" / "ninja").unlink()
    monkeypatch.setenv("PATH", f"{tmp_path / 'pretended'}:{tmp_path / 'compilers'}")
    monkeypatch.setattr(machine, "gpus", lambda facts: [])  # whose stand-in needs more of PATH
    found = [line for line in wrong(configuration) if line.startswith("CUDA")]
    assert len(found) == 1 and found[0].startswith("CUDA: not on PATH: ninja, with which DeepSpeed")
    monkeypatch.setenv("CXX", "x86_64-conda-linux-gnu-c++ -O2")
    assert any("not on PATH: ninja and x86_64-conda-linux-gnu-c++, with" in line for line in wrong(configuration))


def test_nvcc_is_looked_for_where_torch_looks(tmp_path, monkeypatch):
    pretend_cuda(tmp_path, monkeypatch, nvcc="13.0")
    assert toolkit.nvcc_cuda() == "13.0"
    monkeypatch.setenv("CUDA_HOME", str(tmp_path / "nowhere"))
    assert toolkit.nvcc_cuda() is None, "what CUDA_HOME names is taken, and nothing else"


@pytest.mark.parametrize(
    ("gpus", "expected"),
    [
        ([], "GPUs: found 0 GPUs: none; expected 8, because training.gpus_per_node is 8"),
        ([H100] * 4, "GPUs: found 4 GPUs: "),
        (
            [*[H100] * 7, ("NVIDIA H100 80GB HBM3", 81559, 40000, "9.0")],
            "GPU 7: 39.1 of 79.6 GiB are in use by others: end them",
        ),
        ([("Tesla V100-SXM2-32GB", 32768, 1, "7.0")] * 8, "has compute capability 7.0, expected 8.0 or more"),
        ([("NVIDIA RTX A5000", 24564, 1, "8.6")] * 8, "memory of a GPU: learning: some 31 GiB are needed"),
    ],
)
def test_gpus_that_do_not_do_are_named_with_the_way_out(configuration, tmp_path, monkeypatch, gpus, expected):
    if gpus:
        pretend_gpus(tmp_path, monkeypatch, *gpus)
    else:
        monkeypatch.setenv("PATH", str(tmp_path))
    assert any(expected in line for line in wrong(configuration)), wrong(configuration)


@pytest.mark.parametrize(
    ("section", "setting", "value", "expected"),
    [
        ("training", "train_micro_batch_size", 32, "memory of a GPU: learning: some"),
        ("training", "gpu_memory_utilization", 0.95, "memory of a GPU: generating: some"),
        ("training", "gpu_memory_utilization", 0.15, "training: a vLLM engine has room for some 0 sequences of 4,096"),
        ("evaluation", "gpu_memory_utilization", 0.1, "evaluation: a vLLM engine has room for some 0 sequences"),
        ("evaluation", "data_parallel_size", 16, "expected 16, because evaluation.data_parallel_size x tensor"),
        ("training", "max_response_tokens", 4000, "and training.max_prompt_tokens with max_response_tokens need 5,024"),
        ("evaluation", "max_response_tokens", 4096, "and evaluation.max_response_tokens with a prompt need 4,097"),
    ],
)
def test_settings_that_do_not_fit_the_machine_or_the_model_are_named(configuration, section, setting, value, expected):
    configuration[section][setting] = value
    assert any(expected in line for line in wrong(configuration)), wrong(configuration)


def test_too_little_memory_and_disk_are_told_with_what_they_are_needed_for(configuration, monkeypatch):
    monkeypatch.setattr(machine, "_memory", lambda: 256.0)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: disk_of(2.0))
    memory, disk, shared = wrong(configuration)
    assert memory.startswith("memory: the machine: some 465 GiB are needed (optimisers 255.3 GiB, sleeping vLLM 113.5")
    assert "GB more are needed (base model 15.2 GB" in disk and "are free: name a larger disk (results)" in disk
    assert shared.startswith("disk: /dev/shm has 1.9 GiB, expected 4 or more")


def test_what_a_run_has_written_already_is_not_asked_for_again(configuration, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "_size", lambda folder: 2_900e9)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: disk_of(500))
    assert wrong(configuration) == []


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ('{"a": ', "config.json: cannot be read as JSON"),
        ("[1]", "config.json: found a list, expected an object"),
        (json.dumps({"model_type": "qwen2"}), "config.json: no 'hidden_size'; expected a dense decoder"),
        (json.dumps(MATH_7B | {"num_attention_heads": 0}), "config.json: a size is not a number, or zero"),
        (json.dumps(MATH_7B | {"hidden_size": "x"}), "config.json: a size is not a number, or zero"),
        (json.dumps(MATH_7B | {"max_position_embeddings": 1000}), "it has 1,000 positions"),
    ],
)
def test_a_config_json_that_does_not_do_is_named_and_hides_nothing_else(
    configuration: dict[str, Any], tmp_path: Path, config: str, expected: str
) -> None:
    (tmp_path / "model" / "config.json").write_text(config, encoding="utf-8")
    found = wrong(configuration)
    assert any(line.startswith(f"base model: {tmp_path / 'model'}") and expected in line for line in found), found
    assert "GPUs" in {finding.about for finding in preflight(configuration) if finding.good}


def test_results_that_cannot_be_made_are_named(configuration, tmp_path, monkeypatch):
    (tmp_path / "a_file").write_text("", encoding="utf-8")
    configuration["results"] = str(tmp_path / "a_file" / "results")
    (line,) = wrong(configuration)
    assert line.startswith("disk: results: ") and "a_file is not a folder: name another folder" in line
    configuration["results"] = str(tmp_path / "results")
    monkeypatch.setattr(machine.os, "access", lambda path, mode: path != tmp_path)  # root may write everywhere
    (line,) = wrong(configuration)
    assert line.endswith(f"because {tmp_path} may not be written to: name another folder")


def test_a_folder_that_may_not_be_looked_into_is_named(configuration, tmp_path, monkeypatch):
    closed = tmp_path / "closed"

    def is_file(path: Path) -> bool:
        if path.is_relative_to(closed):
            raise PermissionError(13, "Permission denied", str(path))
        return path.exists()

    monkeypatch.setattr(Path, "is_file", is_file)
    configuration["base_model"] = {"path": str(closed)}
    assert wrong(configuration) == [f"base model: [Errno 13] Permission denied: '{closed / 'config.json'}'"]


def test_files_with_several_names_are_counted_once(tmp_path):
    (tmp_path / "weights").write_bytes(b"x" * 100_000)
    (tmp_path / "link").hardlink_to(tmp_path / "weights")
    assert 100_000 <= machine._size(tmp_path) < 200_000


def test_where_vllm_is_for_cpus_and_nothing_is_trained_no_gpu_is_asked_for(
    configuration, packages, tmp_path, monkeypatch
):
    install(packages, "vllm", "0.29.0+cpu")
    monkeypatch.setenv("PATH", str(tmp_path))
    configuration["training"] = {"engine": "miniature"}
    assert wrong(configuration) == []


def test_a_model_of_the_hub_is_asked_for_by_its_small_files_alone(configuration, hub, tmp_path):
    save_model(tmp_path / "served")
    hub.files = {f"org/model/{file.name}": file.read_bytes() for file in (tmp_path / "served").iterdir()}
    hub.files["org/model/config.json"] = json.dumps(MATH_7B).encode()
    configuration["base_model"] = {"repository": "org/model", "revision": "0" * 40}
    assert wrong(configuration) == []
    asked = {name for name, _ in hub.downloads}
    assert asked == {f"org/model/{name}" for name in ("config.json", "tokenizer.json", "tokenizer_config.json")}


def test_a_hub_that_cannot_be_reached_is_told_at_once_for_all_that_needs_it(configuration, hub, monkeypatch):
    point_at("http://127.0.0.1:9", monkeypatch)  # nobody listens there
    configuration["base_model"] = {"repository": "org/model", "revision": "0" * 40}
    configuration["data"] = PAPER["data"]
    found = wrong(configuration)
    assert len([line for line in found if "http://127.0.0.1:9 does not answer: " in line]) == 1 + len(SOURCES)
    assert all("name local files" in line for line in found)


@pytest.fixture
def sums(hub: HubStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Source:
    """A benchmark of the hub, the only one, one of whose gold answers the grader cannot read."""
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


def test_a_benchmark_whose_gold_answers_cannot_be_graded_is_named(configuration, sums):
    configuration["data"] = {"source": "math", "prompts": "published"}
    (line,) = wrong(configuration)
    assert line.startswith("data and grader: Sums: 9 problems; the grader fails on 1 of their gold answers: 'None'")


def test_other_problems_than_the_pinned_ones_are_named(configuration, sums, hub):
    hub.files["org/sums/sums.jsonl"] = hub.files["org/sums/sums.jsonl"].replace(b'"2"', b'"3"')
    configuration["data"] = {"source": "math", "prompts": "published"}
    (line,) = wrong(configuration)
    assert "not the 9 problems of Sums" in line


def test_a_shape_is_found_where_the_model_is(configuration, tmp_path):
    assert Facts(configuration).shape == shape_of(MATH_7B)
    made = Path(configuration["results"]) / "base_model"
    made.mkdir(parents=True)
    (made / "config.json").write_text(json.dumps(MATH_7B | {"num_hidden_layers": 1}), encoding="utf-8")
    assert Facts(configuration).shape.layers == 1, "what the run will use, not what it was made from"


def test_the_command_prints_all_and_its_status_says_whether_something_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(preflight_module, "CHECKS", {"disk": lambda facts: iter(["plenty"])})
    monkeypatch.setattr(preflight_module, "no_waiting", contextlib.nullcontext)
    arguments = ["preflight", str(ROOT / "config" / "paper.yaml"), str(ROOT / "config" / "qwen2.5-math-1.5b_1gpu.yaml")]
    assert main(arguments) == 0
    assert capsys.readouterr().out == "ok    disk: plenty\n"
    monkeypatch.setattr(preflight_module, "CHECKS", {"disk": lambda facts: iter([preflight_module.Problem("none")])})
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert said.out == "WRONG disk: none\n"
    assert "preflight: 1 in the way of this run" in said.err


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["nowhere.yaml"], "nowhere.yaml: no such file; expected a configuration"),
        ([str(ROOT / "config" / "qwen2.5-7b.yaml")], "methods: this key is missing"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_an_error(files, expected, capsys):
    assert main(["preflight", *files]) == 1
    assert expected in capsys.readouterr().err


def test_the_miniature_needs_no_pre_flight(capsys):
    assert main(["preflight", str(ROOT / "config.yaml")]) == 0
    assert "nothing of this configuration runs on GPUs" in capsys.readouterr().out


def test_a_finding_is_a_row_of_the_report():
    text = report([Finding("disk", False, "too small")])
    assert text.splitlines()[-1] == "| WRONG | disk | too small |"
