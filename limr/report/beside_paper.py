"""The section of Table 2 that shows the paper's numbers beside ours: only for the paper's model and benchmarks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from limr.files.markdown import markdown_rows
from limr.report.published_results import published
from limr.report.style import BASE, method_title, percent
from limr.report.training_runs import TrainingRun, number_range

if TYPE_CHECKING:  # table2 imports this module
    from limr.report.table2 import Row


def beside_paper(
    rows: Sequence["Row"],
    runs: Mapping[str, Sequence[TrainingRun]],
    configuration: Mapping[str, Any],
    problems: Mapping[str, int],
) -> list[str]:
    """Markdown paragraphs: a table with two lines per method, ours and the paper's, and what to know about it.

    ``problems``: the number of problems of each benchmark. Empty if the paper's numbers do not belong beside ours.
    """
    if not same_experiment(configuration, problems):
        return []
    printed, benchmarks = published()["methods"], list(problems)
    lines = []
    for row in rows:
        name = method_in_paper(row.method, configuration)
        if name not in printed:
            continue
        title, theirs = method_title(row.method), printed[name]
        questions = number_range(run.questions for run in runs[row.method]) if row.method in runs else None
        ours = [*(percent(row.benchmarks[name]) for name in benchmarks), percent(row.average)]
        lines.append([f"{title}, this run", questions, *ours])
        lines.append(
            [f"{title}, paper", theirs.get("questions"), *(f"{theirs[name]:.1f}" for name in (*benchmarks, "average"))]
        )
    titles = [published()["benchmarks"][name]["title"] for name in benchmarks]
    return [
        "This run beside the paper, in percent:",
        markdown_rows(["Method", "#Questions", *titles, "Average"], lines, aligned=True),
        f"Lines *paper*: Table 2 of {published()['citation']}, as printed: one number each, without intervals,"
        " graded by the paper's own code. A difference may come from the seed, from the grader or from versions of"
        " packages.",
    ]


def method_in_paper(method: str, configuration: Mapping[str, Any]) -> str | None:
    """The name of ``method`` in the published results: its score. The paper's LIM reads the whole probe.

    >>> rows = {"mine": {"score": "lim"}, "early": {"score": "lim", "probe": {"visits": 5}}}
    >>> [method_in_paper(method, {"methods": rows}) for method in ("base", "mine", "early")]
    ['base', 'lim', None]
    """
    row = configuration["methods"].get(method, {})
    return BASE if method == BASE else None if row.get("probe") else row.get("score")


def same_experiment(configuration: Mapping[str, Any], problems: Mapping[str, int]) -> bool:
    """Whether this run has the paper's base model and all of its benchmarks, each with as many problems.

    >>> same_experiment({"base_model": {"seed": 1}}, {"synth_all": 500})
    False
    """
    model = configuration.get("base_model", {})
    expected = {name: row["problems"] for name, row in published()["benchmarks"].items()}
    return (
        model.get("repository") == published()["base_model"]
        and "path" not in model  # takes precedence, and may hold another model
        and configuration["data"]["source"] == "math"
        and dict(problems) == expected
    )
