"""The plan of the evidence (config/evidence/plan.yaml): which configurations are run, and what is shown together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError

from limr.configuration.config_files import check_files
from limr.errors import LimrError, ProblemsError, suggest
from limr.settings import Settings, Text

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]  # of a file, a folder or a method


class Point(Settings):
    """One value of what a study varies."""

    at: float | int | Text = Field(description="the value of the quantity: a number, or a name if the scale is `names`")
    run: Name = Field(description="the run with the results")
    methods: dict[Name, Name] = Field(
        default=None, description="line of the figure -> its method in this run; by default the study's lines"
    )


class Study(Settings):
    """What several runs, or several methods of one run, show about one quantity."""

    title: Text = Field(description="heading of the page")
    quantity: Text = Field(description="what varies, with its unit")
    scale: Literal["linear", "log", "names"] = Field(description="the axis of the quantity")
    lines: list[Name] = Field(min_length=1, description="the lines of the figure; the first is compared with all")
    points: list[Point] = Field(min_length=1, description="the values of the quantity")
    overlap: Name = Field(
        default=None, description="method whose selection the first line's selection is compared with, at each point"
    )


class _Sections(Settings):
    configuration: Text = Field(description="the configuration file below the layers of all runs")
    runs: dict[Name, list[Name]] = Field(min_length=1, description="run -> its layers, files beside the plan")
    evidence: list[Name] = Field(min_length=1, description="the runs that are pooled, one per world")
    studies: dict[Name, Study] = Field(description="the studies by name")


@dataclass(frozen=True)
class Plan:
    """``runs``: name -> its configuration files, in the order in which Snakemake merges them."""

    runs: dict[str, list[Path]]
    evidence: list[str]
    studies: dict[str, Study]

    def results(self, run: str) -> Path:
        """The results folder of ``run``: the one that its last layer names.

        Raises LimrError if no layer names one.
        """
        layers = [yaml.safe_load(file.read_text(encoding="utf-8")) for file in self.runs[run]]
        folders = [layer["results"] for layer in layers if "results" in layer]
        if not folders:
            raise LimrError("no layer names a folder in `results`", where=f"run {run}")
        return Path(folders[-1])

    def runs_of(self, name: str) -> list[str]:
        """The runs of the study ``name``, each once."""
        return list(dict.fromkeys(point.run for point in self.studies[name].points))


def read_plan(file: Path) -> Plan:
    """Read the plan in ``file``. Its paths are relative to the folder above that of the file's folder.

    Raises LimrError for a file that is missing or no plan, for a run or layer that does not exist, and for a layer
    without sections.
    """
    check_files([file])
    try:
        sections = _Sections.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ProblemsError("the plan cannot be used", (_problem(file, one) for one in error.errors())) from None
    base = file.parent.parent.parent / sections.configuration
    runs = {
        name: [base, *(file.with_name(f"{layer}.yaml") for layer in layers)] for name, layers in sections.runs.items()
    }
    plan = Plan(runs, sections.evidence, sections.studies)
    if problems := [problem.inside(file) for problem in _contradictions(plan)]:
        raise ProblemsError("the plan cannot be used", problems)
    check_files(dict.fromkeys(layer for layers in runs.values() for layer in layers))
    return plan


def _problem(file: Path, error: Any) -> LimrError:
    message = error["msg"]
    return LimrError(message[0].lower() + message[1:], where=(file, ".".join(map(str, error["loc"]))))


def _contradictions(plan: Plan) -> Iterator[LimrError]:
    """An error for each layer without a file, each unknown run, and each point that does not fit its study."""
    for name, files in plan.runs.items():
        for path in files:
            if not path.is_file():
                yield LimrError(f"{path}: no such file", where=f"runs.{name}")
    for name in plan.evidence:
        if name not in plan.runs:
            yield LimrError(f"unknown run {name}", where="evidence", advice=suggest(name, plan.runs))
    for name, study in plan.studies.items():
        for number, point in enumerate(study.points):
            where = f"studies.{name}.points.{number}"
            if point.run not in plan.runs:
                yield LimrError(f"unknown run {point.run}", where=where, advice=suggest(point.run, plan.runs))
            if isinstance(point.at, str) != (study.scale == "names"):
                expected = "text, as the scale is `names`" if study.scale == "names" else "a number"
                yield LimrError(where=f"{where}.at", found=repr(point.at), expected=expected)
            for line in point.methods or ():
                if line not in study.lines:
                    yield LimrError(f"unknown line {line}", where=where, advice=suggest(line, study.lines))
