"""workflow/evidence.py with a stand-in for Snakemake: what is run, and what is published."""

import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from places import ROOT
from worlds_of_evidence import configuration_of, write_world

STUDY = {
    "title": "Sizes",
    "quantity": "share",
    "scale": "linear",
    "lines": ["lim", "full"],
    "points": [{"at": 0.5, "run": "sizes", "methods": {"lim": "lim"}}, {"at": 1, "run": "sizes"}],
}


@pytest.fixture(scope="module")
def command() -> ModuleType:
    """The module of the command."""
    spec = importlib.util.spec_from_file_location("evidence_command", ROOT / "workflow/evidence.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plan of two worlds, and a study in the folder of the first one."""
    layers = tmp_path / "config/layers"
    layers.mkdir(parents=True)
    (tmp_path / "config/base.yaml").write_text("report: {confidence: 0.95}\n", encoding="utf-8")
    for number in (1, 2):
        (layers / f"world_{number}.yaml").write_text(f"results: results/world_{number}\n", encoding="utf-8")
    (layers / "sizes.yaml").write_text("methods: {}\n", encoding="utf-8")
    plan = {
        "configuration": "config/base.yaml",
        "runs": {"world_1": ["world_1"], "world_2": ["world_2"], "sizes": ["world_1", "sizes"]},
        "evidence": ["world_1", "world_2"],
        "studies": {"sizes": STUDY},
    }
    (layers / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def commands(command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of Snakemake that were given. Each makes its targets, and fails if `fails` is in their name."""
    given: list[list[str]] = []

    def run(arguments: list[str], check: bool) -> subprocess.CompletedProcess:
        given.append(arguments)
        targets = [Path(target) for target in arguments[arguments.index("--") + 1 :]]
        if "--dry-run" in arguments:
            return subprocess.CompletedProcess(arguments, 0)
        if any("fails" in str(target) for target in targets):
            return subprocess.CompletedProcess(arguments, 3)
        number = 2 if "world_2" in str(targets[0]) else 1
        configuration = configuration_of(number)
        if any("sizes" in argument for argument in arguments):
            del configuration["methods"]["rand"]
        write_world(targets[0].parent, number, configuration)
        for target in targets:
            if not target.exists():
                target.write_text(f"{target.name}\n", encoding="utf-8")
        return subprocess.CompletedProcess(arguments, 0)

    monkeypatch.setattr(command.subprocess, "run", run)
    return given


def give(command: ModuleType, *arguments: str) -> int:
    return command.main([*arguments, "--plan", "config/layers/plan.yaml", "--docs", "docs/evidence"])


def files(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_evidence_runs_every_world_and_publishes_the_page_with_the_tables(command, commands, place):
    assert give(command, "evidence") == 0
    layers = [given[given.index("--configfile") + 1 : given.index("--")] for given in commands]
    assert layers == [["config/base.yaml", f"config/layers/world_{number}.yaml"] for number in (1, 2)]
    assert commands[1][commands[1].index("--") + 1] == "results/world_2/table2.md"
    pages = ["evidence.csv", "evidence.json", "evidence.md", "evidence.png", "evidence.svg"]
    tables = [f"runs/world_{number}/{name}" for number in (1, 2) for name in sorted(command.COPIED)]
    assert files(place / "docs/evidence") == pages + tables
    assert "6 training seeds" in (place / "docs/evidence/evidence.md").read_text(encoding="utf-8")


def test_a_study_in_the_folder_of_a_world_does_not_change_what_is_pooled(command, commands, place):
    assert give(command, "evidence") == give(command, "studies") == 0
    methods = {}
    for folder in ("results/world_1", "docs/evidence/runs/world_1", "docs/evidence/runs/sizes"):
        table = json.loads(Path(folder, "table2.json").read_text(encoding="utf-8"))
        methods[folder] = {row["method"] for row in table["methods"]}
    assert list(methods.values()) == [{"base", "full", "lim"}, {"base", "full", "rand", "lim"}, {"base", "full", "lim"}]
    assert {"sizes.md", "sizes.svg", "sizes.png", "sizes.csv"} <= set(files(place / "docs/evidence"))


def test_a_run_that_stops_gives_its_status_and_writes_no_page(command, commands, place, capsys):
    (place / "config/layers/world_2.yaml").write_text("results: results/fails\n", encoding="utf-8")
    assert give(command, "evidence") == 3
    assert "run world_2 stopped. Give the same command again" in capsys.readouterr().err
    assert not (place / "docs").exists()
    (place / "config/layers/world_2.yaml").write_text("results: results/world_2\n", encoding="utf-8")
    assert give(command, "evidence") == 0


def test_a_dry_run_lists_jobs_and_writes_nothing(command, commands, place, capsys):
    before = files(place)
    assert give(command, "evidence", "--dry-run") == 0
    assert all("--dry-run" in given for given in commands) and len(commands) == 2
    assert files(place) == before
    assert "run 1 of 2, world_1, in results/world_1" in capsys.readouterr().out


def test_an_unknown_study_and_worlds_that_do_not_fit_are_errors(command, commands, place, capsys):
    assert give(command, "studies", "size") == 1
    assert "unknown study size. Did you mean 'sizes'?" in capsys.readouterr().err
    assert not commands
    with pytest.raises(SystemExit):
        give(command, "evidence", "sizes")


def test_the_makefile_s_targets_are_this_command():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in ("evidence", "studies"):
        assert f"\n{target}: $(INSTALLED)\n\t$(BIN)/python workflow/evidence.py {target}\n" in makefile
