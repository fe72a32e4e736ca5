"""Which prompts to train on: score methods, one a file, and what turns scores into a subset."""

from importlib import import_module
from pkgutil import iter_modules

from limr.selection.registry import needs_trajectories, option_names, score_names
from limr.selection.score import score_prompts, subset

# a score method is known once its file has been imported
for _module in iter_modules(__path__, prefix=f"{__name__}."):
    import_module(_module.name)

__all__ = ["needs_trajectories", "option_names", "score_names", "score_prompts", "subset"]
