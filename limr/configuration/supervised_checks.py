"""Settings of the section `supervised` that contradict each other, or other sections."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from limr.errors import LimrError, shown
from limr.jobs.run_counts import number_of_solutions
from limr.training.openrlhf.openrlhf_settings import OpenRLHFSection
from limr.training.openrlhf.supervised_command import forbidden_arguments
from limr.training.supervised_settings import DistilledSolutions, SupervisedRow, WorkedSolutions

if TYPE_CHECKING:  # contradictions imports this module
    from limr.configuration.sections import Experiment


def supervised(experiment: "Experiment") -> Iterable[LimrError]:
    """An error for each setting of `supervised` that does not fit the others."""
    for name, row in (experiment.supervised or {}).items():
        where = f"supervised.{name}"
        if name in experiment.methods:
            yield LimrError(
                "a method has this name too", where=where, found=shown(name), expected="a name of its own in the tables"
            )
        yield from _solutions(f"{where}.solutions", row, experiment)
        yield from _engine(where, row, experiment)


def _solutions(where: str, row: SupervisedRow, experiment: "Experiment") -> Iterable[LimrError]:
    solutions, data = row.solutions, experiment.data
    if isinstance(solutions, WorkedSolutions):
        if data.source != "miniature":
            yield LimrError(
                where=f"{where}.source", found="miniature", expected=f"limo or s1k for `data.source: {data.source}`"
            )
        elif number_of_solutions(solutions.share, data.train) == 0:
            expected = f"at least one problem of data.train, {data.train}"
            yield LimrError(where=f"{where}.share", found=str(solutions.share), expected=expected)
        return
    if data.source == "miniature":
        yield LimrError(
            where=f"{where}.source", found=solutions.source, expected="miniature for `data.source: miniature`"
        )
    if not solutions.file and not solutions.revision:
        yield LimrError(
            "this key is missing",
            where=f"{where}.revision",
            expected=DistilledSolutions.model_fields["revision"].description or "",
            advice="A branch such as main changes. Take the newest commit of the data set's page, or name a `file`.",
        )


def _engine(where: str, row: SupervisedRow, experiment: "Experiment") -> Iterable[LimrError]:
    training = experiment.training
    if not isinstance(training, OpenRLHFSection):
        for key in ("max_tokens", "arguments"):
            if key in row.model_fields_set:
                yield LimrError("this setting is for OpenRLHF only", where=f"{where}.{key}", advice="Remove it.")
        return
    if row.max_tokens is None:
        expected = SupervisedRow.model_fields["max_tokens"].description or ""
        yield LimrError("this key is missing", where=f"{where}.max_tokens", expected=expected)
    if row.batch_size % training.gpus_per_node:
        yield LimrError(
            where=f"{where}.batch_size",
            found=str(row.batch_size),
            expected=f"a multiple of training.gpus_per_node, {training.gpus_per_node}",
            advice="Every GPU takes as many solutions.",
        )
    yield from forbidden_arguments(row.arguments, where)


def compared_with_supervised(methods: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The methods that Table 3 shows beside supervised fine-tuning: the first FULL, RAND and LIM, or else all methods.

    >>> compared_with_supervised({"all": {"score": "full"}, "lim": {"score": "lim"}, "again": {"score": "lim"}})
    ['all', 'lim']
    """
    first: dict[str, str] = {}
    for name, row in methods.items():
        first.setdefault(row["score"], name)
    shown = [first[score] for score in ("full", "rand", "lim") if score in first]
    return [name for name in methods if name in shown or not shown]
