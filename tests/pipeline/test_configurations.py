"""The shipped configurations, and the errors of a wrong one before anything runs."""

import re
from pathlib import Path

import yaml
from pytest import CaptureFixture
from workplace import ROOT, Workplace

from limr.cli.main import main


def shipped(*names: str) -> list[str]:
    return ["--configfile", *(str(ROOT / name) for name in names), "--"]


def test_the_default_trains_each_method_once_and_five_seeds_five_times(tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    default = place.plan(*shipped("config.yaml"), "all")
    five_seeds = place.plan(*shipped("config.yaml", "config/five_seeds.yaml"), "all")
    assert default["train"] == 4
    assert five_seeds["train"] == 20
    assert default["pretrain_base_model"] == five_seeds["pretrain_base_model"] == 1


def test_the_error_for_an_overlay_given_alone_explains_how_to_lay_it_over_config_yaml(tmp_path: Path) -> None:
    failed = Workplace(tmp_path).snakemake("--dry-run", *shipped("config/five_seeds.yaml"), "all")
    assert failed.returncode != 0
    assert "methods: this key is missing" in failed.stdout
    assert "--configfile config.yaml FILE" in failed.stdout


def test_a_dry_run_of_the_paper_s_configuration_lists_all_jobs(tmp_path: Path) -> None:
    plan = Workplace(tmp_path).plan(*shipped("config/paper.yaml"), "all")
    assert {rule: plan[rule] for rule in ("preflight", "download", "prepare_data", "train", "evaluate")} == {
        "preflight": 1, "download": 5, "prepare_data": 1, "train": 4, "evaluate": 5
    }  # fmt: skip
    assert plan["download_base_model"] == plan["table2"] == plan["extract_trajectories"] == plan["score_lim"] == 1


def test_the_configuration_of_make_test_openrlhf_is_planned(tmp_path: Path) -> None:
    """The tests of this folder run the other small one, config/pipeline_test.yaml."""
    assert Workplace(tmp_path).plan(*shipped("config/openrlhf_test.yaml"), "all")["train"] == 2


def test_a_dry_run_with_a_local_model_neither_downloads_nor_pretrains_a_model(tmp_path: Path) -> None:
    configuration = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text(encoding="utf-8"))
    configuration["base_model"] = {"path": "anywhere"}  # without the repository that an overlay would inherit
    (tmp_path / "local.yaml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    plan = Workplace(tmp_path).plan("--configfile", "local.yaml", "--", "all")
    assert plan["table2"] == plan["download_base_model"] == 1
    assert "pretrain_base_model" not in plan


def test_the_paper_s_run_begins_with_a_pre_flight_that_lists_all_problems(tmp_path: Path) -> None:
    nowhere = ["--config", "base_model={path: nowhere}", "data={files: nowhere_else}"]
    arguments = [*nowhere, *shipped("config/paper.yaml"), "all"]
    (tmp_path / "nowhere_else" / "math").mkdir(parents=True)
    (tmp_path / "nowhere_else" / "benchmarks").mkdir()
    for file in ("math/train", "math/test", "benchmarks/math500", "benchmarks/aime24", "benchmarks/amc23"):
        (tmp_path / "nowhere_else" / f"{file}.jsonl").write_text("", encoding="utf-8")
    failed = Workplace(tmp_path).snakemake(*arguments)
    assert failed.returncode != 0
    assert "base model: base_model.path: nowhere/config.json: no such file" in failed.stdout
    assert failed.stdout.count("data and grader: nowhere_else/") == 5
    assert "Traceback" not in failed.stdout
    first = next(line for line in failed.stdout.splitlines() if re.match(r"Job \d+: ", line))
    assert "Checking arguments" in first, "not the downloads, which fail after many attempts without a hub"
    assert not (tmp_path / "results" / "paper" / "base_model").exists()


def test_the_command_reports_a_missing_local_model_too(tmp_path: Path, capsys: CaptureFixture) -> None:
    (tmp_path / "local.yaml").write_text("base_model: {path: nowhere}", encoding="utf-8")
    assert main(["preflight", str(ROOT / "config" / "paper.yaml"), str(tmp_path / "local.yaml")]) == 1
    assert "problem base model: base_model.path: nowhere/config.json: no such file" in capsys.readouterr().out


def test_the_paper_s_data_are_audited_from_local_files(reference_data: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    files = f"data={{files: {reference_data}}}"
    output = place.make("--config", files, *shipped("config/paper.yaml"), "results/paper/data/audit.md")
    assert "in the published list (MATH-FULL): 8,523 problems, 8,521 distinct" in output
    audit = (place.results / "paper" / "data" / "audit.md").read_text(encoding="utf-8")
    assert "| level 3 and more, or unknown | 8,890 |" in audit
    assert (place.results / "paper" / "data" / "benchmarks" / "aime24.parquet").exists()
    assert not (place.results / "paper" / "base_model").exists()


def test_missing_local_files_are_named_before_anything_runs(tmp_path: Path) -> None:
    arguments = ["--config", "data={files: nowhere}", *shipped("config/paper.yaml"), "results/paper/data/audit.md"]
    failed = Workplace(tmp_path).snakemake("--dry-run", *arguments)
    assert failed.returncode != 0
    assert "data.files: nowhere/math/train.jsonl: no such file; expected MATH train" in failed.stdout
    assert "Without data.files it is downloaded from the hub" in failed.stdout


def test_random_training_does_not_wait_for_the_probe(workplace: Workplace) -> None:
    plan = workplace.plan("results/runs/rand/seed0/model")
    assert plan["train"] == 1
    assert "extract_trajectories" not in plan


def test_an_unknown_key_and_a_wrong_value_stop_the_run_with_one_message(workplace: Workplace) -> None:
    def mistakes(configuration: dict) -> None:
        configuration["methods"]["lim"]["scores"] = configuration["methods"]["lim"]["score"]
        configuration["evaluation"]["top_p"] = 2

    workplace.configure(mistakes)
    failed = workplace.snakemake()
    assert failed.returncode != 0
    assert "methods.lim.scores: unknown key. Did you mean 'score'?" in failed.stdout
    assert "evaluation.top_p: found 2, expected at most 1" in failed.stdout
    assert "Traceback" not in failed.stdout
    assert not workplace.results.exists()


def test_a_theta_that_selects_nothing_is_refused_with_quantiles(one_shot_rlvr: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    text = (ROOT / "config" / "one_shot_rlvr.yaml").read_text(encoding="utf-8").replace("theta: 0.6", "theta: 0.99")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    failed = place.snakemake("--config", _path(one_shot_rlvr), "--", "results/one_shot_rlvr/scores/lim/seed0.parquet")
    assert failed.returncode != 0
    assert "theta 0.99 selects none of the 1,209 prompts" in failed.stdout
    assert "90 %: 0.880" in failed.stdout
    assert "Traceback" not in failed.stdout


def test_real_trajectories_are_scored_without_training_anything(one_shot_rlvr: Path, tmp_path: Path) -> None:
    place = Workplace(tmp_path)
    place.make("--config", _path(one_shot_rlvr), *shipped("config/one_shot_rlvr.yaml"), "all")
    results = place.results / "one_shot_rlvr"
    assert not (results / "runs").exists()
    summary = (results / "selection.md").read_text(encoding="utf-8")
    row = next(line for line in summary.splitlines() if line.startswith("| lim "))
    assert "| 1,209 | 1,209 | 575 | 47.6 % |" in row
    assert (results / "figures" / "figure2b.png").exists()
    assert (results / "figures" / "figure2a.csv").exists()


def _path(trajectories: Path) -> str:
    return f"trajectories={{path: {trajectories}}}"
