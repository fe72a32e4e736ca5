"""Table 1: the training data of published methods, and of the methods of this run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from limr.files.atomic import whole_file, write_text
from limr.files.contracts import read_parquet
from limr.files.markdown import markdown_rows, markdown_text
from limr.report.published_results import published
from limr.report.style import method_title
from limr.report.training_runs import number_range

_THIS_RUN, _PAPER = "**this run**", "published"


@dataclass(frozen=True)
class Row:
    """One method. ``questions`` has one number per seed; ``distilled`` is None if it is not known."""

    method: str
    citation: str | None  # None: a method of this run
    initial_model: str
    distilled: bool | None
    questions: list[int]


def write_table1(
    base_model: Mapping[str, Any], subsets: Mapping[str, Sequence[Path]], outputs: Mapping[str, Path]
) -> None:
    """Write Table 1 to ``outputs["markdown"]`` and ``outputs["csv"]``.

    - ``base_model``: the section of the configuration that names the initial model.
    - ``subsets``: method -> its subset files, one per seed.
    """
    rows = [*_published_rows(), *_own_rows(base_model, subsets)]
    write_text(outputs["markdown"], _markdown(rows))
    with whole_file(outputs["csv"]) as temporary:
        _tidy(rows).write_csv(temporary)


def _published_rows() -> list[Row]:
    return [
        Row(
            recipe["method"],
            recipe["citation"],
            recipe["initial_model"],
            recipe["long_cot_distillation"],
            [recipe["questions"]],
        )
        for recipe in published()["recipes"]
    ]


def _own_rows(base_model: Mapping[str, Any], subsets: Mapping[str, Sequence[Path]]) -> list[Row]:
    model, distilled = _initial_model(base_model)
    return [
        Row(method_title(method), None, model, distilled, [read_parquet(file, "subset").height for file in files])
        for method, files in subsets.items()
    ]


def _initial_model(base_model: Mapping[str, Any]) -> tuple[str, bool | None]:
    """The initial model, and whether long chains of thought were distilled into it."""
    if "path" in base_model:  # takes precedence over a repository
        return Path(base_model["path"]).name, None
    if "repository" not in base_model:
        return "Base (miniature, pre-trained in this run)", False
    if base_model["repository"] == published()["base_model"]:
        return f"Base ({base_model['repository']})", False
    return base_model["repository"], None


def _markdown(rows: Sequence[Row]) -> str:
    sources = list(dict.fromkeys(row.citation for row in rows if row.citation))
    header = ["Method", "Row", "Initial model", "Long CoT distillation", "#Questions", "Source"]
    cells = [
        [
            row.method,
            _PAPER if row.citation else _THIS_RUN,
            row.initial_model,
            {True: "Yes", False: "No", None: None}[row.distilled],
            number_range(row.questions),
            f"({sources.index(row.citation) + 1})" if row.citation else "subsets/",
        ]
        for row in rows
    ]
    parts = [
        "# Table 1",
        markdown_rows(header, cells, aligned=True),
        f"Rows *{_PAPER}*: Table 1 of {markdown_text(published()['citation'])}, as printed. Rows *this run*: the"
        " initial model of the configuration, and the questions counted in the files of the subsets.",
        "Initial model: the type of the model that reinforcement learning starts from. Long CoT distillation: whether"
        " this model was first trained on long chains of thought of another model; -: not known. The table compares"
        " amounts of data only. The methods differ in model, problems and training.",
        "Sources, as the paper cites them:",
        "\n".join(f"{number}. {markdown_text(source)}" for number, source in enumerate(sources, start=1)),
    ]
    return "\n\n".join(parts) + "\n"


def _tidy(rows: Sequence[Row]) -> pl.DataFrame:
    """One row per method; ``questions`` is a mean over the seeds. Rows without ``citation`` are this run's."""
    return pl.DataFrame(
        [
            {
                "method": row.method,
                "row": _PAPER if row.citation else "this run",
                "initial_model": row.initial_model,
                "long_cot_distillation": row.distilled,
                "questions": sum(row.questions) / len(row.questions),
                "citation": row.citation,
            }
            for row in rows
        ],
        schema_overrides={"long_cot_distillation": pl.Boolean, "citation": pl.String},
    )
