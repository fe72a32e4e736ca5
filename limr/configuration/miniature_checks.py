"""Settings of the miniature's problems that contradict each other: the training pool, and benchmarks in other words."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from limr.errors import LimrError, shown
from limr.training.miniature.miniature_settings import PretrainingSettings

if TYPE_CHECKING:  # contradictions imports this module
    from limr.configuration.sections import Experiment, MiniatureData


def miniature_problems(experiment: "Experiment") -> Iterable[LimrError]:
    """An error for each setting of the miniature's problems that does not fit the others."""
    if experiment.data.source != "miniature":
        return
    yield from _pool(experiment.data)
    model = experiment.base_model
    for name, benchmark in experiment.benchmarks.items():
        if benchmark.wording == "other" and isinstance(model, PretrainingSettings) and model.reworded == 0:
            yield LimrError(
                "the base model never reads the words of this benchmark",
                where=f"benchmarks.{name}.wording",
                found=shown(benchmark.wording),
                expected="a share of problems in the other wording in the corpus",
                advice="Set `base_model.reworded`, e.g. 0.2, or remove this key.",
            )


def _pool(data: "MiniatureData") -> Iterable[LimrError]:
    pool = data.pool
    if pool is not None and pool.beyond is not None and pool.easy is not None and pool.beyond + pool.easy > 1:
        yield LimrError(
            where="data.pool.easy",
            found=str(pool.easy),
            expected=f"at most {1 - pool.beyond:g}",
            advice="beyond and easy are shares of one training set, and no problem is both.",
        )
